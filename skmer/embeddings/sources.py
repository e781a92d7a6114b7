"""What is streamed to a table: paths, URLs, the members of archives, and contents with a name."""

import io
import os
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

import numpy as np

from skmer.audio.segment import Segment
from skmer.embeddings.clips import Clip, as_sequence, check_matrix, check_sequence
from skmer.exceptions import InputError, InputTypeError
from skmer.utils.files import is_url
from skmer.utils.remote import check_url

_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
# So many are worked on at once, or of so many bytes where they are held in memory.
_WINDOW = 4096
_WINDOW_BYTES = 2**28


@dataclass(frozen=True)
class Source:
    """One clip on its way: its name, and itself as each recipe takes it; or why it is none."""

    row: int
    name: str | None
    clips: tuple[Clip, ...] = ()
    error: str | None = None

    def ends(self) -> tuple[float, float | None] | None:
        """Return the start and the end of a segment [s]; None where it is no segment."""
        clip = self.clips[0] if self.clips else None
        if clip is None or not (clip.start or clip.end is not None):
            return None
        return clip.start, clip.end

    def n_bytes(self) -> int:
        """Return the bytes that it holds in memory."""
        if not self.clips or isinstance(self.clips[0].source, str):
            return 0
        content = self.clips[0].source
        if isinstance(content, tuple):
            return content[0].nbytes
        return len(content) if isinstance(content, bytes) else 0


def check_clips(paths, *, param: str = "paths") -> Sequence | Iterator:
    """Return what `extract` may stream; of a sequence each entry is checked, before any work."""
    if isinstance(paths, str | bytes | os.PathLike):
        raise InputError(f"'{param}' must be a sequence of paths, got a lone one, {paths!r}.")
    if isinstance(paths, Iterator):
        return paths
    entries = [
        Segment(*one) if is_segment(one) and not isinstance(one, Segment) else one for one in paths
    ]
    for row, entry in enumerate(entries):
        _check(row, entry, param)
    if not entries:
        raise InputError(f"'{param}' must hold at least one path, got none.")
    return entries


def sample(entries) -> tuple[Iterable, list]:
    """Return the entries, and some of them in the form that `fit` takes."""
    some = entries
    if isinstance(entries, Iterator):
        some = list(islice(entries, 9))
        entries = chain(some, entries)
    found: list = []
    for entry in some:
        part = next(read_tar(entry), None) if is_tar(entry) else entry
        if part is not None:
            found.append(io.BytesIO(_content(part)) if is_named_content(part) else part)
    if not found:
        raise InputError("'paths' must hold at least one path, got none.")
    return entries, found


def _content(entry) -> bytes:
    """Return the content of a name with its content; an open file can be read again."""
    content = entry[1]
    if hasattr(content, "read"):
        position = content.tell()
        content = content.read()
        entry[1].seek(position)
    return bytes(content)


def _check(row: int, entry, param: str) -> None:
    if not (is_path(entry) or is_segment(entry) or is_named_content(entry)):
        raise InputTypeError(f"Entry {row} of '{param}' must be a path, got {entry!r:.100}.")
    if is_url(entry):
        check_url(entry)


def is_path(entry) -> bool:
    """Return whether an entry names a file."""
    return isinstance(entry, str | os.PathLike)


def is_segment(entry) -> bool:
    """Return whether an entry names a part of a file."""
    is_triple = isinstance(entry, tuple | list) and len(entry) == 3 and is_path(entry[0])
    return isinstance(entry, Segment) or is_triple


def segment_ends(entries) -> dict[str, list]:
    """Return the columns start and end [s] of clips of which some are segments; else none."""
    if isinstance(entries, Iterator) or not any(isinstance(one, Segment) for one in entries):
        return {}
    ends = {name: [getattr(one, name, None) for one in entries] for name in ("start", "end")}
    return {name: [np.nan if end is None else end for end in ends[name]] for name in ends}


def is_named_content(entry) -> bool:
    """Return whether an entry is a name with the bytes of a file, or with an open file."""
    if not (isinstance(entry, tuple | list) and len(entry) == 2 and isinstance(entry[0], str)):
        return False
    return isinstance(entry[1], bytes | bytearray | memoryview) or hasattr(entry[1], "read")


def is_tar(entry) -> bool:
    """Return whether an entry names an archive whose members are clips."""
    return is_path(entry) and os.fspath(entry).lower().endswith(_TARS)


def count(entries: Any) -> int | None:
    """Return the number of clips; None where only the end of the stream shows it."""
    if isinstance(entries, Iterator) or any(map(is_tar, entries)):
        return None
    return len(entries)


def read_tar(path) -> Iterator[tuple[str, bytes]]:
    """Yield the audio files of a tar archive, each with its name and its content."""
    name = os.path.expanduser(os.fspath(path))
    try:
        # Read from its start to its end, as a pipe is: nothing is unpacked.
        if is_url(name):
            files = check_url(name)
            stream = files.open(files._strip_protocol(name), "rb")
        else:
            stream = open(name, "rb")  # noqa: SIM115
        with stream, tarfile.open(fileobj=stream, mode="r|*") as archive:
            for member in archive:
                if member.isfile() and _is_audio(member.name):
                    content = archive.extractfile(member)
                    assert content is not None
                    yield f"{name}/{member.name}", content.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InputError(
            f"The archive '{name}' cannot be read to its end ({error}); get another copy of it."
        ) from error


def _is_audio(name: str) -> bool:
    # Archives of macOS hold a file of attributes beside each file.
    return not os.path.basename(name).startswith(".") and bool(os.path.splitext(name)[1])


def stream(entries: Iterable, transformers: Sequence, *, strict: bool = True) -> Iterator[Source]:
    """Yield each clip as each transformer takes it; with `strict` a bad entry raises."""
    rates = [one._network_sr() if one.sr is None else int(one.sr) for one in transformers]
    row = 0
    for entry in entries:
        for part in read_tar(entry) if is_tar(entry) else (entry,):
            try:
                yield _source(row, part, rates)
            except (InputError, InputTypeError) as error:
                if strict:
                    raise
                # Without the place in X, which the row shows.
                yield Source(row, name_of(part), error=str(error).partition(": ")[2] or str(error))
            row += 1


def _source(row: int, entry, rates: list[int]) -> Source:
    if isinstance(entry, Clip):
        clips: tuple[Clip, ...] = (entry,) * len(rates)
    elif is_named_content(entry):
        name = entry[0]
        return Source(row, name, (Clip(row, _content(entry), repr(name)),) * len(rates))
    else:
        # Bare waveforms have the rate of the transformer.
        made = {sr: check_sequence([entry], sr=sr, estimator="the model")[0] for sr in set(rates)}
        clips = tuple(replace(made[sr], row=row) for sr in rates)
    return Source(row, name_of(entry), clips)


def name_of(entry) -> str | None:
    """Return what a table calls an entry: its path, or the name of an open file; else None."""
    if isinstance(entry, str | os.PathLike):
        return os.path.expanduser(os.fsdecode(entry))
    if is_named_content(entry) or is_segment(entry):
        return entry.path if isinstance(entry, Segment) else os.fspath(entry[0])
    name = getattr(entry, "path", None) or getattr(entry, "name", None)
    return name if isinstance(name, str) and not isinstance(entry, Clip) else None


def windows(sources: Iterable[Source]) -> Iterator[list[Source]]:
    """Yield sources in lists that fit into the memory."""
    held: list[Source] = []
    n_bytes = 0
    for source in sources:
        held.append(source)
        n_bytes += source.n_bytes()
        if len(held) >= _WINDOW or n_bytes >= _WINDOW_BYTES:
            yield held
            held, n_bytes = [], 0
    if held:
        yield held


def entries_of(X: Any, transformer) -> Iterable:
    """Return the clips in whatever form `transform` takes them, or an iterator of such clips."""
    if isinstance(X, Iterator):
        return X
    X = as_sequence(X)
    if hasattr(X, "columns"):
        raise InputError(
            f"A data frame of clips must have one column. Got {len(X.columns)}; pass one of them, "
            "such as frame['path'].",
            param="X",
        )
    if isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "biuf":
        sr = transformer._network_sr() if transformer.sr is None else int(transformer.sr)
        return check_matrix(X, sr=sr)
    return check_entries(X)


def check_entries(X) -> Iterable:
    """Return a sequence of clips; raise for what is none, or empty."""
    if isinstance(X, str | bytes | os.PathLike):
        raise InputError(
            f"X must be a sequence of clips, got a lone one, {X!r}; write [path].", param="X"
        )
    if isinstance(X, dict | set | frozenset) or hasattr(X, "read") or not hasattr(X, "__len__"):
        raise InputTypeError(
            f"X must be a sequence of clips, or an iterator. Got a {type(X).__name__}.", param="X"
        )
    if not len(X):
        raise InputError("X must hold at least one path or other clip, got none.", param="X")
    return X

"""What is streamed to a table: paths, URLs, the members of archives, and contents with a name."""

import io
import os
import tarfile
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain, islice, repeat
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from skmer.audio.decoding import SoundSource
from skmer.audio.segment import ListedClip, Listing, Segment, part_of
from skmer.embeddings.clips import Clip, as_sequence, check_matrix, check_sequence
from skmer.embeddings.recipe import EmbeddedClip, Recipe, embed_clip
from skmer.embeddings.tables import ClipRows
from skmer.exceptions import AudioDecodeError, InputError, InputTypeError
from skmer.utils import ClipCache, messages, processes, remote
from skmer.utils.cache import CacheEntry, open_cache
from skmer.utils.files import ARCHIVE_SUFFIXES, is_url

# So many are worked on at once, or of so many bytes where they are held in memory.
_WINDOW = 4096
_WINDOW_BYTES = 2**28


@dataclass(frozen=True)
class Source:
    """One clip on its way: its name, and itself as each recipe takes it; or why it is none.

    `segment` is the part of a file that it is, and `cells` are the user's own columns.
    """

    row: int
    name: str | None
    clips: tuple[Clip, ...] = ()
    error: str | None = None
    segment: Segment | None = None
    cells: Mapping = field(default_factory=dict)

    def n_bytes(self) -> int:
        """Return the bytes that it holds in memory."""
        if not self.clips or isinstance(self.clips[0].source, str):
            return 0
        content = self.clips[0].source
        if isinstance(content, tuple):
            return content[0].nbytes
        return len(content) if isinstance(content, bytes) else 0

    @property
    def identity(self) -> tuple:
        """The path, as a table has it, and the start and the end of a segment of it [s]."""
        path = None if self.name is None else messages.escape_undecodable(self.name)
        return path, getattr(self.segment, "start", None), getattr(self.segment, "end", None)


def check_clips(paths, *, param: str = "paths") -> Iterable:
    """Return what `extract` may stream; of a sequence each entry is checked, before any work."""
    if isinstance(paths, str | bytes | os.PathLike):
        raise InputError(f"'{param}' must be a sequence of paths, got a lone one, {paths!r}.")
    if isinstance(paths, Iterator | Listing):
        return paths
    entries = [
        Segment(*one) if is_segment(one) and not isinstance(one, Segment) else one for one in paths
    ]
    for row, entry in enumerate(entries):
        if not (is_path(entry) or is_segment(entry) or is_named_content(entry)):
            raise InputTypeError(f"Entry {row} of '{param}' must be a path, got {entry!r}.")
        if is_url(entry):
            remote.check_url(str(entry))
    if not entries:
        raise InputError(f"'{param}' must hold at least one path, got none.")
    return entries


def sample(entries) -> tuple[Iterable, list]:
    """Return the entries, and some of them in the form that `fit` takes."""
    some = entries
    if isinstance(entries, Iterator):
        some = list(islice(entries, 9))
        entries = chain(some, entries)
    elif isinstance(entries, Listing):
        some = [listed.clip for listed in islice(entries, 9)]
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


def is_path(entry) -> bool:
    """Return whether an entry names a file."""
    return isinstance(entry, str | os.PathLike)


def is_segment(entry) -> bool:
    """Return whether an entry names a part of a file."""
    is_triple = isinstance(entry, tuple | list) and len(entry) == 3 and is_path(entry[0])
    return isinstance(entry, Segment) or is_triple


def is_named_content(entry) -> bool:
    """Return whether an entry is a name with the bytes of a file, or with an open file."""
    if not (isinstance(entry, tuple | list) and len(entry) == 2 and isinstance(entry[0], str)):
        return False
    return isinstance(entry[1], bytes | bytearray | memoryview) or hasattr(entry[1], "read")


def is_tar(entry) -> bool:
    """Return whether an entry names an archive whose members are clips."""
    return is_path(entry) and os.fspath(entry).lower().endswith(ARCHIVE_SUFFIXES)


def count(entries: Any) -> int | None:
    """Return the number of clips; None where only the end of the stream shows it."""
    if isinstance(entries, Listing):
        return entries.n_clips
    if isinstance(entries, Iterator) or any(map(is_tar, entries)):
        return None
    return len(entries)


def read_tar(path) -> Iterator[tuple[str, bytes]]:
    """Yield the audio files of a tar archive, each with its name and its content."""
    name = os.path.expanduser(os.fspath(path))
    try:
        # Read from its start to its end, as a pipe is: nothing is unpacked.
        if is_url(name):
            files = remote.check_url(name)
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


def stream(
    entries: Iterable,
    transformers: Sequence,
    *,
    strict: bool = True,
    columns: Mapping[str, Any] = MappingProxyType({}),
) -> Iterator[Source]:
    """Yield each clip as each transformer takes it; with `strict` a bad entry raises.

    `columns` are arrow arrays with a cell for each entry.
    """
    rates = [one._network_sr() if one.sr is None else int(one.sr) for one in transformers]
    cells: Iterable = repeat({})
    if columns:
        values = (column.to_pylist() for column in columns.values())
        cells = (dict(zip(columns, row)) for row in zip(*values))
    row = 0
    for entry, own in zip(entries, cells):
        if isinstance(entry, ListedClip):
            entry, own = entry
        for part in read_tar(entry) if is_tar(entry) else (entry,):
            try:
                yield _source(row, part, rates, own)
            except (InputError, InputTypeError) as error:
                if strict:
                    raise
                # Without the place in X, which the row shows.
                yield Source(row, name_of(part), error=str(error).partition(": ")[2] or str(error))
            row += 1


def _source(row: int, entry, rates: list[int], cells: Mapping) -> Source:
    if isinstance(entry, Clip):
        clips: tuple[Clip, ...] = (entry,) * len(rates)
    elif is_named_content(entry):
        clips = (Clip(row, _content(entry), repr(entry[0])),) * len(rates)
    else:
        # Bare waveforms have the rate of the transformer.
        made = {sr: check_sequence([entry], sr=sr, estimator="the model")[0] for sr in set(rates)}
        clips = tuple(replace(made[sr], row=row) for sr in rates)
    if is_segment(entry) and not isinstance(entry, Segment):
        entry = Segment(*entry)
    segment = entry if isinstance(entry, Segment) else None
    return Source(row, name_of(entry), clips, segment=segment, cells=cells)


def late_segment() -> InputError:
    """Return the error for a segment after clips that are none, of an iterator."""
    return InputError(
        "Segments must be among the first clips of an iterator, where they are among the later "
        "ones; sort it, or pass a list."
    )


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
    if isinstance(X, Iterator | Listing):
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


def embed_sources(
    clips: Iterable[Source],
    recipes: list[Recipe],
    *,
    memory,
    unfinished: Path | None = None,
    known: Mapping[str | None, ClipRows] = MappingProxyType({}),
    n_jobs: int | None,
) -> Generator[ClipRows]:
    """Embed clips by one or several recipes, and yield each, in order, as soon as it is done.

    The rows of several recipes stand side by side. With `unfinished`, a folder, what is done is
    kept there too, and taken from there; what is `known` by its digest is not computed.
    """
    cache = open_cache(memory)
    kept = None if unfinished is None else ClipCache(unfinished)
    n_threads = processes.threads_per_worker(n_jobs)
    for window in windows(clips):
        digests: Iterable[str | None] = [None] * len(window)
        if known:
            calls = ((source,) for source in window)
            digests = list(
                processes.run_parallel(digest_source, calls, n_jobs=n_jobs, prefer="threads")
            )
        arguments = (
            (source, recipes, cache, kept, n_threads)
            for source, digest in zip(window, digests)
            if digest not in known
        )
        new = processes.run_parallel(_embed_source, arguments, n_jobs=n_jobs, prefer="threads")
        with closing(new):
            for source, digest in zip(window, digests):
                done = known[digest] if digest in known else next(new)
                path, start, end = source.identity
                yield replace(done, path=path, start=start, end=end, cells=source.cells)


def _embed_source(
    source: Source,
    recipes: list[Recipe],
    cache: ClipCache | None,
    kept: ClipCache | None,
    n_threads: int | None,
) -> ClipRows:
    """Embed one clip, in whatever thread or process."""
    if source.error is not None:
        return ClipRows(error=source.error)
    digest = None
    clip = source.clips[0]
    try:
        # Fetched once, for all recipes.
        clip = clip.local()
        status, digest = clip.status(), digest_clip(clip)
        clips = source.clips if clip is source.clips[0] else (clip,) * len(recipes)

        def compute() -> CacheEntry:
            embedded = []
            for recipe, one in zip(recipes, clips):
                done = embed_clip(recipe, one, cache, n_threads)
                if done.error is not None:
                    raise done.error
                embedded.append(done)
            # Else the numbers of one content would be kept under the digest of another.
            if clip.status() != status:
                raise AudioDecodeError("the file changed while it was read; read it again.")
            return _side_by_side(clip, recipes, embedded)

        if kept is None or digest is None:
            entry = compute()
        else:
            entry = kept.get_or_compute({"content": digest}, compute)
    except AudioDecodeError as error:
        reason = messages.escape_undecodable(str(error).removeprefix(f"{clip.name}: "))
        return ClipRows(digest=digest, error=reason)
    assert entry.n_samples is not None
    assert entry.sr is not None
    return ClipRows(
        digest=digest,
        duration=entry.n_samples / entry.sr,
        sr=entry.sr,
        notes=", ".join(entry.notes) or None,
        rows=entry.array,
        is_new=entry.is_new,
        cache_error=entry.error,
    )


def _side_by_side(clip: Clip, recipes: list[Recipe], embedded: list[EmbeddedClip]) -> CacheEntry:
    """Join what several recipes gave for one file; `n_samples` is now of the whole file."""
    rows = [np.atleast_2d(one.row).astype(np.float32, copy=False) for one in embedded]
    return CacheEntry(
        np.hstack(rows),
        sorted({note for one in embedded for note in one.notes}),
        error=next((one.cache_error for one in embedded if one.cache_error is not None), None),
        sr=embedded[0].sr,
        n_samples=_file_length(clip, recipes[0], embedded[0]),
        is_new=any(one.is_new for one in embedded),
    )


def _file_length(clip: Clip, recipe: Recipe, embedded: EmbeddedClip) -> int:
    """Return the samples of a whole file, of which a recipe may have used a segment."""
    sr, n_samples = embedded.sr, embedded.n_samples
    assert sr is not None
    assert n_samples is not None
    if clip.start or clip.end is not None:
        return n_samples
    if recipe.duration is not None and n_samples >= round(recipe.duration * sr):
        content = clip.open()
        if isinstance(content, tuple):
            return len(content[0])
        with SoundSource(content, name=clip.name) as source:
            return source.n_samples()
    return round(recipe.offset * sr) + n_samples


def digest_clip(clip: Clip) -> str | None:
    """Return the SHA-256 of a clip's content; None where it cannot be read.

    Of a segment it ends as a media fragment does: ``#t=0.5,3.0``.
    """
    is_part = clip.start or clip.end is not None
    part = part_of(Segment("", clip.start, clip.end)) if is_part else ""
    try:
        return clip.local().digest() + part
    except (OSError, ValueError, TypeError):
        return None


def digest_source(source: Source) -> str | None:
    """Return the digest of what a source is read from; None where there is none."""
    return digest_clip(source.clips[0]) if source.clips else None

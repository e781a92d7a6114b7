"""What is streamed to a table: paths, URLs, the members of archives, and contents with a name."""

import os
import shutil
import tarfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cached_property
from glob import escape
from itertools import chain, islice, repeat

import numpy as np
from sklearn.utils import check_array

from skmer.audio.decoding import SoundSource
from skmer.audio.segment import ListedClip, Listing
from skmer.embeddings import clips as forms
from skmer.embeddings import settings, tables
from skmer.embeddings.recipe import embed_clip
from skmer.exceptions import AudioDecodeError, InputError, InputTypeError
from skmer.utils import CacheEntry, ClipCache, cache, files, messages, processes, progress, remote

# So many are worked on at once, or of so many bytes where they are held in memory.
_WINDOW = 4096
_WINDOW_BYTES = 2**28


def check_clips(paths) -> Iterable:
    """Return what `extract` may stream; of a sequence each entry is checked, before any work."""
    if isinstance(paths, str | bytes | os.PathLike):
        raise InputError(f"'paths' must be a sequence of paths, got a lone one, {paths!r}.")
    if isinstance(paths, Iterator | Listing):
        return paths
    entries = [forms.as_file(one) or one for one in forms.as_sequence(paths)]
    for row, entry in enumerate(entries):
        if name_of(entry) is None:
            got = messages.shorten([entry])
            raise InputTypeError(f"Entry {row} of 'paths' must be a path, got {got}.")
        if files.is_url(entry):
            remote.check_url(str(entry))
    return entries


def sample(entries) -> tuple[Iterable, list]:
    """Return the entries, and some of them in the form that `fit` takes."""
    some = entries
    if isinstance(entries, Iterator):
        some = list(islice(entries, 9))
        entries = chain(some, entries)
    elif isinstance(entries, Listing):
        some = [listed.clip for listed in islice(entries, 9)]
    parts = (next(read_tar(entry), None) if is_tar(entry) else entry for entry in some)
    found = [forms.as_file(one) or one for one in parts if one is not None]
    if not found:
        raise InputError("'paths' must hold at least one path, got none.")
    return entries, found


def is_path(entry) -> bool:
    """Return whether an entry names a file."""
    return isinstance(entry, str | os.PathLike)


def is_tar(entry) -> bool:
    """Return whether an entry names an archive whose members are clips."""
    return is_path(entry) and os.fspath(entry).lower().endswith(files.ARCHIVE_SUFFIXES)


def count(entries) -> int | None:
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
        if files.is_url(name):
            system = remote.check_url(name)
            stream = system.open(system._strip_protocol(name), "rb")
        else:
            stream = open(name, "rb")  # noqa: SIM115
        with stream, tarfile.open(fileobj=stream, mode="r|*") as archive:
            for member in archive:
                if member.isfile() and _is_audio(member.name):
                    content = archive.extractfile(member)
                    assert content is not None
                    yield f"{name}/{member.name}", content.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        problem = f"The archive '{name}' cannot be read to its end ({error})"
        raise InputError(f"{problem}; get another copy of it.") from error


def _is_audio(name: str) -> bool:
    # Archives of macOS hold a file of attributes beside each file.
    return not os.path.basename(name).startswith(".") and bool(os.path.splitext(name)[1])


def stream(entries, sr: int, *, strict=True, columns=None) -> Iterator[forms.Clip]:
    """Yield each clip, a bare one at the rate `sr` [Hz].

    With `strict` a bad entry raises. `columns` are arrow arrays with a cell for each entry.
    """
    cells: Iterable = repeat({})
    if columns:
        values = (column.to_pylist() for column in columns.values())
        cells = (dict(zip(columns, row)) for row in zip(*values))
    row = 0
    for entry, own in zip(entries, cells):
        if isinstance(entry, ListedClip):
            entry, own = entry
        for part in read_tar(entry) if is_tar(entry) else (entry,):
            if isinstance(part, forms.Clip):
                yield part
                continue
            try:
                clip = forms.as_clip(part, row, sr=sr, estimator="the model")
            except (InputError, InputTypeError) as error:
                if strict:
                    raise
                # Without the place in X, which the row shows.
                clip = forms.Clip(row, error=str(error).partition(": ")[2] or str(error))
            yield replace(clip, path=name_of(part), cells=own)
            row += 1


def late_segment() -> InputError:
    """Return the error for a segment after clips that are none, of an iterator."""
    return InputError(
        "Segments must be among the first clips of an iterator, where they are among the later "
        "ones; sort it, or pass a list."
    )


def name_of(entry) -> str | None:
    """Return what a table calls an entry: its path, or the name of an open file; else None."""
    if forms.is_named_content(entry):
        name = entry[0]
    elif is_path(entry) or forms.is_triple(entry):
        name = os.path.expanduser(os.fsdecode(entry if is_path(entry) else entry[0]))
    elif isinstance(entry, Mapping):
        name = entry.get("path")
    else:
        name = getattr(entry, "path", None) or getattr(entry, "name", None)
    return messages.escape_undecodable(name) if isinstance(name, str) else None


def windows(clips: Iterable[forms.Clip]) -> Iterator[list[forms.Clip]]:
    """Yield clips in lists that fit into the memory."""
    return tables.in_lists(clips, lambda clip: (1, clip.n_bytes()), (_WINDOW, _WINDOW_BYTES))


def entries_of(X, sr: int) -> Iterable:
    """Return the clips in a form that `transform` takes, or an iterator of such clips."""
    if isinstance(X, Iterator | Listing):
        return X
    X = forms.as_sequence(X)
    if forms.is_sequence_of_clips(X, estimator="the model"):
        return X
    return forms.check_matrix(check_array(X, dtype="numeric"), sr=sr)


class Embedder:
    """Embeds any number of clips by one or several transformers, in order, in bounded memory.

    The rows of several transformers stand side by side. Where there is no cache (`memory`, else
    that of the first transformer), `keep` names a folder for what is done.
    """

    def __init__(self, transformers: Sequence, *, memory=None, n_jobs=None, verbose=False):
        self.transformers, first = transformers, transformers[0]
        self.recipes = [one._recipe(pooled=True) for one in transformers]
        self.rates = [one._input_sr() for one in transformers]
        self.n_jobs, self.verbose = first.n_jobs if n_jobs is None else n_jobs, verbose
        self.cache = cache.open_cache(first.memory if memory is None else memory)
        self.kept: ClipCache | None = None
        # Why the cache could not be used, of any clip.
        self.cache_errors: list[str] = []

    @cached_property
    def names(self) -> list[str]:
        """What the numbers are called."""
        return settings.column_names(self.transformers)

    @cached_property
    def key(self) -> str:
        """Digest of all that decides the numbers."""
        return settings.recipe_key(self.recipes, self.names)

    @contextmanager
    def keep(self, out) -> Iterator[None]:
        """Without a cache, keep what is done in a hidden folder, until the block is left well.

        It lies beside `out`, with the key of the settings in its name.
        """
        here = out.with_name(f".{out.name}.{self.key}.cache")
        if self.cache is not None:
            yield
            return
        if others := set(out.parent.glob(f".{escape(out.name)}.*.cache")) - {here}:
            tables.warn_of_ignored(
                f"An unfinished run with other settings left '{min(others)}'; it is kept for a run "
                "with those settings, and may be removed."
            )
        self.kept = ClipCache(here)
        yield
        shutil.rmtree(here, ignore_errors=True)

    def call(self, function: Callable, clips: Iterable, *shared) -> Generator:
        """Yield what a function gives for each clip, in order, from several threads."""
        calls = ((clip, *shared) for clip in clips)
        return processes.run_parallel(function, calls, n_jobs=self.n_jobs, prefer="threads")

    def embed(self, clips: Iterable, known=None, *, total=None, what="extracting"):
        """Yield each clip as soon as it is done; what is `known` by its digest is not computed."""
        with closing(self._embed(clips, known or {})) as done:
            yield from progress.track(done, description=what, total=total, enabled=self.verbose)

    def _embed(self, clips, known) -> Generator[tables.ClipRows]:
        n_threads = processes.threads_per_worker(self.n_jobs)
        shared = [*zip(self.recipes, self.rates)], self.cache, self.kept, n_threads
        for window in windows(clips):
            digests = list(self.call(digest_clip, window)) if known else [None] * len(window)
            missing = (clip for clip, digest in zip(window, digests) if digest not in known)
            new = self.call(_embed_source, missing, *shared)
            with closing(new):
                for clip, digest in zip(window, digests):
                    done = known[digest] if digest in known else next(new)
                    if done.cache_error is not None:
                        self.cache_errors.append(done.cache_error)
                    path, start, end = clip.identity
                    yield replace(done, path=path, start=start, end=end, cells=clip.cells)


def _embed_source(clip: forms.Clip, recipes, cache, kept, n_threads) -> tables.ClipRows:
    """Embed one clip, in any thread or process, by recipes that have a rate each."""
    if clip.error is not None:
        return tables.ClipRows(error=clip.error)
    digest = None
    try:
        # Fetched once, for all recipes.
        clip = clip.local()
        status, digest = clip.status(), digest_clip(clip)

        def compute() -> CacheEntry:
            embedded = []
            for recipe, sr in recipes:
                done = embed_clip(recipe, clip.at(sr), cache, n_threads)
                if isinstance(done, AudioDecodeError):
                    raise done
                embedded.append(done)
            # Else the numbers of one content would be kept under the digest of another.
            if clip.status() != status:
                raise AudioDecodeError("the file changed while it was read; read it again.")
            return CacheEntry(
                np.hstack([np.atleast_2d(one.array).astype(np.float32) for one in embedded]),
                sorted({note for one in embedded for note in one.notes}),
                error=next((one.error for one in embedded if one.error is not None), None),
                sr=embedded[0].sr,
                n_samples=_file_length(clip, recipes[0][0], embedded[0]),
                is_new=any(one.is_new for one in embedded),
            )

        is_kept = kept is not None and digest is not None
        entry = kept.get_or_compute({"content": digest}, compute) if is_kept else compute()
    except AudioDecodeError as error:
        reason = messages.escape_undecodable(str(error).removeprefix(f"{clip.name}: "))
        return tables.ClipRows(digest=digest, error=reason)
    return tables.ClipRows(
        digest=digest,
        duration=(entry.n_samples or 0) / (entry.sr or 1),
        sr=entry.sr,
        notes=", ".join(entry.notes) or None,
        rows=entry.array,
        is_new=entry.is_new,
        cache_error=entry.error,
    )


def _file_length(clip: forms.Clip, recipe, embedded: CacheEntry) -> int:
    """Return the samples of a whole file, of which a recipe may have used a segment."""
    sr, n_samples = embedded.sr or 0, embedded.n_samples or 0
    if clip.part:
        return n_samples
    if recipe.duration is not None and n_samples >= round(recipe.duration * sr):
        content = clip.open()
        if isinstance(content, tuple):
            return len(content[0])
        with SoundSource(content, name=clip.name) as source:
            return source.n_samples()
    return round(recipe.offset * sr) + n_samples


def digest_clip(clip: forms.Clip) -> str | None:
    """Return the SHA-256 of a clip's content; None where it cannot be read.

    A part of a file has the digest of the file, with the part behind it.
    """
    try:
        return clip.local().digest() + clip.part
    except (OSError, ValueError, TypeError):
        return None

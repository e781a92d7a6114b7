"""Any number of clips to one table or a file each, in bounded memory, resumed after a kill."""

import os
import shutil
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from sklearn.base import clone

from skmer._version import __version__
from skmer.audio.decoding import SoundSource
from skmer.audio.segment import Segment, part_of
from skmer.embeddings import sources, stored, tables
from skmer.embeddings.base import BaseClipTransformer
from skmer.embeddings.clips import Clip
from skmer.embeddings.recipe import EmbeddedClip, Recipe, embed_clip
from skmer.embeddings.shards import write_shards
from skmer.exceptions import AudioDecodeError, InputError, InputTypeError, bounded
from skmer.utils import ClipCache
from skmer.utils.cache import CacheEntry, open_cache, warn_of_cache
from skmer.utils.digest import settings_digest
from skmer.utils.files import (
    check_output_file,
    expand_path,
    is_url,
)
from skmer.utils.messages import check_choice, check_whole, escape_undecodable
from skmer.utils.processes import run_parallel, threads_per_worker
from skmer.utils.progress import track
from skmer.utils.remote import Place

_COUNTS = ("n_clips", "n_rows", "n_failed")
_NO_ROWS = np.zeros((0, 0), np.float32)


@dataclass(frozen=True)
class Extraction:
    """What `extract` returns.

    Parameters
    ----------
    path : pathlib.Path
        The table that was written.
    n_clips : int
        Clips in it.
    n_rows : int
        Rows in it: one a clip, or one a frame.
    n_computed : int
        Clips computed by this call; the others were finished by an earlier one.
    n_failed : int
        Clips that could not be read; the column ``error`` has the reason.
    """

    path: Path
    n_clips: int
    n_rows: int
    n_computed: int
    n_failed: int


def extract(
    paths: Iterable,
    transformer: BaseClipTransformer | Sequence[BaseClipTransformer],
    out: str | os.PathLike,
    *,
    frames: bool = False,
    columns: Mapping[str, Sequence] | None = None,
    append: bool = False,
    force: bool = False,
    layout: Literal["columns", "list"] = "columns",
    shard_size: int | None = None,
    n_jobs: int | None = None,
    chunk_size: int | None = None,
    verbose: bool = False,
) -> Extraction:
    """Embed audio files and write one table, a row a clip or a row a frame.

    Each clip is kept as soon as it is finished: in the cache of the transformer, or, where it has
    none, in a hidden folder beside the table, which is removed when the table is whole. After a
    kill the same call goes on from there, and the table is the one that an undisturbed run writes.

    Parameters
    ----------
    paths : iterable of str, path-like, Segment, or (name, content)
        Audio files, in the order of the table: paths, or `Segment` parts of them; URLs such as
        ``s3://bucket/song.mp3``, with the extra ``remote``; or names with the content of a file, as
        bytes or as an open binary file. A path of a tar archive stands for the audio files in it. A
        sequence is checked as a whole before the work; of an iterator no more than some thousand
        entries are held at once.
    transformer : transformer of clips, or list of those
        Fitted or not; of a list each gives its columns. The `memory` and `n_jobs` of the first are
        used as well; `on_error` is not, see Returns.
    out : str or path-like
        The table, ``.parquet``, ``.npz`` or ``.csv``; or a folder, which gets shards. Clips that
        the table held already, with the same settings, are not computed again. Beside it stays a
        hidden lock file, which keeps a second process from writing it at the same time. With the
        extra ``remote`` it may be a URL.
    frames : bool, default=False
        A row for each frame of a clip, with its time, instead of one for the clip.
    columns : dict of str to sequence of length n_clips, default=None
        Further columns, such as labels: texts, numbers or truth values.
    append : bool, default=False
        Add to the table that is there, which must have been made with the same settings, weights
        and columns. A clip that it has by its path, with the same content, is not computed again,
        and one whose content has changed takes the place of its row. Columns that are not given
        are missing for the new rows.
    force : bool, default=False
        Replace a table by one of fewer clips, which is an error otherwise.
    layout : {"columns", "list"}, default="columns"
        One column for each number, or, of Parquet, one column ``embedding`` of lists.
    shard_size : int, default=None
        Clips in each shard of a folder; None = as in those that are there, else 10,000.
    n_jobs : int, default=None
        Number of jobs over clips, as in joblib; obeys `joblib.parallel_config`. None = that of the
        transformer.
    chunk_size : int, default=None
        Not used any more, since every clip is kept as soon as it is finished.
    verbose : bool, default=False
        Show a progress bar on standard error.

    Returns
    -------
    extraction : Extraction
        Counts. The table has the columns path, start and end of segments [s], those of `columns`,
        digest (SHA-256 of the file), duration [s] and sr [Hz] of the file or its part, error (why a
        clip could not be read; its numbers are NaN), notes ("short", "silent", "cut", "loud"), with
        `frames` also frame and time [s], and one column for each of the transformer's
        ``get_feature_names_out()``. The settings are in the file's metadata, as JSON under
        "skmer". A npz file has an array for each of these, with
        all the numbers in "embeddings", and "settings". A csv file has its settings in
        ``<out>.json`` beside it, and an apostrophe before texts that a spreadsheet would take for a
        formula. In every kind of table a letter that is in no encoding, as in names of files that
        are not UTF-8, is written as an escape such as ``\\udcdf``. A folder has Parquet files of
        `shard_size` clips each, and ``_manifest.json``, which names them; pyarrow, pandas and
        polars read the folder as one table. A shard that is complete is not read again.

    Raises
    ------
    OSError
        When the table cannot be written, or another process is writing it.
    ValueError, TypeError
        For an argument that is not as above, and where a table would lose clips.
    WeightsNotFoundError
        When pretrained weights are wanted and cannot be had.

    Warns
    -----
    IgnoredCacheWarning
        When the table that is there, or an unfinished run, is damaged or had other settings.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from skmer import MFCCStatsTransformer
    >>> from skmer.datasets import load_toy_emotions
    >>> from skmer.embeddings import extract
    >>> clips = load_toy_emotions().data[:4]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = extract(clips[:3], MFCCStatsTransformer(), f"{folder}/mfcc.parquet")
    ...     more = extract(clips[3:], MFCCStatsTransformer(), done.path, append=True)
    ...     table = pd.read_parquet(done.path)
    >>> table[["duration", "sr", "mfcc_mean_0"]].shape, more.n_computed
    ((4, 3), 1)
    """
    if chunk_size is not None:
        warnings.warn(
            "The 'chunk_size' parameter of extract has no effect any more; leave it out.",
            DeprecationWarning,
            stacklevel=2,
        )
    entries: Iterable = sources.check_clips(paths)
    check_choice("extract", ("columns", "list"), layout=layout)
    if shard_size is not None:
        check_whole("extract", shard_size=shard_size)
    place, name = _check_out(out, layout)
    entries, sample = sources.sample(entries)
    transformers = fit_copies(transformer, sample, frames=frames)
    names = column_names(transformers)
    n_clips = sources.count(entries)
    ends = sources.segment_ends(entries)
    checked = tables.check_columns({**ends, **(columns or {})}, n_clips, names)
    recipes = [one._recipe(pooled=True) for one in transformers]
    key = recipe_key(recipes, names)
    run = _Run(
        recipes=recipes,
        names=names,
        settings=describe_run(transformers, key, frames=frames),
        columns=checked,
        kinds={name: str(column.type) for name, column in checked.items()},
        frame_times=transformers[0].frame_times if frames else None,
        layout=layout,
        memory=transformers[0].memory,
        n_jobs=transformers[0].n_jobs if n_jobs is None else n_jobs,
        append=append,
        force=force,
        verbose=verbose,
    )
    # What a sequence holds is known before the work, and what an iterator holds at its end.
    clips = sources.stream(entries, transformers)
    if name is None:
        write_shards(run, clips, place, n_clips, shard_size)
    else:
        run.write(clips, place, name, n_clips)
    warn_of_cache(run.cache_errors, stacklevel=2)
    where: Any = place.show(name) if name else place.show()
    return Extraction(where, run.n_clips, run.n_rows, run.n_computed, run.n_failed)


@dataclass(kw_only=True)
class _Run:
    """What one call of `extract` writes, to one table or several, and what it has written."""

    recipes: list[Recipe]
    names: list[str]
    settings: dict
    columns: dict
    kinds: dict[str, str]
    frame_times: Callable[[int], np.ndarray] | None
    layout: str
    memory: Any
    n_jobs: int | None
    append: bool
    force: bool
    verbose: bool
    n_clips: int = 0
    n_rows: int = 0
    n_computed: int = 0
    n_failed: int = 0
    cache_errors: list[str] = field(default_factory=list)

    def write(
        self,
        clips: Iterable[sources.Source],
        place: Place,
        name: str,
        n_clips: int | None,
        *,
        description: str = "extracting",
    ) -> dict:
        """Write one table; return the counts of what is in it."""
        append = self.append
        before = [getattr(self, count) for count in _COUNTS]
        path = place.fetch(name)
        beside = [stored.settings_beside(path).name] if path.suffix == ".csv" else []
        for one in beside:
            place.fetch(one)
        key = self.settings["key"]
        with tables.locked(path):
            n_before = 0 if self.force or append else stored.count_clips(path)
            if n_clips is not None:
                tables.check_not_fewer(place.show(name), n_before, n_clips)
            has_cache = open_cache(self.memory) is not None
            kept = None if has_cache else unfinished_cache(path, key)
            with tables.earlier_table(path, key, self.names, append=append) as earlier:
                new = embed_sources(
                    clips,
                    self.recipes,
                    memory=self.memory,
                    unfinished=kept,
                    known=earlier.by_digest,
                    n_jobs=self.n_jobs,
                )
                # Closed whatever happens, so that no job goes on behind an error.
                with closing(new):
                    bar = track(new, description=description, total=n_clips, enabled=self.verbose)
                    placed: Iterable[tables.Placed]
                    placed = ((source.row, source.name, clip) for source, clip in bar)
                    columns, kinds = self.columns, self.kinds
                    if append and earlier.clips:
                        kinds = earlier.kinds()
                        given = tables.match_columns(columns, kinds)
                        placed, columns = earlier.extended(placed, given)
                    counted = self._count(placed, place.show(name), n_before)
                    schema = tables.table_schema(
                        kinds,
                        self.names,
                        self.settings,
                        frames=self.frame_times is not None,
                        layout=self.layout,
                    )
                    rows = tables.batches(
                        counted, columns, kinds, len(self.names), self.frame_times
                    )
                    tables.write_table(path, rows, schema, self.names)
            if kept is not None:
                shutil.rmtree(kept, ignore_errors=True)
        for one in (name, *beside):
            place.store(one)
        return {name: getattr(self, name) - was for name, was in zip(_COUNTS, before)}

    def add(self, counts: dict, times: int = 1) -> None:
        """Count the clips of a shard that is not written; with times=-1, count them no more."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + times * counts[name])

    def digest(self, source: sources.Source) -> str | None:
        """Return the digest of a clip's content; None where it cannot be read."""
        return _digest_source(source)

    def _count(self, clips: Iterable[tables.Placed], table, n_before) -> Iterator[tables.Placed]:
        """Pass the clips of one table on, and count them; raise where they became fewer."""
        n_clips = 0
        for one in clips:
            clip, n_clips = one[2], n_clips + 1
            self.n_clips += 1
            self.n_rows += max(1, len(clip.rows))
            self.n_computed += clip.is_new
            self.n_failed += clip.error is not None
            if clip.cache_error is not None:
                self.cache_errors.append(clip.cache_error)
            yield one
        tables.check_not_fewer(table, n_before, n_clips)


def embed_sources(
    clips: Iterable[sources.Source],
    recipes: list[Recipe],
    *,
    memory,
    unfinished: Path | None = None,
    known: Mapping[str | None, tables.ClipRows] = MappingProxyType({}),
    n_jobs: int | None,
) -> Generator[tuple[sources.Source, tables.ClipRows]]:
    """Embed clips by one or several recipes, and yield each, in order, as soon as it is done.

    The rows of several recipes stand side by side. With `unfinished`, a folder, what is done is
    kept there too, and taken from there; what is `known` by its digest is not computed.
    """
    cache = open_cache(memory)
    kept = None if unfinished is None else ClipCache(unfinished)
    n_threads = threads_per_worker(n_jobs)
    for window in sources.windows(clips):
        digests: Iterable[str | None] = [None] * len(window)
        if known:
            calls = ((source,) for source in window)
            digests = list(run_parallel(_digest_source, calls, n_jobs=n_jobs, prefer="threads"))
        arguments = (
            (source, recipes, cache, kept, n_threads)
            for source, digest in zip(window, digests)
            if digest not in known
        )
        new = run_parallel(_embed_source, arguments, n_jobs=n_jobs, prefer="threads")
        with closing(new):
            for source, digest in zip(window, digests):
                yield source, known[digest] if digest in known else next(new)


def _embed_source(
    source: sources.Source,
    recipes: list[Recipe],
    cache: ClipCache | None,
    kept: ClipCache | None,
    n_threads: int | None,
) -> tables.ClipRows:
    """Embed one clip, in whatever thread or process."""
    if source.error is not None:
        return tables.ClipRows(None, None, None, source.error, None, _NO_ROWS)
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
        reason = escape_undecodable(str(error).removeprefix(f"{clip.name}: "))
        return tables.ClipRows(digest, None, None, reason, None, _NO_ROWS)
    assert entry.n_samples is not None
    assert entry.sr is not None
    return tables.ClipRows(
        digest,
        entry.n_samples / entry.sr,
        entry.sr,
        None,
        ", ".join(entry.notes) or None,
        entry.array,
        entry.is_new,
        entry.error,
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


def _digest_source(source: sources.Source) -> str | None:
    return digest_clip(source.clips[0]) if source.clips else None


def _check_out(out: str | os.PathLike, layout: str) -> tuple[Place, str | None]:
    """Return where the table goes, and its name there; None where it is a folder of shards."""
    text = os.fspath(out)
    suffix = os.path.splitext(text.rstrip("/"))[1]
    if not suffix or text.endswith("/") or (not is_url(text) and os.path.isdir(text)):
        # A folder called as a table is a mistake more often than a place for shards.
        if suffix in tables.SUFFIXES:
            raise IsADirectoryError(
                bounded(f"A file cannot be written to '{out}', which is a folder.")
            )
        return Place(out), None
    if suffix not in tables.SUFFIXES:
        raise InputError(
            f"The table must end in {', '.join(tables.SUFFIXES)}, or be a folder. Got '{out}'.",
            param="out",
        )
    if layout == "list" and suffix != ".parquet":
        raise InputError(
            "The 'layout' parameter of extract must be 'columns' for tables other than .parquet. "
            f"Got layout='list' for '{out}'.",
            param="layout",
        )
    if is_url(text):
        folder, _, name = text.rpartition("/")
        return Place(folder), name
    path = expand_path(out)
    if suffix == ".csv":
        check_output_file(stored.settings_beside(path))
    check_output_file(path)
    return Place(path.parent), path.name


def fit_copies(transformer, paths: Sequence, *, frames: bool) -> list[BaseClipTransformer]:
    """Return fitted copies that pool where a row is a clip, and not where it is a frame."""
    given = list(transformer) if isinstance(transformer, list | tuple) else [transformer]
    if not given or not all(isinstance(one, BaseClipTransformer) for one in given):
        raise InputTypeError(
            "'transformer' must be a transformer of clips, such as MFCCStatsTransformer(), or a "
            f"list of those. Got {transformer!r:.100}."
        )
    if frames and len(given) > 1:
        raise InputError(
            "With frames=True one transformer fills a table, since each has frames of its own "
            f"length; write a table for each. Got {len(given)} transformers."
        )
    fitted = []
    for one in map(clone, given):
        one._check_can_be_kept()
        parameters = one.get_params()
        pooling = "pooling" if "pooling" in parameters else "statistics"
        if frames:
            one.set_params(**{pooling: None})
        elif parameters[pooling] is None:
            raise InputError(
                f"With {pooling}=None a clip has many rows; pass frames=True for one row a frame, "
                f"or set {pooling}."
            )
        fitted.append(one.fit(paths))
    if frames:
        # One that has no times for its frames raises before any work.
        fitted[0].frame_times(0)
    return fitted


def column_names(transformers: list[BaseClipTransformer]) -> list[str]:
    """Return the names of all numbers, each there once."""
    names = [str(name) for one in transformers for name in one.get_feature_names_out()]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(
            f"Two of the transformers give a column {twice!r}; write a table for each of them."
        )
    return names


# Parameters of transformers that change no number.
_CHANGE_NO_NUMBER = ("memory", "n_jobs", "on_error", "verbose")


def recipe_key(recipes: list[Recipe], names: list[str]) -> str:
    """Return a short digest of all that decides the numbers of a table."""
    keys = [recipe.key() for recipe in recipes]
    return settings_digest({"recipes": keys, "columns": names})[:16]


def feature_key(transformer: BaseClipTransformer, *, frames: bool) -> str:
    """Return the digest of all that decides the numbers of one transformer in a table."""
    names = [str(name) for name in transformer.get_feature_names_out()]
    return recipe_key([transformer._recipe(pooled=not frames)], names)


def describe_run(transformers: list[BaseClipTransformer], key: str, *, frames: bool) -> dict:
    """Return what is stored with a table of how it was made."""
    import soxr

    return {
        "features": [
            describe_transformer(one) | {"key": feature_key(one, frames=frames)}
            for one in transformers
        ],
        "rows": "frames" if frames else "clips",
        "versions": {"skmer": __version__, "numpy": np.__version__, "soxr": soxr.__version__},
        "key": key,
    }


def describe_transformer(transformer: BaseClipTransformer) -> dict:
    """Return how a fitted transformer was set, and which weights it has, as JSON has it."""
    return {
        "transformer": type(transformer).__name__,
        "parameters": {
            # The representation of a function holds an address, another one in every process.
            name: value
            if isinstance(value, int | float | str | None)
            else getattr(value, "__qualname__", repr(value))
            for name, value in transformer.get_params().items()
            if name not in _CHANGE_NO_NUMBER
        },
        "weights": getattr(transformer, "weights_label_", None),
        "weights_digest": getattr(transformer, "weights_digest_", None),
    }


def unfinished_cache(out: Path, key: str) -> Path:
    """Return the hidden folder of the clips that are finished before the table is.

    Those of an unfinished run with other settings are in a folder of their own.
    """
    here = out.with_name(f".{out.name}.{key}.cache")
    others = set(out.parent.glob(f".{escape(out.name)}.*.cache")) - {here}
    if others:
        tables.warn_of_ignored(
            f"An unfinished run with other settings left '{min(others)}'; it is kept for a run "
            "with those settings, and may be removed.",
            stacklevel=5,
        )
    return here

"""Any number of clips to one table or a file each, in bounded memory, resumed after a kill."""

import json
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from sklearn.base import clone

from skmer.audio.segment import Listing, Segment
from skmer.embeddings import base, settings, shards, sources, tables
from skmer.exceptions import InputError, InputTypeError
from skmer.utils import cache, digest, files, messages, remote


@dataclass(frozen=True)
class Extraction:
    """What `extract` returns.

    Parameters
    ----------
    path : pathlib.Path or str
        The table that was written, or its URL.
    n_clips : int
        Clips in it.
    n_rows : int
        Rows in it: one a clip, or one a frame.
    n_computed : int
        Clips computed by this call; the others were finished by an earlier one.
    n_failed : int
        Clips that could not be read; the column ``error`` has the reason.
    """

    path: Path | str
    n_clips: int
    n_rows: int
    n_computed: int
    n_failed: int


def extract(
    paths: Iterable,
    transformer: base.BaseClipTransformer | Sequence[base.BaseClipTransformer],
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
    """Embed audio files and write one table, with one row per clip or per frame.

    Each clip is stored when it is finished: in the cache of the transformer, or, if it has
    none, in a hidden folder beside the table, which is removed when the table is complete. If the
    run was killed, the same call resumes it, and writes the same table as an uninterrupted run.

    Parameters
    ----------
    paths : iterable of str, path-like, Segment, or (name, content)
        Audio files, in the order of the table: paths, or segments as `Segment`; URLs such as
        ``s3://bucket/song.mp3``, with the extra ``remote``; or pairs of a name and the content of a
        file, as bytes or as an open binary file. The path of a tar archive is replaced by the audio
        files in it. A sequence is checked as a whole before the computation starts; of an iterator
        at most some thousand entries are held in memory.
    transformer : transformer of clips, or list of those
        Fitted or not; of a list each gives its columns. The `memory` and `n_jobs` of the first are
        used as well; `on_error` is not, see Returns.
    out : str or path-like
        The table, ``.parquet``, ``.npz`` or ``.csv``; or a folder, to which shards are written.
        Clips that are already in the table, with the same settings, are not computed again. A
        hidden lock file beside the table prevents that two processes write it at the same time.
        With the extra ``remote`` it may be a URL.
    frames : bool, default=False
        One row for each frame of a clip, with its time, instead of one row for the clip.
    columns : dict of str to sequence of length n_clips, default=None
        Additional columns, such as labels: strings, numbers or booleans.
    append : bool, default=False
        Add the clips to the existing table, which must have the same settings, weights
        and columns. A clip that is already in the table, with the same path and content, is not
        computed again, and a clip whose content has changed replaces its row. Columns that are not
        given are missing for the new rows.
    force : bool, default=False
        Replace a table by a table of fewer clips, which otherwise raises an error.
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
        message = "The 'chunk_size' parameter of extract has no effect any more; leave it out."
        warnings.warn(message, DeprecationWarning, stacklevel=2)
    messages.check_choice("extract", ("columns", "list"), layout=layout)
    if shard_size is not None:
        messages.check_whole("extract", shard_size=shard_size)
    place, name = _check_out(out, layout)
    entries, sample = sources.sample(sources.check_clips(paths))
    transformers = fit_copies(transformer, sample, frames=frames)
    embedder = sources.Embedder(transformers, n_jobs=n_jobs, verbose=verbose)
    n_clips = sources.count(entries)
    segments, given, length = any(isinstance(one, Segment) for one in sample), columns, n_clips
    if isinstance(entries, Listing):
        # Its entries come with their cells.
        segments, given, length = entries.has_segments, dict.fromkeys(entries.columns, ()), 0
    own = tables.check_columns(given, length, [*embedder.names, *(tables.ENDS if segments else ())])
    stated = settings.describe_run(transformers, embedder.key, frames=frames)
    times = transformers[0].frame_times if frames else None
    run = _Run(embedder, stated, own, segments, times, layout=layout, append=append, force=force)
    # What a sequence holds is known before the work, and what an iterator holds at its end.
    clips = sources.stream(entries, embedder.rates[0], columns=None if length == 0 else own)
    if name is None:
        shards.write_shards(run, clips, place, n_clips, shard_size)
    else:
        run.write(clips, place, name, n_clips)
    cache.warn_of_cache(embedder.cache_errors, stacklevel=2)
    return Extraction(place.show(name), **run.counts)


@dataclass
class _Run:
    """What one call of `extract` writes, to one table or several, and what it has written."""

    embedder: sources.Embedder
    settings: dict
    columns: dict
    segments: bool
    frame_times: Callable[[int], np.ndarray] | None
    layout: str
    append: bool
    force: bool
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("n_clips", "n_rows", "n_computed", "n_failed"), 0)
    )

    def __post_init__(self):
        self.kinds = {name: str(column.type) for name, column in self.columns.items()}

    def write(self, clips, place: remote.Place, name: str, n_clips=None, what="extracting") -> dict:
        """Write one table; return the counts of what is in it."""
        embedder, before, names = self.embedder, dict(self.counts), self.embedder.names
        path = place.fetch(name)
        beside = [tables.settings_beside(path).name] if path.suffix == ".csv" else []
        for one in beside:
            place.fetch(one)
        with tables.locked(path):
            n_before = 0 if self.force or self.append else tables.count_clips(path)
            if n_clips is not None:
                tables.check_not_fewer(place.show(name), n_before, n_clips)
            with (
                embedder.keep(path),
                tables.earlier_table(path, embedder.key, names, append=self.append) as old,
                # Closed after any error, so that no job continues in the background.
                closing(embedder.embed(clips, old.by_digest(), total=n_clips, what=what)) as new,
            ):
                done, kinds = new, self.kinds
                if self.append and old.clips:
                    tables.match_columns(self.columns, old.kinds)
                    done, kinds = old.extended(new), old.kinds
                schema = self._schema(kinds, segments=self.segments or old.segments)
                counted = self._count(done, place.show(name), n_before, schema.names)
                rows = tables.batches(counted, schema, names, self.frame_times)
                tables.write_table(path, rows, schema, names)
        for one in (name, *beside):
            place.store(one)
        return {name: self.counts[name] - before[name] for name in before if name != "n_computed"}

    def _schema(self, kinds: Mapping[str, str], *, segments: bool):
        """Return the arrow schema of a table: facts, numbers, and the settings in its metadata."""
        names = self.embedder.names
        facts = {"path": "string", **(tables.ENDS if segments else {}), **kinds, **tables.FACTS}
        facts |= tables.FRAME_FACTS if self.frame_times is not None else {}
        numbers = dict.fromkeys(names, pa.float32())
        settings = self.settings | {"own": dict(kinds), "segments": segments}
        if self.layout == "list":
            numbers = {"embedding": pa.list_(pa.float32(), len(names))}
            settings |= {"columns": names}
        metadata = {"skmer": json.dumps(settings)}
        return pa.schema([*facts.items(), *numbers.items()], metadata=metadata)

    def _count(self, clips, table, n_before, names) -> Iterator[tables.ClipRows]:
        """Pass the clips of one table on, and count them; raise where they became fewer."""
        n_earlier = self.counts["n_clips"]
        for clip in clips:
            if clip.start is not None and "start" not in names:
                raise sources.late_segment()
            self.counts["n_clips"] += 1
            self.counts["n_rows"] += max(1, len(clip.rows))
            self.counts["n_computed"] += clip.is_new
            self.counts["n_failed"] += clip.error is not None
            yield clip
        tables.check_not_fewer(table, n_before, self.counts["n_clips"] - n_earlier)


def _check_out(out: str | os.PathLike, layout: str) -> tuple[remote.Place, str | None]:
    """Return where the table goes, and its name there; None where it is a folder of shards."""
    text = os.fspath(out)
    suffix = os.path.splitext(text.rstrip("/"))[1]
    if suffix not in tables.SUFFIXES:
        if not suffix or text.endswith("/") or (not files.is_url(text) and os.path.isdir(text)):
            return remote.Place(out), None
        raise InputError(
            f"The table must end in {', '.join(tables.SUFFIXES)}, or be a folder. Got '{out}'.",
            param="out",
        )
    if layout == "list" and suffix != ".parquet":
        allowed = f"'columns' for a table other than .parquet, such as '{out}'"
        raise messages.wrong_parameter("extract", "layout", allowed, layout)
    if suffix == ".csv" and not files.is_url(text):
        files.check_output_file(tables.settings_beside(files.expand_path(out)))
    # A folder called as a table is a mistake more often than a place for shards.
    return remote.place_of(text.rstrip("/"))


def fit_copies(transformer, paths: Sequence, *, frames: bool) -> list[base.BaseClipTransformer]:
    """Return fitted copies that pool where a row is a clip, and not where it is a frame."""
    given = list(transformer) if isinstance(transformer, list | tuple) else [transformer]
    if not given or not all(isinstance(one, base.BaseClipTransformer) for one in given):
        raise InputTypeError(
            "'transformer' must be a transformer of clips, such as MFCCStatsTransformer(), or a "
            f"list of those. Got {transformer!r}."
        )
    if frames and len(given) > 1:
        raise InputError(
            "With frames=True one transformer fills a table, since each has frames of its own "
            f"length; write a table for each. Got {len(given)} transformers."
        )
    fitted = []
    for one in map(clone, given):
        one._check_can_be_kept()
        pooling = one._pooling_name
        if frames:
            one.set_params(**{pooling: None})
        elif getattr(one, pooling) is None:
            raise InputError(
                f"With {pooling}=None a clip has many rows; pass frames=True for one row a frame, "
                f"or set {pooling}."
            )
        fitted.append(one.fit(paths))
    if frames:
        # One that has no times for its frames raises before any work.
        fitted[0].frame_times(0)
    return fitted


def extract_files(
    paths: Sequence,
    transformer: base.BaseClipTransformer,
    folder: str | os.PathLike,
    *,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> Extraction:
    """Embed audio files frame by frame, and write one npz file for each.

    Clips whose file is there already, of the same content and settings, are not computed again.

    Parameters
    ----------
    paths : sequence of str or path-like, of length n_clips
        Audio files.
    transformer : transformer of clips
        Fitted or not. Its `memory` is used as well.
    folder : str or path-like
        Where the files go: each is called as its clip, with the suffix ``.npz``, below the same
        folders as below the deepest folder that all clips share.
    n_jobs : int, default=None
        Number of jobs over clips, as in joblib. None = that of the transformer.
    verbose : bool, default=False
        Show a progress bar on standard error.

    Returns
    -------
    extraction : Extraction
        Counts; a row is a frame. Each file has the arrays of openl3's: ``embedding`` of shape
        (n_frames, d), dtype float32, and ``timestamps`` of shape (n_frames,) [s]; and ``settings``,
        JSON. Clips that could not be read have no file: ``errors.csv`` in the folder has the
        reasons.

    Raises
    ------
    OSError
        When the folder cannot be written, or another process is writing it.
    InputError, InputTypeError
        For an argument that is not as above, or two clips that would be one file.
    WeightsNotFoundError
        When pretrained weights are wanted and cannot be had.

    See Also
    --------
    extract : Writes one table.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skmer import MFCCStatsTransformer
    >>> from skmer.datasets import load_toy_emotions
    >>> from skmer.embeddings import extract_files
    >>> clips = load_toy_emotions().data[:2]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = extract_files(clips, MFCCStatsTransformer(), f"{folder}/frames")
    ...     with np.load(next(done.path.rglob("*.npz"))) as first:
    ...         first["embedding"].shape[1]
    20
    """
    entries = list(sources.check_clips(paths))
    for row, entry in enumerate(entries):
        is_file = isinstance(entry, str | os.PathLike | Segment) and not files.is_url(entry)
        if not is_file or sources.is_tar(entry):
            raise InputTypeError(f"Entry {row} of 'paths' must be a local path, got {entry!r}.")
    (one,) = fit_copies(transformer, entries, frames=True)
    embedder = sources.Embedder([one], n_jobs=n_jobs, verbose=verbose)
    clips = list(sources.stream(entries, embedder.rates[0]))
    stated = settings.describe_run([one], embedder.key, frames=True)
    # The lock is beside the folder, whose name it needs.
    folder = files.expand_path(folder).absolute()
    targets = _targets(clips, folder)
    failures: list[tuple] = []
    with tables.locked(folder):
        folder.mkdir(exist_ok=True)
        earlier = list(embedder.call(_earlier_file, zip(clips, targets), stated["key"]))
        missing = [at for at, n_rows in enumerate(earlier) if n_rows is None]
        n_computed, n_rows = 0, sum(filter(None, earlier))
        with closing(embedder.embed([clips[at] for at in missing], total=len(missing))) as new:
            # The clips first, so that the bar reaches its end.
            for clip, at in zip(new, missing):
                n_computed, n_rows = n_computed + clip.is_new, n_rows + len(clip.rows)
                if clip.error is not None:
                    failures.append((clip.path, clip.error))
                else:
                    _write_file(targets[at], clip, one.frame_times(len(clip.rows)), stated)
        _write_errors(folder / "errors.csv", failures)
    cache.warn_of_cache(embedder.cache_errors, stacklevel=2)
    return Extraction(folder, len(clips), n_rows, n_computed, len(failures))


def _targets(clips, folder: Path) -> list[Path]:
    """Return the file of each clip; raise where two clips would share one."""
    whole = [os.path.abspath(clip.source) for clip in clips]
    root = os.path.commonpath([os.path.dirname(path) for path in whole])
    targets: list[Path] = []
    seen: dict[Path, str] = {}
    for clip, path in zip(clips, whole):
        target = Path(os.path.relpath(path, root)).with_suffix("")
        target = folder / target.with_name(f"{target.name}{clip.part}.npz")
        if seen.setdefault(target, path) != path:
            raise InputError(
                f"The clips '{seen[target]}' and '{path}' would both be written to '{target}'; "
                "rename one of them, or write one table instead."
            )
        targets.append(target)
    return targets


def _earlier_file(file, key: str) -> int | None:
    """Return the frames in the file that an earlier run wrote of a clip; None where none is."""
    clip, target = file
    try:
        with digest.open_regular(target) as stream, np.load(stream, allow_pickle=False) as arrays:
            stated = json.loads(str(arrays["settings"]))
            # Both are read, so that damage to either is detected.
            n_frames, n_times = len(arrays["embedding"]), len(arrays["timestamps"])
    except cache.DAMAGE:
        return None
    is_same = [stated.get("key"), stated.get("digest")] == [key, sources.digest_clip(clip)]
    return n_frames if is_same and n_frames == n_times else None


def _write_file(target: Path, clip: tables.ClipRows, times: np.ndarray, stated: dict) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    settings = json.dumps(stated | {"digest": clip.digest})
    with files.atomic_write(target) as temporary, temporary.open("wb") as stream:
        np.savez(stream, embedding=clip.rows, timestamps=times, settings=settings)


def _write_errors(path: Path, failures: list[tuple]) -> None:
    """Write which clips have no file, and why; nothing where each has one."""
    import pandas as pd

    if not failures:
        path.unlink(missing_ok=True)
        return
    table = files.escape_formula(pd.DataFrame(failures, columns=["path", "error"]))
    table.to_csv(path, index=False)

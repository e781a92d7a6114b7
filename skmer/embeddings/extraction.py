"""Any number of clips to one table on disk, in bounded memory, resumed after a kill."""

import json
import os
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from skmer.audio.decoding import SoundSource
from skmer.embeddings.base import BaseClipTransformer
from skmer.embeddings.clips import Clip
from skmer.embeddings.recipe import Recipe, embed_clip
from skmer.embeddings.shards import (
    FACTS,
    FRAME_FACTS,
    ClipRecord,
    Extraction,
    Parts,
    StoredRecord,
    batches,
    check_chunk_size,
    check_columns,
    check_out,
    check_paths,
    column_names,
    column_types,
    earlier_records,
    lock_output,
    prepare_transformers,
    recipe_key,
    settings_beside,
    settings_of,
    write_csv,
    write_npz,
    write_parquet,
)
from skmer.exceptions import AudioDecodeError, IgnoredCacheWarning, WorkerError
from skmer.utils import ClipCache
from skmer.utils.cache import open_cache, warn_of_cache
from skmer.utils.digest import file_digest
from skmer.utils.messages import check_flags, escape_undecodable
from skmer.utils.processes import run_parallel, threads_per_worker
from skmer.utils.progress import track

# A part is written when it holds chunk_size clips or so many bytes, or after so many seconds or
# such a share of the time so far: the most that a kill can cost, against the number of files.
_PART_BYTES = 2**26
_PART_SECONDS = 1.0
_PART_SHARE = 0.01

_WRITERS = {".parquet": write_parquet, ".npz": write_npz, ".csv": write_csv}


def extract(
    paths: Sequence[str | os.PathLike],
    transformer: BaseClipTransformer | Sequence[BaseClipTransformer],
    out: str | os.PathLike,
    *,
    frames: bool = False,
    columns: Mapping[str, Sequence] | None = None,
    n_jobs: int | None = None,
    chunk_size: int = 256,
    verbose: bool = False,
) -> Extraction:
    """Embed audio files and write one table, a row a clip or a row a frame.

    Finished clips are kept in a folder beside the table, ``<out>.parts``, until the table is
    whole. After a kill the same call goes on from there: what has the same content and settings is
    not computed again, and the table is the one that an undisturbed run writes.

    Parameters
    ----------
    paths : sequence of str or path-like, of length n_clips
        Audio files, in the order of the table.
    transformer : transformer of clips, or list of those
        Fitted or not; of a list each gives its columns. The `memory` and `n_jobs` of the first are
        used as well; `on_error` is not, see Returns.
    out : str or path-like
        The table, ``.parquet``, ``.npz`` or ``.csv``; replaced where it exists. Clips that the
        table held already, with the same settings, are not computed again. Beside it stays a
        hidden lock file, which keeps a second process from writing it at the same time.
    frames : bool, default=False
        A row for each frame of a clip, with its time, instead of one for the clip.
    columns : dict of str to sequence of length n_clips, default=None
        Further columns, such as labels: texts, numbers or truth values.
    n_jobs : int, default=None
        Number of jobs over clips, as in joblib; obeys `joblib.parallel_config`. None = that of the
        transformer.
    chunk_size : int, default=256
        The most clips that are held in memory before they are written to a part.
    verbose : bool, default=False
        Show a progress bar on standard error.

    Returns
    -------
    extraction : Extraction
        Counts. The table has the columns path, those of `columns`, digest (SHA-256 of the file),
        duration [s] and sr [Hz] of the file, error (why a clip could not be read; its numbers are
        NaN), notes ("short", "silent", "cut", "loud"), with `frames` also frame and time [s], and
        one column for each of the transformer's ``get_feature_names_out()``. The settings are in
        the file's metadata, as JSON under "skmer". A npz file has an array for each of these, with
        all the numbers in "embeddings", and "settings". A csv file has its settings in
        ``<out>.json`` beside it, and an apostrophe before texts that a spreadsheet would take for a
        formula. In every kind of table a letter that is in no encoding, as in names of files that
        are not UTF-8, is written as an escape such as ``\\udcdf``.

    Raises
    ------
    OSError
        When the table or its parts cannot be written, or another process is at it.
    ValueError, TypeError
        For an argument that is not as above.
    WeightsNotFoundError
        When pretrained weights are wanted and cannot be had.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from skmer import MFCCStatsTransformer
    >>> from skmer.datasets import load_toy_emotions
    >>> from skmer.embeddings import extract
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     clips = load_toy_emotions(data_home=folder).data[:3]
    ...     done = extract(clips, MFCCStatsTransformer(), f"{folder}/mfcc.parquet")
    ...     table = pd.read_parquet(done.path)
    >>> table[["duration", "sr", "mfcc_mean_0"]].shape
    (3, 3)
    """
    paths = check_paths(paths)
    out = check_out(out)
    chunk_size = check_chunk_size(chunk_size)
    check_flags("extract", verbose=verbose)
    transformers = [one.fit(paths) for one in prepare_transformers(transformer, frames)]
    names = column_names(transformers)
    columns = check_columns(columns, len(paths), names)
    types = {"path": "string", **column_types(columns), **FACTS, **(FRAME_FACTS if frames else {})}
    recipes = [one._recipe(pooled=True) for one in transformers]
    if frames:
        # A transformer that does not know them says so before any work.
        transformers[0].frame_times(0)
    if n_jobs is None:
        n_jobs = transformers[0].n_jobs
    key = recipe_key(recipes, names)

    with lock_output(out):
        folder = out.with_name(f"{out.name}.parts")
        folder.mkdir(exist_ok=True)
        width = len(names)
        parts = Parts(
            folder, key, lambda size: size > 0 and (size % width == 0 if frames else size == width)
        )
        if n_foreign := parts.n_foreign():
            warnings.warn(
                f"{n_foreign} parts in {folder} were made with other settings; they are left there "
                "and not used.",
                IgnoredCacheWarning,
                stacklevel=2,
            )
        stored, n_computed = _compute(
            paths,
            recipes,
            transformers[0].memory,
            parts,
            earlier_records(out, key, names),
            n_jobs,
            chunk_size,
            verbose,
        )
        n_rows = sum(max(1, record.size // len(names)) for record in stored)
        clips = _Clips(paths, columns, stored, parts, transformers[0], len(names), frames)
        settings = settings_of(transformers, frames) | {"key": key}
        table = folder / f"{key}-table.tmp"
        _WRITERS[out.suffix](
            table, batches(clips), types=types, names=names, settings=settings, n_rows=n_rows
        )
        if out.suffix == ".csv":
            _write_settings_beside(out, table, settings)
        os.replace(table, out)
        parts.remove()
        with suppress(OSError):
            folder.rmdir()
    return Extraction(out, len(paths), n_rows, n_computed, clips.n_failed)


def _compute(
    paths: list[str],
    recipes: list[Recipe],
    memory,
    parts: Parts,
    earlier: Iterable[ClipRecord],
    n_jobs: int | None,
    chunk_size: int,
    verbose: bool,
) -> tuple[list[StoredRecord], int]:
    """Compute what is not finished, and write it to parts; return where each record is."""
    finished = parts.finished()
    fresh = (
        record
        for record in earlier
        if record.digest not in finished and parts.is_whole(record.rows.size)
    )
    for record, place in _write_parts(fresh, parts, chunk_size):
        finished[str(record.digest)] = place
    stored: list[StoredRecord | None] = [None] * len(paths)
    if finished:
        digests = run_parallel(digest_of_file, ((path,) for path in paths), n_jobs=n_jobs)
        digests = track(digests, description="looking", total=len(paths), enabled=verbose)
        stored = [finished.get(digest or "") for digest in digests]
    todo = [row for row, record in enumerate(stored) if record is None]
    cache = open_cache(memory)
    troubles: list[str] = []
    n_threads = threads_per_worker(n_jobs)
    results = run_parallel(
        _extract_clip,
        ((recipes, paths[row], cache, n_threads) for row in todo),
        n_jobs=n_jobs,
        prefer=preferred_workers(recipes),
    )
    results = track(results, description="extracting", total=len(todo), enabled=verbose)
    records = _without_troubles(results, troubles)
    try:
        for row, (_, place) in zip(todo, _write_parts(records, parts, chunk_size)):
            stored[row] = place
    except WorkerError as error:
        first = next(path for path, place in zip(paths, stored) if place is None)
        error.add_note(f"It was at the clips from {first!r:.200} on; those before it are kept.")
        raise
    warn_of_cache(troubles, stacklevel=3)
    return [record for record in stored if record is not None], len(todo)


def preferred_workers(recipes: list[Recipe]) -> str | None:
    """Return what joblib's workers had better be for any of the recipes."""
    return next((recipe.prefer for recipe in recipes if recipe.prefer is not None), None)


def _without_troubles(results, troubles: list[str]) -> Iterator[ClipRecord]:
    """Pass records on, and keep what troubled the cache."""
    for record, found in results:
        troubles += found
        yield record


def _write_parts(
    records: Iterable[ClipRecord], parts: Parts, chunk_size: int
) -> Iterator[tuple[ClipRecord, StoredRecord]]:
    """Write records to parts as they come; yield each, and where it is, once it is written."""
    waiting: list[ClipRecord] = []
    n_bytes, started_at = 0, time.monotonic()
    written_at = started_at
    try:
        for record in records:
            waiting.append(record)
            n_bytes += record.rows.nbytes
            now = time.monotonic()
            due = now - written_at >= max(_PART_SECONDS, _PART_SHARE * (now - started_at))
            if due or len(waiting) >= chunk_size or n_bytes >= _PART_BYTES:
                # Taken before they are written, so that nothing is written twice.
                chunk, waiting = waiting, []
                n_bytes, written_at = 0, now
                yield from zip(chunk, parts.write(chunk))
    except BaseException:
        # Whatever ends the loop, what was computed is not lost.
        if waiting:
            parts.write(waiting)
        raise
    if waiting:
        yield from zip(waiting, parts.write(waiting))


def _extract_clip(
    recipes: list[Recipe], path: str, cache: ClipCache | None, n_threads: int | None
) -> tuple[ClipRecord, list[str]]:
    """Compute one clip, in whatever process; say as well what troubled the cache."""
    clip = Clip(0, path)
    digest = digest_of_file(path)
    embedded = []
    for recipe in recipes:
        embedded.append(embed_clip(recipe, clip, cache, n_threads))
        if (error := embedded[-1].error) is not None:
            said = escape_undecodable(str(error).removeprefix(f"{clip.name}: "))
            return ClipRecord(digest, None, None, said, None, np.zeros(0, np.float32)), []
    notes = sorted({note for one in embedded for note in one.notes})
    rows = np.concatenate([np.ravel(one.row).astype(np.float32) for one in embedded])
    troubles = [one.trouble for one in embedded if one.trouble is not None]
    return ClipRecord(digest, *_describe(path), None, ", ".join(notes) or None, rows), troubles


def digest_of_file(path: str) -> str | None:
    """SHA-256 of a file; None where it cannot be read."""
    try:
        return file_digest(path)
    except (OSError, ValueError):
        return None


def _describe(path: str) -> tuple[float | None, int | None]:
    """Duration [s] and rate [Hz] of a file; None where it can no longer be read."""
    try:
        with SoundSource(path, name=repr(path)) as source:
            return source.n_samples() / source.sr, source.sr
    except AudioDecodeError:
        return None, None


class _Clips:
    """Facts and rows of every clip, read back from the parts in the order of the table."""

    def __init__(self, paths, columns, stored, parts, transformer, width, frames):
        self.paths = paths
        self.columns = columns
        self.stored = stored
        self.parts = parts
        self.transformer = transformer
        self.width = width
        self.frames = frames
        self.n_failed = 0

    def __iter__(self) -> Iterator[tuple[dict, np.ndarray]]:
        for row, place in enumerate(self.stored):
            record = self.parts.read(place)
            self.n_failed += record.error is not None
            facts: dict = {"path": escape_undecodable(self.paths[row])}
            facts |= {name: values[row] for name, values in self.columns.items()}
            facts |= {name: getattr(record, name) for name in FACTS}
            rows = record.rows.reshape(-1, self.width)
            if self.frames:
                facts |= self._frame_facts(len(rows))
            yield facts, rows if len(rows) else np.full((1, self.width), np.nan, np.float32)

    def _frame_facts(self, n_frames: int) -> dict[str, list]:
        if not n_frames:
            return {"frame": [None], "time": [None]}
        times = self.transformer.frame_times(n_frames)
        return {"frame": list(range(n_frames)), "time": times.tolist()}


def _write_settings_beside(out: Path, table: Path, settings: dict) -> None:
    """Write the settings of a csv table, with its digest, so that a later run can trust it."""
    beside = settings_beside(out)
    temporary = beside.with_name(f"{beside.name}.tmp")
    temporary.write_text(json.dumps(settings | {"sha256": digest_of_file(str(table))}, indent=2))
    os.replace(temporary, beside)

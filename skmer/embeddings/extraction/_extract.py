"""Any number of clips to one table on disk, in bounded memory, resumed after a kill."""

import hashlib
import json
import os
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from joblib import Parallel, cpu_count, delayed, effective_n_jobs

from skmer._version import __version__
from skmer.embeddings._base import BaseClipTransformer
from skmer.embeddings._clips import Clip
from skmer.embeddings.extraction._checks import (
    FACTS,
    FRAME_FACTS,
    check_chunk_size,
    check_columns,
    check_out,
    check_paths,
    settle_transformer,
)
from skmer.embeddings.extraction._parts import ClipRecord, Parts, Place
from skmer.embeddings.extraction._result import Extraction
from skmer.embeddings.extraction._table import batches, write_npz, write_parquet
from skmer.embeddings.recipes._base import Recipe, embed_clip
from skmer.exceptions import IgnoredCacheWarning
from skmer.utils import ClipCache, track

# A part is written when it holds chunk_size clips or so many bytes, or after so many seconds or
# such a share of the time so far: the most that a kill can cost, against the number of files.
_PART_BYTES = 2**26
_PART_SECONDS = 1.0
_PART_SHARE = 0.01

# Parameters that change no number, and what a recipe holds that changes none.
_NO_SETTINGS = ("memory", "n_jobs", "on_error", "verbose")
_NO_KEY = ("weights", "batch_size")


def extract(
    paths: Sequence[str | os.PathLike],
    transformer: BaseClipTransformer,
    out: str | os.PathLike,
    *,
    frames: bool = False,
    columns: Mapping[str, Sequence[str]] | None = None,
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
    transformer : L3Transformer, VGGishTransformer or MFCCStatsTransformer
        Fitted or not. Its `memory` is used as well; its `on_error` is not, see Returns.
    out : str or path-like
        The table, ``.parquet`` or ``.npz``; replaced where it exists.
    frames : bool, default=False
        A row for each frame of a clip, with its time, instead of one for the clip.
    columns : dict of str to sequence of str of length n_clips, default=None
        Further columns, such as labels.
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
        NaN), notes ("short", "silent"), with `frames` also frame and time [s], and one column for
        each of the transformer's ``get_feature_names_out()``. The settings are in the file's
        metadata, as JSON under "skmer". A npz file has an array for each of these, with all the
        numbers in "embeddings", and "settings".

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
    columns = check_columns(columns, len(paths))
    out = check_out(out)
    check_chunk_size(chunk_size)
    transformer = settle_transformer(transformer, frames).fit(paths[:1])
    recipe = transformer._recipe(pooled=True)
    names = [str(name) for name in transformer.get_feature_names_out()]

    with _lock_folder(out.with_name(f"{out.name}.parts")) as folder:
        parts = Parts(folder, _key(recipe, names))
        if n_foreign := parts.n_foreign():
            warnings.warn(
                f"{n_foreign} parts in {folder} were made with other settings; they are left there "
                "and not used.",
                IgnoredCacheWarning,
                stacklevel=2,
            )
        places, n_computed = _compute(
            paths,
            recipe,
            transformer.memory,
            parts,
            transformer.n_jobs if n_jobs is None else n_jobs,
            chunk_size,
            verbose,
        )
        n_rows = sum(max(1, place.size // len(names)) for place in places)
        clips = _Clips(paths, columns, places, parts, transformer, len(names), frames)
        table = folder / f"{parts.key}-table.tmp"
        write = partial(write_npz, n_rows=n_rows) if out.suffix == ".npz" else write_parquet
        write(
            table,
            batches(clips),
            types=_types(columns, frames),
            names=names,
            settings=_settings(transformer, frames),
        )
        os.replace(table, out)
        parts.remove()
    return Extraction(out, len(paths), n_rows, n_computed, clips.n_failed)


def _compute(
    paths: list[str],
    recipe: Recipe,
    memory,
    parts: Parts,
    n_jobs: int | None,
    chunk_size: int,
    verbose: bool,
) -> tuple[list[Place], int]:
    """Compute what is not finished, and write it to parts; return where the record of each is."""
    places: list[Place | None] = [None] * len(paths)
    if finished := parts.finished():
        known = track(paths, description="finished before", enabled=verbose)
        places = [finished.get(_digest(path) or "") for path in known]
    todo = [row for row, place in enumerate(places) if place is None]
    cache = None if memory is None else ClipCache(memory)
    n_workers = effective_n_jobs(n_jobs)
    n_threads = max(1, cpu_count() // n_workers) if n_workers > 1 else None
    records = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_extract_clip)(recipe, paths[row], cache, n_threads) for row in todo
    )
    records = track(records, description="extracting", total=len(todo), enabled=verbose)

    rows: list[int] = []
    waiting: list[ClipRecord] = []

    def write_part() -> None:
        if waiting:
            for row, place in zip(rows, parts.write(waiting)):
                places[row] = place
            rows.clear()
            waiting.clear()

    n_bytes, started_at = 0, time.monotonic()
    written_at = started_at
    try:
        for record, row in zip(records, todo):
            rows.append(row)
            waiting.append(record)
            n_bytes += record.rows.nbytes
            now = time.monotonic()
            due = now - written_at >= max(_PART_SECONDS, _PART_SHARE * (now - started_at))
            if due or len(waiting) >= chunk_size or n_bytes >= _PART_BYTES:
                write_part()
                n_bytes, written_at = 0, now
    finally:
        # Whatever ends the loop, what was computed is not lost.
        write_part()
    return [place for place in places if place is not None], len(todo)


def _extract_clip(
    recipe: Recipe, path: str, cache: ClipCache | None, n_threads: int | None
) -> ClipRecord:
    """Compute one clip, in whatever process."""
    clip = Clip(0, path)
    digest = _digest(path)
    rows, notes, error = embed_clip(recipe, clip, cache, n_threads)
    duration, sr = (None, None) if error else _describe(path)
    return ClipRecord(
        digest,
        duration,
        sr,
        None if error is None else str(error).removeprefix(f"{clip.name}: "),
        ", ".join(sorted(notes)) or None,
        np.zeros(0, np.float32) if error else np.ascontiguousarray(rows, np.float32),
    )


def _digest(path: str) -> str | None:
    """SHA-256 of a file; None where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _describe(path: str) -> tuple[float | None, int | None]:
    """Duration [s] and rate [Hz] of a file, where libsndfile knows its format."""
    import soundfile

    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError:
        return None, None
    return info.duration, info.samplerate


class _Clips:
    """Facts and rows of every clip, read back from the parts in the order of the table."""

    def __init__(self, paths, columns, places, parts, transformer, width, frames):
        self.paths = paths
        self.columns = columns
        self.places = places
        self.parts = parts
        self.transformer = transformer
        self.width = width
        self.frames = frames
        self.n_failed = 0

    def __iter__(self) -> Iterator[tuple[dict, np.ndarray]]:
        for row, place in enumerate(self.places):
            record = self.parts.read(place)
            self.n_failed += record.error is not None
            facts = {"path": self.paths[row]}
            facts |= {name: values[row] for name, values in self.columns.items()}
            facts |= {name: getattr(record, name) for name in FACTS}
            rows = record.rows.reshape(-1, self.width)
            if self.frames:
                facts |= self._frame_facts(len(rows))
            yield facts, rows if len(rows) else np.full((1, self.width), np.nan, np.float32)

    def _frame_facts(self, n_frames: int) -> dict[str, list]:
        if not n_frames:
            return {"frame": [None], "time": [None]}
        times = self.transformer.offset + self.transformer.frame_times(n_frames)
        return {"frame": list(range(n_frames)), "time": times.tolist()}


def _types(columns: dict, frames: bool) -> dict[str, str]:
    own = dict.fromkeys(columns, "string")
    return {"path": "string", **own, **FACTS, **(FRAME_FACTS if frames else {})}


def _key(recipe: Recipe, names: list[str]) -> str:
    """Name all that decides the numbers: parts of another key never reach this table."""
    import soxr

    decisive = {
        "recipe": recipe.kind,
        **{name: value for name, value in asdict(recipe).items() if name not in _NO_KEY},
        "columns": names,
        "skmer": __version__,
        "soxr": soxr.__version__,
    }
    text = json.dumps(decisive, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _settings(transformer: BaseClipTransformer, frames: bool) -> dict:
    """Say in the table what it holds."""
    import soxr

    parameters = {
        name: value if isinstance(value, int | float | str | None) else repr(value)
        for name, value in transformer.get_params().items()
        if name not in _NO_SETTINGS
    }
    return {
        "transformer": type(transformer).__name__,
        "parameters": parameters,
        "rows": "frames" if frames else "clips",
        "weights": getattr(transformer, "weights_label_", None),
        "weights_digest": getattr(transformer, "weights_digest_", None),
        "versions": {"skmer": __version__, "numpy": np.__version__, "soxr": soxr.__version__},
    }


@contextmanager
def _lock_folder(folder: Path) -> Iterator[Path]:
    """Have the folder of parts for this process alone; remove it where it is left empty."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / ".lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise OSError(
            f"Another process is writing the table whose parts are in '{folder}'; wait for it, or "
            "choose another file."
        ) from error
    except OSError as error:
        raise type(error)(
            f"The table and its parts cannot be written into the folder '{folder.parent}' "
            f"({error.strerror or error}); choose another one."
        ) from error
    try:
        yield folder
    finally:
        lock.release()
        with suppress(OSError):
            (folder / ".lock").unlink(missing_ok=True)
            folder.rmdir()

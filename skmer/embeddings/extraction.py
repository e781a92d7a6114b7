"""Any number of clips to one table or a file each, in bounded memory, resumed after a kill."""

import json
import os
import shutil
import warnings
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone

from skmer._version import __version__
from skmer.audio.decoding import SoundSource
from skmer.audio.segment import Segment, file_of, part_of, segment_columns
from skmer.embeddings import tables
from skmer.embeddings.base import BaseClipTransformer
from skmer.embeddings.clips import Clip
from skmer.embeddings.recipe import EmbeddedClip, Recipe, embed_clip
from skmer.exceptions import AudioDecodeError, InputError, InputTypeError
from skmer.utils import ClipCache
from skmer.utils.cache import DAMAGE, CacheEntry, open_cache, warn_of_cache
from skmer.utils.digest import file_digest, open_regular, settings_digest
from skmer.utils.files import atomic_write, check_output_file, escape_formula, expand_path
from skmer.utils.messages import escape_undecodable
from skmer.utils.processes import run_parallel, threads_per_worker
from skmer.utils.progress import track


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
    paths: Sequence[str | os.PathLike],
    transformer: BaseClipTransformer | Sequence[BaseClipTransformer],
    out: str | os.PathLike,
    *,
    frames: bool = False,
    columns: Mapping[str, Sequence] | None = None,
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
    paths : sequence of str or path-like, of length n_clips
        Audio files, or `Segment` parts of them, in the order of the table.
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
        are not UTF-8, is written as an escape such as ``\\udcdf``.

    Raises
    ------
    OSError
        When the table cannot be written, or another process is writing it.
    ValueError, TypeError
        For an argument that is not as above.
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
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     clips = load_toy_emotions(data_home=folder).data[:3]
    ...     done = extract(clips, MFCCStatsTransformer(), f"{folder}/mfcc.parquet")
    ...     table = pd.read_parquet(done.path)
    >>> table[["duration", "sr", "mfcc_mean_0"]].shape
    (3, 3)
    """
    if chunk_size is not None:
        warnings.warn(
            "The 'chunk_size' parameter of extract has no effect any more; leave it out.",
            DeprecationWarning,
            stacklevel=2,
        )
    paths = check_paths(paths)
    out = _check_out(out)
    transformers = _fit_copies(transformer, paths, frames=frames)
    names = _column_names(transformers)
    parts = segment_columns(paths)
    parts.pop("path")
    columns = tables.check_columns({**parts, **(columns or {})}, len(paths), names)
    recipes = [one._recipe(pooled=True) for one in transformers]
    key = recipe_key(recipes, names)
    schema = tables.table_schema(
        columns, names, _settings(transformers, key, frames=frames), frames=frames
    )
    n_jobs = transformers[0].n_jobs if n_jobs is None else n_jobs
    frame_times = transformers[0].frame_times if frames else None
    tally = _Tally()
    with tables.locked(out):
        unfinished = (
            _unfinished_cache(out, key) if open_cache(transformers[0].memory) is None else None
        )
        with tables.earlier_table(out, key, names) as earlier:
            digests: Iterable[Any] = [None] * len(paths)
            if earlier:
                arguments = ((path,) for path in paths)
                digests = list(run_parallel(_digest, arguments, n_jobs=n_jobs, prefer="threads"))
            new = embed_files(
                [path for path, digest in zip(paths, digests) if digest not in earlier],
                recipes,
                memory=transformers[0].memory,
                unfinished=unfinished,
                n_jobs=n_jobs,
                verbose=verbose,
            )
            # Closed whatever happens, so that no job goes on behind an error.
            with closing(new):
                clips = (earlier.get(digest) or next(new) for digest in digests)
                rows = tables.batches(tally.count(clips), paths, columns, len(names), frame_times)
                tables.write_table(out, rows, schema, names)
        if unfinished is not None:
            shutil.rmtree(unfinished, ignore_errors=True)
    warn_of_cache(tally.cache_errors, stacklevel=2)
    n_rows = tally.n_rows + tally.n_failed
    return Extraction(out, len(paths), n_rows, tally.n_computed, tally.n_failed)


def extract_files(
    paths: Sequence[str | os.PathLike],
    transformer: BaseClipTransformer,
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
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     clips = load_toy_emotions(data_home=folder).data[:2]
    ...     done = extract_files(clips, MFCCStatsTransformer(), f"{folder}/frames")
    ...     with np.load(next(done.path.rglob("*.npz"))) as first:
    ...         first["embedding"].shape[1]
    20
    """
    paths = check_paths(paths)
    (one,) = _fit_copies(transformer, paths, frames=True)
    recipes = [one._recipe(pooled=False)]
    settings = _settings([one], recipe_key(recipes, _column_names([one])), frames=True)
    # The lock is beside the folder, whose name it needs.
    folder = expand_path(folder).absolute()
    targets = _targets(paths, folder)
    n_jobs = one.n_jobs if n_jobs is None else n_jobs
    tally, failures = _Tally(), []
    with tables.locked(folder):
        folder.mkdir(exist_ok=True)
        arguments = ((target, path, settings["key"]) for target, path in zip(targets, paths))
        earlier = list(run_parallel(_earlier_file, arguments, n_jobs=n_jobs, prefer="threads"))
        new = embed_files(
            [path for path, done in zip(paths, earlier) if done is None],
            recipes,
            memory=one.memory,
            n_jobs=n_jobs,
            verbose=verbose,
        )
        with closing(new):
            clips = tally.count(done or next(new) for done in earlier)
            for path, target, done, clip in zip(paths, targets, earlier, clips):
                if clip.error is not None:
                    failures.append((escape_undecodable(path), clip.error))
                elif done is None:
                    _write_file(target, clip, one.frame_times(len(clip.rows)), settings)
        _write_errors(folder / "errors.csv", failures)
    warn_of_cache(tally.cache_errors, stacklevel=2)
    return Extraction(folder, len(paths), tally.n_rows, tally.n_computed, tally.n_failed)


def embed_files(
    paths: list[str | Segment],
    recipes: list[Recipe],
    *,
    memory,
    unfinished: Path | None = None,
    n_jobs: int | None,
    verbose: bool,
) -> Generator[tables.ClipRows]:
    """Embed files by one or several recipes, and yield each, in order, as soon as it is done.

    The rows of several recipes stand side by side. With `unfinished`, a folder, what is done is
    kept there too, and taken from there.
    """
    cache = open_cache(memory)
    kept = None if unfinished is None else ClipCache(unfinished)
    n_threads = threads_per_worker(n_jobs)
    arguments = ((path, recipes, cache, kept, n_threads) for path in paths)
    results = run_parallel(_embed_file, arguments, n_jobs=n_jobs, prefer="threads")
    yield from track(results, description="extracting", total=len(paths), enabled=verbose)


def _embed_file(
    path: str,
    recipes: list[Recipe],
    cache: ClipCache | None,
    kept: ClipCache | None,
    n_threads: int | None,
) -> tables.ClipRows:
    """Embed one file, in whatever thread or process."""
    clip = Clip.of_file(0, path)
    status, digest = clip.status(), _digest(path)

    def compute() -> CacheEntry:
        embedded = []
        for recipe in recipes:
            one = embed_clip(recipe, clip, cache, n_threads)
            if one.error is not None:
                raise one.error
            embedded.append(one)
        # Else the numbers of one content would be kept under the digest of another.
        if clip.status() != status:
            raise AudioDecodeError("the file changed while it was read; read it again.")
        return _side_by_side(path, recipes, embedded)

    try:
        if kept is None or digest is None:
            entry = compute()
        else:
            entry = kept.get_or_compute({"content": digest}, compute)
    except AudioDecodeError as error:
        reason = escape_undecodable(str(error).removeprefix(f"{clip.name}: "))
        return tables.ClipRows(digest, None, None, reason, None, np.zeros((0, 0), np.float32))
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


def _side_by_side(path: str, recipes: list[Recipe], embedded: list[EmbeddedClip]) -> CacheEntry:
    """Join what several recipes gave for one file; `n_samples` is now of the whole file."""
    rows = [np.atleast_2d(one.row).astype(np.float32, copy=False) for one in embedded]
    return CacheEntry(
        np.hstack(rows),
        sorted({note for one in embedded for note in one.notes}),
        error=next((one.cache_error for one in embedded if one.cache_error is not None), None),
        sr=embedded[0].sr,
        n_samples=_file_length(path, recipes[0], embedded[0]),
        is_new=any(one.is_new for one in embedded),
    )


def _file_length(path: str, recipe: Recipe, embedded: EmbeddedClip) -> int:
    """Return the samples of a whole file, of which a recipe may have used a segment."""
    sr, n_samples = embedded.sr, embedded.n_samples
    assert sr is not None
    assert n_samples is not None
    if isinstance(path, Segment):
        return n_samples
    if recipe.duration is not None and n_samples >= round(recipe.duration * sr):
        with SoundSource(path, name=repr(path)) as source:
            return source.n_samples()
    return round(recipe.offset * sr) + n_samples


def _digest(clip: str | Segment) -> str | None:
    """Return the SHA-256 of a file, with the part that is used; None where it cannot be read."""
    try:
        return file_digest(file_of(clip)) + part_of(clip)
    except (OSError, ValueError):
        return None


@dataclass
class _Tally:
    """What has passed of a stream of clips."""

    n_rows: int = 0
    n_computed: int = 0
    n_failed: int = 0
    cache_errors: list[str] = field(default_factory=list)

    def count(self, clips: Iterable[tables.ClipRows]) -> Iterator[tables.ClipRows]:
        """Pass clips on, and count them."""
        for clip in clips:
            self.n_rows += len(clip.rows)
            self.n_computed += clip.is_new
            self.n_failed += clip.error is not None
            if clip.cache_error is not None:
                self.cache_errors.append(clip.cache_error)
            yield clip


def check_paths(paths) -> list[str | Segment]:
    """Return the paths as strings; segments of files stay."""
    if isinstance(paths, str | bytes | os.PathLike):
        raise InputError(f"'paths' must be a sequence of paths, got a lone one, {paths!r}.")
    checked = []
    for row, path in enumerate(paths):
        if not isinstance(path, str | os.PathLike | Segment):
            raise InputTypeError(f"Entry {row} of 'paths' must be a path, got {path!r:.100}.")
        is_part = isinstance(path, Segment)
        checked.append(path if is_part else os.path.expanduser(os.fspath(path)))
    if not checked:
        raise InputError("'paths' must hold at least one path, got none.")
    return checked


def _check_out(out: str | os.PathLike) -> Path:
    """Return the path of the table, which can be written."""
    out = expand_path(out)
    if out.suffix not in tables.SUFFIXES:
        raise InputError(f"The table must end in {', '.join(tables.SUFFIXES)}. Got '{out}'.")
    if out.suffix == ".csv":
        check_output_file(tables.settings_beside(out))
    return check_output_file(out)


def _fit_copies(
    transformer, paths: list[str | Segment], *, frames: bool
) -> list[BaseClipTransformer]:
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


def _column_names(transformers: list[BaseClipTransformer]) -> list[str]:
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


def _settings(transformers: list[BaseClipTransformer], key: str, *, frames: bool) -> dict:
    """Return what is stored with a table of how it was made."""
    import soxr

    return {
        "features": [describe_transformer(one) for one in transformers],
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


def _unfinished_cache(out: Path, key: str) -> Path:
    """Return the hidden folder of the clips that are finished before the table is.

    Those of an unfinished run with other settings are in a folder of their own.
    """
    here = out.with_name(f".{out.name}.{key}.cache")
    others = set(out.parent.glob(f".{escape(out.name)}.*.cache")) - {here}
    if others:
        tables.warn_of_ignored(
            f"An unfinished run with other settings left '{min(others)}'; it is kept for a run "
            "with those settings, and may be removed.",
            stacklevel=4,
        )
    return here


def _targets(paths: list[str | Segment], folder: Path) -> list[Path]:
    """Return the file of each clip; raise where two clips would share one."""
    whole = [os.path.abspath(file_of(path)) for path in paths]
    root = os.path.commonpath([os.path.dirname(path) for path in whole])
    targets = []
    for clip, path in zip(paths, whole):
        target = Path(os.path.relpath(path, root)).with_suffix("")
        targets.append(folder / target.with_name(f"{target.name}{part_of(clip)}.npz"))
    seen: dict[Path, str] = {}
    for path, target in zip(whole, targets):
        other = seen.setdefault(target, path)
        if other != path:
            raise InputError(
                f"The clips '{other}' and '{path}' would both be written to '{target}'; rename one "
                "of them, or write one table instead."
            )
    return targets


def _earlier_file(target: Path, path: str, key: str) -> tables.ClipRows | None:
    """Return a clip whose file an earlier run wrote, without its numbers; None where none is."""
    try:
        with open_regular(target) as file, np.load(file, allow_pickle=False) as arrays:
            settings = json.loads(str(arrays["settings"]))
            # Both are read, so that damage to either is detected.
            n_frames, n_times = len(arrays["embedding"]), len(arrays["timestamps"])
    except DAMAGE:
        return None
    if (settings.get("key"), settings.get("digest")) != (key, _digest(path)) or n_frames != n_times:
        return None
    return tables.ClipRows(
        settings["digest"], None, None, None, None, np.zeros((n_frames, 0)), False
    )


def _write_file(target: Path, clip: tables.ClipRows, times: np.ndarray, settings: dict) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    stated = json.dumps(settings | {"digest": clip.digest})
    with atomic_write(target) as temporary, temporary.open("wb") as stream:
        np.savez(stream, embedding=clip.rows, timestamps=times, settings=stated)


def _write_errors(path: Path, failures: list[tuple[str, str]]) -> None:
    """Write which clips have no file, and why; nothing where each has one."""
    import pandas as pd

    if not failures:
        path.unlink(missing_ok=True)
        return
    table = escape_formula(pd.DataFrame(failures, columns=["path", "error"]))
    table.to_csv(path, index=False)

"""A npz file of frames for each clip, as openl3 writes them."""

import json
import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from skmer.audio.segment import Segment, file_of, part_of
from skmer.embeddings import sources, tables
from skmer.embeddings.base import BaseClipTransformer
from skmer.embeddings.clips import Clip
from skmer.embeddings.extraction import (
    Extraction,
    column_names,
    describe_run,
    digest_clip,
    embed_sources,
    fit_copies,
    recipe_key,
)
from skmer.exceptions import InputError, InputTypeError
from skmer.utils.cache import DAMAGE, warn_of_cache
from skmer.utils.digest import open_regular
from skmer.utils.files import atomic_write, escape_formula, expand_path, is_url
from skmer.utils.messages import escape_undecodable
from skmer.utils.processes import run_parallel
from skmer.utils.progress import track


def extract_files(
    paths: Sequence,
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
    >>> clips = load_toy_emotions().data[:2]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = extract_files(clips, MFCCStatsTransformer(), f"{folder}/frames")
    ...     with np.load(next(done.path.rglob("*.npz"))) as first:
    ...         first["embedding"].shape[1]
    20
    """
    paths = _check_paths(paths)
    (one,) = fit_copies(transformer, paths, frames=True)
    recipes = [one._recipe(pooled=False)]
    settings = describe_run([one], recipe_key(recipes, column_names([one])), frames=True)
    # The lock is beside the folder, whose name it needs.
    folder = expand_path(folder).absolute()
    targets = _targets(paths, folder)
    n_jobs = one.n_jobs if n_jobs is None else n_jobs
    failures: list[tuple[str, str]] = []
    cache_errors: list[str] = []
    with tables.locked(folder):
        folder.mkdir(exist_ok=True)
        arguments = ((target, path, settings["key"]) for target, path in zip(targets, paths))
        earlier = list(run_parallel(_earlier_file, arguments, n_jobs=n_jobs, prefer="threads"))
        missing = [path for path, done in zip(paths, earlier) if done is None]
        new = embed_sources(
            sources.stream(missing, [one]), recipes, memory=one.memory, n_jobs=n_jobs
        )
        with closing(new):
            bar = track(new, description="extracting", total=len(missing), enabled=verbose)
            n_computed = n_rows = 0
            for path, target, done in zip(paths, targets, earlier):
                clip = done or next(bar)[1]
                n_computed, n_rows = n_computed + clip.is_new, n_rows + len(clip.rows)
                if clip.cache_error is not None:
                    cache_errors.append(clip.cache_error)
                if clip.error is not None:
                    failures.append((escape_undecodable(file_of(path)), clip.error))
                elif done is None:
                    _write_file(target, clip, one.frame_times(len(clip.rows)), settings)
            # So that the bar reaches its end.
            next(bar, None)
        _write_errors(folder / "errors.csv", failures)
    warn_of_cache(cache_errors, stacklevel=2)
    return Extraction(folder, len(paths), n_rows, n_computed, len(failures))


def _check_paths(paths) -> list[str | Segment]:
    """Return the paths as strings; segments of files stay."""
    entries = list(sources.check_clips(paths))
    for row, entry in enumerate(entries):
        is_file = isinstance(entry, str | os.PathLike | Segment) and not is_url(entry)
        if not is_file or sources.is_tar(entry):
            raise InputTypeError(
                f"Entry {row} of 'paths' must be a path on this machine, got {entry!r:.100}."
            )
    return [
        entry if isinstance(entry, Segment) else os.path.expanduser(os.fsdecode(entry))
        for entry in entries
    ]


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


def _earlier_file(target: Path, path: str | Segment, key: str) -> tables.ClipRows | None:
    """Return a clip whose file an earlier run wrote, without its numbers; None where none is."""
    try:
        with open_regular(target) as file, np.load(file, allow_pickle=False) as arrays:
            settings = json.loads(str(arrays["settings"]))
            # Both are read, so that damage to either is detected.
            n_frames, n_times = len(arrays["embedding"]), len(arrays["timestamps"])
    except DAMAGE:
        return None
    digest = digest_clip(Clip.of_file(0, path))
    if (settings.get("key"), settings.get("digest")) != (key, digest) or n_frames != n_times:
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

"""One file of frames for each clip, as openl3's command writes them."""

import csv
import json
import os
import uuid
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skmer.embeddings.base import BaseClipTransformer
from skmer.embeddings.clips import Clip
from skmer.embeddings.extraction import digest_of_file
from skmer.embeddings.recipe import Recipe, embed_clip
from skmer.embeddings.shards import (
    Extraction,
    check_paths,
    column_names,
    lock_output,
    prepare_transformers,
    recipe_key,
    settings_of,
)
from skmer.exceptions import InputError
from skmer.utils import ClipCache
from skmer.utils.cache import DAMAGE, open_cache, warn_of_cache
from skmer.utils.digest import open_regular
from skmer.utils.files import escape_formula, expand_path
from skmer.utils.processes import run_parallel, threads_per_worker
from skmer.utils.progress import track


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
        JSON. Clips that could not be read have no file: ``errors.csv`` in the folder says why.

    Raises
    ------
    OSError
        When the folder cannot be written, or another process is at it.
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
    ...     first = np.load(next(done.path.rglob("*.npz")))
    ...     first["embedding"].shape[1]
    20
    """
    paths = check_paths(paths)
    (transformer,) = prepare_transformers(transformer, frames=True)
    transformer.fit(paths)
    transformer.frame_times(0)
    names = column_names([transformer])
    recipe = transformer._recipe(pooled=False)
    settings = settings_of([transformer], frames=True) | {"key": recipe_key([recipe], names)}
    folder = expand_path(folder)
    # The lock is beside the folder, whose name it needs.
    folder = folder if folder.name else folder.absolute()
    targets = _targets(paths, folder)
    n_jobs = transformer.n_jobs if n_jobs is None else n_jobs
    cache = open_cache(transformer.memory)
    n_threads = threads_per_worker(n_jobs)
    n_rows = n_computed = 0
    failures, troubles = [], []
    with lock_output(folder):
        folder.mkdir(exist_ok=True)
        results = run_parallel(
            _extract_file,
            (
                (recipe, transformer, path, target, settings, cache, n_threads)
                for path, target in zip(paths, targets)
            ),
            n_jobs=n_jobs,
            prefer=recipe.prefer,
        )
        results = track(results, description="extracting", total=len(paths), enabled=verbose)
        for path, (n_frames, computed, error, trouble) in zip(paths, results):
            n_rows += n_frames
            n_computed += computed
            if error is not None:
                failures.append((path, error))
            if trouble is not None:
                troubles.append(trouble)
        _write_errors(folder / "errors.csv", failures)
    warn_of_cache(troubles, stacklevel=2)
    return Extraction(folder, len(paths), n_rows, n_computed, len(failures))


def _targets(paths: list[str], folder: Path) -> list[Path]:
    """Return the file of each clip; two clips that would share one are refused."""
    whole = [os.path.abspath(path) for path in paths]
    root = os.path.commonpath([os.path.dirname(path) for path in whole])
    targets = [folder / Path(os.path.relpath(path, root)).with_suffix(".npz") for path in whole]
    seen: dict[Path, str] = {}
    for path, target in zip(whole, targets):
        other = seen.setdefault(target, path)
        if other != path:
            raise InputError(
                f"The clips '{other}' and '{path}' would both be written to '{target}'; rename one "
                "of them, or write one table instead."
            )
    return targets


def _extract_file(
    recipe: Recipe,
    transformer: BaseClipTransformer,
    path: str,
    target: Path,
    settings: dict,
    cache: ClipCache | None,
    n_threads: int | None,
) -> tuple[int, bool, str | None, str | None]:
    """Write the file of one clip.

    Return the number of frames, whether they were computed, the error, and what troubled the
    cache.
    """
    known = settings | {"digest": digest_of_file(path)}
    if (n_frames := _n_frames_there(target, known)) is not None:
        return n_frames, False, None, None
    clip = Clip(0, path)
    embedded = embed_clip(recipe, clip, cache, n_threads)
    if embedded.error is not None:
        return 0, True, str(embedded.error).removeprefix(f"{clip.name}: "), None
    frames = embedded.row
    times = transformer.frame_times(len(frames))
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("wb") as stream:
            np.savez(stream, embedding=frames, timestamps=times, settings=json.dumps(known))
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    return len(frames), True, None, embedded.trouble


def _n_frames_there(target: Path, known: dict) -> int | None:
    """How many frames the file has that an earlier run wrote; None where there is none such."""
    try:
        with open_regular(target) as file, np.load(file, allow_pickle=False) as arrays:
            there = json.loads(str(arrays["settings"]))
            same = all(there.get(name) == known[name] for name in ("key", "digest"))
            # Both are read, so that damage to either is seen.
            n_frames = len(arrays["embedding"])
            return n_frames if same and len(arrays["timestamps"]) == n_frames else None
    except DAMAGE:
        return None


def _write_errors(path: Path, failures: list[tuple[str, str]]) -> None:
    """Say which clips have no file, and why; nothing where each has one."""
    if not failures:
        path.unlink(missing_ok=True)
        return
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
        csv.writer(stream).writerows(
            map(escape_formula, row) for row in [("path", "error"), *failures]
        )

"""From the parameters `weights` and `trained_on` to MusiCNN's arrays."""

import logging
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from skmer.embeddings.weights._alive import digests, read_once, signature
from skmer.embeddings.weights._random import random_digest
from skmer.embeddings.weights._registry import WeightsFile, find_entry, musicnn_name
from skmer.embeddings.weights._store import (
    Weights,
    find_installed,
    given_path,
    rejected,
    sentences_for,
    verified,
    weights_folder,
)
from skmer.embeddings.weights._tf_checkpoint import INDEX
from skmer.embeddings.weights.musicnn._arrays import (
    PUBLISHED_DIGESTS,
    MusiCNNWeights,
    random_musicnn_weights,
)
from skmer.embeddings.weights.musicnn._files import (
    checkpoint_in,
    read_musicnn_file,
)
from skmer.embeddings.weights.musicnn._package import fetch_package
from skmer.exceptions import WeightsIntegrityError
from skmer.utils.files._download import find_mismatch, one_at_a_time

_logger = logging.getLogger("skmer")
_UNPACKING = ".fetching-"


def load_musicnn_weights(weights: Weights, trained_on: str, *, seed: int) -> MusiCNNWeights:
    """MusiCNN's arrays: "pretrained", those of the file at a path, or random ones for None."""
    if weights is None:
        return random_musicnn_weights(seed)
    path, label = _path(weights, trained_on)
    read = _read_published if label == "pretrained" else _read_given
    return read_once(
        ("musicnn", label, trained_on, *signature(path)), lambda: read(path, trained_on)
    )


def musicnn_weights_digest(weights: Weights, trained_on: str, *, seed: int) -> str:
    """The digest that `load_musicnn_weights` would state, without drawing random arrays."""
    if weights is None:
        return random_digest(seed)
    path, label = _path(weights, trained_on)
    key = ("musicnn", label, trained_on, *signature(path))
    if key not in digests:
        return load_musicnn_weights(weights, trained_on, seed=seed).digest
    return digests[key]


def obtain_musicnn(trained_on: str) -> Path:
    """A file that holds the published model: converted, the wheel, installed, or fetched now."""
    entry = find_entry(musicnn_name(trained_on))
    with sentences_for(entry):
        return find_musicnn(trained_on) or _fetched(entry, trained_on)


def find_musicnn(trained_on: str) -> Path | None:
    """The file on this machine that the published model would be read from."""
    entry = find_entry(musicnn_name(trained_on))
    if (converted := converted_path(trained_on)).exists():
        return converted
    wheel = weights_folder() / entry.file
    return wheel if wheel.exists() else find_installed(entry)


def converted_path(trained_on: str) -> Path:
    """Where the arrays of a published model are kept once they were read."""
    return weights_folder() / f"musicnn_{trained_on}.npz"


def musicnn_state(trained_on: str) -> tuple[Path, str]:
    """(path, state) of the copy that would be used, as in the list of weights; moves nothing."""
    entry = find_entry(musicnn_name(trained_on))
    path = find_musicnn(trained_on)
    if path is None:
        return weights_folder() / entry.file, "missing"
    if path.name == entry.file:
        return path, "verified" if find_mismatch(path, entry.checksums) is None else "wrong"
    try:
        _, digest = read_musicnn_file(path, trained_on)
    except WeightsIntegrityError:
        return path, "wrong"
    is_right = digest == PUBLISHED_DIGESTS[trained_on]
    kind = "converted" if path == converted_path(trained_on) else "verified"
    return path, kind if is_right else "wrong"


def _path(weights: Weights, trained_on: str) -> tuple[Path, str]:
    """(file, label) of a path or of "pretrained"."""
    if weights == "pretrained":
        return obtain_musicnn(trained_on), "pretrained"
    if isinstance(weights, (str, os.PathLike)):
        # TensorFlow names a checkpoint by what its files' names begin with
        index = Path(f"{os.fspath(weights)}{INDEX}").expanduser()
        weights = index if os.path.isfile(index) else weights
    path = given_path(weights, "MusiCNNTransformer", "a wheel, an .index, or an .npz of the arrays")
    return path, path.name


def _read_given(path: Path, trained_on: str) -> MusiCNNWeights:
    return MusiCNNWeights(*read_musicnn_file(path, trained_on), path.name)


def _read_published(path: Path, trained_on: str) -> MusiCNNWeights:
    """The published arrays, kept as an npz for the next time where that is possible."""
    entry = find_entry(musicnn_name(trained_on))
    if path.name == entry.file:
        verified(path, entry)
    found = _read_checked(path, trained_on)
    if path != (converted := converted_path(trained_on)):
        try:
            _save(found.arrays, converted)
        except OSError as error:
            _logger.info("The arrays of %s cannot be kept in %s (%s).", path, converted, error)
    return found


def _read_checked(path: Path, trained_on: str) -> MusiCNNWeights:
    """The arrays of a file, which must be the published ones by their content."""
    arrays, digest = read_musicnn_file(path, trained_on)
    if digest != PUBLISHED_DIGESTS[trained_on]:
        entry = find_entry(musicnn_name(trained_on))
        raise WeightsIntegrityError(
            f"The arrays in {path} are not those of the published '{entry.name}'; "
            f"{rejected(path)}. Run again to fetch them, or put {entry.file} into "
            f"{weights_folder()}."
        )
    return MusiCNNWeights(arrays, digest, "pretrained")


def _fetched(entry: WeightsFile, trained_on: str) -> Path:
    """The converted arrays of the package, had from the index by the package client."""
    folder, converted = weights_folder(), converted_path(trained_on)
    folder.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(folder / entry.file):
        if (found := find_musicnn(trained_on)) is not None:
            return found
        for stale in folder.glob(f"{_UNPACKING}*"):
            shutil.rmtree(stale, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_UNPACKING, dir=folder) as temporary:
            fetch_package(str(entry.requirement), entry.checksums["sha256"], Path(temporary))
            source = Path(temporary, entry.file)
            if not source.exists():
                source = checkpoint_in(Path(temporary, "musicnn"), trained_on)
            elif (mismatch := find_mismatch(source, entry.checksums)) is not None:
                raise WeightsIntegrityError(
                    f"What the package client fetched as {entry.requirement} is not the published "
                    f"'{entry.name}': {mismatch}; it was not kept. Put {entry.file} into {folder}."
                )
            _save(_read_checked(source, trained_on).arrays, converted)
    return converted


def _save(arrays: Mapping[str, Any], target: Path) -> None:
    """Write an npz, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            np.savez(stream, **dict(arrays))
        os.replace(part, target)
    finally:
        with suppress(OSError):
            part.unlink()

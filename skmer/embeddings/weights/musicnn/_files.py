"""MusiCNN's arrays from the wheel, from an unpacked checkpoint, or from an npz made of them.

All three are read as data: nothing of the package is imported or run.
"""

import io
import zipfile
from pathlib import Path

import numpy as np

from skmer.embeddings.weights._arrays import digest_arrays
from skmer.embeddings.weights._npz import damaged_unless, is_zip, read_npz
from skmer.embeddings.weights._tf_checkpoint import (
    INDEX,
    NUMBERS,
    DamagedCheckpointError,
    read_checkpoint,
    read_v2,
)
from skmer.embeddings.weights.musicnn._arrays import MUSICNN_SHAPES, by_name

_MUST_BE = (
    "the wheel of musicnn 0.1.0, the .index file of a TensorFlow checkpoint beside its .data file, "
    "or an npz of its arrays"
)
# The published ones take 9.5 MB, two thirds of it the state of the optimiser.
_LARGEST = 64 * 2**20


def checkpoint_in(root: str | Path, trained_on: str) -> Path:
    """Where the package keeps the index of a model, below its own folder `root`."""
    return Path(root, f"{trained_on.upper()}_musicnn", INDEX)


def read_musicnn_file(path: Path, trained_on: str) -> tuple[dict[str, np.ndarray], str]:
    """(arrays by name, digest) of a wheel, an npz of the arrays, or the index of a checkpoint."""
    arrays = by_name(_read(path, trained_on), str(path))
    return arrays, digest_arrays(tuple(arrays.values()))


def _read(path: Path, trained_on: str) -> list[np.ndarray]:
    with damaged_unless(path, _MUST_BE):
        if not is_zip(path):
            return read_checkpoint(path, MUSICNN_SHAPES)
        with zipfile.ZipFile(path) as archive:
            index = checkpoint_in("musicnn", trained_on)
            if index.as_posix() not in archive.namelist():
                return read_npz(path, MUSICNN_SHAPES, "MusiCNN")
            table = _unpack(archive, index.as_posix())
            numbers = _unpack(archive, index.with_name(NUMBERS).as_posix())
        return read_v2(table, numbers, MUSICNN_SHAPES, str(path))


def _unpack(archive: zipfile.ZipFile, name: str) -> io.BytesIO:
    """One member of the wheel, bounded whatever its header says of its size."""
    with archive.open(name) as stream:
        data = stream.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise DamagedCheckpointError(f"{name} in it holds more than {_LARGEST >> 20} MB")
    return io.BytesIO(data)

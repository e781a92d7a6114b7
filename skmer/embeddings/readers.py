"""Readers of weights files: npz, Keras' HDF5, and TensorFlow's checkpoints.

Published files are verified by their digests, and a path is the user's own choice. The readers
check what leads to wrong numbers: names, shapes, kinds and values; and no file may refer to
another file or run code. Any other damage of a file is reported in one sentence.
"""

import glob
import gzip
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from math import prod, sqrt
from pathlib import Path
from typing import IO

import numpy as np

from skmer.exceptions import InputError, WeightsIntegrityError, WeightsNotFoundError
from skmer.utils.digest import open_regular
from skmer.utils.processes import quiet_tensorflow

Arrays = dict[str, np.ndarray]
Shapes = tuple[tuple[str, tuple[int, ...]], ...]
# The published files unpack to 19 MB at most; what unpacks to far more is something else.
LARGEST = 128 * 2**20


def check_arrays(arrays: Sequence[np.ndarray], shapes: Shapes, path: Path) -> Arrays:
    """Return the arrays of a file by name, as read-only float32, once they fit the network."""
    checked = {}
    for array, (name, shape) in zip(arrays, shapes, strict=True):
        check_shape(name, array.shape, array.dtype, shape, path)
        array = np.ascontiguousarray(array, dtype=np.float32)
        negative = name.replace("_", " ").endswith("moving variance") and (array < 0).any()
        if negative or not np.isfinite(array).all():
            raise WeightsIntegrityError(
                f"The weights file {path} is damaged: the array '{name}' holds "
                f"{'negative values' if negative else 'values that are not finite'}; put the "
                "published file in its place."
            )
        array.setflags(write=False)
        checked[name] = array
    return checked


def check_shape(
    name: str, shape: tuple[int, ...], dtype: np.dtype, expected: tuple[int, ...], path: Path
) -> None:
    """Raise unless an array, which may still be in its file, fits the network."""
    if tuple(shape) != expected or dtype.kind != "f":
        raise WeightsIntegrityError(
            f"The weights file {path} does not fit the network: the array '{name}' must hold "
            f"floats of shape {expected}. Got {dtype} of shape {tuple(shape)} instead."
        )


def digest_arrays(arrays: Iterable[np.ndarray]) -> str:
    """Return the SHA-256 (hex) over the arrays' little-endian float32 bytes in order."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array, dtype="<f4").data)
    return total.hexdigest()


def _lacking(path: Path, name: str) -> WeightsIntegrityError:
    return WeightsIntegrityError(
        f"The weights file {path} does not fit the network: it lacks the array '{name}'."
    )


def read_npz(path: Path, shapes: Shapes) -> list[np.ndarray]:
    """Return the arrays of an npz that have the names in `shapes`."""
    with open_regular(path) as stream, np.load(stream, allow_pickle=False) as archive:
        for name, _ in shapes:
            if name not in archive:
                raise _lacking(path, name)
        return [archive[name] for name, _ in shapes]


def unpacked(stream: IO[bytes] | io.BufferedIOBase, what: str) -> bytes:
    """Return what a compressed stream holds, unless that is far more than any weights."""
    data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise InputError(f"{what} holds more than {LARGEST >> 20} MB")
    return data


def read_keras_h5(path: Path, shapes: Shapes) -> list[np.ndarray]:
    """Return the arrays of Keras' HDF5 (packed by gzip or not), by position, never by name."""
    # Importing skmer must not cost the import of h5py.
    import h5py

    with open_regular(path) as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        with gzip.GzipFile(fileobj=raw) if packed else raw as stream:
            data = unpacked(stream, "it")
    with h5py.File(io.BytesIO(data), "r") as file:
        datasets = [
            _member(group, name)
            for group in [_member(file, name) for name in _names(file, "layer_names")]
            for name in _names(group, "weight_names")
        ]
        if len(datasets) != len(shapes):
            raise InputError(f"it must hold {len(shapes)} arrays, and has {len(datasets)}")
        # Before they are read: an array may be declared to be of any size.
        for dataset, (name, shape) in zip(datasets, shapes):
            check_shape(name, dataset.shape, dataset.dtype, shape, path)
        return [dataset[()] for dataset in datasets]


def _names(group, attribute: str) -> list[str]:
    """Return the names that an attribute lists, as text; older Keras wrote bytes."""
    names = np.atleast_1d(group.attrs.get(attribute, []))
    if attribute == "layer_names" and not names.size:
        raise InputError("it has no attribute 'layer_names', as Keras writes it")
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _member(group, name: str):
    """Return what lies in the file itself under a name; a link may lead to any other file."""
    import h5py

    for part in name.split("/"):
        if not isinstance(group.get(part, getlink=True), h5py.HardLink):
            raise InputError(f"'{name}' is missing, or a link to somewhere else")
        group = group[part]
    if isinstance(group, h5py.Dataset) and (group.external or group.is_virtual):
        raise InputError(f"the numbers of '{name}' are in another file")
    return group


INDEX = ".index"
NUMBERS = ".data-00000-of-00001"


def read_checkpoint(path: Path, shapes: Shapes) -> list[np.ndarray]:
    """Return the arrays of an npz, of a V2 checkpoint where the path ends in .index, or of a V1."""
    with open_regular(path) as file:
        if file.read(4) == b"PK\x03\x04":
            return read_npz(path, shapes)
    if path.name.endswith(INDEX):
        return read_tensors(str(path).removesuffix(INDEX), shapes, path)
    # TensorFlow takes the name of a V1 checkpoint for a pattern.
    return read_tensors(glob.escape(str(path)), shapes, path)


def read_tensors(prefix: str, shapes: Shapes, path: Path) -> list[np.ndarray]:
    """Return the arrays of a checkpoint by TensorFlow, whose reader verifies all checksums."""
    if find_spec("tensorflow") is None:
        raise WeightsNotFoundError(
            f"The weights file {path} is a checkpoint, whose reader is that of tensorflow, not "
            "installed here; install it, or take the npz of its arrays from another machine."
        )
    with quiet_tensorflow():
        import tensorflow as tf
    try:
        # Unlike tf.train.load_checkpoint, it takes an empty name, as MusiCNN has it.
        reader = tf.compat.v1.train.NewCheckpointReader(prefix)
        found, kinds = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
        for name, shape in shapes:
            if name not in found:
                raise _lacking(path, name)
            check_shape(name, found[name], np.dtype(kinds[name].as_numpy_dtype), shape, path)
        return [reader.get_tensor(name) for name, _ in shapes]
    except tf.errors.OpError as error:
        raise InputError(error.message) from error


def signature(path: Path) -> tuple:
    """Return what differs between two states of a file."""
    status = path.stat()
    return str(path), status.st_size, status.st_mtime_ns


def draw_arrays(shapes: Shapes, seed: int, input_norm: Mapping[str, float]) -> Arrays:
    """Draw kernels that keep the scale through rectified layers [He2015]."""
    bits = np.random.PCG64(seed)
    arrays = {}
    for name, shape in shapes:
        if len(shape) > 1:
            arrays[name] = uniform(bits, shape, sqrt(6 / prod(shape[:-1])))
        else:
            neutral = float(name.replace(" ", "_").endswith(("gamma", "moving_variance")))
            arrays[name] = np.full(shape, input_norm.get(name, neutral), np.float32)
    return arrays


def uniform(bits: np.random.PCG64, shape: tuple[int, ...], limit: float) -> np.ndarray:
    """Return float32 uniform in [-limit, limit), 16 bits each.

    Made from the raw stream, which numpy keeps the same for ever; those of its Generator it may
    change.
    """
    size = prod(shape)
    raw = bits.random_raw(-(-size // 4)).astype("<u8", copy=False).view("<i2")[:size]
    array = raw.astype(np.float32)
    array *= np.float32(limit / 2**15)
    return array.reshape(shape)

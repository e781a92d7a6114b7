"""Readers of weights files: npz, Keras' HDF5, and TensorFlow's checkpoints, without TensorFlow.

Published files are verified by their digests, and a path is the user's own choice. The readers
check what leads to wrong numbers: names, shapes, kinds and values; and no file may refer to
another file or run code. Any other damage of a file is reported in one sentence.
"""

import gzip
import hashlib
import io
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod, sqrt
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np

from skmer.exceptions import InputError, WeightsIntegrityError
from skmer.utils.digest import open_regular

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
_MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)
_FOOTER_SIZE = 48
_FLOAT = 1  # DT_FLOAT
_CRC_MASK = 0xA282EAD8


def read_checkpoint(path: Path, shapes: Shapes) -> list[np.ndarray]:
    """Return the arrays of an npz, of a V2 checkpoint where the path ends in .index, or of a V1."""
    with open_regular(path) as table:
        if table.read(4) == b"PK\x03\x04":
            return read_npz(path, shapes)
        if not path.name.endswith(INDEX):
            return _read_v1(table, shapes, path)
        numbers = path.with_name(path.name.removesuffix(INDEX) + NUMBERS)
        if not numbers.is_file():
            raise InputError(f"{numbers.name} is not beside it")
        with open_regular(numbers) as stream:
            return read_v2(table, stream, shapes, path)


def read_v2(table: BinaryIO, numbers: BinaryIO, shapes: Shapes, path: Path) -> list[np.ndarray]:
    """Return the arrays from the two files of a V2 checkpoint: an index, and all the numbers."""
    entries = dict(_entries(table))
    arrays = []
    for name, shape in shapes:
        if name.encode() not in entries:
            raise _lacking(path, name)
        # Of a BundleEntryProto: 1 the type, 2 the shape, 3 the file, 4 the offset, 6 the checksum.
        entry = _fields(entries[name.encode()])
        kind = np.dtype(np.float32 if _first(entry, 1) == _FLOAT else np.void)
        check_shape(name, _shape(_first(entry, 2, b"")), kind, shape, path)
        if _first(entry, 3) or 7 in entry:
            raise InputError(f"the array '{name}' is spread over files or slices")
        data = _read(numbers, _first(entry, 4), 4 * prod(shape))
        if _masked_crc(data) != _first(entry, 6):
            raise InputError(f"the checksum of the array '{name}' does not match")
        arrays.append(np.frombuffer(data, dtype="<f4").reshape(shape))
    return arrays


def _read_v1(table: BinaryIO, shapes: Shapes, path: Path) -> list[np.ndarray]:
    """Return the arrays of a V1 checkpoint, which is one table.

    The checksums of its blocks are not computed: in plain Python that takes minutes.
    """
    wanted = dict(shapes)
    declared: dict[str, tuple[int, ...]] = {}
    found: dict[str, np.ndarray] = {}
    for key, value in _entries(table):
        if not key:
            # The SavedTensorSliceMeta: names and shapes.
            for meta in _fields(_first(_fields(value), 1, b"")).get(1, []):
                tensor = _fields(meta)
                declared[bytes(_first(tensor, 1, b"")).decode()] = _shape(_first(tensor, 2, b""))
            continue
        # A SavedSlice: 1 the name, 3 a TensorProto, whose field 5 has the floats.
        tensor = _fields(_first(_fields(value), 2, b""))
        name = bytes(_first(tensor, 1, b"")).decode()
        if (shape := wanted.get(name)) is None:
            continue
        check_shape(name, declared.get(name, ()), np.dtype(np.float32), shape, path)
        data = _first(_fields(_first(tensor, 3, b"")), 5, b"")
        # Copied, so that the block that holds it is freed before the next one is read.
        found[name] = np.frombuffer(data, dtype="<f4").reshape(shape).copy()
    for name, _ in shapes:
        if name not in found:
            raise _lacking(path, name)
    return [found[name] for name, _ in shapes]


def _entries(table: BinaryIO) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the (key, value) pairs of a table as LevelDB writes them."""
    size = table.seek(0, io.SEEK_END)
    footer = memoryview(_read(table, max(size - _FOOTER_SIZE, 0), min(size, _FOOTER_SIZE)))
    if footer[-len(_MAGIC) :] != _MAGIC or size < _FOOTER_SIZE:
        raise InputError("it is no TensorFlow checkpoint")
    *_, position = _varints(footer, 0, 2)
    for _, handle in _block(table, footer[position:]):
        yield from _block(table, handle)


def _read(stream: BinaryIO, start: int, size: int) -> bytes:
    stream.seek(start)
    data = stream.read(size)
    if len(data) < size:
        raise InputError("it is cut short")
    return data


def _block(table: BinaryIO, handle: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the (key, value) pairs of the block that `handle` (offset and size) points at."""
    offset, size, _ = _varints(handle, 0, 2)
    if _read(table, offset + size, 1) != b"\0":
        raise InputError("it is compressed, which TensorFlow never does")
    block = memoryview(_read(table, offset, size))
    (n_restarts,) = struct.unpack("<I", block[-4:])
    end = size - 4 * (n_restarts + 1)
    position, key = 0, b""
    while position < end:
        shared, n_new, n_value, position = _varints(block, position, 3)
        key = key[:shared] + bytes(block[position : position + n_new])
        position += n_new + n_value
        yield key, block[position - n_value : position]


def _varints(data: memoryview, position: int, count: int) -> tuple[int, ...]:
    """Return `count` numbers of variable length, and the position behind them."""
    numbers = []
    for _ in range(count):
        number = shift = 0
        # No number has more than ten bytes.
        for byte in data[position : position + 10]:
            position += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        else:
            raise InputError("a number in it has no end")
        numbers.append(number)
    return (*numbers, position)


def _fields(message) -> dict[int, list]:
    """Return the fields of a protocol buffer by number: ints, or bytes."""
    data, position = memoryview(message), 0
    fields: dict[int, list] = {}
    value: Any
    while position < len(data):
        tag, position = _varints(data, position, 1)
        kind = tag & 7
        if kind == 0:
            value, position = _varints(data, position, 1)
        elif kind in (1, 2, 5):
            if kind == 2:
                size, position = _varints(data, position, 1)
            else:
                size = {1: 8, 5: 4}[kind]
            value, position = data[position : position + size], position + size
            if kind != 2:
                value = int.from_bytes(value, "little")
        else:
            raise InputError("a field in it is of an unknown kind")
        fields.setdefault(tag >> 3, []).append(value)
    if position > len(data):
        raise InputError("a field in it is cut short")
    return fields


def _first(fields: Mapping[int, list], number: int, default=0):
    return fields.get(number, [default])[0]


def _shape(message) -> tuple[int, ...]:
    """Return a TensorShapeProto as a tuple."""
    return tuple(_first(_fields(dim), 1) for dim in _fields(message).get(2, []))


def _masked_crc(data: bytes) -> int:
    """Return the CRC-32C as LevelDB masks it."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + _CRC_MASK) & 0xFFFFFFFF


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

"""Arrays of TensorFlow checkpoints, V1 and V2, read in plain Python: no framework, nothing run.

Both versions are sorted tables as LevelDB writes them: blocks of (key, value) whose last block but
the footer lists the others, and values that are protocol buffers (tensorflow/core/lib/io/format.cc,
tensor_bundle.proto and saved_tensor_slice.proto). TensorFlow writes these tables uncompressed. V2
keeps the numbers in a second file, each array with a checksum; V1 keeps them in the values.
"""

import io
import struct
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from skmer.embeddings.weights._arrays import check_shape
from skmer.exceptions import InputError, WeightsIntegrityError
from skmer.utils.files._digest import open_regular

INDEX = ".index"
NUMBERS = ".data-00000-of-00001"
_FOOTER_SIZE = 48
_MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)
_FLOAT = 1  # DT_FLOAT
_CRC_MASK = 0xA282EAD8
# Far above any network here; what is larger is no checkpoint but an attempt to keep us busy.
_MOST_ENTRIES = 10_000
_LONGEST_KEY = 1_000

Shapes = tuple[tuple[str, tuple[int, ...]], ...]
Buffer = bytes | memoryview


class DamagedCheckpointError(InputError):
    """What is wrong with the bytes, in words that end a sentence."""


def read_checkpoint(path: Path, shapes: Shapes) -> list[np.ndarray]:
    """The float arrays called as in `shapes`: V2 where `path` ends in .index, else V1."""
    with open_regular(path) as table:
        if not path.name.endswith(INDEX):
            return _read_v1(table, shapes, str(path))
        numbers = path.with_name(path.name.removesuffix(INDEX) + NUMBERS)
        if not numbers.is_file():
            raise DamagedCheckpointError(f"{numbers.name} is not beside it")
        with open_regular(numbers) as stream:
            return read_v2(table, stream, shapes, str(path))


def read_v2(table: BinaryIO, numbers: BinaryIO, shapes: Shapes, source: str) -> list[np.ndarray]:
    """The float arrays called as in `shapes` from the two files of a V2 checkpoint."""
    entries = {key: _fields(value) for key, value in _entries(table)}
    arrays = []
    for name, shape in shapes:
        if (entry := entries.get(name.encode())) is None:
            raise _lacking(source, name)
        kind = np.dtype(np.float32 if _number(entry, 1) == _FLOAT else np.void)
        check_shape(name, _shape(_bytes(entry, 2)), kind, shape, source)
        if _number(entry, 3) or 7 in entry:
            raise DamagedCheckpointError(f"the array '{name}' is spread over files or slices")
        data = _read(numbers, _number(entry, 4), 4 * prod(shape))
        if _masked_crc(data) != _number(entry, 6):
            raise DamagedCheckpointError(f"the checksum of the array '{name}' does not match")
        arrays.append(np.frombuffer(data, dtype="<f4").reshape(shape))
    return arrays


def _read_v1(table: BinaryIO, shapes: Shapes, source: str) -> list[np.ndarray]:
    """The float arrays called as in `shapes` from a V1 checkpoint.

    The blocks' own checksums are not computed: in plain Python that takes minutes.
    """
    wanted = dict(shapes)
    declared: dict[str, tuple[int, ...]] = {}
    found: dict[str, np.ndarray] = {}
    for key, value in _entries(table):
        if not key:
            for meta in _all(_fields(_bytes(_fields(value), 1)), 1):
                tensor = _fields(meta)
                declared[_text(_bytes(tensor, 1))] = _shape(_bytes(tensor, 2))
            continue
        tensor = _fields(_bytes(_fields(value), 2))
        name = _text(_bytes(tensor, 1))
        if (shape := wanted.get(name)) is None:
            continue
        check_shape(name, declared.get(name, ()), np.dtype(np.float32), shape, source)
        data = _bytes(_fields(_bytes(tensor, 3)), 5)
        if len(data) != 4 * prod(shape):
            raise DamagedCheckpointError(f"the array '{name}' is cut short")
        # copied, so that the block that holds it is freed before the next one is read
        found[name] = np.frombuffer(data, dtype="<f4").reshape(shape).copy()
    for name, _ in shapes:
        if name not in found:
            raise _lacking(source, name)
    return [found[name] for name, _ in shapes]


def _lacking(source: str, name: str) -> WeightsIntegrityError:
    return WeightsIntegrityError(
        f"The weights file {source} does not fit the network: it lacks the array '{name}'."
    )


def _entries(table: BinaryIO) -> Iterator[tuple[bytes, memoryview]]:
    """The (key, value) pairs of a table."""
    size = table.seek(0, io.SEEK_END)
    footer = memoryview(_read(table, max(size - _FOOTER_SIZE, 0), min(size, _FOOTER_SIZE)))
    if footer[-len(_MAGIC) :] != _MAGIC or size < _FOOTER_SIZE:
        raise DamagedCheckpointError("it is no TensorFlow checkpoint")
    *_, position = _numbers(footer, 0, 2)
    n_entries = 0
    for _, handle in _block(table, footer[position:]):
        for entry in _block(table, handle):
            n_entries += 1
            if n_entries > _MOST_ENTRIES:
                raise DamagedCheckpointError(f"it lists more than {_MOST_ENTRIES} arrays")
            yield entry


def _read(stream: BinaryIO, start: int, size: int) -> bytes:
    """`size` bytes from `start`, which must be there: nothing is read that the file has not."""
    if start + size > stream.seek(0, io.SEEK_END):
        raise DamagedCheckpointError("it is cut short")
    stream.seek(start)
    return stream.read(size)


def _block(table: BinaryIO, handle: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """The (key, value) pairs of the block that `handle` (offset and size) points at."""
    offset, size, _ = _numbers(handle, 0, 2)
    if _read(table, offset + size, 1) != b"\0":
        raise DamagedCheckpointError("it is compressed, which TensorFlow never does")
    block = memoryview(_read(table, offset, size))
    if size < 4:
        raise DamagedCheckpointError("one of its blocks is empty")
    (n_restarts,) = struct.unpack("<I", block[-4:])
    end = size - 4 * (n_restarts + 1)
    position, key = 0, b""
    while position < end:
        shared, n_new, n_value, position = _numbers(block, position, 3)
        if shared > len(key) or shared + n_new > _LONGEST_KEY or position + n_new + n_value > end:
            raise DamagedCheckpointError("one of its entries has an impossible length")
        key = key[:shared] + bytes(block[position : position + n_new])
        position += n_new
        yield key, block[position : position + n_value]
        position += n_value


def _numbers(data: memoryview, position: int, count: int) -> tuple[int, ...]:
    """`count` numbers of variable length, and the position behind them."""
    numbers = []
    for _ in range(count):
        number = shift = 0
        while True:
            if position >= len(data) or shift > 63:
                raise DamagedCheckpointError("a number in it has no end")
            byte = data[position]
            position += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        numbers.append(number)
    return (*numbers, position)


def _fields(message: Buffer) -> dict[int, list]:
    """The fields of a protocol buffer by number: ints, or bytes that are looked at later."""
    data, position = memoryview(message), 0
    fields: dict[int, list] = {}
    while position < len(data):
        tag, position = _numbers(data, position, 1)
        value: int | memoryview
        match tag & 7:
            case 0:
                value, position = _numbers(data, position, 1)
            case 2:
                size, position = _numbers(data, position, 1)
                value, position = data[position : position + size], position + size
            case 1 | 5 as kind:
                size = 8 if kind == 1 else 4
                value = int.from_bytes(data[position : position + size], "little")
                position += size
            case _:
                raise DamagedCheckpointError("a field in it is of an unknown kind")
        if position > len(data):
            raise DamagedCheckpointError("a field in it is cut short")
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _number(fields: dict[int, list], number: int) -> int:
    """A field that must be a number; 0 where it is left out."""
    value = fields.get(number, [0])[0]
    if not isinstance(value, int):
        raise DamagedCheckpointError("a field in it is of the wrong kind")
    return value


def _all(fields: dict[int, list], number: int) -> list[memoryview]:
    """A repeated field that must hold bytes."""
    values = fields.get(number, [])
    if any(isinstance(value, int) for value in values):
        raise DamagedCheckpointError("a field in it is of the wrong kind")
    return values


def _bytes(fields: dict[int, list], number: int) -> Buffer:
    """A field that must hold bytes; none where it is left out."""
    return values[0] if (values := _all(fields, number)) else b""


def _text(name: Buffer) -> str:
    return bytes(name).decode("utf-8", "replace")


def _shape(message: Buffer) -> tuple[int, ...]:
    """A TensorShapeProto as a tuple."""
    return tuple(_number(_fields(dim), 1) for dim in _all(_fields(message), 2))


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


def _masked_crc(data: bytes) -> int:
    """CRC-32C as LevelDB masks it."""
    table, crc = _crc_table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + _CRC_MASK) & 0xFFFFFFFF

"""Arrays of TensorFlow checkpoints, V1 and V2, read in plain Python: no framework, nothing run.

Both versions are sorted tables as LevelDB writes them: blocks of (key, value) whose last block but
the footer lists the others, and values that are protocol buffers (tensorflow/core/lib/io/format.cc,
tensor_bundle.proto and saved_tensor_slice.proto). TensorFlow writes these tables uncompressed. V2
keeps the numbers in a second file, each array with a checksum; V1 keeps them in the values.
"""

import struct
from collections.abc import Iterator
from math import prod
from pathlib import Path

import numpy as np

from skmer.embeddings.weights._arrays import check_shape
from skmer.exceptions import InputError, WeightsIntegrityError

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


def is_table(tail: bytes) -> bool:
    """Whether a file that ends so is a table."""
    return tail.endswith(_MAGIC)


def read_v2(index: bytes, numbers: bytes, shapes: Shapes, source: str) -> list[np.ndarray]:
    """The float arrays called as in `shapes` from the two files of a V2 checkpoint."""
    entries = dict(_entries(index))
    return [_read_v2(entries, numbers, name, shape, source) for name, shape in shapes]


def read_v1(path: Path, shapes: Shapes) -> list[np.ndarray]:
    """The float arrays called as in `shapes` from a V1 checkpoint."""
    # a map of the file: its arrays are copied once, one after the other
    table = memoryview(np.memmap(path, dtype=np.uint8, mode="r"))
    found: dict[str, Buffer] = {}
    declared: dict[str, tuple[int, ...]] = {}
    for key, value in _entries(table):
        parts = _fields(value)
        if not key:
            for meta in _all(_fields(_first(parts, 1, b"")), 1):
                tensor = _fields(meta)
                declared[_text(_first(tensor, 1, b""))] = _shape(_first(tensor, 2, b""))
        elif 2 in parts:
            tensor = _fields(_first(parts, 2, b""))
            found[_text(_first(tensor, 1, b""))] = _first(_fields(_first(tensor, 3, b"")), 5, b"")
    arrays = []
    for name, shape in shapes:
        if name not in found:
            raise _lacking(str(path), name)
        check_shape(name, declared.get(name, ()), np.dtype(np.float32), shape, str(path))
        arrays.append(_floats(found[name], shape, name))
    return arrays


def _read_v2(entries, numbers: bytes, name: str, shape, source: str) -> np.ndarray:
    """One array of a V2 checkpoint, its place, shape and checksum looked at."""
    if (value := entries.get(name.encode())) is None:
        raise _lacking(source, name)
    entry = _fields(value)
    kind = np.dtype(np.float32 if _first(entry, 1, 0) == _FLOAT else np.void)
    check_shape(name, _shape(_first(entry, 2, b"")), kind, shape, source)
    start, size = _first(entry, 4, 0), _first(entry, 5, 0)
    if _first(entry, 3, 0) or 7 in entry:
        raise DamagedCheckpointError(f"the array '{name}' is spread over several files or slices")
    found = numbers[start : start + size]
    if _masked_crc(found) != _first(entry, 6, 0):
        raise DamagedCheckpointError(f"the checksum of the array '{name}' does not match")
    return _floats(found, shape, name)


def _floats(found: Buffer, shape: tuple[int, ...], name: str) -> np.ndarray:
    """Bytes as an array, where there are as many as there must be."""
    if len(found) != 4 * prod(shape):
        raise DamagedCheckpointError(f"the array '{name}' is cut short")
    return np.frombuffer(found, dtype="<f4").reshape(shape)


def _lacking(source: str, name: str) -> WeightsIntegrityError:
    return WeightsIntegrityError(
        f"The weights file {source} does not fit the network: it lacks the array '{name}'."
    )


def _entries(table: Buffer) -> Iterator[tuple[bytes, memoryview]]:
    """The (key, value) pairs of a table."""
    view = memoryview(table)
    if not is_table(bytes(view[-len(_MAGIC) :])):
        raise DamagedCheckpointError("it is no TensorFlow checkpoint")
    footer = view[-_FOOTER_SIZE:]
    *_, position = _numbers(footer, 0, 2)
    n_entries = 0
    for _, handle in _block(view, footer[position:]):
        for entry in _block(view, handle):
            n_entries += 1
            if n_entries > _MOST_ENTRIES:
                raise DamagedCheckpointError(f"it lists more than {_MOST_ENTRIES} arrays")
            yield entry


def _block(table: memoryview, handle: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """The (key, value) pairs of the block that `handle` (offset and size) points at."""
    offset, size, _ = _numbers(handle, 0, 2)
    if offset + size + 5 > len(table):
        raise DamagedCheckpointError("it is cut short")
    if table[offset + size]:
        raise DamagedCheckpointError("it is compressed, which TensorFlow never does")
    block = table[offset : offset + size]
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


def _all(fields: dict[int, list], number: int) -> list:
    return fields.get(number, [])


def _first(fields: dict[int, list], number: int, default):
    """A field's value, which must be of the kind of its default."""
    value = fields.get(number, [default])[0]
    if isinstance(value, int) != isinstance(default, int):
        raise DamagedCheckpointError("a field in it is of the wrong kind")
    return value


def _text(name: Buffer) -> str:
    return bytes(name).decode("utf-8", "replace")


def _shape(message: Buffer) -> tuple[int, ...]:
    """A TensorShapeProto as a tuple."""
    return tuple(_first(_fields(dim), 1, 0) for dim in _all(_fields(message), 2))


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

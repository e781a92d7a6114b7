"""What the arrays of each network look like, and how a set of them is checked and named."""

import gzip
import hashlib
import io
import re
import struct
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from skmer.exceptions import InputError, WeightsIntegrityError
from skmer.utils.cache import DAMAGE
from skmer.utils.digest import open_regular
from skmer.utils.messages import cut_middle

_L3_WIDTHS = (64, 64, 128, 128, 256, 256, 512, 512)


def _l3_shapes() -> tuple[tuple[str, tuple[int, ...]], ...]:
    """(role, shape) of L3-Net's 48 arrays in stored order."""
    norm = ("gamma", "beta", "moving mean", "moving variance")
    shapes: list[tuple[str, tuple[int, ...]]] = [(role, (1,)) for role in norm]
    before = 1
    for layer, width in enumerate(_L3_WIDTHS, start=1):
        shapes += [("kernel", (3, 3, before, width)), ("bias", (width,))]
        if layer < len(_L3_WIDTHS):
            shapes += [(role, (width,)) for role in norm]
        before = width
    return tuple(shapes)


_VGGISH_KERNELS = (
    ("conv1", (3, 3, 1, 64)),
    ("conv2", (3, 3, 64, 128)),
    ("conv3/conv3_1", (3, 3, 128, 256)),
    ("conv3/conv3_2", (3, 3, 256, 256)),
    ("conv4/conv4_1", (3, 3, 256, 512)),
    ("conv4/conv4_2", (3, 3, 512, 512)),
    ("fc1/fc1_1", (12288, 4096)),
    ("fc1/fc1_2", (4096, 4096)),
    ("fc2", (4096, 128)),
)

L3_SHAPES = _l3_shapes()
VGGISH_SHAPES = tuple(
    item
    for name, shape in _VGGISH_KERNELS
    for item in ((f"vggish/{name}/weights", shape), (f"vggish/{name}/biases", shape[-1:]))
)
PCA_SHAPES = (("pca_eigen_vectors", (128, 128)), ("pca_means", (128, 1)))


@dataclass(frozen=True, eq=False)
class L3Weights:
    """L3-Net's 48 arrays in stored order, the SHA-256 over them (or "random-<seed>"), a label."""

    arrays: tuple[np.ndarray, ...]
    digest: str
    label: str


@dataclass(frozen=True, eq=False)
class VGGishWeights:
    """VGGish's 18 arrays in stored order, their digest and label, and the PCA where there is one.

    `pca` is (eigen_vectors (128, 128), means (128, 1)).
    """

    arrays: tuple[np.ndarray, ...]
    digest: str
    label: str
    pca: tuple[np.ndarray, np.ndarray] | None = None


def check_shape(role: str, shape: Sequence[int], dtype: np.dtype, expected, source: str) -> None:
    """Raise unless an array that is still in its file has the shape and kind it must have."""
    if tuple(shape) != tuple(expected) or dtype.kind != "f":
        got = cut_middle(f"{dtype} of shape {tuple(shape)}", 80)
        raise WeightsIntegrityError(
            f"The weights file {source} does not fit the network: the array '{role}' must hold "
            f"floats of shape {tuple(expected)}. Got {got} instead."
        )


def finish(array: np.ndarray, role: str, source: str) -> np.ndarray:
    """`array` as read-only float32; raise where a value makes the network meaningless."""
    array = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(array).all():
        raise WeightsIntegrityError(
            f"The weights file {source} is damaged: the array '{role}' holds values that are not "
            "finite; put the published file in its place."
        )
    if role.replace("_", " ").endswith("moving variance") and (array < 0).any():
        raise WeightsIntegrityError(
            f"The weights file {source} is damaged: the array '{role}' holds negative values; put "
            "the published file in its place."
        )
    array.setflags(write=False)
    return array


def digest_arrays(arrays: Sequence[np.ndarray]) -> str:
    """SHA-256 (hex) over the arrays' little-endian float32 bytes in order."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array, dtype="<f4").data)
    return total.hexdigest()


_ZIP_MAGIC = b"PK\x03\x04"


def is_zip(path: Path) -> bool:
    """Whether the file begins as a zip archive (an npz, a wheel) does."""
    with open_regular(path) as stream:
        return stream.read(len(_ZIP_MAGIC)) == _ZIP_MAGIC


@contextmanager
def damaged_unless(path: Path, must_be: str) -> Iterator[None]:
    """Whatever is wrong with the bytes of a file becomes one sentence with its name."""
    try:
        yield
    except (WeightsIntegrityError, FileNotFoundError, PermissionError):
        raise
    except DAMAGE as error:
        reason = cut_middle(re.sub(r"[^ -~]+", " ", str(error)).strip(), 100)
        raise WeightsIntegrityError(
            f"The weights file {path} is damaged and cannot be read ({reason}): it must be "
            f"{must_be}."
        ) from error


def read_npz(path: Path, shapes, network: str) -> list[np.ndarray]:
    """The arrays called as in `shapes`, every shape checked before its numbers are read."""
    with damaged_unless(path, f"an npz of {network}'s arrays"), zipfile.ZipFile(path) as archive:
        members = set(archive.namelist())
        for name, _ in shapes:
            if f"{name}.npy" not in members:
                raise WeightsIntegrityError(
                    f"The weights file {path} does not fit {network}: it lacks the array '{name}'."
                )
        return [_read_member(archive, name, shape, path) for name, shape in shapes]


def _read_member(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], path: Path):
    """One array, read by hand: numpy would allocate what the header says before it reads."""
    with archive.open(f"{name}.npy") as stream:
        if npy.read_magic(stream) != (1, 0):
            # what numpy writes for these; headers of later versions may be of any size
            raise InputError(f"the array '{name}' is in another version of numpy's format")
        found, fortran_order, dtype = npy.read_array_header_1_0(stream)
        check_shape(name, found, dtype, shape, str(path))
        size = prod(shape) * dtype.itemsize
        data = stream.read(size)
        if len(data) != size:
            raise InputError(f"the array '{name}' is cut short")
        # beyond the array there is nothing, and reading to the end checks the member's checksum
        if stream.read(1):
            raise InputError(f"the array '{name}' is followed by other bytes")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran_order else "C")


_GZIP_MAGIC = b"\x1f\x8b"
_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
# A collection of texts with its size, and the number and size of one of them.
_HEAP = re.compile(rb"GCOL\x01.{3}(.{8})", re.DOTALL)
_ENTRY = struct.Struct("<H6xQ")
# How an attribute begins: its version, the bytes before its name, and what its parts are filled to.
_ATTRIBUTES = ((1, 8, 8), (2, 8, 1), (3, 9, 1))
_VARIABLE = 9
# Of a text elsewhere: its length, its collection and its number there.
_REFERENCE = struct.Struct("<IQI")
# The published files unpack to 19 MB; a file that unpacks to far more is something else.
_LARGEST = 128 * 2**20
_MOST_NAMES = 1000
# gzip, shuffle and Fletcher's checksum, which come with HDF5; others would be loaded as libraries
_FILTERS = {1, 2, 3}


def read_l3_arrays(path: Path) -> tuple[np.ndarray, ...]:
    """The 48 arrays of the file at `path`, in stored order, every shape and value checked."""
    # imported late: importing skmer must not cost the import of h5py
    import h5py

    data = _unpacked(path)
    if not data.startswith(_HDF5_MAGIC):
        raise WeightsIntegrityError(
            f"The weights file {path} is not an OpenL3 weights file: it must be HDF5 (.h5), or "
            "HDF5 packed with gzip (.h5.gz)."
        )
    with damaged_unless(path, "the published .h5, or .h5.gz, of OpenL3"):
        _check_texts(data)
        with h5py.File(io.BytesIO(data), "r") as file:
            return _read_datasets(file, path)


def _unpacked(path: Path) -> bytes:
    """The file's bytes, without gzip."""
    with damaged_unless(path, "the published .h5, or .h5.gz, of OpenL3"), path.open("rb") as raw:
        packed = raw.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        raw.seek(0)
        with gzip.GzipFile(fileobj=raw) if packed else raw as stream:
            data = stream.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise WeightsIntegrityError(
            f"The weights file {path} is not an OpenL3 weights file: it holds more than "
            f"{_LARGEST >> 20} MB."
        )
    return data


def _check_texts(data: bytes) -> None:
    """Raise for texts of a length that they cannot have, which HDF5 (1.14) takes as it is.

    It would take memory for all that a reference says, and never end where an entry of a heap ends
    where it begins (file format specification, III.E "Global Heap"; IV.A.2.m "The Attribute
    Message").
    """
    if (data[13:15] if data[8] < 2 else data[9:11]) != b"\x08\x08":
        raise InputError("its addresses and lengths do not have 8 bytes")
    impossible = InputError("a text in it has an impossible length")
    heaps: dict[int, dict[int, int]] = {}
    for heap in _HEAP.finditer(data):
        position, end = heap.end(), heap.start() + int.from_bytes(heap[1], "little")
        sizes = heaps[heap.start()] = {}
        while position + _ENTRY.size <= min(end, len(data)):
            number, size = _ENTRY.unpack_from(data, position)
            # Of the free space, which comes last, the size is that of the whole entry.
            if size > end - position or (not number and size < _ENTRY.size):
                raise impossible
            sizes[number] = size
            position += _ENTRY.size + -(-size // 8) * 8 if number else size
    for name in re.finditer(b"layer_names\0|weight_names\0", data):
        for version, n_bytes, padded in _ATTRIBUTES:
            start = name.start() - n_bytes
            if start < 0 or data[start] != version:
                continue
            for length, heap, number in _references(data, start, name.start(), padded):
                if length > heaps.get(heap, {}).get(number, 0):
                    raise impossible


def _references(data: bytes, start: int, name: int, padded: int) -> Iterator[tuple]:
    """The texts that an attribute refers to: length, address of the heap, number in it."""
    is_shared = data[start] > 1 and data[start + 1] & 1
    places = [name]
    for size in struct.unpack_from("<3H", data, start + 2):
        places.append(places[-1] + -(-size // padded) * padded)
    _, kind, shape, first = places
    if first > len(data) or not (is_shared or data[kind] & 15 == _VARIABLE):
        return
    n_dims = data[shape + 1]
    shape += 8 if data[shape] == 1 else 4
    n_texts = prod(struct.unpack_from(f"<{n_dims}Q", data, shape)) if n_dims < 3 else 0
    texts = data[first : first + min(n_texts, _MOST_NAMES) * _REFERENCE.size]
    yield from _REFERENCE.iter_unpack(texts[: len(texts) // _REFERENCE.size * _REFERENCE.size])


def _read_datasets(file, path: Path) -> tuple[np.ndarray, ...]:
    """The datasets that `layer_names` and `weight_names` list, by position and never by name."""
    import h5py

    if "layer_names" not in file.attrs:
        raise WeightsIntegrityError(
            f"The weights file {path} is not an OpenL3 weights file: it has no attribute "
            "'layer_names', as Keras writes it."
        )
    groups = [_member(file, name) for name in _names(file, "layer_names")]
    datasets = [_member(group, name) for group in groups for name in _names(group, "weight_names")]
    if len(datasets) != len(L3_SHAPES):
        raise WeightsIntegrityError(
            f"The weights file {path} does not fit L3-Net: it must hold {len(L3_SHAPES)} arrays. "
            f"Got {len(datasets)} instead."
        )
    arrays = []
    for dataset, (role, shape) in zip(datasets, L3_SHAPES, strict=True):
        if not isinstance(dataset, h5py.Dataset):
            raise WeightsIntegrityError(
                f"The weights file {path} does not fit L3-Net: '{dataset.name}' is not an array."
            )
        check_shape(role, dataset.shape, dataset.dtype, shape, str(path))
        _check_storage(dataset)
        arrays.append(finish(dataset[()], role, str(path)))
    return tuple(arrays)


def _names(group, attribute: str) -> list[str]:
    """The names that an attribute lists, as text; older Keras wrote bytes."""
    import h5py

    if attribute not in group.attrs:
        return []
    stored = group.attrs.get_id(attribute)
    kind, n_names = stored.get_type(), 0 if stored.shape is None else prod(stored.shape)
    if not n_names:
        return []
    if not isinstance(kind, h5py.h5t.TypeStringID) or len(stored.shape) > 2:
        raise InputError(f"its attribute '{attribute}' does not list names")
    if n_names > _MOST_NAMES:
        raise InputError(f"its attribute '{attribute}' lists more than {_MOST_NAMES} names")
    names = np.atleast_1d(group.attrs[attribute])
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _member(group, name: str):
    """What lies in the file itself under `name`: a link may lead to any other file."""
    import h5py

    for part in name.split("/"):
        inside = isinstance(group, h5py.Group)
        if not (inside and isinstance(group.get(part, getlink=True), h5py.HardLink)):
            raise InputError(f"'{cut_middle(name, 80)}' is missing, or a link to somewhere else")
        group = group[part]
    return group


def _check_storage(dataset) -> None:
    """Raise where the numbers lie in other files, or take far more memory than they should."""
    plist = dataset.id.get_create_plist()
    filters = {plist.get_filter(position)[0] for position in range(plist.get_nfilters())}
    chunks = dataset.chunks or dataset.shape
    if (
        plist.get_external_count()
        or dataset.is_virtual
        or not filters <= _FILTERS
        or any(chunk > max(size, 1) for chunk, size in zip(chunks, dataset.shape, strict=True))
    ):
        raise InputError(f"the array '{cut_middle(dataset.name, 80)}' is stored in an unusual way")


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

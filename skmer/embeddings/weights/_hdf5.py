"""L3-Net's arrays from a Keras-2 weights file (.h5, or .h5.gz unpacked in memory)."""

import gzip
import io
import re
import struct
from collections.abc import Iterator
from math import prod
from pathlib import Path

import numpy as np

from skmer.embeddings.weights._arrays import L3_SHAPES, check_shape, finish
from skmer.embeddings.weights._npz import damaged_unless
from skmer.exceptions import InputError, WeightsIntegrityError
from skmer.utils._words import cut_middle

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

"""L3-Net's arrays from a Keras-2 weights file (.h5, or .h5.gz unpacked in memory)."""

import gzip
import io
import zlib
from pathlib import Path

import numpy as np

from skmer.embeddings.weights._arrays import L3_SHAPES, check_shape, finish
from skmer.exceptions import WeightsIntegrityError

_GZIP_MAGIC = b"\x1f\x8b"
_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
# The published files unpack to 19 MB; a file that unpacks to far more is something else.
_LARGEST = 128 * 2**20


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
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            return _read_datasets(file, path)
    except WeightsIntegrityError:
        raise
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise WeightsIntegrityError(
            f"The weights file {path} is damaged and cannot be read ({error}); put the published "
            "file in its place."
        ) from error


def _unpacked(path: Path) -> bytes:
    """The file's bytes, without gzip."""
    with path.open("rb") as raw:
        packed = raw.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        raw.seek(0)
        try:
            with gzip.GzipFile(fileobj=raw) if packed else raw as stream:
                data = stream.read(_LARGEST + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise WeightsIntegrityError(
                f"The weights file {path} is truncated or damaged and cannot be unpacked; put the "
                "published file in its place."
            ) from error
    if len(data) > _LARGEST:
        raise WeightsIntegrityError(
            f"The weights file {path} is not an OpenL3 weights file: it holds more than "
            f"{_LARGEST >> 20} MB."
        )
    return data


def _read_datasets(file, path: Path) -> tuple[np.ndarray, ...]:
    """The datasets that `layer_names` and `weight_names` list, by position and never by name."""
    import h5py

    if "layer_names" not in file.attrs:
        raise WeightsIntegrityError(
            f"The weights file {path} is not an OpenL3 weights file: it has no attribute "
            "'layer_names', as Keras writes it."
        )
    groups = [file[_text(layer)] for layer in file.attrs["layer_names"]]
    datasets = [
        group[_text(name)] for group in groups for name in group.attrs.get("weight_names", ())
    ]
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
        arrays.append(finish(dataset[()], role, str(path)))
    return tuple(arrays)


def _text(name: str | bytes) -> str:
    """A name as text; older Keras wrote bytes."""
    return name.decode() if isinstance(name, bytes) else str(name)

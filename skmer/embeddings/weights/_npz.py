"""Arrays of known names and shapes from an npz: no pickles, nothing larger is allocated."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from skmer.embeddings.weights._arrays import check_shape
from skmer.exceptions import InputError, WeightsIntegrityError
from skmer.utils._words import cut_middle
from skmer.utils.files._damage import DAMAGE
from skmer.utils.files._digest import open_regular

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

"""VGGish's arrays from the published TensorFlow checkpoint, converted once to a plain npz.

The conversion lies beside the checkpoint as `<name>.skmer.npz` with the arrays' digest and the
checkpoint's checksum, so that TensorFlow is loaded once only. A conversion whose checkpoint has
changed is made again.
"""

import logging
import os
import zipfile
import zlib
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from skmer.embeddings.weights._arrays import (
    PCA_SHAPES,
    VGGISH_SHAPES,
    check_shape,
    digest_arrays,
    finish,
)
from skmer.embeddings.weights._checksum import checksum, put_aside
from skmer.exceptions import InputError, WeightsIntegrityError
from skmer.utils import quiet_tensorflow

PCA_FILE = "vggish_pca_params.npz"
_ZIP_MAGIC = b"PK\x03\x04"
_logger = logging.getLogger("skmer")

Arrays = tuple[np.ndarray, ...]


def converted_path(checkpoint: Path) -> Path:
    """Where the conversion of `checkpoint` lies."""
    return checkpoint.with_name(checkpoint.name + ".skmer.npz")


def read_vggish_arrays(path: Path, md5: str | None = None) -> tuple[Arrays, str]:
    """(arrays, digest) of a checkpoint or of a converted npz.

    `md5` is the checkpoint's published checksum: a conversion that states it is good even where
    the checkpoint is no longer there.
    """
    if path.exists() and is_npz(path):
        arrays = _read_npz(path, VGGISH_SHAPES)
        return arrays, digest_arrays(arrays)
    if (found := _read_conversion(path, md5)) is not None:
        return found
    with _one_at_a_time(path):
        # another process may have converted it while this one waited
        found = _read_conversion(path, md5)
        if found is None and not path.exists():
            raise WeightsIntegrityError(
                f"The converted weights {converted_path(path)} are damaged; "
                f"{put_aside(converted_path(path))}. Run again to download them."
            )
        return found or _convert(path)


@contextmanager
def _one_at_a_time(path: Path):
    """A lock beside `path`; none where its folder cannot be written."""
    from filelock import FileLock

    lock = FileLock(path.with_name(f".{path.name}.lock"))
    with suppress(OSError):
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def read_vggish_digest(path: Path, md5: str | None = None) -> str | None:
    """The digest that a good conversion of `path` states, or None: nothing big is read."""
    conversion = converted_path(path)
    if not conversion.exists():
        return None
    try:
        with _opened(conversion) as stored:
            return str(stored["digest"]) if _is_current(stored, path, md5) else None
    except WeightsIntegrityError:
        return None


def read_pca(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(eigen_vectors (128, 128), means (128, 1)) of the published PCA file."""
    vectors, means = _read_npz(path, PCA_SHAPES)
    return vectors, means


def is_npz(path: Path) -> bool:
    """Whether the file begins as a zip archive does."""
    with path.open("rb") as stream:
        return stream.read(len(_ZIP_MAGIC)) == _ZIP_MAGIC


@contextmanager
def _opened(path: Path):
    """An open npz, without pickles; whatever is wrong with it becomes one error with its name."""
    try:
        if not zipfile.is_zipfile(path):
            raise InputError("it is no npz archive")
        with np.load(path, allow_pickle=False) as stored:
            yield stored
    except WeightsIntegrityError:
        raise
    except (ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise WeightsIntegrityError(
            f"The weights file {path} is damaged, or is not one of VGGish ({error}); put the right "
            "file in its place."
        ) from error


def _read_npz(path: Path, shapes) -> Arrays:
    """The arrays called as in `shapes`, every shape and value checked."""
    with _opened(path) as stored:
        missing = [name for name, _ in shapes if name not in stored]
        if missing:
            raise WeightsIntegrityError(
                f"The weights file {path} does not fit VGGish: it lacks the array '{missing[0]}'."
            )
        return tuple(_member(stored, name, shape, path) for name, shape in shapes)


def _member(stored, name: str, shape: tuple[int, ...], path: Path) -> np.ndarray:
    """One array of an open npz, checked."""
    array = stored[name]
    check_shape(name, array.shape, array.dtype, shape, str(path))
    return finish(array, name, str(path))


def _read_conversion(path: Path, md5: str | None) -> tuple[Arrays, str] | None:
    """(arrays, digest) of the conversion beside `path`, or None where it is missing or no good."""
    conversion = converted_path(path)
    if not conversion.exists():
        return None
    try:
        with _opened(conversion) as stored:
            if not _is_current(stored, path, md5):
                return None
            digest = str(stored["digest"])
            arrays = tuple(stored[name] for name, _ in VGGISH_SHAPES)
    except WeightsIntegrityError as error:
        _logger.warning("%s It is made again.", error)
        return None
    # these bytes were checked when they were written, and the digest says that they are the same
    if digest_arrays(arrays) != digest or any(
        array.shape != shape for array, (_, shape) in zip(arrays, VGGISH_SHAPES, strict=True)
    ):
        _logger.warning("The arrays in %s do not match their digest; made again.", conversion)
        return None
    for array in arrays:
        array.setflags(write=False)
    return arrays, digest


def _stamp(path: Path) -> np.ndarray:
    """What changes when a file is written anew: size and the two times in ns."""
    status = path.stat()
    return np.array([status.st_size, status.st_mtime_ns, status.st_ctime_ns], dtype=np.int64)


def _is_current(stored, path: Path, md5: str | None) -> bool:
    """Whether an open conversion was made from the checkpoint as it is now."""
    source = str(stored["source_md5"])
    if md5 is not None:
        return source == md5
    if not path.exists():
        return False
    # a copied checkpoint has another stamp and the same bytes
    return np.array_equal(stored["source_stamp"], _stamp(path)) or source == checksum(path, "md5")


def _convert(path: Path) -> tuple[Arrays, str]:
    """Read the checkpoint by TensorFlow and keep the arrays beside it where that is possible."""
    stamp, source_md5 = _stamp(path), checksum(path, "md5")
    arrays = _read_checkpoint(path)
    digest = digest_arrays(arrays)
    members: dict[str, Any] = {"digest": digest, "source_md5": source_md5, "source_stamp": stamp}
    members |= zip((name for name, _ in VGGISH_SHAPES), arrays, strict=True)
    target = converted_path(path)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            np.savez(stream, **members)
        os.replace(part, target)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        _logger.warning(
            "The arrays of %s cannot be kept beside it (%s); TensorFlow reads it again next time.",
            path,
            error,
        )
    return arrays, digest


def _read_checkpoint(path: Path) -> Arrays:
    """The 18 arrays of a TensorFlow checkpoint."""
    with quiet_tensorflow():
        import tensorflow as tf

    try:
        reader = tf.train.load_checkpoint(str(path))
        shapes = reader.get_variable_to_shape_map()
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        raise WeightsIntegrityError(
            f"The weights file {path} is not a VGGish checkpoint: it must be the published "
            "vggish_model.ckpt (TensorFlow V1 format), or an npz that skmer converted from it."
        ) from error
    kinds = reader.get_variable_to_dtype_map()
    arrays = []
    for name, shape in VGGISH_SHAPES:
        if name not in shapes:
            raise WeightsIntegrityError(
                f"The weights file {path} does not fit VGGish: it lacks the array '{name}'."
            )
        check_shape(name, shapes[name], np.dtype(kinds[name].as_numpy_dtype), shape, str(path))
        try:
            arrays.append(finish(reader.get_tensor(name), name, str(path)))
        except tf.errors.OpError as error:
            raise WeightsIntegrityError(
                f"The weights file {path} is damaged: the array '{name}' cannot be read."
            ) from error
    return tuple(arrays)

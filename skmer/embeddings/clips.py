"""The forms of X: which clips a caller means."""

import array
import hashlib
import io
import math
import numbers
import os
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skmer.exceptions import InputError, InputTypeError
from skmer.utils.digest import file_digest

FORMS = (
    "a sequence of paths, of open binary files, of waveforms or of (waveform, sr) pairs, or a 2-D "
    "float array with one clip a row"
)


@dataclass(frozen=True)
class Clip:
    """One clip: a path, the content of a file, or a waveform with its rate; its place in X."""

    row: int
    source: str | bytes | tuple[np.ndarray, int]
    label: str = "a waveform"

    @property
    def name(self) -> str:
        """What messages call the clip."""
        what = repr(self.source) if isinstance(self.source, str) else self.label
        return f"Row {self.row}, {what}"

    def digest(self) -> str:
        """Return a digest of the clip's content, whatever its name and place.

        Raises OSError, ValueError or TypeError where there is none, as for masked samples.
        """
        if isinstance(self.source, str):
            return file_digest(self.source)
        if isinstance(self.source, bytes):
            return hashlib.sha256(self.source).hexdigest()
        audio, sr = self.source
        if np.ma.is_masked(audio):
            raise ValueError("masked samples have no content")
        digest = hashlib.sha256(f"{audio.dtype.str} {audio.shape} {sr}".encode())
        digest.update(np.ascontiguousarray(audio))
        return digest.hexdigest()

    def status(self) -> tuple | None:
        """Return what changes when a file is written or replaced; None without a file."""
        if not isinstance(self.source, str):
            return None
        try:
            status = os.stat(self.source)
        except (OSError, ValueError):
            return None
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns

    def open(self):
        """Return what `stream_audio` takes."""
        return io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source


def is_sequence_of_clips(X, *, estimator: str) -> bool:
    """Return whether X is a sequence of clips; False: a 2-D array of numbers, or meant as one."""
    must_be = f"X of {estimator} must be {FORMS}. Got"
    if isinstance(X, str | bytes | os.PathLike):
        raise InputError(f"{must_be} {X!r}; for one clip write [path].", param="X")
    if hasattr(X, "toarray") or hasattr(X, "columns"):
        return False
    if isinstance(X, Iterator | Mapping | set | frozenset) or hasattr(X, "read"):
        raise InputTypeError(f"{must_be} a {type(X).__name__}; write a list.", param="X")
    if isinstance(X, np.ndarray):
        return X.ndim == 1 and X.dtype.kind in "OUST"
    if not (hasattr(X, "__len__") and hasattr(X, "__getitem__")):
        return False
    if len(X) == 0:
        raise InputError(f"{must_be} 0 samples.", param="X")
    # Rows of one length are meant as an array, and checked as one.
    return not (all(_is_list_of_numbers(row) for row in X) and len({len(row) for row in X}) == 1)


def check_sequence(X, *, sr: int, estimator: str) -> list[Clip]:
    """Turn a sequence of clips in any form into `Clip`s; `sr` is for bare waveforms."""
    return [_clip(item, row, sr, estimator) for row, item in enumerate(X)]


def check_matrix(X: np.ndarray, *, sr: int) -> list[Clip]:
    """Turn the rows of a validated 2-D array into clips; integers that are not PCM are numbers."""
    if (X.dtype.kind in "iub" and X.dtype.itemsize not in (1, 2, 4)) or X.dtype.kind == "b":
        X = X.astype(float)
    return [Clip(row, (audio, sr)) for row, audio in enumerate(X)]


def _clip(item, row, sr, estimator) -> Clip:
    try:
        if isinstance(item, str | os.PathLike):
            return Clip(row, os.path.expanduser(os.fsdecode(item)))
        if hasattr(item, "read"):
            return Clip(row, *_read_open_file(item))
        if isinstance(item, Mapping):
            if not ("array" in item and "sampling_rate" in item):
                raise InputTypeError(
                    "a mapping must have 'array' and 'sampling_rate', got one with "
                    f"{reprlib.repr(list(item))}."
                )
            item = (item["array"], item["sampling_rate"])
        if _is_pair(item):
            item, sr = item
            if isinstance(sr, bool | np.bool_) or not (1 <= sr < math.inf and sr == int(sr)):
                raise InputError(
                    "the sr of a (waveform, sr) pair must be an integer of at least 1 Hz, got "
                    f"{sr!r}."
                )
        return Clip(row, (_as_array(item), int(sr)))
    except (InputError, InputTypeError) as error:
        raise type(error)(f"Row {row} of X of {estimator}: {error}", param="X") from None


def _read_open_file(file) -> tuple[bytes, str]:
    """Read a file from its start, where what was just written into a BytesIO is, and leave it."""
    try:
        position = file.tell()
        file.seek(0)
        content = file.read()
        file.seek(position)
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(
            f"a file must be open for reading and seekable, got {reprlib.repr(file)} ({error})."
        ) from error
    if isinstance(content, str):
        raise InputTypeError("a file must be open in binary mode; open it with mode 'rb'.")
    name = getattr(file, "name", None)
    return bytes(content), f"the open file {name!r}" if isinstance(name, str) else "an open file"


def _as_array(item) -> np.ndarray:
    """Return whatever numpy takes as the array of a waveform; masks stay."""
    if isinstance(item, np.ndarray) and item.ndim:
        return item
    is_array = hasattr(item, "__array__") or isinstance(item, array.array | memoryview)
    if is_array or (isinstance(item, list | tuple) and len(item)):
        try:
            # Numbers in lists have no type of their own, so no scale that could be known.
            waveform = np.asarray(item)
            if not is_array and waveform.dtype.kind not in "US":
                waveform = waveform.astype(float)
        except (TypeError, ValueError, RuntimeError) as error:
            raise InputTypeError(
                f"numpy cannot make an array of {reprlib.repr(item)} ({error})."
            ) from error
        if waveform.ndim and waveform.dtype.kind not in "OUS":
            return waveform
    raise InputTypeError(
        "a clip must be a path, an open binary file, a waveform, a (waveform, sr) pair, or a "
        f"mapping with 'array' and 'sampling_rate', got {reprlib.repr(item)} of type "
        f"{type(item).__name__}."
    )


def _is_pair(item) -> bool:
    """Return whether something is (waveform, sr), without going through the samples."""
    if not (isinstance(item, tuple | list) and len(item) == 2):
        return False
    audio, sr = item
    if isinstance(audio, np.ndarray) or hasattr(audio, "__array__"):
        has_samples = len(np.shape(audio)) > 0
    else:
        has_samples = isinstance(audio, list | tuple | array.array | memoryview)
    return has_samples and isinstance(sr, numbers.Real)


def _is_list_of_numbers(item: Any) -> bool:
    return isinstance(item, list | tuple) and all(isinstance(one, numbers.Number) for one in item)

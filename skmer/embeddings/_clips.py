"""The forms of X: which clips a caller means."""

import hashlib
import numbers
import os
from dataclasses import dataclass

import numpy as np

from skmer.exceptions import InputError, InputTypeError
from skmer.utils._digest import file_digest

FORMS = (
    "a sequence of paths, of waveforms or of (waveform, sr) pairs, or a 2-D float array with one "
    "clip a row"
)


@dataclass(frozen=True)
class Clip:
    """One clip: a path, or a waveform with its rate, and its place in X."""

    row: int
    source: str | tuple[np.ndarray, int]

    @property
    def name(self) -> str:
        """What messages call the clip."""
        if isinstance(self.source, str):
            return f"Row {self.row}, {self.source!r}"
        return f"Row {self.row}, a waveform"

    def digest(self) -> str:
        """Return a digest of the clip's content, whatever its name and place."""
        if isinstance(self.source, str):
            return file_digest(self.source)
        audio, sr = self.source
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


def is_sequence_of_clips(X, *, estimator: str) -> bool:
    """Whether X is a sequence of clips; False: it is a 2-D array of numbers, or meant as one.

    Raises ValueError for a lone path, which is iterable but never meant as a sequence.
    """
    if isinstance(X, str | bytes | os.PathLike):
        raise InputError(
            f"X of {estimator} must be {FORMS}; got a lone {type(X).__name__}, {X!r}. For one clip "
            "write [path]."
        )
    if hasattr(X, "toarray"):
        return False
    if isinstance(X, dict | set):
        raise InputTypeError(f"X of {estimator} must be {FORMS}; got a {type(X).__name__}.")
    if isinstance(X, np.ndarray):
        return X.ndim == 1 and X.dtype.kind in "OUT"
    if hasattr(X, "columns"):
        return False
    if not hasattr(X, "__len__") or not hasattr(X, "__getitem__"):
        return False
    if len(X) == 0:
        raise InputError(
            f"X of {estimator} must be {FORMS}; got 0 samples, an empty {type(X).__name__}."
        )
    first = X.iloc[0] if hasattr(X, "iloc") else X[0]
    if isinstance(first, numbers.Number) and not _is_missing(first):
        return False
    nested = isinstance(first, list | tuple) and not _is_pair(first)
    return not (nested and all(isinstance(value, numbers.Number) for value in first))


def check_sequence(X, *, sr: int, estimator: str) -> list[Clip]:
    """Turn a sequence of paths, waveforms or pairs into clips; `sr` is for bare waveforms."""
    return [Clip(row, _source(item, row, sr, estimator)) for row, item in enumerate(X)]


def check_matrix(X: np.ndarray, *, sr: int) -> list[Clip]:
    """Turn the rows of a validated 2-D array into clips; integers that are not PCM are numbers."""
    if (X.dtype.kind in "iub" and X.dtype.itemsize not in (1, 2, 4)) or X.dtype.kind == "b":
        X = X.astype(float)
    return [Clip(row, (audio, sr)) for row, audio in enumerate(X)]


def _source(item, row, sr, estimator):
    if isinstance(item, str | os.PathLike):
        return os.fspath(item)
    if _is_pair(item):
        audio, own_sr = item
        if isinstance(own_sr, bool) or int(own_sr) != own_sr or own_sr < 1:
            raise InputError(
                f"Row {row} of X of {estimator}: the sr of a (waveform, sr) pair must be an "
                f"integer of at least 1 Hz, got {own_sr!r}."
            )
        return np.asarray(audio), int(own_sr)
    if isinstance(item, np.ndarray) and item.ndim:
        return item, sr
    if isinstance(item, list | tuple) and item and isinstance(item[0], numbers.Number):
        return np.asarray(item, dtype=float), sr
    raise InputTypeError(
        f"Row {row} of X of {estimator} must be a path, a waveform or a (waveform, sr) pair, got "
        f"{item!r} of type {type(item).__name__}."
    )


def _is_pair(item):
    return (
        isinstance(item, tuple)
        and len(item) == 2
        and isinstance(item[1], numbers.Real)
        and np.ndim(item[0]) > 0
    )


def _is_missing(value):
    return isinstance(value, float) and np.isnan(value)

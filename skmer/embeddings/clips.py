"""The forms of X: which clips a caller means."""

import array
import hashlib
import io
import math
import numbers
import os
import re
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skmer.exceptions import InputError, InputTypeError
from skmer.utils.digest import file_digest
from skmer.utils.messages import cut_middle

FORMS = (
    "a sequence of paths, of open binary files, of waveforms or of (waveform, sr) pairs, or a 2-D "
    "float array with one clip a row"
)
# "Reshape your data" are words that users of scikit-learn know.
_LONE_WAVEFORM = "a lone waveform. Reshape your data: X.reshape(1, -1), or [X]."
# What the dtypes of columns are called that hold numbers, in pandas and in polars.
_NUMERIC_DTYPE = re.compile(r"(u?int|float|bool|double|decimal)", re.IGNORECASE)


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
        return f"Row {self.row}, {cut_middle(what)}"

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
    """Whether X is a sequence of clips; False: it is a 2-D array of numbers, or meant as one.

    Raises InputError or InputTypeError for the usual wrong forms, such as a lone path.
    """

    def refuse(got, error=InputTypeError):
        return error(f"X of {estimator} must be {FORMS}; got {got}")

    if isinstance(X, str | bytes | os.PathLike):
        got = f"a lone {type(X).__name__}, {cut_middle(repr(X), 100)}. For one clip write [path]."
        raise refuse(got, InputError)
    if hasattr(X, "toarray"):
        return False
    if np.ma.is_masked(X):
        raise refuse("masked samples; fill them first, for instance X.filled(0).", InputError)
    if isinstance(X, Iterator):
        raise refuse(f"a {type(X).__name__}, which can be gone through once only; write list(...).")
    if isinstance(X, Mapping) and _is_decoded(X):
        raise refuse("a lone mapping. For one clip write [clip].", InputError)
    if isinstance(X, Mapping | set | frozenset) or hasattr(X, "read"):
        raise refuse(f"a {type(X).__name__}.")
    if isinstance(X, np.ndarray):
        _check_is_no_table_of_paths(X, refuse)
        if X.ndim == 1 and X.dtype.kind in "iuf":
            raise refuse(_LONE_WAVEFORM, InputError)
        if X.ndim > 2:
            raise refuse(f"an array of {X.ndim} dimensions; write list(X).", InputError)
        return X.ndim == 1 and X.dtype.kind in "OUST"
    if hasattr(X, "columns"):
        texts = [
            name for name, dtype in zip(X.columns, X.dtypes) if not _NUMERIC_DTYPE.match(str(dtype))
        ]
        if texts:
            got = "a data frame with a column that holds no numbers; pass that column"
            raise refuse(f"{got}, X[{cut_middle(repr(texts[0]), 50)}].", InputError)
        return False
    if not hasattr(X, "__len__") or not hasattr(X, "__getitem__"):
        return False
    if len(X) == 0:
        raise refuse(f"0 samples, an empty {type(X).__name__}.", InputError)
    if len(X) == 2 and isinstance(X, list | tuple) and (_is_pair(X) or _is_scipys_pair(X)):
        got = "a lone waveform with its rate. For one clip write [(waveform, sr)]."
        raise refuse(got, InputError)
    first = X.iloc[0] if hasattr(X, "iloc") else X[0]
    if isinstance(first, numbers.Number) and not _is_missing(first):
        if all(isinstance(item, numbers.Real) for item in X):
            raise refuse(_LONE_WAVEFORM, InputError)
        return True
    if not _is_list_of_numbers(first):
        return True
    # Rows of one length are meant as an array, and checked as one.
    rows = list(X)
    return not (
        all(_is_list_of_numbers(row) for row in rows) and len({len(row) for row in rows}) == 1
    )


def check_sequence(X, *, sr: int, estimator: str) -> list[Clip]:
    """Turn a sequence of clips in any form into `Clip`s; `sr` is for bare waveforms."""
    return [_clip(item, row, sr, estimator) for row, item in enumerate(X)]


def check_matrix(X: np.ndarray, *, sr: int) -> list[Clip]:
    """Turn the rows of a validated 2-D array into clips; integers that are not PCM are numbers."""
    if (X.dtype.kind in "iub" and X.dtype.itemsize not in (1, 2, 4)) or X.dtype.kind == "b":
        X = X.astype(float)
    return [Clip(row, (audio, sr)) for row, audio in enumerate(X)]


def _clip(item, row, sr, estimator):
    try:
        if isinstance(item, str | os.PathLike):
            return Clip(row, os.path.expanduser(os.fsdecode(item)))
        if hasattr(item, "read"):
            return _open_file(item, row)
        if isinstance(item, Mapping):
            if not _is_decoded(item):
                raise InputTypeError(
                    "a mapping must have 'array' and 'sampling_rate', got one with "
                    f"{reprlib.repr(list(item))}."
                )
            item = (item["array"], item["sampling_rate"])
        if _is_scipys_pair(item):
            raise InputTypeError("got (sr, waveform); write (waveform, sr).")
        if _is_pair(item):
            audio, sr = item
            if isinstance(sr, bool | np.bool_) or not (1 <= sr < math.inf and sr == int(sr)):
                raise InputError(
                    "the sr of a (waveform, sr) pair must be an integer of at least 1 Hz, got "
                    f"{sr!r}."
                )
            item = audio
        return Clip(row, (_as_array(item), int(sr)))
    except (InputError, InputTypeError) as error:
        raise type(error)(f"Row {row} of X of {estimator}: {error}") from None


def _open_file(file, row):
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
    if not isinstance(content, bytes | bytearray | memoryview):
        raise InputTypeError("a file must be open in binary mode; open it with mode 'rb'.")
    name = getattr(file, "name", None)
    label = f"the open file {name!r}" if isinstance(name, str) else "an open file"
    return Clip(row, bytes(content), label)


def _as_array(item):
    """Return whatever numpy takes as the array of a waveform; masks stay."""
    if isinstance(item, bytes | bytearray):
        raise InputTypeError(
            "got bytes; write os.fsdecode(...) for a path, and io.BytesIO(...) for the content of "
            "a file."
        )
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
                f"numpy cannot make an array of {reprlib.repr(item)} ({cut_middle(str(error))})."
            ) from error
        if waveform.ndim and waveform.dtype.kind not in "OUS":
            return waveform
    raise InputTypeError(
        "a clip must be a path, an open binary file, a waveform, a (waveform, sr) pair, or a "
        f"mapping with 'array' and 'sampling_rate', got {reprlib.repr(item)} of type "
        f"{type(item).__name__}."
    )


def _check_is_no_table_of_paths(X, refuse):
    if X.ndim < 2 or not X.size or X.dtype.kind not in "OUST":
        return
    if isinstance(X.flat[0], str | bytes | os.PathLike):
        advice = "X.ravel()" if X.size == max(X.shape) else "one of its columns"
        raise refuse(f"an array of texts of shape {X.shape}; pass {advice}.", InputError)


def _is_decoded(item):
    return "array" in item and "sampling_rate" in item


def _is_pair(item):
    return (
        isinstance(item, tuple | list)
        and len(item) == 2
        and isinstance(item[1], numbers.Real)
        and _is_waveform(item[0])
    )


def _is_scipys_pair(item):
    """Whether the rate comes first, as scipy.io.wavfile.read has it."""
    return (
        isinstance(item, tuple | list)
        and len(item) == 2
        and isinstance(item[0], numbers.Real)
        and _is_waveform(item[1])
    )


def _is_waveform(item):
    """Whether something has samples, without going through them."""
    if isinstance(item, np.ndarray) or hasattr(item, "__array__"):
        return len(np.shape(item)) > 0
    return isinstance(item, list | tuple | array.array | memoryview)


def _is_list_of_numbers(item: Any) -> bool:
    return (
        isinstance(item, list | tuple)
        and not _is_pair(item)
        and not _is_scipys_pair(item)
        and all(isinstance(value, numbers.Number) for value in item)
    )


def _is_missing(value):
    return isinstance(value, float) and np.isnan(value)

"""The forms of X: which clips a caller means."""

import array
import hashlib
import io
import math
import numbers
import os
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skmer.audio.segment import Segment, is_name_of_end, part_of
from skmer.exceptions import AudioDecodeError, InputError, InputTypeError
from skmer.utils import digest, files, messages, remote

FORMS = (
    "a sequence of paths, of segments (path, start, end), of open binary files, of waveforms or of "
    "(waveform, sr) pairs, or a 2-D float array with one clip a row"
)


@dataclass(frozen=True)
class Clip:
    """One clip: a path, the content of a file, a waveform with its rate, or a decoder of those.

    Of a segment the clip is the part of the file from `start` to `end` [s]. A bare waveform came
    without a rate. In a table it is called `path`, and `cells` are the user's own columns there;
    `error` is why an entry of a stream is no clip.
    """

    row: int
    source: Any = None
    label: str = "a waveform"
    start: float | None = None
    end: float | None = None
    is_bare: bool = False
    path: str | None = None
    cells: Mapping = field(default_factory=dict)
    error: str | None = None

    @property
    def name(self) -> str:
        """What messages call the clip."""
        what = repr(self.source) if isinstance(self.source, str) else self.label
        part = str(Segment("", self.start or 0, self.end)) if self.start or self.end else ""
        return f"Row {self.row}, {what}{part}"

    @property
    def identity(self) -> tuple:
        """What distinguishes a clip of a table from the others: its path, and its part of that."""
        return self.path, self.start, self.end

    @property
    def part(self) -> str:
        """What distinguishes a part of a file from others of it; empty for the whole file."""
        is_part = self.start or self.end is not None
        return part_of(Segment("", self.start or 0.0, self.end)) if is_part else ""

    def n_bytes(self) -> int:
        """Return the bytes that it holds in memory."""
        if isinstance(self.source, tuple):
            return self.source[0].nbytes
        return len(self.source) if isinstance(self.source, bytes) else 0

    def at(self, sr: int) -> "Clip":
        """Return the clip, which has another rate [Hz] where it is a bare waveform."""
        return replace(self, source=(self.source[0], sr)) if self.is_bare else self

    def span(self, offset: float, duration: float | None) -> tuple[float, float | None]:
        """Return the offset and the duration, in the file, of a part of the clip [s]."""
        start = self.start or 0.0
        if self.end is not None:
            # Rounded, so that the key of the cache has no digits of the subtraction.
            left = round(self.end - start - offset, 9)
            if left <= 0:
                raise AudioDecodeError(
                    f"{self.name}: the segment ends before offset={offset} s, so nothing is left "
                    "to read."
                )
            duration = left if duration is None else min(left, duration)
        return start + offset, duration

    def local(self) -> "Clip":
        """Return the clip with its content, which is fetched where it is at a URL."""
        if not files.is_url(self.source):
            return self
        try:
            return replace(self, source=remote.read_url(self.source), label=repr(self.source))
        except OSError as error:
            raise AudioDecodeError(f"{self.name}: {error}.") from error

    def digest(self) -> str:
        """Return a digest of the clip's content, for any name and place.

        Raises OSError, ValueError or TypeError where there is none, as for masked samples.
        """
        if isinstance(self.source, str):
            return digest.file_digest(self.source)
        if isinstance(self.source, bytes):
            return hashlib.sha256(self.source).hexdigest()
        audio, sr = self.open()
        if np.ma.is_masked(audio):
            raise ValueError("masked samples have no content")
        total = hashlib.sha256(f"{audio.dtype.str} {audio.shape} {sr}".encode())
        total.update(np.ascontiguousarray(audio))
        return total.hexdigest()

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
        if isinstance(self.source, str | tuple):
            return self.source
        if isinstance(self.source, bytes):
            return io.BytesIO(self.source)
        try:
            return _decode(self.source)
        except Exception as error:  # Decoders of other packages raise any class of error.
            raise AudioDecodeError(f"{self.name}: decoding failed ({error}).") from error


def as_sequence(X) -> Any:
    """Return the clips of a table of one column, or of segments, as a sequence; else X itself.

    scikit-learn's `ColumnTransformer`, samplers and servers of models pass a column as a table.
    """
    # Scalars of pyarrow are no texts.
    X = X.to_pylist() if hasattr(X, "to_pylist") else X
    levels = getattr(getattr(X, "index", None), "names", ())
    if {"start", "end"} < set(levels) or "file" in levels:
        raise InputError(
            "The clips of a table must not be in its index, which has "
            f"{messages.shorten(levels)}; pass X.index instead, and the labels as y.",
            param="X",
        )
    columns = {str(name): name for name in getattr(X, "columns", ())}
    if len(columns) == 3 and {"start", "end"} < set(columns):
        (path,) = set(columns) - {"start", "end"}
        return list(zip(*(X[columns[name]] for name in (path, "start", "end"))))
    if len(columns) == 1:
        column = X[next(iter(columns.values()))]
        return column if np.asarray(column).dtype.kind in "OUST" else X
    if any(np.asarray(X[name]).dtype.kind in "OUST" for name in columns.values()):
        raise InputError(
            "A table of clips must have one column, or those of the files, start and end. Got "
            f"{messages.shorten(columns)}; give the column of the clips, or pick it by a "
            "ColumnTransformer([(NAME, transformer, COLUMN), ...]) where others are features too.",
            param="X",
        )
    if isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "OUST":
        if X.shape[1] == 1:
            return X[:, 0]
        if X.shape[1] == 3 and all(isinstance(path, str | os.PathLike) for path in X[:, 0]):
            return list(map(tuple, X))
    if isinstance(X, list | tuple) and X and all(map(_is_row_of_one, X)):
        return [row[0] for row in X]
    return X


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


def check_matrix(X: np.ndarray, *, sr: int) -> list[Clip]:
    """Turn the rows of a validated 2-D array into clips; integers that are not PCM are numbers."""
    if (X.dtype.kind in "iub" and X.dtype.itemsize not in (1, 2, 4)) or X.dtype.kind == "b":
        X = X.astype(float)
    return [Clip(row, (audio, sr), is_bare=True) for row, audio in enumerate(X)]


def is_triple(entry) -> bool:
    """Return whether an entry is (path, start, end), which means a `Segment`."""
    is_sequence = isinstance(entry, tuple | list) and len(entry) == 3
    return is_sequence and isinstance(entry[0], str | os.PathLike)


def is_named_content(entry) -> bool:
    """Return whether an entry is a name with the bytes of a file, or with an open file."""
    if not (isinstance(entry, tuple | list) and len(entry) == 2 and isinstance(entry[0], str)):
        return False
    return isinstance(entry[1], bytes | bytearray | memoryview) or hasattr(entry[1], "read")


def as_clip(item, row: int, *, sr: int, estimator: str) -> Clip:
    """Turn a clip in any form into a `Clip`; `sr` [Hz] is for bare waveforms."""
    is_pair = False
    try:
        if isinstance(item, str | os.PathLike):
            if files.is_url(item):
                remote.check_url(os.fspath(item))
            return Clip(row, os.path.expanduser(os.fsdecode(item)))
        if is_triple(item):
            item = Segment(*item)
        if isinstance(item, Segment):
            return Clip(row, item.path, start=item.start, end=item.end)
        if is_named_content(item):
            is_open = hasattr(item[1], "read")
            content = _read_open_file(item[1])[0] if is_open else bytes(item[1])
            return Clip(row, content, repr(item[0]))
        if isinstance(item, tuple | list) and _is_pair(item[::-1]):
            # As scipy.io.wavfile and gradio return it.
            item = item[::-1]
        if _is_decoder(item):
            return Clip(row, item, f"a {type(item).__name__}")
        if hasattr(item, "read"):
            return Clip(row, *_read_open_file(item))
        if isinstance(item, Mapping):
            ends = {name: one for name, one in item.items() if is_name_of_end(name)}
            if ends and ends.keys() != {"duration"}:
                if not ends.keys() <= {"start", "end", "duration"}:
                    raise InputError(
                        "a mapping must call the ends of a segment 'start' and 'end', or 'start' "
                        f"and 'duration' [s], got {messages.shorten(map(repr, ends))}."
                    )
                part = Segment.of("", **ends)
                whole = {name: one for name, one in item.items() if name not in ends}
                clip = as_clip(whole, row, sr=sr, estimator=estimator)
                return replace(clip, start=part.start, end=part.end)
            is_pair = "array" in item and "sampling_rate" in item
            if is_pair:
                item = (item["array"], item["sampling_rate"])
            elif item.get("bytes") is not None:
                return Clip(row, bytes(item["bytes"]), f"the bytes of {item.get('path')!r}")
            elif isinstance(item.get("path"), str):
                return Clip(row, os.path.expanduser(item["path"]))
            else:
                raise InputTypeError(
                    "a mapping must have 'array' and 'sampling_rate', or 'bytes' or 'path', got "
                    f"one with {reprlib.repr(list(item))}; of a dataset pass the column of clips."
                )
        is_bare = not (is_pair or _is_pair(item))
        if not is_bare:
            item, sr = item
            # A rate in the format "numpy" of `datasets` is an array without dimensions.
            sr = sr.item() if hasattr(sr, "item") and np.size(sr) == 1 else sr
            is_rate = isinstance(sr, numbers.Real) and not isinstance(sr, bool | np.bool_)
            if not (is_rate and 1 <= sr < math.inf and sr == int(sr)):
                raise InputError(
                    "the sr of a (waveform, sr) pair must be an integer of at least 1 Hz, got "
                    f"{sr!r}."
                )
        return Clip(row, (_as_array(item), int(sr)), is_bare=is_bare)
    except (InputError, InputTypeError) as error:
        raise type(error)(f"Row {row} of X of {estimator}: {error}", param="X") from None


def as_file(item) -> Any:
    """Return the path or the `Segment` that an item of X is; None where it is of no file."""
    if isinstance(item, str | os.PathLike | Segment):
        return item
    if is_triple(item):
        return Segment(*item)
    clip = as_clip(item, 0, sr=1, estimator="the models") if isinstance(item, Mapping) else None
    if clip is None or not isinstance(clip.source, str):
        return None
    return Segment(clip.source, clip.start or 0.0, clip.end) if clip.part else clip.source


def _is_decoder(item) -> bool:
    """Whether something gives a waveform and its rate when it is asked."""
    return (
        hasattr(item, "get_all_samples")
        or (hasattr(item, "samplerate") and hasattr(item, "read"))
        or (hasattr(item, "__getitem__") and not hasattr(item, "__len__"))
    )


def _decode(decoder) -> tuple[np.ndarray, int]:
    if hasattr(decoder, "get_all_samples"):
        # torchcodec's, which `datasets` gives since its version 4; channels come first.
        samples = decoder.get_all_samples()
        return np.asarray(samples.data).T, int(samples.sample_rate)
    if hasattr(decoder, "samplerate"):
        # A `soundfile.SoundFile`.
        position = decoder.tell()
        decoder.seek(0)
        audio = decoder.read(dtype="float32")
        decoder.seek(position)
        return audio, decoder.samplerate
    return np.asarray(decoder["array"]), int(decoder["sampling_rate"])


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
    """Convert any object that numpy takes to the array of a waveform; masks stay."""
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
        "a clip must be a path, a segment (path, start, end), an open binary file, a waveform, a "
        "(waveform, sr) pair, or a mapping with 'array' and 'sampling_rate', got "
        f"{reprlib.repr(item)} of type {type(item).__name__}."
    )


def _is_pair(item) -> bool:
    """Return whether something is (waveform, sr), without going through the samples."""
    if not (isinstance(item, tuple | list) and len(item) == 2):
        return False
    audio, sr = item
    is_listed = isinstance(audio, list | tuple | array.array | memoryview)
    has_samples = is_listed or (hasattr(audio, "__array__") and np.ndim(audio) > 0)
    is_rate = isinstance(sr, numbers.Real) or (hasattr(sr, "item") and not np.ndim(sr))
    return has_samples and is_rate


def _is_row_of_one(row) -> bool:
    """Whether a row of a table has one clip, which is no number."""
    is_row = isinstance(row, list | tuple) or (isinstance(row, np.ndarray) and row.dtype == object)
    return is_row and len(row) == 1 and not isinstance(row[0], numbers.Number)


def _is_list_of_numbers(item: Any) -> bool:
    return isinstance(item, list | tuple) and all(isinstance(one, numbers.Number) for one in item)

"""Segments of audio files, which are used as clips, as in tables of annotations."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np

from skmer.exceptions import InputError
from skmer.utils.messages import escape_undecodable


@dataclass(frozen=True, order=True)
class Segment:
    """A part of an audio file, from `start` to `end`.

    Parameters
    ----------
    path : str or path-like
        The file; ``~`` is the home folder.
    start : float or timedelta, default=0.0
        Seconds from the start of the file; or a timedelta of Python, numpy or pandas, or a text of
        either.
    end : float or timedelta, default=None
        As `start`; None, NaN and NaT are the end of the file.

    Raises
    ------
    InputError
        For a start below 0, and an end that is not after it.

    See Also
    --------
    skmer.datasets.load_csv : Reads them from a table.

    Examples
    --------
    >>> from skmer.audio import Segment
    >>> Segment("song.wav", "00:01:30", 95)
    Segment(path='song.wav', start=90.0, end=95.0)
    >>> str(Segment("song.wav", 0.5))
    'song.wav from 0.5 s'
    """

    path: str
    start: float = 0.0
    end: float | None = None

    def __post_init__(self):
        try:
            start, end = to_seconds(self.start), to_seconds(self.end)
        except (TypeError, ValueError):
            start = end = -1.0
        if start is None or not 0 <= start < (np.inf if end is None else end):
            raise InputError(
                "A segment must have a start of 0 or more and an end after it, in seconds or as "
                f"timedeltas. Got start={self.start} and end={self.end} of {self.path}."
            )
        object.__setattr__(self, "path", os.path.expanduser(os.fsdecode(self.path)))
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "end", end)

    @classmethod
    def of(cls, path, start=0.0, end=None, duration=None) -> "Segment":
        """Return a segment that may have a duration, in the forms of `start`, instead of an end."""
        length = cls(path, 0.0, duration).end
        if end is None and length is not None:
            # Rounded, so that 0.1 + 0.2 is the segment that ends at 0.3.
            end = round(cls(path, start).start + length, 9)
        return cls(path, start, end)

    def __str__(self) -> str:
        return f"{self.path} from {self.start:g}" + (f" to {self.end:g} s" if self.end else " s")


class ListedClip(NamedTuple):
    """A clip, and the other columns of the table that lists it."""

    clip: str | Segment
    cells: Mapping[str, Any]


@dataclass(frozen=True)
class Listing:
    """Clips that files list, read from these again each time, so that they are not all held.

    Parameters
    ----------
    read : callable
        Returns an iterator of `ListedClip`.
    columns : tuple of str
        The names of the other columns, which are texts.
    n_clips : int or None
        How many there are; None where archives are among them.
    has_segments : bool
        Whether some of them are segments.
    """

    read: Callable[[], Iterator[ListedClip]]
    columns: tuple[str, ...]
    n_clips: int | None
    has_segments: bool

    def __iter__(self) -> Iterator[ListedClip]:
        return self.read()


_END = re.compile(
    r"((segment|seg|clip|event|frame|sample|time|t)[ _-]?)?"
    r"(start|begin|onset|offset|end|stop|duration|dur|length)"
    r"([ _-]?(time|seconds|sec|s|ms|samples?|frames?|\(m?s\)))*|t[ _-]?[01]|[tx]_?(min|max)|from|to"
)


def is_name_of_end(name) -> bool:
    """Return whether a column or a key of this name looks like the start or end of segments."""
    return isinstance(name, str) and _END.fullmatch(name.lower()) is not None


def file_of(clip) -> str:
    """Return the path of a file, or of the file of a segment."""
    return clip.path if isinstance(clip, Segment) else os.fspath(clip)


def part_of(clip) -> str:
    """Return what distinguishes a segment from others of its file; empty for a file."""
    return f"#t={clip.start!r},{clip.end!r}" if isinstance(clip, Segment) else ""


def segment_columns(clips: Sequence) -> dict[str, list]:
    """Return what a table has of clips in files: their paths, and where some are segments the ends.

    A name that is no text gets escapes in it, so that a table can hold it.
    """
    columns: dict[str, list] = {"path": [escape_undecodable(file_of(clip)) for clip in clips]}
    if any(isinstance(clip, Segment) for clip in clips):
        for name in ("start", "end"):
            ends = (getattr(clip, name, None) for clip in clips)
            columns[name] = [np.nan if end is None else end for end in ends]
    return columns


def to_seconds(value: Any) -> float | None:
    """Return the seconds that a number, a timedelta or a text of either has; None where missing."""
    # As Python, numpy and pandas write what is missing.
    if str(value).lower() in ("", "na", "nan", "nat", "none", "<na>", "inf"):
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            import pandas as pd

            # pandas passes over commas, and takes numbers without a unit for nanoseconds.
            if "," in value or not re.search("[A-Za-z:]", value):
                raise
            value = pd.Timedelta(value)
    if isinstance(value, np.timedelta64):
        value = value / np.timedelta64(1, "s")
    elif isinstance(value, timedelta):
        value = value.total_seconds()
    return float(value)

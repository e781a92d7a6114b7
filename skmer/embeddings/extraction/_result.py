"""What an extraction did."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Extraction:
    """What `extract` returns.

    Parameters
    ----------
    path : pathlib.Path
        The table that was written.
    n_clips : int
        Clips in it.
    n_rows : int
        Rows in it: one a clip, or one a frame.
    n_computed : int
        Clips computed by this call; the others were finished by an earlier one.
    n_failed : int
        Clips that could not be read; the column ``error`` says why.
    """

    path: Path
    n_clips: int
    n_rows: int
    n_computed: int
    n_failed: int

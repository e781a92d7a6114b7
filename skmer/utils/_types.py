"""What parameters may be, for editors and type checkers; at run time the classes check them."""

from collections.abc import Sequence
from os import PathLike
from typing import Any, Literal, Protocol

import numpy as np


class SupportsCache(Protocol):
    """A `joblib.Memory`, or what is used like one."""

    cache: Any


Statistic = Literal["mean", "std", "max", "min"]
Pooling = Statistic | Sequence[Statistic] | None
Weights = str | PathLike[str] | None
Memory = str | PathLike[str] | SupportsCache | None
RandomState = int | np.random.RandomState | None
OnError = Literal["raise", "nan"]
Resampler = Literal["soxr_hq", "kaiser_best"]
Preset = Literal["tuned", "koh2021"]
ClassWeight = dict[Any, float] | Literal["balanced"] | None

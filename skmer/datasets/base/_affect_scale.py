"""The scales on which arousal and valence are given."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from skmer.exceptions import InputError, InputTypeError
from skmer.utils._floats import check_floats, to_floats
from skmer.utils._words import cut_middle


@dataclass(frozen=True)
class AffectScale:
    """The unit of arousal and valence: a name and the ends of the scale.

    Labels of different scales are never comparable as they stand, so a dataset hands out
    the scale with the labels.

    Parameters
    ----------
    name : str
        What the labels are, such as "static".
    low, high : float
        The ends of the scale.

    Examples
    --------
    >>> from skmer.datasets import AffectScale
    >>> static, dynamic = AffectScale("static", 1, 9), AffectScale("dynamic", -1, 1)
    >>> static.convert([1, 5, 9], dynamic).tolist()
    [-1.0, 0.0, 1.0]
    >>> str(static)
    'static, 1 to 9'
    """

    name: str
    low: float
    high: float

    def __post_init__(self):
        ends = check_floats([self.low, self.high], "low and high of a scale")
        if not ends[0] < ends[1]:
            raise InputError(f"'low' must be below 'high'. Got {ends[0]:g} and {ends[1]:g}.")

    def __str__(self) -> str:
        return f"{self.name}, {self.low:g} to {self.high:g}"

    def check(self, values: ArrayLike, *, what: str = "labels") -> np.ndarray:
        """Labels as a float array, if all of them lie on the scale.

        Parameters
        ----------
        values : array-like of float
            The labels, of any shape.
        what : str, default="labels"
            What they are called in the message.

        Returns
        -------
        values : ndarray of float
            The same labels.

        Raises
        ------
        ValueError
            If a label is not finite or not on the scale.
        """
        array = to_floats(values, f"The {what}")
        wrong = array[~((array >= self.low) & (array <= self.high))]
        if wrong.size:
            raise InputError(
                f"The {what} must lie on the scale '{self}'. Got {wrong[0]:g} and {wrong.size - 1} "
                "others outside it; are they on another scale?"
            )
        return array

    def convert(self, values: ArrayLike, to: "AffectScale") -> np.ndarray:
        """Labels moved linearly to another scale, end to end.

        Parameters
        ----------
        values : array-like of float
            Labels on this scale, of any shape.
        to : AffectScale
            The other scale.

        Returns
        -------
        values : ndarray of float
            Labels on the other scale, of the same shape.

        Raises
        ------
        ValueError
            If a label is not on this scale.
        """
        if not isinstance(to, AffectScale):
            raise InputTypeError(
                f"The 'to' of convert must be an AffectScale. Got {cut_middle(repr(to), 100)}."
            )
        share = (self.check(values) - self.low) / (self.high - self.low)
        return to.low + share * (to.high - to.low)


STATIC_SCALE = AffectScale("static", 1.0, 9.0)
DYNAMIC_SCALE = AffectScale("dynamic", -1.0, 1.0)

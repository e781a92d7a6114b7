"""What is known of a dataset, and its description in words."""

import os
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from skmer.exceptions import InputError, InputTypeError
from skmer.utils.floats import check_floats, to_floats
from skmer.utils.messages import cut_middle


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a dataset before a single file of it is here.

    Parameters
    ----------
    name : str
        Its name on the command line.
    title : str
        Its name in a text.
    n_clips : int
        Published clips.
    class_counts : dict of str to int
        Published clips per class; empty where that is not published.
    groups : str
        What the clips are grouped by.
    licence, citation, url : str
        On what terms, to be cited how (BibTeX), and from where.
    downloadable : bool
        Whether skmer can download it.
    contains : tuple of str
        Names of the datasets whose songs, or most of them, are in it under the same codes.
    """

    name: str
    title: str
    n_clips: int
    class_counts: dict[str, int]
    groups: str
    licence: str
    citation: str
    url: str
    downloadable: bool
    contains: tuple[str, ...] = ()


def describe(info: DatasetInfo) -> str:
    """Text of a dataset's rst file, and its citation."""
    folder = resources.files("skmer.datasets") / "descr"
    name = info.name.replace("-", "_")
    text = (folder / f"{name}.rst").read_text(encoding="utf-8")
    if not info.citation:
        return text
    citation = textwrap.indent(info.citation, "    ")
    return f"{text}\n.. rubric:: Citation\n\n.. code-block:: bibtex\n\n{citation}\n"


def describe_split(groups, parts) -> str:
    """Text about who is on both sides of a published split, from the data at hand."""
    test = parts == "test"
    shared = test & groups.isin(groups[~test])
    return (
        f"\n.. rubric:: The split of the data at hand\n\nOf the {test.sum()} test songs, "
        f"{shared.sum()} are by an artist who is also in the rest of the {len(groups)} songs "
        f"({groups[shared].nunique()} artists).\n"
    )


COMMON_CONSTRAINTS: dict[str, list] = {
    "data_home": [str, os.PathLike, None],
    "return_X_y": ["boolean"],
    "as_frame": ["boolean"],
}
FETCH_CONSTRAINTS = COMMON_CONSTRAINTS | {"download_if_missing": ["boolean"]}


def make_bunch(
    frame,
    *,
    descr: str,
    target_names: Sequence[str],
    target_columns: str | list[str] = "label",
    return_X_y: bool,
    as_frame: bool,
    **particular: Any,
):
    """Bunch, or (data, target), from a frame with the columns path, label and maybe group."""
    data, target = frame["path"], frame[target_columns]
    groups = frame.get("group")
    if not as_frame:
        data = data.to_numpy(dtype=object)
        # Plain unicode: scikit-learn refuses some object arrays of labels.
        target = target.to_numpy(dtype=str if target_columns == "label" else float)
        groups = None if groups is None else np.array(groups.tolist())
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        target_names=list(target_names),
        groups=groups,
        frame=frame,
        DESCR=descr,
        **particular,
    )


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

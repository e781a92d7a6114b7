"""A split that was published with a dataset."""

from collections.abc import Iterator

import numpy as np
from sklearn.model_selection import BaseCrossValidator

PARTS = ("train", "validation", "test")


class FixedSplit(BaseCrossValidator):
    """The one split that came with a dataset, clip by clip.

    Parameters
    ----------
    parts : array-like of str of shape (n_clips,)
        "train", "validation" or "test" for each clip; there need be no validation part. Clips with
        any other value are an error, so that none is lost by a misspelling.

    Examples
    --------
    >>> from skmer.evaluation import FixedSplit
    >>> cv = FixedSplit(["train", "train", "validation", "test"])
    >>> [[part.tolist() for part in parts] for parts in cv.split_parts(range(4))]
    [[[0, 1], [2], [3]]]
    """

    def __init__(self, parts):
        parts = np.asarray(parts)
        unknown = sorted(set(parts.tolist()) - set(PARTS))
        if unknown:
            raise ValueError(
                "The 'parts' parameter of FixedSplit may hold 'train', 'validation' and 'test'. "
                f"Got {unknown[0]!r} instead."
            )
        for part in ("train", "test"):
            if not (parts == part).any():
                raise ValueError(
                    f"The 'parts' parameter of FixedSplit must mark at least one clip {part!r}."
                )
        self.parts = parts

    def split_parts(
        self, X, y=None, groups=None
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield the rows of the three parts, once.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Only its length matters.
        y, groups : object
            Ignored, exist for compatibility.

        Yields
        ------
        train, validation, test : ndarray of int
            Rows of each part; the validation part may be empty.

        Raises
        ------
        ValueError
            When X has another number of clips than `parts`.
        """
        n_clips = np.shape(X)[0] if hasattr(X, "shape") else len(X)
        if n_clips != self.parts.size:
            raise ValueError(
                f"FixedSplit was given the parts of {self.parts.size} clips and got {n_clips} "
                "clips to split; the two must agree, clip by clip."
            )
        train, validation, test = (np.flatnonzero(self.parts == part) for part in PARTS)
        yield train, validation, test

    def split(self, X, y=None, groups=None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the training and the test rows, once; the validation part is left out.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Only its length matters.
        y, groups : object
            Ignored, exist for compatibility.

        Yields
        ------
        train, test : ndarray of int
            Rows of each part.
        """
        for train, _, test in self.split_parts(X, y, groups):
            yield train, test

    def get_n_splits(self, X=None, y=None, groups=None) -> int:
        """Return the number of splits, always 1.

        Parameters
        ----------
        X, y, groups : object
            Ignored, exist for compatibility.

        Returns
        -------
        n_splits : int
            Always 1.
        """
        return 1

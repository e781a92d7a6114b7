"""A split that was published with a dataset."""

from collections.abc import Iterator

import numpy as np
from sklearn.model_selection import BaseCrossValidator

from skmer.exceptions import InputError
from skmer.utils._labels import check_labels
from skmer.utils._sklearn import num_samples


class FixedSplit(BaseCrossValidator):
    """The one split that came with a dataset, clip by clip.

    The test part is scored. The validation part, where there is one, is learnt from like the
    training part: searches and early stopping draw their inner folds from both.

    Parameters
    ----------
    parts : array-like of str of shape (n_clips,)
        "train", "valid" (or "validation") or "test" for each clip. Any other value is an
        error, so that no clip is lost by a misspelling.

    See Also
    --------
    sklearn.model_selection.PredefinedSplit : Several test folds, by number.

    Examples
    --------
    >>> from skmer.evaluation import FixedSplit
    >>> cv = FixedSplit(["train", "train", "valid", "test"])
    >>> [[part.tolist() for part in parts] for parts in cv.split(range(4))]
    [[[0, 1, 2], [3]]]
    """

    def __init__(self, parts):
        parts = check_labels(parts, "The 'parts' parameter of FixedSplit")
        unknown = sorted({str(part) for part in parts} - {"train", "valid", "validation", "test"})
        if unknown:
            raise InputError(
                "The 'parts' parameter of FixedSplit may hold 'train', 'valid' and 'test'. "
                f"Got {unknown[0]!r} instead."
            )
        for part in ("train", "test"):
            if not (parts == part).any():
                raise InputError(
                    f"The 'parts' parameter of FixedSplit must mark at least one clip {part!r}."
                )
        self.parts = parts

    def split(self, X, y=None, groups=None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the rows to learn from and the rows to test on, once.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Only its length matters.
        y, groups : object
            Ignored, exist for compatibility.

        Yields
        ------
        train : ndarray of int
            Rows of the training and the validation part.
        test : ndarray of int
            Rows of the test part.

        Raises
        ------
        ValueError
            When X has another number of clips than `parts`.
        """
        n_clips = num_samples(X)
        if n_clips != self.parts.size:
            raise InputError(
                f"FixedSplit was given the parts of {self.parts.size} clips and got {n_clips} "
                "clips to split; the two must agree, clip by clip."
            )
        yield np.flatnonzero(self.parts != "test"), np.flatnonzero(self.parts == "test")

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

"""Repeated stratified shuffles into training, validation and test part."""

from collections.abc import Iterator
from numbers import Integral, Real

import numpy as np
from sklearn.model_selection import BaseCrossValidator, StratifiedShuffleSplit

from skmer.exceptions import InputError
from skmer.utils._labels import check_labels
from skmer.utils._seeds import derive_seeds


class StratifiedThreeWaySplit(BaseCrossValidator):
    """Draw clips at random into training, validation and test part, again and again.

    With the defaults this is the study's design: 80 % for training, 10 % for validation, 10 % for
    testing, 20 times. Singers and artists are *not* kept apart, so that the scores flatter.

    Parameters
    ----------
    n_splits : int, default=20
        Number of draws.
    validation_size, test_size : float, default=0.1
        Share of the clips in the validation and in the test part.
    random_state : int, RandomState instance or None, default=None
        Each draw has its own seed, spawned from this one.

    References
    ----------
    Koh, E., & Dubnov, S. (2021). Comparison and analysis of deep audio embeddings for music
    emotion recognition. arXiv:2104.06517.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.evaluation import StratifiedThreeWaySplit
    >>> y = np.repeat(["calm", "sad"], 50)
    >>> cv = StratifiedThreeWaySplit(n_splits=2, random_state=0)
    >>> [[part.size for part in parts] for parts in cv.split_parts(y, y)]
    [[80, 10, 10], [80, 10, 10]]
    """

    def __init__(
        self,
        n_splits: int = 20,
        *,
        validation_size: float = 0.1,
        test_size: float = 0.1,
        random_state=None,
    ):
        self.n_splits = n_splits
        self.validation_size = validation_size
        self.test_size = test_size
        self.random_state = random_state
        if not isinstance(n_splits, Integral) or not 1 <= int(n_splits) <= 10**6:
            raise InputError(
                "The 'n_splits' parameter of StratifiedThreeWaySplit must be an int from 1 to a "
                f"million. Got {n_splits!r} instead."
            )
        for name, value in (("validation_size", validation_size), ("test_size", test_size)):
            if not isinstance(value, Real) or not 0 < value < 1:
                raise InputError(
                    f"The '{name}' parameter of StratifiedThreeWaySplit must be a float between 0 "
                    f"and 1. Got {value!r} instead."
                )
        if validation_size + test_size >= 1:
            raise InputError(
                "The 'validation_size' and 'test_size' parameters of StratifiedThreeWaySplit must "
                f"leave something to train on. Got {validation_size!r} and {test_size!r} instead."
            )

    def split_parts(self, X, y, groups=None) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield the rows of the three parts, draw by draw.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Only its length matters.
        y : array-like of shape (n_clips,)
            Labels, whose proportions each part keeps.
        groups : object
            Ignored, exists for compatibility.

        Yields
        ------
        train, validation, test : ndarray of int
            Rows of each part, in ascending order.

        Raises
        ------
        ValueError
            When a class has too few clips to be in all three parts.
        """
        y = check_labels(y, "The labels y")
        if not len(y):
            raise InputError("StratifiedThreeWaySplit needs at least one clip. Got none.")
        labels, counts = np.unique(y, return_counts=True)
        if counts.min() < 3:
            rare = labels[counts.argmin()]
            raise InputError(
                "StratifiedThreeWaySplit needs at least 3 clips of every class, one for each part. "
                f"The class {str(rare)!r} has {counts.min()}; add clips or leave that class out."
            )
        n_test = int(np.ceil(self.test_size * y.size))
        n_validation = int(np.ceil(self.validation_size * y.size))
        for name, size in (("test", n_test), ("validation", n_validation)):
            if size < labels.size:
                raise InputError(
                    f"StratifiedThreeWaySplit cannot put {labels.size} classes into a {name} part "
                    f"of {size} of {y.size} clips; add clips or enlarge '{name}_size'."
                )
        n_train = y.size - n_test - n_validation
        if n_train < labels.size:
            raise InputError(
                f"StratifiedThreeWaySplit cannot put {labels.size} classes into a training part of "
                f"{n_train} of {y.size} clips; add clips or make the other parts smaller."
            )
        for seed in derive_seeds(self.random_state, self.n_splits):
            test_seed, validation_seed = derive_seeds(seed, 2)
            outer = StratifiedShuffleSplit(1, test_size=n_test, random_state=test_seed)
            rest, test = next(outer.split(y, y))
            inner = StratifiedShuffleSplit(1, test_size=n_validation, random_state=validation_seed)
            train, validation = next(inner.split(rest, y[rest]))
            yield np.sort(rest[train]), np.sort(rest[validation]), np.sort(test)

    def split(self, X, y=None, groups=None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the rows to train on and the rows to test on; the validation part is left out.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Only its length matters.
        y : array-like of shape (n_clips,)
            Labels, whose proportions each part keeps.
        groups : object
            Ignored, exists for compatibility.

        Yields
        ------
        train, test : ndarray of int
            Rows of each part, in ascending order.
        """
        for train, _, test in self.split_parts(X, y, groups):
            yield train, test

    def get_n_splits(self, X=None, y=None, groups=None) -> int:
        """Return the number of draws.

        Parameters
        ----------
        X, y, groups : object
            Ignored, exist for compatibility.

        Returns
        -------
        n_splits : int
            Number of draws.
        """
        return self.n_splits

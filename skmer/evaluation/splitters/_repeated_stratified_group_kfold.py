"""Stratified group k-fold, repeated: scikit-learn has the parts but not the whole."""

from collections.abc import Iterator
from numbers import Integral

import numpy as np
from sklearn.model_selection import BaseCrossValidator, StratifiedGroupKFold

from skmer.exceptions import InputError
from skmer.utils._labels import check_labels
from skmer.utils._seeds import derive_seeds


class RepeatedStratifiedGroupKFold(BaseCrossValidator):
    """Stratified k-fold with whole groups, repeated with another draw each time.

    No group (singer, artist, album) is in the training and the test part of the same split, and
    every clip is tested exactly once in each repeat.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    n_repeats : int, default=10
        Number of times the k-fold is drawn anew.
    random_state : int, RandomState instance or None, default=None
        Each repeat is drawn from its own seed, spawned from this one.

    See Also
    --------
    sklearn.model_selection.StratifiedGroupKFold : One repeat of it.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.evaluation import RepeatedStratifiedGroupKFold
    >>> y, groups = np.tile([0, 1], 6), np.repeat([0, 1, 2], 4)
    >>> cv = RepeatedStratifiedGroupKFold(n_splits=3, n_repeats=2, random_state=0)
    >>> len(list(cv.split(y, y, groups)))
    6
    >>> [np.unique(groups[test]).size for _, test in cv.split(y, y, groups)]
    [1, 1, 1, 1, 1, 1]
    """

    # Asks for `groups` by default under metadata routing, as scikit-learn's own group splitters do.
    __metadata_request__split = {"groups": True}

    def __init__(self, n_splits: int = 5, *, n_repeats: int = 10, random_state=None):
        for name, value, least in (("n_splits", n_splits, 2), ("n_repeats", n_repeats, 1)):
            if not isinstance(value, Integral) or not least <= value <= 10**6:
                raise InputError(
                    f"The '{name}' parameter of RepeatedStratifiedGroupKFold must be an int from "
                    f"{least} to a million. Got {value!r} instead."
                )
        self.n_splits = n_splits
        self.n_repeats = n_repeats
        self.random_state = random_state

    def split(self, X, y=None, groups=None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the rows to train on and the rows to test on, repeat by repeat.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Only its length matters.
        y : array-like of shape (n_clips,)
            Labels, whose proportions every fold keeps as far as the groups allow.
        groups : array-like of shape (n_clips,)
            The singer, artist or the like of each clip.

        Yields
        ------
        train : ndarray of int
            Rows to train on.
        test : ndarray of int
            Rows to test on.

        Raises
        ------
        ValueError
            When `groups` is missing, or there are fewer groups than folds.
        """
        if groups is None:
            raise InputError(
                "RepeatedStratifiedGroupKFold needs 'groups', the singer, artist or the like of "
                "each clip. Got None instead."
            )
        groups = check_labels(groups, "The groups")
        y = np.zeros(len(groups), int) if y is None else check_labels(y, "The labels y")
        n_groups = np.unique(groups).size
        if n_groups < self.n_splits:
            raise InputError(
                f"RepeatedStratifiedGroupKFold cannot make {self.n_splits} folds from {n_groups} "
                "groups; use at most as many folds as there are groups."
            )
        if len(y) and np.unique(y, return_counts=True)[1].max() < self.n_splits:
            raise InputError(
                f"RepeatedStratifiedGroupKFold cannot make {self.n_splits} folds, as no class has "
                "so many clips; use fewer folds, or add clips."
            )
        for seed in derive_seeds(self.random_state, self.n_repeats):
            folds = StratifiedGroupKFold(self.n_splits, shuffle=True, random_state=seed)
            yield from folds.split(X, y, groups)

    def get_n_splits(self, X=None, y=None, groups=None) -> int:
        """Return the number of splits over all repeats.

        Parameters
        ----------
        X, y, groups : object
            Ignored, exist for compatibility.

        Returns
        -------
        n_splits : int
            ``n_splits * n_repeats``.
        """
        return self.n_splits * self.n_repeats

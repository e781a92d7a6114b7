"""Splitters of clips: a published split, repeated group folds, and the study's three sets."""

from collections.abc import Iterator

import numpy as np
from sklearn import model_selection

from skmer.exceptions import InputError
from skmer.utils import estimators, labels, messages

# More splits or repeats than these are a mistake.
_MOST = 10**6


class FixedSplit(model_selection.PredefinedSplit):
    """The one split that came with a dataset, clip by clip.

    The test set is scored. The validation set, where there is one, is used like the
    training set: searches and early stopping draw their inner folds from both.

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
        parts = labels.check_labels(parts, "The 'parts' parameter of FixedSplit")
        unknown = sorted({str(part) for part in parts} - {"train", "valid", "validation", "test"})
        if unknown:
            raise InputError(
                "The 'parts' parameter of FixedSplit may hold 'train', 'valid' and 'test'. "
                f"Got {unknown[0]!r} instead."
            )
        super().__init__(np.where(parts == "test", 0, -1))
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
            Rows of the training and the validation set.
        test : ndarray of int
            Rows of the test set.

        Raises
        ------
        ValueError
            When X has another number of clips than `parts`.
        """
        n_clips = estimators._num_samples(X)
        if n_clips != self.parts.size:
            raise InputError(
                f"FixedSplit was given the parts of {self.parts.size} clips and got {n_clips} "
                "clips to split; the two must agree, clip by clip."
            )
        yield from super().split()


class _RepeatedGroupFolds(model_selection.BaseCrossValidator):
    """Folds of whole groups, drawn anew for each repeat; the parameters of its subclasses."""

    # Asks for `groups` by default under metadata routing, as scikit-learn's own group splitters do.
    __metadata_request__split = {"groups": True}

    def __init__(self, n_splits: int = 5, *, n_repeats: int = 10, random_state=None):
        name = type(self).__name__
        messages.check_whole(name, least=2, most=_MOST, n_splits=n_splits)
        messages.check_whole(name, least=1, most=_MOST, n_repeats=n_repeats)
        self.n_splits = n_splits
        self.n_repeats = n_repeats
        self.random_state = random_state

    def _check_n_groups(self, n_groups: int) -> None:
        if n_groups < self.n_splits:
            raise InputError(
                f"{type(self).__name__} cannot make {self.n_splits} folds from "
                f"{messages.counted(n_groups, 'group')}; use at most as many folds as groups.",
                param="n_splits",
            )

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


class RepeatedStratifiedGroupKFold(_RepeatedGroupFolds):
    """Stratified k-fold with whole groups, repeated with another draw each time.

    No group (singer, artist, album) is in the training and the test set of the same split, and
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
            When `groups` is missing, or there are more folds than groups or clips of a class.
        """
        labels.check_order({"X": X, "y": y, "groups": groups})
        groups = labels.check_labels(groups, "The groups")
        y = np.zeros(len(groups), int) if y is None else labels.check_labels(y, "The labels y")
        self._check_n_groups(np.unique(groups).size)
        for seed in estimators.derive_seeds(self.random_state, self.n_repeats):
            folds = model_selection.StratifiedGroupKFold(
                self.n_splits, shuffle=True, random_state=seed
            )
            yield from folds.split(X, y, groups)


class IterativeStratifiedGroupKFold(_RepeatedGroupFolds):
    """K-fold of clips with several tags: whole groups, and each tag spread over the folds.

    Iterative stratification (Sechidis et al. 2011) of groups: the tag that the fewest unplaced
    clips have comes first; of its groups, each goes to the fold that lacks most of that tag. The
    packages iterative-stratification and scikit-multilearn place single clips and take no groups,
    and scikit-learn's group splitters stratify a single label only.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    n_repeats : int, default=1
        Number of times the folds are drawn anew.
    random_state : int, RandomState instance or None, default=None
        Decides between folds and between groups that are equal.

    References
    ----------
    Sechidis, K., Tsoumakas, G., & Vlahavas, I. (2011). On the stratification of multi-label data.
    ECML PKDD.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.evaluation import IterativeStratifiedGroupKFold
    >>> y, groups = np.eye(2, dtype=int)[[0, 0, 0, 0, 1, 1, 1, 1]], [1, 1, 2, 2, 3, 3, 4, 4]
    >>> cv = IterativeStratifiedGroupKFold(2, random_state=0)
    >>> [y[test].sum(axis=0).tolist() for _, test in cv.split(y, y, groups)]
    [[2, 2], [2, 2]]
    """

    def __init__(self, n_splits: int = 5, *, n_repeats: int = 1, random_state=None):
        super().__init__(n_splits, n_repeats=n_repeats, random_state=random_state)

    def split(self, X, y, groups=None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the rows to train on and the rows to test on, repeat by repeat.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Only its length matters.
        y : array-like of shape (n_clips, n_tags)
            1 where a clip has a tag, else 0.
        groups : array-like of shape (n_clips,), default=None
            The artist or the like of each clip. None: each clip is a group.

        Yields
        ------
        train, test : ndarray of int
            Rows of each set, in ascending order.

        Raises
        ------
        ValueError
            When there are fewer groups than folds.
        """
        labels.check_order({"X": X, "y": y, "groups": groups})
        y = np.asarray(y)
        groups = np.arange(len(y)) if groups is None else labels.check_labels(groups, "The groups")
        codes = np.unique(groups, return_inverse=True)[1]
        counts = np.zeros((codes.max(initial=-1) + 1, y.shape[1] + 1), dtype=int)
        # The last column stands for the clips themselves, so that folds are of like sizes.
        np.add.at(counts, codes, np.column_stack([y, np.ones(len(y), dtype=int)]))
        self._check_n_groups(len(counts))
        for seed in estimators.derive_seeds(self.random_state, self.n_repeats):
            folds = self._place(counts, np.random.default_rng(seed))[codes]
            for fold in range(self.n_splits):
                yield np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)

    def _place(self, counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the fold of each group, from its number of clips with each tag, and of all."""
        lacking = np.tile(counts.sum(axis=0) / self.n_splits, (self.n_splits, 1))
        placed = np.full(len(counts), -1)
        left = counts.sum(axis=0)
        while left[-1]:
            # The last column comes last, when only groups without a tag are left.
            there = np.flatnonzero(left[:-1])
            tag = there[np.argmin(left[there])] if there.size else -1
            waiting = rng.permutation(np.flatnonzero((placed < 0) & (counts[:, tag] > 0)))
            for group in waiting[np.argsort(-counts[waiting, tag], kind="stable")]:
                order = np.lexsort((rng.random(self.n_splits), -lacking[:, -1], -lacking[:, tag]))
                fold = placed[group] = order[0]
                lacking[fold] -= counts[group]
                left = left - counts[group]
        return placed


class StratifiedThreeWaySplit(model_selection.BaseCrossValidator):
    """Repeated random splits into a training, a validation and a test set, stratified by label.

    With the defaults this is the study's design: 80 % for training, 10 % for validation, 10 % for
    testing, 20 times. Singers and artists are *not* kept apart, so that scores are too high.

    Parameters
    ----------
    n_splits : int, default=20
        Number of draws.
    validation_size, test_size : float, default=0.1
        Share of the clips in the validation and in the test set.
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
        messages.check_whole(type(self).__name__, least=1, most=_MOST, n_splits=n_splits)

    def split_parts(self, X, y, groups=None) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield the rows of the three sets, draw by draw.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Only its length matters.
        y : array-like of shape (n_clips,)
            Labels, whose proportions each set keeps.
        groups : object
            Ignored, exists for compatibility.

        Yields
        ------
        train, validation, test : ndarray of int
            Rows of each set, in ascending order.

        Raises
        ------
        ValueError
            When a class has too few clips to be in all three sets, or a set is too small for all
            classes.
        """
        labels.check_order({"X": X, "y": y})
        y = labels.check_labels(y, "The labels y")
        classes, counts = np.unique(y, return_counts=True)
        if counts.min() < 3:
            rare = classes[counts.argmin()]
            raise InputError(
                "StratifiedThreeWaySplit needs at least 3 clips of every class, one for each set. "
                f"The class {str(rare)!r} has {counts.min()}; add clips or leave that class out."
            )
        n_test = int(np.ceil(self.test_size * y.size))
        n_validation = int(np.ceil(self.validation_size * y.size))
        n_train = y.size - n_test - n_validation
        for name, size in (("test", n_test), ("validation", n_validation), ("training", n_train)):
            if size < classes.size:
                raise InputError(
                    f"StratifiedThreeWaySplit cannot put {classes.size} classes into a {name} set "
                    f"of {size} of {y.size} clips; add clips, or change 'test_size' and "
                    "'validation_size'."
                )
        for seed in estimators.derive_seeds(self.random_state, self.n_splits):
            rows, parts = np.arange(y.size), []
            for size, one in zip((n_test, n_validation), estimators.derive_seeds(seed, 2)):
                splitter = model_selection.StratifiedShuffleSplit(
                    1, test_size=size, random_state=one
                )
                rest, held_out = next(splitter.split(rows, y[rows]))
                parts.append(np.sort(rows[held_out]))
                rows = rows[rest]
            yield np.sort(rows), parts[1], parts[0]

    def split(self, X, y=None, groups=None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the rows to train on and the rows to test on; the validation set is left out.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Only its length matters.
        y : array-like of shape (n_clips,)
            Labels, whose proportions each set keeps.
        groups : object
            Ignored, exists for compatibility.

        Yields
        ------
        train, test : ndarray of int
            Rows of each set, in ascending order.
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

"""Splits, and what has rows on both sides of one."""

import warnings

import numpy as np

from skmer.evaluation.auditing._finding import AuditFinding
from skmer.exceptions import InputError, InputTypeError
from skmer.utils._checks import is_iterable
from skmer.utils._words import cut_middle


class Splits:
    """Train and test rows of every split."""

    def __init__(self, cv, n_rows, X, y, groups):
        pairs = _split(cv, np.zeros(n_rows) if X is None else X, y, groups)
        if not pairs:
            raise InputError("'cv' must have at least one split. Got none.")
        self.pairs = []
        for pair in pairs:
            try:
                train, test = (np.asarray(rows) for rows in pair)
            except (TypeError, ValueError) as error:
                raise InputError(
                    "'cv' must be a splitter or a list of (train rows, test rows). "
                    f"Got an item {pair!r} instead."
                ) from error
            self.pairs.append((_mask(train, n_rows), _mask(test, n_rows)))

    @property
    def largest_train(self):
        """Rows of the largest training set."""
        return max(int(train.sum()) for train, _ in self.pairs)

    def crossed_by(self, rows):
        """Whether some split trains on one of the rows and tests on another."""
        rows = list(rows)
        return any(train[rows].any() and test[rows].any() for train, test in self.pairs)


def _split(cv, X, y, groups):
    """Return the pairs of a splitter, or those of a list."""
    if not hasattr(cv, "split") or isinstance(cv, str | bytes | type):
        if not is_iterable(cv) or isinstance(cv, str | bytes):
            raise InputTypeError(
                "'cv' must be a splitter or a list of (train rows, test rows). "
                f"Got {cut_middle(repr(cv), 100)} instead."
            )
        return list(cv)
    with warnings.catch_warnings():
        # That a splitter ignores groups is what the audit is about to say.
        warnings.filterwarnings("ignore", "The groups parameter is ignored", UserWarning)
        return list(cv.split(X, y, groups))


def _mask(rows, n_rows):
    """Return a boolean mask from row numbers or from a mask."""
    mask = np.zeros(n_rows, dtype=bool)
    try:
        if np.min(rows, initial=0) < 0:
            raise IndexError
        mask[rows] = True
    except (IndexError, TypeError, ValueError) as error:
        raise InputError(
            f"'cv' must hold numbers of rows below {n_rows}, the number of rows audited. "
            f"Got {cut_middle(repr(rows), 100)} instead."
        ) from error
    return mask


def shared_rows(splits):
    """Find rows that are trained on and tested on in one split."""
    both = np.any([train & test for train, test in splits.pairs], axis=0)
    rows = np.flatnonzero(both).tolist()
    if not rows:
        return []
    return [
        AuditFinding(
            "shared_rows",
            "error",
            f"{'1 row is' if len(rows) == 1 else f'{len(rows)} rows are'} in the training set and "
            "in the test set of one split.",
            tuple((row,) for row in rows),
        )
    ]


def shared_groups(splits, groups):
    """Find groups with rows on both sides of a split."""
    codes = np.unique(groups, return_inverse=True)[1]
    n_groups = codes.max() + 1
    crossing = np.zeros(n_groups, dtype=bool)
    n_splits = 0
    for train, test in splits.pairs:
        in_both = np.zeros(n_groups, dtype=bool)
        in_both[np.intersect1d(codes[train], codes[test])] = True
        crossing |= in_both
        n_splits += bool(in_both.any())
    if not n_splits:
        return []
    return [
        AuditFinding(
            "shared_groups",
            "error",
            f"{crossing.sum()} of {n_groups} groups have rows both in the training set and in the "
            f"test set, in {n_splits} of {len(splits.pairs)} splits.",
            tuple(
                tuple(np.flatnonzero(codes == code).tolist()) for code in np.flatnonzero(crossing)
            ),
        )
    ]

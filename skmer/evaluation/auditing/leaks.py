"""Splits, and what has rows on both sides of one."""

import warnings

import numpy as np
from scipy.optimize import linear_sum_assignment

from skmer.evaluation.auditing.findings import AuditFinding
from skmer.exceptions import InputError, InputTypeError
from skmer.utils.messages import cut_middle, is_iterable


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


# Looser than what float32 arithmetic leaves of an exact mean of 0, tighter than any accident.
TOLERANCE = 1e-5


def scaled_outside(X):
    """Find columns that were standardised, ranged or decorrelated over all rows at once."""
    X = np.asarray(X, dtype=float)
    # Two values (a flag) and no spread tell nothing of scaling.
    telling = [j for j in range(X.shape[1]) if len(np.unique(X[:, j])) > 2]
    X = X[:, telling]
    if not telling or len(X) < 4:
        return []
    mean, std = X.mean(axis=0), X.std(axis=0)
    unit = (np.abs(std - 1) < TOLERANCE) | (np.abs(X.std(axis=0, ddof=1) - 1) < TOLERANCE)
    low, middle, high = np.percentile(X, [25, 50, 75], axis=0)
    ranged = (np.abs(X.min(axis=0)) < TOLERANCE) & (np.abs(X.max(axis=0) - 1) < TOLERANCE)
    centred = np.abs(mean) < TOLERANCE * std
    signs = {
        "have mean 0 and standard deviation 1": centred & unit,
        "have median 0 and interquartile range 1": (np.abs(middle) < TOLERANCE)
        & (np.abs(high - low - 1) < TOLERANCE),
        # One column from 0 to 1 may be a proportion.
        "range from exactly 0 to 1": ranged & (ranged.mean() > 0.5),
    }
    if 1 < len(telling) < len(X) and centred.all():
        correlations = np.corrcoef(X, rowvar=False) - np.eye(len(telling))
        signs["have mean 0 and no correlation with each other"] = np.full(
            len(telling), np.abs(correlations).max() < TOLERANCE
        )
    for sign, columns in signs.items():
        if columns.any():
            return [
                AuditFinding(
                    "preprocessing",
                    "warning",
                    f"{columns.sum()} of {len(columns)} columns {sign} over all rows, so that "
                    "something was fitted on training and test rows together; put it into the "
                    "pipeline instead.",
                )
            ]
    return []


def fitted_outside(estimators, n_allowed):
    """Find fitted preprocessing that has seen more rows than a training set holds."""
    found = []
    for estimator in estimators:
        for step in _steps(estimator):
            n_seen = max(
                (
                    int(np.max(getattr(step, name)))
                    for name in ("n_samples_seen_", "n_samples_")
                    if hasattr(step, name)
                ),
                default=0,
            )
            if n_seen > n_allowed:
                found.append(
                    AuditFinding(
                        "preprocessing",
                        "error",
                        f"{type(step).__name__} was fitted on {n_seen} rows, and the largest "
                        f"training set has {n_allowed}; put it into the pipeline instead.",
                    )
                )
    return found


def _steps(estimator):
    """Return an estimator's parts, or itself."""
    parts = getattr(estimator, "steps", None) or getattr(estimator, "transformer_list", None)
    if parts is None:
        return [estimator]
    return [step for _, part in parts for step in _steps(part)]


def swapped_columns(targets, reference):
    """Find columns that go with another column of the reference than their own."""
    names = [str(name) for name in getattr(targets, "columns", range(np.shape(targets)[1]))]
    targets, reference = np.asarray(targets, dtype=float), np.asarray(reference, dtype=float)
    n = targets.shape[1]
    together = np.corrcoef(targets, reference, rowvar=False)[:n, n:]
    together = np.nan_to_num(together)
    best = linear_sum_assignment(-together)[1]
    gain = together[range(n), best].sum() - together.trace()
    # Less than this is within the spread of correlations that are in truth equal.
    if gain <= max(0.1, 4 * np.sqrt(n / len(targets))):
        return []
    moved = [j for j in range(n) if best[j] != j]
    pairs = ", ".join(
        f"{names[j]!r} correlates {together[j, j]:.2f} with the reference's {names[j]!r} and "
        f"{together[j, best[j]]:.2f} with its {names[best[j]]!r}"
        for j in moved
    )
    return [AuditFinding("swapped_columns", "error", f"Columns look swapped: {pairs}.")]

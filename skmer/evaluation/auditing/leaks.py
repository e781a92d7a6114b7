"""Splits, and what has rows on both sides of one."""

import warnings

import numpy as np
from scipy.optimize import linear_sum_assignment

from skmer.evaluation.auditing.findings import AuditFinding
from skmer.exceptions import InputError


class Splits:
    """Train and test rows of every split, as boolean masks.

    Parameters
    ----------
    cv : splitter or list of (train rows, test rows)
        Rows are numbers or masks.
    n_rows : int
        The number of rows.
    X, y, groups : array-like, default=None
        What a splitter splits by.
    """

    def __init__(self, cv, n_rows, X=None, y=None, groups=None):
        if hasattr(cv, "split"):
            with warnings.catch_warnings():
                # The audit itself reports that a splitter ignores groups.
                warnings.filterwarnings("ignore", "The groups parameter is ignored", UserWarning)
                cv = list(cv.split(np.zeros(n_rows) if X is None else X, y, groups))
        self.pairs = []
        for pair in cv:
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise InputError(
                    "'cv' must be a splitter or a list of (train rows, test rows). "
                    f"Got an item {pair!r} instead."
                )
            self.pairs.append(tuple(_mask(rows, n_rows) for rows in pair))
        if not self.pairs:
            raise InputError("'cv' must have at least one split. Got none.")

    @property
    def largest_train(self):
        """Rows of the largest training set."""
        return max(int(train.sum()) for train, _ in self.pairs)

    def crossed_by(self, rows):
        """Whether some split trains on one of the rows and tests on another."""
        rows = list(rows)
        return any(train[rows].any() and test[rows].any() for train, test in self.pairs)


def _mask(rows, n_rows):
    """Return a boolean mask from row numbers or from a mask."""
    mask = np.zeros(n_rows, dtype=bool)
    try:
        # A negative number would count from the end.
        if np.min(rows, initial=0) < 0:
            raise IndexError
        mask[np.asarray(rows)] = True
    except (IndexError, TypeError, ValueError) as error:
        raise InputError(
            f"'cv' must hold numbers of rows below {n_rows}, the number of rows audited. "
            f"Got {rows!r} instead."
        ) from error
    return mask


def shared_rows(splits):
    """Find rows that are trained on and tested on in one split."""
    both = np.any([train & test for train, test in splits.pairs], axis=0)
    rows = np.flatnonzero(both).tolist()
    if not rows:
        return []
    message = f"{'1 row is' if len(rows) == 1 else f'{len(rows)} rows are'} in the training set "
    message += "and in the test set of one split."
    return [AuditFinding("shared_rows", "error", message, tuple((row,) for row in rows))]


def shared_groups(splits, groups):
    """Find groups with rows on both sides of a split."""
    names, codes = np.unique(groups, return_inverse=True)
    shared = [np.intersect1d(codes[train], codes[test]) for train, test in splits.pairs]
    crossing = np.unique(np.concatenate(shared))
    if not crossing.size:
        return []
    message = (
        f"{crossing.size} of {len(names)} groups have rows both in the training set and in the "
        f"test set, in {sum(one.size > 0 for one in shared)} of {len(splits.pairs)} splits."
    )
    rows = tuple(tuple(np.flatnonzero(codes == code).tolist()) for code in crossing)
    return [AuditFinding("shared_groups", "error", message, rows)]


# Looser than the rounding of float32 around an exact mean of 0, tighter than any accident.
TOLERANCE = 1e-5


def fitted_before(X, splits, preprocessing):
    """Find what was fitted outside the folds, by its own count of rows or by its mark on X."""
    n_allowed = len(X) - 1 if splits is None else splits.largest_train
    estimators = [preprocessing] if hasattr(preprocessing, "fit") else preprocessing or ()
    found = []
    for step in (step for estimator in estimators for step in _steps(estimator)):
        counts = [getattr(step, name, 0) for name in ("n_samples_seen_", "n_samples_")]
        n_seen = max(int(np.max(count)) for count in counts)
        if n_seen > n_allowed:
            message = f"{type(step).__name__} was fitted on {n_seen} rows, and the largest "
            message += f"training set has {n_allowed}; put it into the pipeline instead."
            found.append(AuditFinding("preprocessing", "error", message))
    return found or _scaled_before(X)


def _steps(estimator):
    """Return the steps of a pipeline or union, else the estimator itself."""
    steps = getattr(estimator, "steps", None) or getattr(estimator, "transformer_list", None)
    if steps is None:
        return [estimator]
    return [inner for _, step in steps for inner in _steps(step)]


def _scaled_before(X):
    """Find columns that were standardised, ranged or decorrelated over all rows at once."""
    # Columns of two values (a flag) or of one carry no sign of scaling.
    X = X[:, [len(np.unique(column)) > 2 for column in X.T]]
    n_rows, n_columns = X.shape
    if not n_columns or n_rows < 4:
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
    if 1 < n_columns < n_rows and centred.all():
        correlations = np.corrcoef(X, rowvar=False) - np.eye(n_columns)
        signs["have mean 0 and no correlation with each other"] = np.full(
            n_columns, np.abs(correlations).max() < TOLERANCE
        )
    for sign, columns in signs.items():
        if columns.any():
            message = f"{columns.sum()} of {n_columns} columns {sign} over all rows, so that "
            message += "something was fitted on training and test rows together; put it into the "
            message += "pipeline instead."
            return [AuditFinding("preprocessing", "warning", message)]
    return []


def swapped_columns(targets, reference):
    """Find columns that go with another column of the reference than their own."""
    names = [str(name) for name in getattr(targets, "columns", range(np.shape(targets)[1]))]
    targets, reference = np.asarray(targets, dtype=float), np.asarray(reference, dtype=float)
    n = targets.shape[1]
    together = np.nan_to_num(np.corrcoef(targets, reference, rowvar=False)[:n, n:])
    best = linear_sum_assignment(-together)[1]
    gain = together[range(n), best].sum() - together.trace()
    # Less than this is within the spread of correlations that are in truth equal.
    if gain <= max(0.1, 4 * np.sqrt(n / len(targets))):
        return []
    pairs = ", ".join(
        f"{names[j]!r} correlates {together[j, j]:.2f} with the reference's {names[j]!r} and "
        f"{together[j, best[j]]:.2f} with its {names[best[j]]!r}"
        for j in range(n)
        if best[j] != j
    )
    return [AuditFinding("swapped_columns", "error", f"Columns look swapped: {pairs}.")]

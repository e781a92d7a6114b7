"""Splits, and what has rows on both sides of one."""

import warnings
from itertools import combinations

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.special import gammaln
from scipy.stats import rankdata
from sklearn.model_selection import check_cv
from sklearn.utils.multiclass import type_of_target

from skmer.evaluation.auditing.findings import AuditFinding
from skmer.exceptions import InputError
from skmer.utils.labels import find_alike, join_alike
from skmer.utils.messages import counted, shorten


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
        with warnings.catch_warnings():
            # The audit itself reports that a splitter ignores groups.
            warnings.filterwarnings("ignore", "The groups parameter is ignored", UserWarning)
            pairs = check_cv(cv).split(np.zeros(n_rows) if X is None else X, y, groups)
            self.pairs = [(_mask(train, n_rows), _mask(test, n_rows)) for train, test in pairs]
        if not self.pairs:
            raise InputError("'cv' must have at least one split. Got none.")

    def crossed_by(self, rows):
        """Whether some split trains on one of the rows and tests on another."""
        rows = list(rows)
        return any(train[rows].any() and test[rows].any() for train, test in self.pairs)


def _mask(rows, n_rows):
    """Return a boolean mask from row numbers or from a mask."""
    mask = np.zeros(n_rows, dtype=bool)
    mask[np.asarray(rows)] = True
    return mask


def shared_rows(evidence, splits):
    """Find rows that are trained on and tested on in one split."""
    both = np.any([train & test for train, test in splits.pairs], axis=0)
    if rows := np.flatnonzero(both).tolist():
        message = counted(len(rows), "row is", "rows are")
        message += " in the training set and in the test set of one split."
        yield AuditFinding("shared_rows", "error", message, tuple((row,) for row in rows))


def shared_groups(evidence, splits):
    """Find groups with rows on both sides of a split."""
    names, codes = np.unique(evidence.groups, return_inverse=True)
    shared = [np.intersect1d(codes[train], codes[test]) for train, test in splits.pairs]
    crossing = np.unique(np.concatenate(shared))
    if crossing.size:
        message = (
            f"{crossing.size} of {len(names)} groups have rows both in the training set and in the "
            f"test set, in {sum(one.size > 0 for one in shared)} of {len(splits.pairs)} splits."
        )
        rows = tuple(tuple(np.flatnonzero(codes == code).tolist()) for code in crossing)
        yield AuditFinding("shared_groups", "error", message, rows)


# Looser than the rounding of float32 around an exact mean of 0, tighter than any accident.
TOLERANCE = 1e-5


def fitted_before(evidence, splits):
    """Find what was fitted outside the folds, by its own count of rows or by its mark on X."""
    X, given = evidence.X, evidence.preprocessing
    n_allowed = len(X) - 1
    if splits is not None:
        n_allowed = max(int(train.sum()) for train, _ in splits.pairs)
    estimators = [given] if hasattr(given, "fit") else given or ()
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
    columns = [column for column in X.T if len(np.unique(column)) > 2]
    n_rows, n_columns = len(X), len(columns)
    if not n_columns or n_rows < 4:
        return
    # One column after the other, which needs no second copy of a large table.
    moments = [
        [c.mean(dtype=float), *(c.std(dtype=float, ddof=k) for k in (0, 1))] for c in columns
    ]
    mean, std, sample_std = np.transpose(moments)
    quartiles = [np.percentile(c, range(0, 101, 25)) for c in columns]
    least, low, middle, high, most = np.transpose(quartiles)
    unit = (np.abs(std - 1) < TOLERANCE) | (np.abs(sample_std - 1) < TOLERANCE)
    ranged = (np.abs(least) < TOLERANCE) & (np.abs(most - 1) < TOLERANCE)
    centred = np.abs(mean) < TOLERANCE * std
    signs = {
        "have mean 0 and standard deviation 1": centred & unit,
        "have median 0 and interquartile range 1": (np.abs(middle) < TOLERANCE)
        & (np.abs(high - low - 1) < TOLERANCE),
        # One column from 0 to 1 may be a proportion.
        "range from exactly 0 to 1": ranged & (ranged.mean() > 0.5),
    }
    if 1 < n_columns < n_rows and centred.all():
        largest = np.abs(np.corrcoef(columns) - np.eye(n_columns)).max()
        is_decorrelated = np.full(n_columns, largest < TOLERANCE)
        signs["have mean 0 and no correlation with each other"] = is_decorrelated
    for sign, columns in signs.items():
        if columns.any():
            message = f"{columns.sum()} of {n_columns} columns {sign} over all rows, so that "
            message += "something was fitted on training and test rows together; put it into the "
            message += "pipeline instead."
            yield AuditFinding("preprocessing", "warning", message)
            return


def swapped_columns(evidence, splits):
    """Find columns that go with another column of the reference than their own."""
    targets, reference = evidence.targets, evidence.reference
    names = list(getattr(targets, "columns", range(np.shape(targets)[1])))
    if hasattr(reference, "columns") and set(reference.columns) == set(names):
        reference = reference[names]
    targets, reference = np.asarray(targets, dtype=float), np.asarray(reference, dtype=float)
    n = targets.shape[1]
    together = np.nan_to_num(np.corrcoef(targets, reference, rowvar=False)[:n, n:])
    best = linear_sum_assignment(-together)[1]
    gain = together[range(n), best].sum() - together.trace()
    # Less than this is within the spread of correlations that are in truth equal.
    if gain > max(0.1, 4 * np.sqrt(n / len(targets))):
        pairs = ", ".join(
            f"{names[j]!r} correlates {together[j, j]:.2f} with the reference's {names[j]!r} and "
            f"{together[j, best[j]]:.2f} with its {names[best[j]]!r}"
            for j in range(n)
            if best[j] != j
        )
        yield AuditFinding("swapped_columns", "error", f"Columns look swapped: {pairs}.")


# Two rankings that agree so well are one, but for rounding.
SAME_RANKING = 0.99
# The fewest rows on which that is no accident.
FEWEST_ROWS = 10


def target_in_features(evidence, splits):
    """Find columns of given features that determine the target, such as its code."""
    targets = np.reshape(evidence.y, (len(evidence.y), -1)).T
    numbers = [one for one in targets if type_of_target(one).startswith("continuous")]
    labels = [one for one in targets if not type_of_target(one).startswith("continuous")]
    found: list[str] = []
    for feature, names in evidence.columns.items():
        # Embeddings of clips may stand behind the columns that have names.
        X = evidence.features[feature][:, : len(names)]
        telling = _in_order_of(X, numbers) | _codes_of(X, labels, evidence.alpha)
        found += [f"{names[i]!r} of {feature!r}" for i in np.flatnonzero(telling)]
    if found:
        message = counted(
            len(found),
            "column tells the target by itself, such as ",
            "columns tell the target by themselves, such as ",
        )
        message += f"{shorten(found, 3)}; is that the target under another name, or made from it? "
        message += "Leave it out of the features."
        yield AuditFinding("target_in_features", "error", message)


def _in_order_of(X, targets) -> np.ndarray:
    """Return which columns rank the rows as one of the targets does, or the other way round."""
    ranks = [rankdata(target) for target in targets if np.ptp(target) > 0]
    if not ranks or len(X) < FEWEST_ROWS:
        return np.zeros(X.shape[1], dtype=bool)
    # One column after the other, which needs no second copy of a large table.
    return np.array(
        [
            np.ptp(column) > 0
            and np.abs(np.corrcoef(rankdata(column), ranks)[0, 1:]).max() >= SAME_RANKING
            for column in X.T
        ]
    )


def _codes_of(X, targets, alpha) -> np.ndarray:
    """Return which columns go with the labels of one target.

    They determine the labels, by few values or by a threshold; or the labels determine them, such
    as a column of 1 for the clips of one label.
    """
    n_rows, n_columns = X.shape
    codes, n_labels = [], []

    def is_rare(counts):
        # The chance that a column in random order has the rows of each label side by side.
        chance = gammaln(counts.size + 1) + gammaln(counts + 1).sum() - gammaln(n_rows + 1)
        return counts.size > 1 and chance + np.log(n_columns) <= np.log(alpha)

    for target in targets:
        _, inverse, counts = np.unique(target, return_inverse=True, return_counts=True)
        if is_rare(counts):
            codes.append(inverse.astype(np.min_scalar_type(counts.size)))
            n_labels.append(counts.size)
    if not codes:
        return np.zeros(n_columns, dtype=bool)
    labels = np.column_stack(codes)
    # Of two labels, what these determine determines them.
    by_label = [np.argsort(one) for one, n in zip(codes, n_labels) if n > 2]
    same_label = [np.diff(np.sort(one)) == 0 for one, n in zip(codes, n_labels) if n > 2]
    found = []
    for column in X.T:
        order = np.argsort(column)
        values, in_order = column[order], labels[order]
        steps, changes = values[1:] != values[:-1], in_order[1:] != in_order[:-1]
        # If rows of one value have two labels, the labels change somewhere, in any order.
        is_code = ~changes[~steps].any(axis=0)
        is_sorted = np.count_nonzero(changes, axis=0) + 1 == n_labels
        is_coded = np.any(is_code & (is_sorted | (4 * (steps.sum() + 1) <= n_rows)))
        is_made = any(
            (column[rows[1:]] == column[rows[:-1]])[same].all()
            for rows, same in zip(by_label, same_label)
        )
        counts = np.diff(np.flatnonzero(np.concatenate([[True], steps, [True]])))
        found.append(is_coded or (is_made and is_rare(counts)))
    return np.array(found)


def identical_features(evidence):
    """Find features with the same numbers, which are one feature under two names."""
    pairs = [
        f"{other!r} and {one!r}"
        for (one, X), (other, Y) in combinations(evidence.features.items(), 2)
        if np.array_equal(X, Y)
    ]
    if pairs:
        message = f"Features have the same rows: {shorten(pairs, 3)}; do they differ in a setting "
        message += "that the key of a cache does not have, such as what a function of your own "
        message += "reads?"
        yield AuditFinding("identical_features", "warning", message)


def similar_groups(evidence, splits):
    """Find groups that may be one, since their names differ in case, blanks or the like only."""
    if pairs := find_alike(evidence.groups.tolist()):
        message = counted(len(pairs), "pair of groups", "groups")
        message += " may be one, since names differ only in case, blanks, form "
        message += f"or guests: {shorten(map(join_alike, pairs), 3)}; write each in one way."
        rows = [np.flatnonzero(np.isin(evidence.groups, pair)).tolist() for pair in pairs]
        yield AuditFinding("similar_groups", "warning", message, tuple(map(tuple, rows)))

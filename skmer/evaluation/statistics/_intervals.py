"""Bootstrap intervals of scores that are a function of sums over predictions.

The sums of every group are taken once, so that a resample costs a handful of additions; the draws
and the interval are those of `cluster_bootstrap`.
"""

from collections.abc import Callable

import numpy as np
from scipy import stats


def sums_of_accuracy(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Return a row for each prediction, whose sum `accuracy_of_sums` takes."""
    right = np.asarray(y_true) == np.asarray(y_pred)
    return np.column_stack([right, np.ones(right.size)])


def accuracy_of_sums(sums: np.ndarray) -> np.ndarray:
    """Share of the predictions that are right."""
    return sums[..., 0] / sums[..., 1]


def sums_of_r2(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Return a row for each prediction, whose sum `r2_of_sums` takes."""
    # Deviations from the mean of all: sums of squares of the targets themselves would cancel.
    deviation = y_true - np.mean(y_true)
    return np.column_stack(
        [(y_true - y_pred) ** 2, deviation**2, deviation, np.ones(deviation.size)]
    )


def r2_of_sums(sums: np.ndarray) -> np.ndarray:
    """Share of the variance that the predictions explain."""
    error, squares, total, n = np.moveaxis(sums, -1, 0)
    return 1 - error / (squares - total**2 / n)


def interval_of_sums(
    score: Callable[[np.ndarray], np.ndarray],
    rows: np.ndarray,
    groups: np.ndarray,
    *,
    n_resamples: int,
    random_state: int,
) -> tuple[float, float, float]:
    """Return the score of all rows and the ends of its 95 % interval, NaN for a single group."""
    codes = np.unique(groups, return_inverse=True)[1]
    n_groups = codes.max() + 1
    sums = np.zeros((n_groups, rows.shape[1]))
    np.add.at(sums, codes, rows)
    estimate = float(score(sums.sum(axis=0)))
    if n_groups < 2:
        return estimate, np.nan, np.nan
    interval = stats.bootstrap(
        (np.arange(n_groups),),
        lambda drawn, axis: score(sums[drawn.astype(int)].sum(axis=-2)),
        n_resamples=n_resamples,
        batch=100,
        method="percentile",
        vectorized=True,
        axis=-1,
        random_state=np.random.RandomState(random_state),
    ).confidence_interval
    return estimate, float(interval.low), float(interval.high)

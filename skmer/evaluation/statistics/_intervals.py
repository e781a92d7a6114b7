"""Bootstrap intervals of scores that depend on totals over the predictions alone.

Each group's totals are taken once, so that a resample costs a handful of additions; the draws and
the interval are those of `cluster_bootstrap`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats


class TotalsScore(NamedTuple):
    """A score that can be computed from totals over the predictions.

    `summands` gives one row of numbers for each prediction; `from_totals` makes the score of the
    sums of these rows, over the last axis.
    """

    summands: Callable[[np.ndarray, np.ndarray], np.ndarray]
    from_totals: Callable[[np.ndarray], np.ndarray]


def _accuracy_summands(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    right = np.asarray(y_true) == np.asarray(y_pred)
    return np.column_stack([right, np.ones(right.size)])


def _accuracy_from_totals(totals: np.ndarray) -> np.ndarray:
    n_right, n = np.moveaxis(totals, -1, 0)
    return n_right / n


def _r2_summands(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    # Deviations from the mean of all: sums of squares of the targets themselves would cancel.
    deviation = y_true - np.mean(y_true)
    return np.column_stack(
        [(y_true - y_pred) ** 2, deviation**2, deviation, np.ones(deviation.size)]
    )


def _r2_from_totals(totals: np.ndarray) -> np.ndarray:
    error, squares, total, n = np.moveaxis(totals, -1, 0)
    return 1 - error / (squares - total**2 / n)


ACCURACY = TotalsScore(_accuracy_summands, _accuracy_from_totals)
R2 = TotalsScore(_r2_summands, _r2_from_totals)


def bootstrap_interval(
    score: TotalsScore,
    y_true: np.ndarray,
    y_pred: np.ndarray,
    groups: np.ndarray,
    *,
    n_resamples: int,
    random_state: int,
    weights: np.ndarray | None = None,
) -> tuple[float, float, float]:
    """Return the score of all rows and the ends of its 95 % interval, NaN for a single group."""
    rows = score.summands(y_true, y_pred)
    if weights is not None:
        rows = rows * weights[:, None]
    codes = np.unique(groups, return_inverse=True)[1]
    n_groups = codes.max() + 1
    totals = np.zeros((n_groups, rows.shape[1]))
    np.add.at(totals, codes, rows)
    estimate = float(score.from_totals(totals.sum(axis=0)))
    if n_groups < 2:
        return estimate, np.nan, np.nan
    interval = stats.bootstrap(
        (np.arange(n_groups),),
        lambda drawn, axis: score.from_totals(totals[drawn.astype(int)].sum(axis=-2)),
        n_resamples=n_resamples,
        batch=100,
        method="percentile",
        vectorized=True,
        axis=-1,
        random_state=np.random.RandomState(random_state),
    ).confidence_interval
    return estimate, float(interval.low), float(interval.high)

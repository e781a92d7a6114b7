"""Intervals that respect clusters of rows."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Annotated, NamedTuple

import numpy as np
from scipy import stats
from sklearn.utils import _safe_indexing, check_consistent_length, check_random_state, indexable

from skmer.exceptions import InputError
from skmer.utils import estimators, labels


@dataclass(frozen=True)
class BootstrapInterval:
    """Outcome of :func:`cluster_bootstrap`.

    Attributes
    ----------
    estimate : float
        The statistic of all rows.
    low, high : float
        Confidence interval.
    standard_error : float
        Standard deviation of the statistic over the resamples.
    confidence_level : float
        The interval's level.
    n_groups : int
        Groups that were drawn from.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    confidence_level: float
    n_groups: int


@estimators.checked
def cluster_bootstrap(
    statistic: Callable[..., float],
    *arrays,
    groups=None,
    n_resamples: Annotated[int, estimators.Interval(Integral, 2, 10**6, closed="both")] = 2000,
    confidence_level: estimators.Share = 0.95,
    method="percentile",
    random_state=None,
) -> BootstrapInterval:
    """Return the confidence interval of a statistic over rows that come in groups.

    Whole groups (singers, artists) are drawn with replacement, so that rows of one group stay
    together; drawing single rows would take clips of one singer for independent and give an
    interval that is too narrow.

    Parameters
    ----------
    statistic : callable
        ``statistic(*arrays) -> float``, such as ``accuracy_score``; called once a resample.
    *arrays : array-like of shape (n_rows, ...)
        What the statistic is computed from, such as ``y_true, y_pred``.
    groups : array-like of shape (n_rows,), default=None
        Group of each row. None: every row is its own group.
    n_resamples : int, default=2000
        Number of bootstrap resamples, from 2 to a million.
    confidence_level : float, default=0.95
        Level of the interval.
    method : {"percentile", "basic", "BCa"}, default="percentile"
        How the interval is read off the resamples, see :func:`scipy.stats.bootstrap`.
    random_state : int, RandomState instance or None, default=None
        Seed of the resampling.

    Returns
    -------
    BootstrapInterval
        Estimate and interval.

    Raises
    ------
    ValueError
        If there are fewer than two groups, or the statistic is not finite for all rows or for
        some resample (a class or a spread may be missing there).

    References
    ----------
    .. [1] A. C. Davison and D. V. Hinkley. "Bootstrap methods and their application", section
       3.8. Cambridge University Press, 1997.

    Examples
    --------
    >>> from sklearn.metrics import accuracy_score
    >>> from skmer.evaluation import cluster_bootstrap
    >>> y_true, y_pred = list("aabbaabb"), list("aabbabab")
    >>> singers = [1, 1, 1, 1, 2, 2, 3, 3]
    >>> interval = cluster_bootstrap(
    ...     accuracy_score, y_true, y_pred, groups=singers, n_resamples=200, random_state=0
    ... )
    >>> interval.estimate, interval.low, interval.high
    (0.75, 0.5, 1.0)
    """
    if not arrays:
        raise InputError("cluster_bootstrap needs at least one array of rows. Got none.")
    labels.check_order({**{f"array {i}": one for i, one in enumerate(arrays)}, "groups": groups})
    arrays = tuple(one if hasattr(one, "shape") else np.asarray(one) for one in indexable(*arrays))
    n_rows = estimators._num_samples(arrays[0])
    groups = np.arange(n_rows) if groups is None else labels.check_labels(groups, "The groups")
    check_consistent_length(*arrays, groups)
    names, codes = np.unique(groups, return_inverse=True)
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])

    def compute(arrays, of_what):
        value = float(statistic(*arrays))
        if not np.isfinite(value):
            raise InputError(
                f"The statistic must be a finite number. Got {value} for {of_what}; use a "
                "statistic that is defined when a class or a spread is missing."
            )
        return value

    def compute_resample(drawn):
        rows = np.concatenate([members[group] for group in drawn.astype(int)])
        chosen = [_safe_indexing(array, rows) for array in arrays]
        return compute(chosen, "one resample of the groups")

    estimate = compute(arrays, "all rows")
    result = stats.bootstrap(
        (np.arange(len(names)),),
        compute_resample,
        n_resamples=n_resamples,
        confidence_level=confidence_level,
        method=method,
        vectorized=False,
        random_state=check_random_state(random_state),
    )
    low, high = map(float, result.confidence_interval)
    if np.isnan([low, high]).any():
        raise InputError(
            f"The {method} interval is undefined where all resamples give the same value; "
            "use method='percentile'."
        )
    error = float(np.std(result.bootstrap_distribution, ddof=1))
    return BootstrapInterval(estimate, low, high, error, float(confidence_level), len(names))


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


def _mean_from_totals(totals: np.ndarray) -> np.ndarray:
    return totals[..., 0] / totals[..., -1]


def _r2_summands(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    # Deviations from the mean of all: sums of squares of the targets themselves would cancel.
    offset = y_true - np.mean(y_true)
    return np.column_stack([(y_true - y_pred) ** 2, offset**2, offset, np.ones(offset.size)])


def _r2_from_totals(totals: np.ndarray) -> np.ndarray:
    error, squares, total, n = np.moveaxis(totals, -1, 0)
    return 1 - error / (squares - total**2 / n)


def _ccc_summands(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    true, predicted = y_true - np.mean(y_true), y_pred - np.mean(y_true)
    products = true**2, predicted**2, true * predicted
    return np.column_stack([true, predicted, *products, np.ones(true.size)])


def _moments_from_totals(totals: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return both means, both variances, and the covariance."""
    means = np.moveaxis(totals[..., :-1] / totals[..., -1:], -1, 0)
    true, predicted, squares, squares_predicted, products = means
    variances = squares - true * true, squares_predicted - predicted * predicted
    return true, predicted, *variances, products - true * predicted


def _ccc_from_totals(totals: np.ndarray) -> np.ndarray:
    true, predicted, variance, variance_predicted, covariance = _moments_from_totals(totals)
    return 2 * covariance / (variance + variance_predicted + (true - predicted) ** 2)


def _pearson_from_totals(totals: np.ndarray) -> np.ndarray:
    _, _, variance, variance_predicted, covariance = _moments_from_totals(totals)
    scale = np.sqrt(np.maximum(variance * variance_predicted, 0))
    # As in the scores, 0 where either does not vary; rounding leaves a trace of a variance.
    varies = np.minimum(variance, variance_predicted) > 1e-12 * (variance + variance_predicted)
    return np.divide(covariance, scale, where=varies, out=np.zeros_like(covariance))


ACCURACY = TotalsScore(_accuracy_summands, _mean_from_totals)
R2 = TotalsScore(_r2_summands, _r2_from_totals)
CCC = TotalsScore(_ccc_summands, _ccc_from_totals)
PEARSON = TotalsScore(_ccc_summands, _pearson_from_totals)
RMSE = TotalsScore(_r2_summands, lambda totals: np.sqrt(_mean_from_totals(totals)))


def equal_by_split(predictions) -> np.ndarray:
    """Return weights of a table of predictions by which every split weighs the same."""
    return 1 / predictions.groupby(["repeat", "fold"])["row"].transform("size").to_numpy()


def bootstrap_interval(
    score: TotalsScore, y_true, y_pred, groups, *, n_resamples: int, random_state: int, weights=None
) -> tuple[float, float, float]:
    """Return the score of all rows and the ends of its 95 % interval, NaN for a single group.

    `y_true`, `y_pred`, `groups` and `weights` are arrays with one entry a row.
    """
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

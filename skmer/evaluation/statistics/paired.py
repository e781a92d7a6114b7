"""Tests of two models that were scored on the same resamples, and Holm's correction."""

from dataclasses import dataclass
from itertools import combinations
from numbers import Real
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.utils import check_consistent_length

from skmer.evaluation.statistics.bootstrap import equal_by_split
from skmer.exceptions import InputError
from skmer.utils import estimators, floats, labels

Tolerance = Annotated[float, estimators.Interval(Real, 0, None, closed="left")]


def paired_moments(scores_a, scores_b, n_train, n_test) -> tuple[float, float, int]:
    """Return mean, corrected standard error and degrees of freedom of a - b.

    The correction of the variance is that of Nadeau and Bengio (2003).
    """
    labels.check_order({"scores_a": scores_a, "scores_b": scores_b})
    scores_a = floats.check_floats(scores_a, "scores_a", ndim=1)
    scores_b = floats.check_floats(scores_b, "scores_b", ndim=1)
    check_consistent_length(scores_a, scores_b)
    if len(scores_a) < 2:
        raise InputError(f"A paired test needs two resamples or more. Got {len(scores_a)}.")
    ratio = size_ratio(n_train, n_test, len(scores_a))
    differences = scores_a - scores_b
    # Equal differences leave a variance of rounding errors, which would pass for certainty.
    constant = np.ptp(differences) <= 8 * np.finfo(float).eps * np.abs(scores_a).max()
    variance = 0.0 if constant else differences.var(ddof=1)
    standard_error = float(np.sqrt(variance * (1 / len(differences) + ratio)))
    return float(differences.mean()), standard_error, len(differences) - 1


def size_ratio(n_train, n_test, n_resamples) -> float:
    """Return the mean of n_test / n_train over resamples, and over the two models."""
    sizes = []
    for name, size in (("n_train", n_train), ("n_test", n_test)):
        size = floats.check_floats(size, name, finite=False)
        shapes = ((), (n_resamples,), (2, n_resamples))
        if size.shape not in shapes or not (np.isfinite(size) & (size > 0)).all():
            raise InputError(
                f"'{name}' must be one positive number of rows, one for each of the {n_resamples} "
                f"resamples, or two rows of those, of model a and of model b. Got {size!r}."
            )
        sizes.append(size)
    ratio = sizes[1] / sizes[0]
    # Over the models first: a sum of two is the same whichever model comes first.
    return float(np.mean(ratio.mean(axis=0) if ratio.ndim == 2 else ratio))


@dataclass(frozen=True)
class CorrectedTTest:
    """Outcome of :func:`corrected_resampled_ttest`.

    Attributes
    ----------
    difference : float
        Mean of ``scores_a - scores_b``, in the unit of the scores.
    standard_error : float
        Its corrected standard error.
    statistic : float
        Student's t, ``difference / standard_error``.
    df : int
        Degrees of freedom, the number of resamples less one.
    pvalue : float
        Probability of a t as extreme when neither is better.
    low, high : float
        Two-sided confidence interval of the difference.
    confidence_level : float
        The interval's level.
    """

    difference: float
    standard_error: float
    statistic: float
    df: int
    pvalue: float
    low: float
    high: float
    confidence_level: float


@estimators.checked
def corrected_resampled_ttest(
    scores_a,
    scores_b,
    *,
    n_train,
    n_test,
    alternative: Literal["two-sided", "greater", "less"] = "two-sided",
    confidence_level: estimators.Share = 0.95,
) -> CorrectedTTest:
    """Compare two models scored on the same resamples of one data set.

    Resamples (folds, repeated folds, shuffles) share training rows, so their scores are
    correlated and the ordinary paired t-test finds differences where there are none. The
    variance of the mean difference is taken as ``(1 / n + n_test / n_train)`` times the sample
    variance instead of ``1 / n`` times it [1]_, which holds for repeated folds too [2]_.

    Parameters
    ----------
    scores_a, scores_b : array-like of shape (n_resamples,)
        Scores of the two models, resample by resample.
    n_train, n_test : float or array-like of shape (n_resamples,) or (2, n_resamples)
        Rows trained on and tested on. When they differ between resamples (grouped folds) or
        between the two models (one holds rows out to stop early), the mean of their ratio is used.
    alternative : {"two-sided", "greater", "less"}, default="two-sided"
        "greater" asks whether `scores_a` are higher.
    confidence_level : float, default=0.95
        Level of the interval of the difference.

    Returns
    -------
    CorrectedTTest
        Difference, t, p-value and interval. When all differences are equal, t is infinite and
        the p-value its limit; when they are all zero, t is 0 and the two-sided p-value 1.

    See Also
    --------
    bayesian_correlated_ttest : The probability that the difference matters.
    holm : For more than one comparison.

    References
    ----------
    .. [1] C. Nadeau and Y. Bengio. "Inference for the generalization error". Machine Learning
       52, 239-281, 2003.
    .. [2] R. R. Bouckaert and E. Frank. "Evaluating the replicability of significance tests for
       comparing learning algorithms". PAKDD, 2004.

    Examples
    --------
    >>> from skmer.evaluation import corrected_resampled_ttest
    >>> a, b = [0.70, 0.74, 0.69, 0.73, 0.75], [0.66, 0.71, 0.68, 0.70, 0.69]
    >>> test = corrected_resampled_ttest(a, b, n_train=80, n_test=20)
    >>> round(test.difference, 3), round(test.statistic, 2), round(test.pvalue, 3)
    (0.034, 2.79, 0.049)
    """
    difference, standard_error, df = paired_moments(scores_a, scores_b, n_train, n_test)
    if standard_error > 0:
        statistic = difference / standard_error
    else:
        statistic = float(np.copysign(np.inf, difference)) if difference else 0.0
    pvalue = {
        "two-sided": 2 * stats.t.sf(abs(statistic), df),
        "greater": stats.t.sf(statistic, df),
        "less": stats.t.cdf(statistic, df),
    }[alternative]
    half_width = stats.t.ppf((1 + confidence_level) / 2, df) * standard_error
    low, high = float(difference - half_width), float(difference + half_width)
    return CorrectedTTest(
        difference, standard_error, statistic, df, float(pvalue), low, high, float(confidence_level)
    )


@dataclass(frozen=True)
class BayesianTTest:
    """Outcome of :func:`bayesian_correlated_ttest`.

    Attributes
    ----------
    p_left : float
        Probability that model b is better by more than the region of practical equivalence.
    p_rope : float
        Probability that the two are practically equivalent.
    p_right : float
        Probability that model a is better by more than the region.
    difference : float
        Mean of the posterior: mean of ``scores_a - scores_b``.
    scale : float
        Scale of the posterior, a Student t around `difference`.
    df : int
        Its degrees of freedom.
    rope : float
        Half width of the region, in the unit of the scores.
    """

    p_left: float
    p_rope: float
    p_right: float
    difference: float
    scale: float
    df: int
    rope: float


@estimators.checked
def bayesian_correlated_ttest(
    scores_a, scores_b, *, n_train, n_test, rope: Tolerance = 0.01
) -> BayesianTTest:
    """Compute how probably model a is better, worse, or practically the same as model b.

    The posterior of the mean difference, under a flat prior and the correlation
    ``n_test / (n_train + n_test)`` between resamples, is a Student t with the mean difference
    as centre and Nadeau and Bengio's corrected standard error as scale [1]_.

    Parameters
    ----------
    scores_a, scores_b : array-like of shape (n_resamples,)
        Scores of the two models, resample by resample.
    n_train, n_test : float or array-like of shape (n_resamples,) or (2, n_resamples)
        Rows trained on and tested on. When they differ between resamples (grouped folds) or
        between the two models (one holds rows out to stop early), the mean of their ratio is used.
    rope : float, default=0.01
        Region of practical equivalence: models whose scores differ by no more than this, in the
        unit of the scores, count as the same.

    Returns
    -------
    BayesianTTest
        ``p_left`` (b better), ``p_rope`` and ``p_right`` (a better), which sum to 1.

    See Also
    --------
    corrected_resampled_ttest : The frequentist test with the same correction.

    References
    ----------
    .. [1] A. Benavoli, G. Corani, J. Demsar and M. Zaffalon. "Time for a change: a tutorial for
       comparing multiple classifiers through Bayesian analysis". Journal of Machine Learning
       Research 18, 1-36, 2017.

    Examples
    --------
    >>> from skmer.evaluation import bayesian_correlated_ttest
    >>> a, b = [0.70, 0.74, 0.69, 0.73, 0.75], [0.66, 0.71, 0.68, 0.70, 0.69]
    >>> test = bayesian_correlated_ttest(a, b, n_train=80, n_test=20)
    >>> round(test.p_left, 3), round(test.p_rope, 3), round(test.p_right, 3)
    (0.011, 0.049, 0.94)
    """
    rope = float(rope)
    difference, scale, df = paired_moments(scores_a, scores_b, n_train, n_test)
    if scale > 0:
        p_left = float(stats.t.cdf(-rope, df, loc=difference, scale=scale))
        p_right = float(stats.t.sf(rope, df, loc=difference, scale=scale))
    else:
        # A posterior at one point; on the border of an empty region it is either side's.
        at_zero = 0.5 * (rope == 0 and difference == 0)
        p_left, p_right = float(difference < -rope) + at_zero, float(difference > rope) + at_zero
    p_rope = max(0.0, 1.0 - p_left - p_right)
    return BayesianTTest(p_left, p_rope, p_right, difference, scale, df, rope)


# Up to so many groups every exchange is tried, and beyond so many random ones.
N_EXACT_GROUPS = 14
N_EXCHANGES = 100_000
N_RESAMPLES = 2000


class GroupComparison(NamedTuple):
    """Differences with their 95 % intervals and two-sided p-values, an entry for each pair."""

    difference: np.ndarray
    low: np.ndarray
    high: np.ndarray
    pvalue: np.ndarray
    n_groups: int


def compare_by_group(score, first, second, *, random_state: int) -> GroupComparison:
    """Compare pairs of sets of predictions, with whole groups as the units.

    Without a difference, it is chance which of the two sets a group's predictions belong to: the
    p-value is the share of exchanges of groups between the sets that give as large a difference.
    For a score that is a sum over groups these are sign flips. The interval is a bootstrap over
    groups. Its percentiles are further out than 2.5 and 97.5, as far as Student's t is wider than
    a normal distribution [1]_, since percentiles of a few groups alone are too narrow.

    Parameters
    ----------
    score : callable
        The score of totals, over their last axis, as in `TotalsScore`.
    first, second : ndarray of shape (n_groups, n_pairs, n_models, n_totals)
        Totals over the predictions for each group. Scores are averaged over the models.
    random_state : int
        Seed of random exchanges and of the bootstrap.

    Returns
    -------
    GroupComparison
        Of first - second. The interval is NaN for a single group.

    References
    ----------
    .. [1] T. Hesterberg. "What teachers should know about the bootstrap". The American
       Statistician 69, 371-386, 2015.
    """
    n_groups, rng = len(first), np.random.RandomState(random_state)
    half = (first - second) / 2
    middle = ((first + second) / 2).sum(axis=0)

    def differ(first, second):
        return (score(first) - score(second)).mean(axis=-1)

    difference = differ(first.sum(axis=0), second.sum(axis=0))
    # Sums in another order differ in the last bits, which must not decide a tie.
    bound = np.abs(difference) - 1e-12 * np.maximum(1.0, np.abs(difference))
    n_reached, n_exchanges = np.zeros(len(difference)), 0
    for signs in _exchanges(n_groups, rng):
        moved = np.tensordot(signs, half, axes=1)
        n_reached += (np.abs(differ(middle + moved, middle - moved)) >= bound).sum(axis=0)
        n_exchanges += len(signs)
    pvalue = n_reached / n_exchanges
    drawn = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=N_RESAMPLES)
    resampled = differ(*(np.tensordot(drawn, totals, axes=1) for totals in (first, second)))
    low, high = wide_interval(resampled, n_groups)
    return GroupComparison(difference, low, high, pvalue, n_groups)


def wide_interval(resampled: np.ndarray, n_groups: int) -> np.ndarray:
    """Return both ends of the intervals of `compare_by_group`, from a row for each resample."""
    if n_groups < 2:
        return np.full((2, resampled.shape[1]), np.nan)
    t = stats.t.ppf(0.975, n_groups - 1) * np.sqrt(n_groups / (n_groups - 1))
    return np.nanquantile(resampled, [stats.norm.sf(t), stats.norm.cdf(t)], axis=0)


def _exchanges(n_groups: int, rng):
    """Yield batches of rows of signs, -1 for a group that is exchanged; the first row keeps all."""
    if n_groups <= N_EXACT_GROUPS:
        yield 1.0 - 2.0 * (np.arange(2**n_groups)[:, None] >> np.arange(n_groups) & 1)
        return
    yield np.ones((1, n_groups))
    for _ in range(N_EXCHANGES // 1000):
        yield 2.0 * rng.randint(0, 2, (1000, n_groups), dtype=np.int8) - 1.0


def holm(pvalues) -> np.ndarray:
    """Adjust p-values for several comparisons by Holm's step-down method.

    The family-wise error rate stays below alpha, for any dependence between the
    comparisons, when those with an adjusted p-value of at most alpha are called different.

    Parameters
    ----------
    pvalues : array-like of shape (n_comparisons,)
        One p-value a comparison.

    Returns
    -------
    ndarray of shape (n_comparisons,)
        The adjusted p-values, in the order given.

    References
    ----------
    .. [1] S. Holm. "A simple sequentially rejective multiple test procedure". Scandinavian
       Journal of Statistics 6, 65-70, 1979.

    Examples
    --------
    >>> from skmer.evaluation import holm
    >>> holm([0.01, 0.04, 0.03, 0.005]).round(3)
    array([0.03, 0.06, 0.06, 0.02])
    """
    pvalues = floats.check_floats(pvalues, "pvalues", ndim=1)
    if ((pvalues < 0) | (pvalues > 1)).any():
        raise InputError(
            f"'pvalues' must be probabilities between 0 and 1. Got {pvalues!r} instead."
        )
    order = np.argsort(pvalues, kind="stable")
    stepped = pvalues[order] * np.arange(len(pvalues), 0, -1)
    adjusted = np.empty_like(pvalues)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted


# What `compare_splits` takes of each test.
COMPARED = ("difference", "low", "high", "statistic", "pvalue")


def compare_splits(scores, metric: str, configuration, protocol: str):
    """Return the corrected resampled t-test of every two configurations of a protocol.

    Configurations with different targets are not compared; Holm's family is the pairs of a target.
    """
    table = scores[scores["protocol"] == protocol].pivot_table(
        index=["repeat", "fold"],
        columns=list(configuration),
        values=[metric, "n_train", "n_test"],
        sort=False,
    )
    if len(table) < 2:
        raise InputError(
            f"The {protocol!r} protocol has one split only, and a paired test needs several; "
            "see the intervals instead."
        )
    rows = []
    for pair in combinations(table[metric].columns, 2):
        names = [dict(zip(configuration, one)) for one in pair]
        target, other = (one.pop("target", None) for one in names)
        if target != other:
            continue
        # Each pair has its own sizes, so that other configurations do not change its test.
        scores_of_pair, n_train, n_test = (
            table[column][list(pair)].to_numpy().T for column in (metric, "n_train", "n_test")
        )
        test = corrected_resampled_ttest(*scores_of_pair, n_train=n_train, n_test=n_test)
        row = {"protocol": protocol, "metric": metric}
        row |= {} if target is None else {"target": target}
        for side, one in enumerate(names, 1):
            row |= {f"{key}_{side}": name for key, name in one.items()}
        rows.append(row | {name: getattr(test, name) for name in COMPARED})
    comparison = pd.DataFrame(rows)
    if rows:
        family = comparison.groupby("target" if "target" in comparison else "protocol")
        comparison["pvalue_holm"] = family["pvalue"].transform(holm)
    return comparison


def compare_predictions(predictions, compare, **options):
    """Return the test by groups of every two configurations that differ in the columns `keys`.

    Each protocol, and each target where there are several, is a family of its own. The options,
    `keys` among them, are those of `compare`, such as `compare_totals`, which tests the pairs of
    one family. The p-values of a family have Holm's correction.
    """
    family = ["protocol", *(["target"] if "target" in predictions else [])]
    tables = []
    for names, part in predictions.groupby(family, sort=False):
        compared = part[options["keys"]].drop_duplicates()
        if len(compared) < 2:
            continue
        columns: dict[str, Any] = dict(zip(family, names))
        for side, chosen in enumerate(pairs_of(len(compared)), 1):
            columns |= {f"{key}_{side}": compared[key].to_numpy()[chosen] for key in compared}
        test = compare(part, **options)
        columns |= {"difference": test.difference, "low": test.low, "high": test.high}
        columns |= {"n_groups": test.n_groups, "pvalue": test.pvalue}
        tables.append(pd.DataFrame(columns | {"pvalue_holm": holm(test.pvalue)}))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def pairs_of(n: int) -> np.ndarray:
    """Return the first and the second of every pair of n things."""
    return np.transpose(list(combinations(range(n), 2)))


def compare_totals(score, predictions, *, keys, over, equal_splits, random_state):
    """Test every two values of `keys` by a `TotalsScore`, averaged over the columns `over`."""
    truth, predicted = (predictions[name].to_numpy() for name in ("y_true", "y_pred"))
    summands = score.summands(truth, predicted)
    if equal_splits:
        summands = summands * equal_by_split(predictions)[:, None]
    places = [
        predictions.groupby(by, sort=False).ngroup().to_numpy() if by else 0
        for by in ("group" if "group" in predictions else "row", keys, over)
    ]
    totals = np.zeros((*(np.max(place) + 1 for place in places), summands.shape[1]))
    np.add.at(totals, tuple(places), summands)
    pairs = (totals[:, chosen] for chosen in pairs_of(totals.shape[1]))
    return compare_by_group(score.from_totals, *pairs, random_state=random_state)

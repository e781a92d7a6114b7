"""The probability that a difference between two models matters."""

from dataclasses import dataclass
from numbers import Real

from scipy import stats

from skmer.evaluation.statistics._paired import paired_moments
from skmer.utils._sklearn import Interval, validate_params


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


@validate_params(
    {
        "scores_a": ["array-like"],
        "scores_b": ["array-like"],
        "n_train": [Interval(Real, 0, None, closed="neither"), "array-like"],
        "n_test": [Interval(Real, 0, None, closed="neither"), "array-like"],
        "rope": [Interval(Real, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def bayesian_correlated_ttest(scores_a, scores_b, *, n_train, n_test, rope=0.01) -> BayesianTTest:
    """Tell how probably model a is better, worse, or practically the same as model b.

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
    return BayesianTTest(
        p_left=p_left,
        p_rope=max(0.0, 1.0 - p_left - p_right),
        p_right=p_right,
        difference=difference,
        scale=scale,
        df=df,
        rope=rope,
    )

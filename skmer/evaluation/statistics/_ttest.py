"""The t-test for scores whose training sets overlap."""

from dataclasses import dataclass
from numbers import Real

import numpy as np
from scipy import stats

from skmer.evaluation.statistics._paired import paired_moments
from skmer.utils._sklearn import Interval, StrOptions, validate_params


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


@validate_params(
    {
        "scores_a": ["array-like"],
        "scores_b": ["array-like"],
        "n_train": [Interval(Real, 0, None, closed="neither"), "array-like"],
        "n_test": [Interval(Real, 0, None, closed="neither"), "array-like"],
        "alternative": [StrOptions({"two-sided", "greater", "less"})],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def corrected_resampled_ttest(
    scores_a, scores_b, *, n_train, n_test, alternative="two-sided", confidence_level=0.95
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
    return CorrectedTTest(
        difference=difference,
        standard_error=standard_error,
        statistic=statistic,
        df=df,
        pvalue=float(pvalue),
        low=float(difference - half_width),
        high=float(difference + half_width),
        confidence_level=float(confidence_level),
    )

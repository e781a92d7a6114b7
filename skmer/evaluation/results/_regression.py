"""The result of an evaluation of regressors."""

from skmer.evaluation.results._base import BaseResult
from skmer.evaluation.statistics._intervals import R2
from skmer.evaluation.statistics._scores import REGRESSION_METRICS


class RegressionResult(BaseResult):
    """What `evaluate_regression` returns.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row per fit: feature, regressor, target, protocol, repeat, fold, r2, ccc (concordance
        correlation), rmse (in the unit of the target), n_train, n_test, fit_time and score_time
        (seconds), seed, and weights.
    predictions : pandas.DataFrame
        One row per fit and tested clip: feature, regressor, target, protocol, repeat, fold, row
        (the clip's place in X), group where groups were given, y_true and y_pred in the unit of
        the target.
    manifest : dict
        Seeds, versions, weights, splits, parameters and counts; ready for JSON.

    See Also
    --------
    evaluate_regression : Makes it.
    """

    configuration = ("feature", "regressor", "target")
    metrics: tuple[str, ...] = REGRESSION_METRICS
    has_classes = False
    headline_score = R2

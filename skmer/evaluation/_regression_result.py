"""The result of an evaluation of regressors."""

import numpy as np

from skmer.evaluation._base_result import BaseResult
from skmer.evaluation._scores import REGRESSION_METRICS, regression_scores


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
    metrics = REGRESSION_METRICS
    has_classes = False

    @staticmethod
    def headline(y_true, y_pred) -> float:
        """Share of the variance that the predictions explain.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_predictions,)
            Targets, in their own unit.

        Returns
        -------
        r2 : float
            At most 1.
        """
        return regression_scores(np.asarray(y_true), np.asarray(y_pred))["r2"]

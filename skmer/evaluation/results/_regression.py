"""The result of an evaluation of regressors."""

from skmer.evaluation.results._base import BaseResult
from skmer.evaluation.statistics._intervals import R2
from skmer.evaluation.statistics._scores import REGRESSION_METRICS, regression_scores


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
        (the clip's place in X), path where X holds paths, group where groups were given, y_true
        and y_pred in the unit of the target.
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
    is_pooled = True

    def summary(self):
        """Score of each configuration, and its mean and spread over the splits.

        Returns
        -------
        summary : pandas.DataFrame
            One row per configuration and protocol. A score such as ``r2`` is that of all
            out-of-fold predictions together: the r2 of a small test part compares with the mean
            of that part alone, so that the mean over the splits is far below. It is there too, as
            ``r2_split_mean``, with the standard deviation over the splits, ``r2_std``. A score
            that `scoring` added is the mean over the splits. ``gap`` as in `EvaluationResult`.
        """
        return super().summary()

    def _pooled_scores(self, keys):
        import pandas as pd

        parts = self.predictions.groupby(keys, sort=False)
        return pd.DataFrame({key: self._pooled(part) for key, part in parts}).T

    def _pooled(self, part) -> dict[str, float]:
        return regression_scores(part["y_true"].to_numpy(), part["y_pred"].to_numpy())

    def fit(self, *, feature: str, regressor: str, target: str | None = None):
        """Fit a regressor to all clips, with the transformer of its feature before it.

        Parameters
        ----------
        feature, regressor : str
            Names, as in `scores`.
        target : str, default=None
            Which of several targets to predict; None = all, in the order of `scores`, each by a
            regressor of its own.

        Returns
        -------
        pipeline : sklearn.pipeline.Pipeline
            Fitted; see `EvaluationResult.fit`.

        Raises
        ------
        InputError
            For a name that was not evaluated, or a result that was read from files.
        """
        return self._fit(feature=feature, regressor=regressor, target=target)

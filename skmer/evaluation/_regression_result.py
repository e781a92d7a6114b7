"""The result of an evaluation of regressors."""

import numpy as np

from skmer.evaluation._base_result import BaseResult
from skmer.evaluation._scores import REGRESSION_METRICS, regression_scores


class RegressionResult(BaseResult):
    """What `evaluate_regression` and `evaluate_dynamic_regression` return.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row per fit: feature, regressor, target, protocol, repeat, fold, r2, ccc (concordance
        correlation), rmse (in the unit of the target), n_train, n_test, fit_time and score_time
        (seconds), seed, and weights. Of dynamic targets also r2_song, ccc_song and rmse_song, the
        means over the songs of the test part of each song's own score.
    predictions : pandas.DataFrame
        One row per fit and tested clip (or frame): feature, regressor, target, protocol, repeat,
        fold, row (the clip's place in X), time (seconds, of dynamic targets), group where groups
        were given, y_true and y_pred in the unit of the target.
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

    def song_scores(self):
        """Score every song's predictions by themselves, for dynamic targets.

        Returns
        -------
        song_scores : pandas.DataFrame
            One row per configuration, split and song: r2, ccc and rmse over the song's frames. The
            r2 compares with the mean of that song, which no model can know, and is often far below
            zero.

        Raises
        ------
        ValueError
            When the targets are one number for each clip.
        """
        import pandas as pd

        if "time" not in self.predictions:
            raise ValueError(
                "Scores of single songs need a target for each frame; these targets are one number "
                "for each clip."
            )
        keys = [*self.configuration, "protocol", "repeat", "fold", "row"]
        return pd.DataFrame(
            [
                dict(zip(keys, key))
                | regression_scores(part["y_true"].to_numpy(), part["y_pred"].to_numpy())
                for key, part in self.predictions.groupby(keys, sort=False)
            ]
        )

"""The results of an evaluation of numbers, and which class holds the result of a task."""

import pandas as pd

from skmer.evaluation import result, tasks
from skmer.evaluation.statistics.scores import song_scores


class RegressionResult(result.EvaluationResult):
    """What `evaluate_regression` returns: an `EvaluationResult` of numbers.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row per fit: feature, regressor, target, protocol, repeat, fold, r2, ccc (concordance
        correlation), rmse (in the unit of the target), pearson, spearman, n_train, n_test, fit_time
        and score_time (seconds), seed, and weights.
    predictions : pandas.DataFrame
        One row per fit and tested clip: feature, regressor, target, protocol, repeat, fold, row
        (the clip's place in X), path where X holds paths, group where groups were given, y_true
        and y_pred in the unit of the target.
    manifest : dict
        Seeds, versions, weights, splits, parameters and counts; ready for JSON.
    task : Task, default=None
        As in `EvaluationResult`.

    See Also
    --------
    evaluate_regression : Makes it.
    """

    task = tasks.REGRESSION


class DynamicRegressionResult(RegressionResult):
    """What `evaluate_dynamic_regression` returns.

    Parameters
    ----------
    scores : pandas.DataFrame
        As in `RegressionResult`, over all moments of the test set; and ccc_song, rmse_song,
        pearson_song and spearman_song, the means over its songs of each song's own score, and
        r2_song, the share of the movement within songs that is explained.
    predictions : pandas.DataFrame
        As in `RegressionResult`, one row per moment, with its time in seconds.
    manifest : dict
        Seeds, versions, weights, splits, parameters and counts; ready for JSON.
    task : Task, default=None
        As in `EvaluationResult`.

    See Also
    --------
    evaluate_dynamic_regression : Makes it.
    """

    task = tasks.DYNAMIC_REGRESSION

    def song_scores(self):
        """Score every song's predictions by themselves.

        Returns
        -------
        song_scores : pandas.DataFrame
            One row per configuration, split and song: r2, ccc, rmse, pearson and spearman over the
            song's moments. The r2 compares with the mean of that song, which no model is given,
            and is often far below zero; NaN for a song that hardly moves, whose standard deviation
            is below a tenth of that of all moments of the target.
        """
        spreads = self.predictions.groupby("target")["y_true"].std(ddof=0)
        at = self.configuration.index("target")
        keys = [*self.configuration, "protocol", "repeat", "fold", "row"]
        rows = []
        for key, part in self.predictions.groupby(keys, sort=False):
            y_true, y_pred = (part[name].to_numpy() for name in ("y_true", "y_pred"))
            rows.append(dict(zip(keys, key)) | song_scores(y_true, y_pred, spreads[key[at]]))
        return pd.DataFrame(rows)


tasks.Regression.result_class = RegressionResult
tasks.DynamicRegression.result_class = DynamicRegressionResult

"""The results of an evaluation of numbers, and which class holds the result of a task."""

from skmer.evaluation.result import EvaluationResult
from skmer.evaluation.statistics.scores import regression_scores
from skmer.evaluation.tasks import DYNAMIC_REGRESSION, REGRESSION, Task


class RegressionResult(EvaluationResult):
    """What `evaluate_regression` returns: an `EvaluationResult` of numbers.

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
    task : Task, default=None
        As in `EvaluationResult`.

    See Also
    --------
    evaluate_regression : Makes it.
    """

    task = REGRESSION


class DynamicRegressionResult(RegressionResult):
    """What `evaluate_dynamic_regression` returns.

    Parameters
    ----------
    scores : pandas.DataFrame
        As in `RegressionResult`, over all moments of the test part; and r2_song, ccc_song and
        rmse_song, the means over its songs of each song's own score.
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

    task = DYNAMIC_REGRESSION

    def song_scores(self):
        """Score every song's predictions by themselves.

        Returns
        -------
        song_scores : pandas.DataFrame
            One row per configuration, split and song: r2, ccc and rmse over the song's frames. The
            r2 compares with the mean of that song, which no model can know, and is often far below
            zero.
        """
        import pandas as pd

        keys = [*self.configuration, "protocol", "repeat", "fold", "row"]
        return pd.DataFrame(
            [
                dict(zip(keys, key))
                | regression_scores(part["y_true"].to_numpy(), part["y_pred"].to_numpy())
                for key, part in self.predictions.groupby(keys, sort=False)
            ]
        )


def make_result(scores, predictions, manifest: dict, task: Task) -> EvaluationResult:
    """Return a result of the class that is made for a task."""
    if task.result_class is not None:
        return task.result_class(scores, predictions, manifest, task)
    own = (DynamicRegressionResult, RegressionResult)
    cls = next((one for one in own if one.task.name == task.name), EvaluationResult)
    return cls(scores, predictions, manifest, task)

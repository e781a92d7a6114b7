"""The result of an evaluation of regressors on targets that change over time."""

from skmer.evaluation.results._regression import RegressionResult
from skmer.evaluation.statistics._scores import DYNAMIC_METRICS, dynamic_scores, regression_scores
from skmer.exceptions import InputError


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

    See Also
    --------
    evaluate_dynamic_regression : Makes it.
    """

    metrics = DYNAMIC_METRICS

    def song_scores(self):
        """Score every song's predictions by themselves, for dynamic targets.

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

    def _pooled(self, part):
        songs = part.groupby(["repeat", "fold", "row"]).ngroup().to_numpy()
        return dynamic_scores(part["y_true"].to_numpy(), part["y_pred"].to_numpy(), songs)

    def fit(self, *, feature: str, regressor: str, target: str | None = None):
        """Refuse: a fitted pipeline takes clips, and these regressors take moments of clips.

        Parameters
        ----------
        feature, regressor, target : str
            Ignored.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(
            "A result of evaluate_dynamic_regression has no pipeline of whole clips to fit; fit "
            "the result of evaluate_regression instead."
        )

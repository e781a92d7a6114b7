"""What the results of classification and regression have in common."""

from collections.abc import Callable
from functools import cached_property
from itertools import combinations
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from skmer.evaluation.statistics.bootstrap import ACCURACY, R2, TotalsScore, bootstrap_interval
from skmer.evaluation.statistics.scores import (
    CLASSIFICATION_METRICS,
    DYNAMIC_METRICS,
    REGRESSION_METRICS,
    dynamic_scores,
    regression_scores,
)
from skmer.evaluation.store import read_result, unless_changed, write_result
from skmer.exceptions import InputError
from skmer.utils.messages import check_choice

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What `compare` tells of each test.
COMPARED = ("difference", "low", "high", "statistic", "pvalue")


class _Figure(Protocol):
    def __call__(self, size: Literal["paper", "wide"] = "paper") -> "Figure": ...


class BaseResult:
    """Scores and predictions of every configuration, split by split, and what they rest on."""

    # Columns that tell configurations apart, and the scores, the headline first.
    configuration: tuple[str, ...]
    metrics: tuple[str, ...]
    has_classes: bool

    # Given by the package above, so that a result does not know its report.
    report: Callable[..., Path]
    figure: "_Figure"
    to_latex: Callable[..., str]
    _repr_html_: Callable[..., str]

    # The headline score, in the form that its interval is computed from.
    headline_score: TotalsScore
    # What fits a configuration to all clips; a result that was read from files has none.
    fit_configuration: Callable | None = None
    # What lays the clips out on maps; it works when the maps are first asked for.
    make_maps: Callable | None = None
    # Whether a score is one of all predictions together; else it is the mean over the splits.
    is_pooled = False

    def __init__(self, scores, predictions, manifest: dict):
        self.scores = scores
        self.predictions = predictions
        self.manifest = manifest
        extra = manifest.get("settings", {}).get("scoring", ())
        self.metrics = (*type(self).metrics, *extra)

    def __repr__(self) -> str:
        n_configurations = len(self.scores.groupby(list(self.configuration)))
        return (
            f"{type(self).__name__}({n_configurations} configurations, "
            f"protocols {', '.join(self.manifest['protocols'])}, {len(self.scores)} scores)"
        )

    @cached_property
    def maps(self):
        """Maps of the clips by t-SNE, one for each feature.

        They are made when they are first asked for, as by `report` and `save`; each feature is
        scaled, and averaged over frames where it has any.

        Returns
        -------
        maps : pandas.DataFrame
            One row per feature and clip: feature, row (the clip's place in X), x, y. Of more than
            2000 clips, 2000 are drawn. Without features whose clips are all the same, and empty
            for fewer than 5 clips.
        """
        import pandas as pd

        maps = None if self.make_maps is None else self.make_maps()
        return pd.DataFrame(columns=["feature", "row", "x", "y"]) if maps is None else maps

    def summary(self):
        """Score of each configuration, and its spread over the splits.

        Returns
        -------
        summary : pandas.DataFrame
            One row per configuration and protocol. For each score its mean over the splits and, as
            ``*_std``, the standard deviation over splits (which share training clips, so that it
            is no standard error). Where a protocol that keeps groups apart and one that does not
            were both run, ``gap`` is the headline score of the latter minus that of the former.
        """
        import pandas as pd

        keys = [*self.configuration, "protocol"]
        grouped = self.scores.groupby(keys, sort=False)
        mean, spread = grouped[list(self.metrics)].mean(), grouped[list(self.metrics)].std()
        pooled = self._pooled_scores(keys)
        columns = {"weights": grouped["weights"].first(), "n_splits": grouped.size()}
        for metric in self.metrics:
            if metric in pooled:
                columns[metric] = pooled[metric]
                columns[f"{metric}_split_mean"] = mean[metric]
            else:
                columns[metric] = mean[metric]
            columns[f"{metric}_std"] = spread[metric]
        summary = pd.DataFrame(columns, index=mean.index).reset_index()
        pair = self.protocols_to_compare()
        return summary if pair is None else self._with_gap(summary, *pair)

    def _pooled_scores(self, keys: list[str]):
        """Return scores of all predictions together, a row for each configuration."""
        return {}

    def intervals(self, *, n_resamples: int = 2000):
        """Bootstrap an interval of the headline score from the out-of-fold predictions.

        Whole groups are drawn where groups were given, whole clips otherwise, so that a clip
        tested in several repeats counts as one; see `cluster_bootstrap`.

        Parameters
        ----------
        n_resamples : int, default=2000
            Draws of the bootstrap, at most a million.

        Returns
        -------
        intervals : pandas.DataFrame
            One row per configuration and protocol: the headline score as in `summary`, and the
            ends ``low`` and ``high`` of its 95 % interval, NaN for a single group;
            ``random_weights`` where a network of the feature was never trained.
        """
        import pandas as pd

        if not isinstance(n_resamples, Integral) or not 2 <= n_resamples <= 10**6:
            raise InputError(
                "The 'n_resamples' parameter of intervals must be an int from 2 to a million. "
                f"Got {n_resamples!r} instead."
            )
        keys = [*self.configuration, "protocol"]
        random = self.random_features()
        rows = []
        for key, part in self.predictions.groupby(keys, sort=False):
            estimate, low, high = bootstrap_interval(
                self.headline_score,
                part["y_true"].to_numpy(),
                part["y_pred"].to_numpy(),
                part["group" if "group" in part else "row"].to_numpy(),
                weights=None if self.is_pooled else _equal_by_split(part),
                n_resamples=n_resamples,
                random_state=self.manifest["settings"]["random_state"],
            )
            rows.append(
                dict(zip(keys, key))
                | {self.metrics[0]: estimate, "low": low, "high": high}
                | {"random_weights": key[0] in random}
            )
        return pd.DataFrame(rows)

    def random_features(self) -> dict[str, str]:
        """Return the features with a network that was never trained, alone or among others.

        Returns
        -------
        labels : dict of str to str
            The label of the weights, such as "random weights (seed 0)", by feature.
        """
        features = self.manifest.get("features", {}).items()
        return {name: one["weights"] for name, one in features if one["random_weights"]}

    def protocols_to_compare(self) -> tuple[str, str] | None:
        """Return a protocol that splits groups and one that keeps them apart, if both ran.

        Returns
        -------
        names : tuple of two str, or None
            Their gap is what the groups give away.
        """
        ran = self.manifest["protocols"].items()
        apart = {name: protocol["groups_kept_apart"] for name, protocol in ran}
        mixed = [name for name, kept in apart.items() if kept is False]
        kept = [name for name, kept in apart.items() if kept]
        return (mixed[0], kept[0]) if mixed and kept else None

    def _with_gap(self, summary, mixed: str, kept: str):
        headline = self.metrics[0]
        means = summary.pivot_table(
            index=list(self.configuration), columns="protocol", values=headline
        )
        gap = (means[mixed] - means[kept]).rename("gap").reset_index()
        return summary.merge(gap, on=list(self.configuration), how="left")

    def compare(self, metric: str | None = None, *, protocol: str | None = None):
        """Compare every two configurations on the splits that they share.

        Parameters
        ----------
        metric : str, default=None
            A score; None = the headline.
        protocol : str, default=None
            A protocol that was run; None = each of them.

        Returns
        -------
        comparison : pandas.DataFrame
            One row per protocol and pair: mean difference (first minus second), its 95 % interval,
            statistic and p-value by the corrected resampled t-test, and the p-value after Holm's
            correction over the pairs of the protocol.

        Raises
        ------
        ValueError
            For a score or a protocol that is not there, or a protocol with a single split.

        References
        ----------
        Nadeau, C., & Bengio, Y. (2003). Inference for the generalization error. Machine Learning,
        52, 239-281.
        """
        import pandas as pd

        metric = self.metrics[0] if metric is None else metric
        ran = list(self.manifest["protocols"])
        check_choice("compare", self.metrics, metric=metric)
        check_choice("compare", [*ran, None], protocol=protocol)
        names = ran if protocol is None else [protocol]
        return pd.concat([self._compare(metric, name) for name in names], ignore_index=True)

    def _compare(self, metric: str, protocol: str):
        import pandas as pd

        from skmer.evaluation.statistics.paired import corrected_resampled_ttest, holm

        scores = self.scores[self.scores["protocol"] == protocol]
        table = scores.pivot_table(
            index=["repeat", "fold"],
            columns=list(self.configuration),
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
            # Each pair by its own sizes, whatever else was evaluated.
            scores_of_pair, n_train, n_test = (
                table[column][list(pair)].to_numpy().T for column in (metric, "n_train", "n_test")
            )
            test = corrected_resampled_ttest(*scores_of_pair, n_train=n_train, n_test=n_test)
            first, second = pair
            row = {"protocol": protocol, "metric": metric}
            row |= {f"{key}_1": value for key, value in zip(self.configuration, first)}
            row |= {f"{key}_2": value for key, value in zip(self.configuration, second)}
            rows.append(row | {name: getattr(test, name) for name in COMPARED})
        comparison = pd.DataFrame(rows)
        if rows:
            comparison["pvalue_holm"] = holm(comparison["pvalue"].to_numpy())
        return comparison

    def save(self, folder) -> Path:
        """Write scores.csv, predictions.csv, maps.csv, manifest.json and report.html.

        A text that a spreadsheet would take for a formula has an apostrophe in front, which `load`
        takes off. Several processes may save into one folder; it holds the result of the last.

        Parameters
        ----------
        folder : path-like
            Made where it does not exist; files of these names in it are replaced, all of them or
            none.

        Returns
        -------
        folder : pathlib.Path
            Where they were written.

        Raises
        ------
        OSError
            When the folder cannot be made or written into.
        """
        return write_result(
            folder,
            {"scores": self.scores, "predictions": self.predictions, "maps": self.maps},
            self.manifest,
            kind=type(self).__name__,
            report=self.report,
        )

    @classmethod
    def load(cls, folder):
        """Read back what `save` wrote.

        Parameters
        ----------
        folder : path-like
            Where it was written.

        Returns
        -------
        result : EvaluationResult or RegressionResult
            With the same scores, predictions, maps and manifest, to the bit and the type.

        Raises
        ------
        InputError
            When there is no result of this kind, or a file was changed or cut since it was saved.
        """
        tables, manifest = read_result(folder, kind=cls.__name__)
        with unless_changed(Path(folder)):
            result = cls(tables["scores"], tables["predictions"], manifest)
        if "maps" in tables:
            result.maps = tables["maps"]
        return result

    def _fit(self, **names: str | None):
        """Fit a model to all clips, by the names of feature, model and target."""
        if self.fit_configuration is None:
            raise InputError(
                "This result was read from files, which hold no clips and no models; call fit on "
                "the result that the evaluation returned."
            )
        for column, name in names.items():
            known = list(dict.fromkeys(self.scores[column]))
            check_choice("fit", [*known, None] if column == "target" else known, **{column: name})
        return self.fit_configuration(*names.values())


def _equal_by_split(predictions):
    """Return weights of predictions by which every split weighs the same."""
    sizes = predictions.groupby(["repeat", "fold"])["row"].transform("size")
    return 1 / sizes.to_numpy()


class EvaluationResult(BaseResult):
    """What `evaluate` returns.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row per fit: feature, classifier, protocol, repeat, fold, accuracy, f1_macro,
        f1_weighted, balanced_accuracy, n_train (clips given to the fit), n_test, fit_time and
        score_time (seconds), seed, and weights, the label of the network's weights where the
        feature has a network, and random_weights, whether any of them was never trained.
    predictions : pandas.DataFrame
        One row per fit and tested clip: feature, classifier, protocol, repeat, fold, row (the
        clip's place in X), path where X holds paths, group where groups were given, y_true,
        y_pred, and proba_* for each class, empty where the classifier gives none.
    manifest : dict
        Seeds, versions, weights, splits, parameters and counts; ready for JSON.

    See Also
    --------
    evaluate : Makes it.
    """

    configuration = ("feature", "classifier")
    metrics = CLASSIFICATION_METRICS
    has_classes = True
    headline_score = ACCURACY

    def fit(self, *, feature: str, classifier: str):
        """Fit a classifier to all clips, with the transformer of its feature before it.

        What splits clips inside the fit (searches, calibration, early stopping) keeps the groups
        apart where groups were given, whatever the protocols of the evaluation.

        Parameters
        ----------
        feature, classifier : str
            Names, as in `scores`.

        Returns
        -------
        pipeline : sklearn.pipeline.Pipeline
            Fitted; it takes clips in the forms that the transformer takes. For a feature that was
            given as an array it is the classifier alone, and takes rows of such an array.

        Raises
        ------
        InputError
            For a name that was not evaluated, or a result that was read from files.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from skmer.embeddings import MFCCStatsTransformer
        >>> from skmer.evaluation import evaluate
        >>> rng, y = np.random.default_rng(0), np.tile(["calm", "angry"], 10)
        >>> clips = [rng.normal(scale=1 + (label == "angry"), size=22050) for label in y]
        >>> result = evaluate(
        ...     {"mfcc": MFCCStatsTransformer()}, {"nb": GaussianNB()}, clips, y,
        ...     protocol="koh2021", n_repeats=2,
        ... )
        >>> model = result.fit(feature="mfcc", classifier="nb")
        >>> model.predict([3 * clips[0]])
        array(['angry'], dtype='<U5')
        """
        return self._fit(feature=feature, classifier=classifier)


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

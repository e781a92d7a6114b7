"""What an evaluation returns: scores and predictions, and what can be asked of them."""

from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from skmer.evaluation.report import page
from skmer.evaluation.statistics import paired
from skmer.evaluation.tasks import CLASSIFICATION, TASKS, Task
from skmer.exceptions import InputError
from skmer.utils import messages, store

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class EvaluationResult:
    """Scores and predictions of every configuration, split by split, and what they rest on.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row per fit: feature, classifier (or what else the task calls its models), target where
        there are several, protocol, repeat, fold, the scores of the task (such as accuracy,
        f1_macro, f1_weighted and balanced_accuracy), n_train (clips given to the fit), n_test,
        fit_time and score_time (seconds), seed, and weights, the label of the network's weights
        where the feature has a network, and random_weights, whether any of them was never trained.
    predictions : pandas.DataFrame
        One row per fit and tested clip: feature, classifier, protocol, repeat, fold, row (the
        clip's place in X), path where X holds paths, group where groups were given, y_true,
        y_pred, and proba_* for each class, empty where the classifier gives none.
    manifest : dict
        Seeds, versions, weights, splits, parameters and counts; ready for JSON.
    task : Task, default=None
        What was evaluated; None: the one that the manifest names, else labels.

    See Also
    --------
    evaluate : Makes it.
    """

    task: Task = CLASSIFICATION
    # What was computed, for `fit` and `maps`; a result that was read from files has none.
    experiment: Any = None

    def __init__(self, scores, predictions, manifest: dict, task: Task | None = None):
        self.scores = scores
        self.predictions = predictions
        self.manifest = manifest
        settings = manifest.get("settings", {})
        name = settings.get("task", self.task.name)
        if task is None and name not in TASKS:
            fault = f"The result is of the task {name!r}, which is not registered here"
            raise InputError(f"{fault}; call register_task first, with the task of that name.")
        self.task = TASKS[name] if task is None else task
        self.configuration = self.task.configuration
        metrics = (*self.task.metrics, *settings.get("scoring", ()))
        # Results of earlier versions lack some.
        self.metrics = tuple(one for one in metrics if one in scores or one == metrics[0])
        self.is_pooled = self.task.is_pooled

    def __repr__(self) -> str:
        n = messages.counted(len(self.scores.groupby(list(self.configuration))), "configuration")
        ran = ", ".join(self.manifest["protocols"])
        return f"{type(self).__name__}({n}, {ran}, {messages.counted(len(self.scores), 'score')})"

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
        if self.experiment is None:
            return pd.DataFrame(columns=["feature", "row", "x", "y"])
        return self.experiment.make_maps()

    def summary(self):
        """Score of each configuration, and its spread over the splits.

        Returns
        -------
        summary : pandas.DataFrame
            One row per configuration and protocol. For each score its mean over the splits and, as
            ``*_std``, the standard deviation over splits (which share training clips, so that it
            is no standard error). Where a protocol that keeps groups apart and one that does not
            were both run, ``gap`` is the headline score of the latter minus that of the former.

            For numbers, a score such as ``r2`` is that of all out-of-fold predictions together:
            the r2 of a small test set compares with the mean of that set alone, so that the mean
            over the splits is far below. That mean is there too, as ``r2_split_mean``. A score
            that `scoring` added is the mean over the splits. Where a score is undefined on some
            splits, as ROC-AUC without a class, ``*_n_splits`` is the number of those that counted.
        """
        keys = [*self.configuration, "protocol"]
        grouped = self.scores.groupby(keys, sort=False)
        mean, spread = grouped[list(self.metrics)].mean(), grouped[list(self.metrics)].std()
        pooled = self._pooled_scores(keys)
        columns = {"weights": grouped["weights"].first(), "n_splits": grouped.size()}
        for metric in self.metrics:
            columns[metric] = pooled.get(metric, mean[metric])
            if metric in pooled:
                columns[f"{metric}_split_mean"] = mean[metric]
            columns[f"{metric}_std"] = spread[metric]
            if (n_scored := grouped[metric].count()).lt(grouped.size()).any():
                columns[f"{metric}_n_splits"] = n_scored
        summary = pd.DataFrame(columns, index=mean.index).reset_index()
        pair = self.protocols_to_compare()
        if pair is None:
            return summary
        keys = list(self.configuration)
        means = summary.pivot_table(index=keys, columns="protocol", values=self.metrics[0])
        gap = (means[pair[0]] - means[pair[1]]).rename("gap").reset_index()
        return summary.merge(gap, on=keys, how="left")

    def _pooled_scores(self, keys: list[str]):
        """Return scores of all predictions together, a row for each configuration."""
        if not self.is_pooled:
            return {}
        parts, songs = self.predictions.groupby(keys, sort=False), ["repeat", "fold", "row"]
        scores = {key: self.task.score(part, part.groupby(songs).ngroup()) for key, part in parts}
        return pd.DataFrame(scores).T

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
        messages.check_whole("intervals", least=2, most=10**6, n_resamples=n_resamples)
        keys = [*self.configuration, "protocol"]
        random, seed = self.random_features(), self.manifest["settings"]["random_state"]
        rows = []
        for key, part in self.predictions.groupby(keys, sort=False):
            ends = self.task.interval(part, n_resamples=n_resamples, random_state=seed)
            rows.append([*key, *ends, key[0] in random])
        columns = [*keys, self.metrics[0], "low", "high", "random_weights"]
        return pd.DataFrame(rows, columns=columns)

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
        apart = {name: one["groups_kept_apart"] for name, one in ran if "across" not in one}
        mixed = [name for name, kept in apart.items() if kept is False]
        kept = [name for name, kept in apart.items() if kept]
        return (mixed[0], kept[0]) if mixed and kept else None

    def compare_features(self, metric: str | None = None, *, protocol: str | None = None):
        """Compare every two features over all models, with the group as the unit.

        Both features were tested on the same splits, with the same models. A group's predictions
        count together, since its clips are alike; without groups the clip is the unit.

        Parameters
        ----------
        metric : str, default=None
            A score that is computed from totals over groups: the headline, and for numbers ccc and
            rmse as well. None = the headline.
        protocol : str, default=None
            A protocol that was run; None = each of them.

        Returns
        -------
        comparison : pandas.DataFrame
            One row per protocol, target where there are several, and pair of features: the mean
            difference over the models of the scores that `summary` has (first minus second), its
            95 % interval by a bootstrap over groups, the number of groups, the p-value by
            exchanging the two features in whole groups (all exchanges up to 14 groups, 100,000
            random ones beyond; for tags 4,000 at most), and the p-value after Holm's correction
            over the pairs of features of that protocol and target.

        Raises
        ------
        ValueError
            For a score or a protocol that is not there, or predictions that some configurations
            have and others do not.

        See Also
        --------
        compare_classifiers : The same for models, over all features.
        compare : Every two configurations.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from skmer.evaluation import evaluate
        >>> rng = np.random.default_rng(0)
        >>> y, singers = np.tile(["calm", "sad"], 20), np.repeat(np.arange(10), 4)
        >>> good = rng.normal(size=(40, 3)) + 2 * (y == "sad")[:, None]
        >>> features = {"good": good, "noise": rng.normal(size=(40, 3))}
        >>> result = evaluate(features, {"nb": GaussianNB()}, None, y, groups=singers)
        >>> result.compare_features()[["feature_1", "feature_2", "n_groups", "pvalue"]].round(3)
          feature_1 feature_2  n_groups  pvalue
        0      good     noise        10   0.004
        """
        return self._compare_by_group("compare_features", ["feature"], metric, protocol)

    def compare_classifiers(self, metric: str | None = None, *, protocol: str | None = None):
        """Compare every two classifiers or regressors over all features, by groups.

        Parameters
        ----------
        metric : str, default=None
            As in `compare_features`.
        protocol : str, default=None
            A protocol that was run; None = each of them.

        Returns
        -------
        comparison : pandas.DataFrame
            As `compare_features` returns it, for pairs of models.

        Raises
        ------
        ValueError
            For a score or a protocol that is not there.

        See Also
        --------
        compare_features : The same for features.
        """
        kind = self.task.model_kind
        return self._compare_by_group("compare_classifiers", [kind], metric, protocol)

    @property
    def compares_by_group(self) -> bool:
        """Whether features and models can be compared with the group as the unit."""
        return bool(self._scores_by_group)

    @property
    def _scores_by_group(self) -> dict[str, Any]:
        scores = {self.metrics[0]: self.task.headline_score, **self.task.further_scores}
        return {
            name: partial(paired.compare_totals, score, equal_splits=not self.is_pooled)
            for name, score in scores.items()
            if score is not None
        }

    def _compare_by_group(self, function: str, keys: list[str], metric, protocol):
        """Compare what some columns distinguish, on average over what the others do."""
        metric = self.metrics[0] if metric is None else metric
        scores, ran = self._scores_by_group, list(self.manifest["protocols"])
        if not scores:
            raise InputError(
                f"{function} needs a score that adds up over groups, which those of the task "
                f"{self.task.name!r} do not; call compare instead."
            )
        messages.check_choice(function, scores, metric=metric)
        messages.check_choice(function, [*ran, None], protocol=protocol)
        table = self.predictions
        table = table if protocol is None else table[table["protocol"] == protocol]
        keys_of_row = ("target", "protocol", "repeat", "fold", "row", "time")
        rows = [one for one in keys_of_row if one in table]
        over = [key for key in self.configuration if key not in (*keys, "target")]
        n_models = table.groupby(keys).ngroups * (table.groupby(over).ngroups if over else 1)
        if (table.groupby(rows).size() != n_models).any():
            raise InputError(
                f"{function} needs predictions of every configuration for the same rows of each "
                "split, and some are missing; evaluate all of them, or leave the others out."
            )
        seed = self.manifest["settings"]["random_state"]
        comparison = paired.compare_predictions(
            table, scores[metric], keys=keys, over=over, random_state=seed
        )
        if len(comparison):
            comparison.insert(1, "metric", metric)
        return comparison

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
            correction over the pairs of the protocol. For numbers only configurations of one
            target are compared, and r2, ccc and rmse are those of all predictions together, as
            `summary` has them: tested by groups and corrected over the pairs of the target, as
            in `compare_features`.

        Raises
        ------
        ValueError
            For a score or a protocol that is not there, or a protocol with a single split.

        See Also
        --------
        compare_features : Whether one feature is better than another, over all models.

        References
        ----------
        Nadeau, C., & Bengio, Y. (2003). Inference for the generalization error. Machine Learning,
        52, 239-281.
        """
        metric = self.metrics[0] if metric is None else metric
        ran = list(self.manifest["protocols"])
        messages.check_choice("compare", self.metrics, metric=metric)
        messages.check_choice("compare", [*ran, None], protocol=protocol)
        if self.is_pooled and metric in self._scores_by_group:
            keys = [key for key in self.configuration if key != "target"]
            return self._compare_by_group("compare", keys, metric, protocol)
        # One of a single split has nothing to test by; another may have.
        splits = self.scores[["protocol", "repeat", "fold"]].drop_duplicates()
        n_splits = splits["protocol"].value_counts()
        names = [name for name in ran if n_splits[name] > 1] or ran
        of_protocol = partial(paired.compare_splits, self.scores, metric, self.configuration)
        chosen = names if protocol is None else [protocol]
        return pd.concat(map(of_protocol, chosen), ignore_index=True)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the headline score of every configuration with its 95 % interval, best first.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        ax : matplotlib.axes.Axes
            What was drawn on; ``ax.figure.savefig("scores.pdf")`` keeps it.
        """
        return page.plot_result(self, ax)

    def figure(self, size: Literal["paper", "wide"] = "paper") -> "Figure":
        """Draw what `plot` draws, on a figure of a journal's column or of a slide.

        Colours are those of the features in every display; where several protocols were run, each
        has a mark of its own. The dashed line is what guessing gives.

        Parameters
        ----------
        size : {"paper", "wide"}, default="paper"
            "paper" is 88 mm wide, a column of a journal, with letters of 8 points; "wide" fills a
            slide of 13.3 to 7.5 inches, with letters that can be read from the back of the room.

        Returns
        -------
        figure : matplotlib.figure.Figure
            Nothing in it is a bitmap, so ``figure.savefig("scores.pdf")`` stays sharp at any size.

        Raises
        ------
        InputError
            For another size.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from skmer.evaluation import evaluate
        >>> y = np.tile(["calm", "sad"], 20)
        >>> feature = np.eye(2)[(y == "sad") * 1]
        >>> result = evaluate({"mine": feature}, {"nb": GaussianNB()}, None, y, protocol="koh2021")
        >>> round(float(result.figure("paper").get_figwidth()) * 25.4)
        88
        """
        return page.result_to_figure(self, size)

    def to_latex(self) -> str:
        """Return the table of scores for a paper: each configuration with its interval, best first.

        Returns
        -------
        latex : str
            A LaTeX table with a caption; it needs the package booktabs.
        """
        return page.tables.scores_table(page.Overview(self)).latex

    def _repr_html_(self) -> str:
        return page.result_to_html(self)

    def report(self, path) -> Path:
        """Write a page that stands alone: headline, trust, charts, tables, and what they rest on.

        Parameters
        ----------
        path : path-like
            The html file to write.

        Returns
        -------
        path : pathlib.Path
            Where it was written.
        """
        return page.write_report(self, path)

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
        Exception
            If the maps or the report cannot be drawn; scores, predictions and manifest are
            saved nevertheless.
        """
        tables = {"scores": self.scores, "predictions": self.predictions}
        kind, files = type(self).__name__, {"report.html": self.report}
        try:
            drawn = tables | {"maps": self.maps}
            return store.write_store(folder, drawn, self.manifest, kind=kind, files=files)
        except BaseException as error:
            folder = store.write_store(folder, tables, self.manifest, kind=kind)
            # None of an earlier result beside these scores.
            (folder / "report.html").unlink(missing_ok=True)
            error.add_note(f"Scores, predictions and manifest are in {folder}, without a report.")
            raise

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
        needed = ["scores", "predictions"]
        # Results of the first versions have no maps.
        tables, manifest = store.read_store(folder, needed, optional=["maps"], kind=cls.__name__)
        with store.manifest_errors(folder):
            result = cls(tables["scores"], tables["predictions"], manifest)
        if "maps" in tables:
            result.maps = tables["maps"]
        return result

    def fit(self, *, feature: str, target: str | None = None, **model: str):
        """Fit a model to all clips, with the transformer of its feature before it.

        Splits inside the fit (searches, calibration, early stopping) keep the groups
        apart if groups were given, for any protocols of the evaluation.

        Parameters
        ----------
        feature : str
            A name, as in `scores`.
        target : str, default=None
            Which of several targets to predict; None = all, in the order of `scores`, each by a
            model of its own.
        **model : str
            The name of the model under the name of its column, as in ``classifier="svm"`` or
            ``regressor="ridge"``.

        Returns
        -------
        pipeline : sklearn.pipeline.Pipeline
            Fitted; it takes clips in the forms that the transformer takes. For a feature that was
            given as an array it is the model alone, and takes rows of such an array. With targets
            over time it predicts from the mean of a clip's frames, and ``predict_clips(...,
            frames=True)`` predicts the curves.

        Raises
        ------
        InputError
            For a name that was not evaluated, and a result that was read from files.

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
        if self.experiment is None:
            raise InputError(
                "This result was read from files, which hold no clips and no models; call fit on "
                "the result that the evaluation returned."
            )
        kind = self.task.model_kind
        if set(model) != {kind}:
            raise InputError(f"fit needs the parameters 'feature' and {kind!r}. Got {[*model]}.")
        messages.check_choice("fit", self.scores["feature"].unique().tolist(), feature=feature)
        messages.check_choice("fit", self.scores[kind].unique().tolist(), **model)
        targets = self.scores["target"].unique().tolist() if "target" in self.scores else []
        messages.check_choice("fit", [*targets, None], target=target)
        return self.experiment.fit_to_all(feature, model[kind], target)

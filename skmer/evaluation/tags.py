"""Several tags a clip: the task, its scores a tag, and what a result of it can be asked."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.base import is_regressor
from sklearn.metrics import label_ranking_average_precision_score
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

from skmer.classifiers import TagClassifier, make_classifier
from skmer.evaluation import result, splitters, tasks
from skmer.evaluation.statistics import tags as stats
from skmer.evaluation.targets import Matched, Targets
from skmer.exceptions import InputError
from skmer.utils import labels, messages


class Tags(tasks.LabelTask):
    """Any number of tags a clip, each with a probability.

    Parameters
    ----------
    target_names : sequence of str, default=None
        The tags, in the order of the columns of an indicator matrix; `evaluate` fills them in.
    """

    name = "tags"
    metrics = stats.TAG_METRICS
    n_repeats = 1
    group_folds = splitters.IterativeStratifiedGroupKFold
    charts = ("tags",)
    # The average precision of a rare tag is small.
    n_digits = 3
    headline_words = {
        "average_precision": "finds the tags of {whose} with a mean average precision of {value}",
        "": "reaches {value} on {whose}",
    }
    guess_words = {
        "average_precision": "guessing by the share of each tag gives {value}",
        "": "guessing gives {value}",
    }

    def __init__(self, target_names=None):
        # Set by `bind` before there is anything to predict or to describe.
        self.target_names = target_names

    def takes(self, y):
        return _are_lists(y) or tasks.kind_of(y) == "multilabel-indicator"

    def bind(self, y, target_names=None):
        return Tags(_find_names(y, target_names))

    def check(self, y):
        names = _find_names(y, self.target_names)
        labels.warn_of_alike(names, "The tags y")
        if _are_lists(y):
            y = stats.indicator_matrix([map(labels.plain_text, tags) for tags in y], names)
        matrix = np.asarray(y)
        if matrix.ndim != 2 or matrix.shape[1] < 2 or not np.isin(matrix, (0, 1)).all():
            raise InputError(
                "The tags y must be a table of 0 and 1 with a row for each clip and a column for "
                f"each of two tags or more, or a list of tags for each clip. Got {y!r}.",
                param="y",
            )
        if matrix.shape[1] != len(names):
            raise InputError(
                f"The 'target_names' parameter must name the {matrix.shape[1]} columns of y. Got "
                f"{messages.counted(len(names), 'name')}.",
                param="target_names",
            )
        columns = [labels.plain_text(str(name)) for name in getattr(y, "columns", names)]
        if set(columns) == set(names):
            matrix = matrix[:, [columns.index(name) for name in names]]
        elif not set(columns).isdisjoint(names):
            raise InputError(
                "The 'target_names' parameter must have the names of the columns of y, or others "
                f"for all of them. Got {messages.shorten(names)} for {messages.shorten(columns)}.",
                param="target_names",
            )
        return Targets.of_clips({"tags": matrix.astype(int)})

    def match(self, targets, y, scales):
        has_names = _are_lists(y) or hasattr(y, "columns")
        other = Tags(_find_names(y, None if has_names else self.target_names))
        matrix = other.check(y).first
        found, alone, lone = labels.pair_names("tags", self.target_names, other.target_names)
        names = [name for name in self.target_names if name not in alone]
        theirs = {name: other.target_names.index(one) for one, name in found.items()}
        mine = targets.first[:, [self.target_names.index(name) for name in names]]
        pair = (mine, matrix[:, [theirs[name] for name in names]])
        first, second = (Targets.of_clips({"tags": one}) for one in pair)
        return Matched(Tags(names), (first, second), (alone, lone))

    def make_model(self, name, preset):
        return make_classifier(name, preset=preset, tags=True)

    def fits(self, model):
        ranks = hasattr(model, "predict_proba") or hasattr(model, "decision_function")
        return ranks and not is_regressor(model)

    def wrap(self, model):
        if isinstance(model, TagClassifier):
            return model
        return TagClassifier(model, target_names=self.target_names)

    def predict(self, model, X, y, test):
        rows = _safe_indexing(X, test)
        proba = tasks.check_output(model, "predict_proba", rows, (test.size, y.shape[1]))
        columns = {f"{stats.PROBA}{name}": proba[:, i] for i, name in enumerate(self.target_names)}
        # Behind what learns from columns of metadata, where there are any.
        tagger = model[-1] if isinstance(model, Pipeline) else model
        called = proba >= tagger.thresholds_
        answers = {"y_true": y[test], "y_pred": called}
        texts = {key: stats.join_tags(one, self.target_names) for key, one in answers.items()}
        return texts | columns

    def score(self, predictions, clips):
        by_tag = stats.score_tags(predictions)
        scored = ~np.isnan(by_tag["average_precision"])
        if not scored.any():
            raise InputError(
                f"No tag is both on some and not on others of the {len(clips)} clips of a test "
                "part, so there is nothing to score; use fewer folds, or other tags.",
                param="y",
            )
        truth, _, proba = stats.matrices_of(predictions)
        tagged = truth.any(axis=1)
        means = {name: float(np.mean(by_tag[name][scored])) for name in stats.TAG_METRICS[:3]}
        lrap = label_ranking_average_precision_score(truth[tagged], proba[tagged])
        return means | {"lrap": float(lrap)}

    def guess(self, dataset, score, predictions):
        if score == "roc_auc":
            return 0.5
        if score != "average_precision":
            return None
        # The share of a tag in the test set is the average precision of any constant.
        return float(np.mean([np.nanmean(tag["share"]) for tag in stats.score_splits(predictions)]))

    def interval(self, predictions, **options):
        scores = stats.resample_tags(predictions, **options)
        ends = stats.percentiles(stats.nan_mean(stats.nan_mean(scores[:, :, 1:], 1), 0))
        return float(np.mean(np.nanmean(scores[:, :, 0], axis=1))), *ends

    def find_unscored(self, predictions):
        unscored: dict[str, dict[str, int]] = {}
        first = predictions.groupby(["feature", "classifier"], sort=False).ngroup() == 0
        keys = ["protocol", "repeat", "fold"]
        for (protocol, *_), rows in predictions[first].groupby(keys, sort=False):
            truth = stats.split_tags(rows["y_true"], self.target_names)
            for tag in np.flatnonzero(truth.all(axis=0) | ~truth.any(axis=0)):
                counts = unscored.setdefault(str(protocol), {})
                counts[self.target_names[tag]] = counts.get(self.target_names[tag], 0) + 1
        return unscored

    def describe(self, targets):
        counts = targets.first.sum(axis=0).tolist()
        return {"n_clips": targets.n_clips, "tags": dict(zip(self.target_names, counts))}


def _are_lists(y) -> bool:
    """Whether the target has a list, tuple or set of texts for each clip."""
    is_one = isinstance(y, str | bytes | Mapping) or not messages.is_iterable(y)
    if is_one or getattr(y, "ndim", 1) != 1:
        return False
    items = y.to_list() if hasattr(y, "to_list") else list(y)
    # Arrays are the cells of a Parquet table.
    if not all(isinstance(item, list | tuple | set | frozenset | np.ndarray) for item in items):
        return False
    tags = [tag for item in items for tag in item]
    return bool(tags) and all(isinstance(tag, str) for tag in tags)


def _find_names(y, target_names) -> list[str]:
    """Return the names of the tags: those that are given, or those in y."""
    if target_names is not None:
        names = labels.check_labels(target_names, "The 'target_names'").tolist()
    elif _are_lists(y):
        names = sorted({labels.plain_text(tag) for tags in y for tag in tags})
    elif hasattr(y, "columns"):
        names = list(y.columns)
    else:
        names = [f"tag {i}" for i in range(np.shape(y)[-1])]
    names = [labels.plain_text(str(name)) for name in names]
    labels.check_text("The names of the tags", *names)
    bad = [name for name in names if not name or stats.SEPARATOR in name]
    if bad or len(set(names)) < len(names):
        raise InputError(
            "The names of the tags must differ, have a letter each, and no semicolon. Got "
            f"{messages.shorten(bad or names)}.",
            param="target_names",
        )
    return names


class TagsResult(result.EvaluationResult):
    """What `evaluate` returns for tags.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row per fit, as in `EvaluationResult`; average_precision, roc_auc and f1 are means over
        the tags that have a positive and a negative in the test set, and lrap is the label
        ranking average precision of the clips that have a tag.
    predictions : pandas.DataFrame
        One row per fit and tested clip, as in `EvaluationResult`; y_true and y_pred have the tags
        of a clip with semicolons between them, and proba_* is the probability of each tag.
    manifest : dict
        Seeds, versions, weights, splits, parameters and counts; ready for JSON.
    task : Task, default=None
        As in `EvaluationResult`.

    See Also
    --------
    evaluate : Makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skmer.evaluation import evaluate
    >>> X = np.random.default_rng(0).normal(size=(80, 2))
    >>> y = [{"dark"} if dark else {"epic", "film"} for dark in X[:, 0] > 0]
    >>> result = evaluate({"mine": X}, {"lr": LogisticRegression()}, None, y, protocol="shuffled")
    >>> result.tag_scores(feature="mine", classifier="lr")["tag"].tolist()
    ['dark', 'epic', 'film']
    """

    def tag_scores(
        self, *, feature: str, classifier: str, protocol: str | None = None, n_resamples: int = 2000
    ):
        """Score each tag, the best first.

        Parameters
        ----------
        feature, classifier : str
            Names, as in `scores`.
        protocol : str, default=None
            A protocol that was run; None = the first.
        n_resamples : int, default=2000
            Draws of the bootstrap over groups, or over clips where no groups were given.

        Returns
        -------
        tag_scores : pandas.DataFrame
            One row per tag: tag, n_clips (that have it), share (in the test sets, which is the
            average precision of guessing), average_precision with the ends low and high of its
            95 % interval, roc_auc, f1, and n_splits, the test sets where it has a score; 0 and
            NaN for a tag that has none anywhere.
        """
        protocol = next(iter(self.manifest["protocols"])) if protocol is None else protocol
        chosen = {"feature": feature, "classifier": classifier, "protocol": protocol}
        for key, name in chosen.items():
            messages.check_choice("tag_scores", self.scores[key].unique().tolist(), **{key: name})
        rows = self.predictions[(self.predictions[[*chosen]] == chosen).all(axis=1)]
        splits = stats.score_splits(rows)
        seed = self.manifest["settings"]["random_state"]
        scores = stats.resample_tags(rows, n_resamples=n_resamples, random_state=seed)
        table = pd.DataFrame({"tag": stats.names_of(rows)})
        table["n_clips"] = table["tag"].map(self.manifest["dataset"]["tags"])
        for name in ("share", *stats.TAG_METRICS[:3]):
            table[name] = stats.nan_mean([one[name] for one in splits], 0)
        ends = np.transpose([stats.percentiles(tag) for tag in stats.nan_mean(scores[:, :, 1:], 0)])
        for name, values in zip(("high", "low"), ends[::-1]):
            table.insert(4, name, values)
        table["n_splits"] = sum(~np.isnan(one["share"]) for one in splits)
        return table.sort_values("average_precision", ascending=False, ignore_index=True)

    @property
    def _scores_by_group(self) -> dict:
        return {stats.TAG_METRICS[0]: stats.compare_tags}


Tags.result_class = TagsResult
TAGS = tasks.register_task(Tags())

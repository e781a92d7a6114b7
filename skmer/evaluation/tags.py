"""Several tags a clip: the task, its scores a tag, and what a result of it can be asked."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import is_regressor
from sklearn.dummy import DummyClassifier
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    label_ranking_average_precision_score,
    roc_auc_score,
)
from sklearn.model_selection import RepeatedKFold
from sklearn.utils.multiclass import type_of_target

from skmer.classifiers import CLASSIFIERS, TagClassifier, make_classifier
from skmer.evaluation.features import choose_input
from skmer.evaluation.result import EvaluationResult
from skmer.evaluation.splitters import IterativeStratifiedGroupKFold
from skmer.evaluation.tasks import Targets, Task, check_output, register_task
from skmer.exceptions import InputError
from skmer.utils.labels import check_labels, check_text
from skmer.utils.messages import check_choice, shorten

TAG_METRICS = ("average_precision", "roc_auc", "f1", "lrap")
# What stands between the tags of a clip in a table of predictions.
SEPARATOR = ";"
_PROBA = "proba_"


class Tags(Task):
    """Any number of tags a clip, each with a probability.

    Parameters
    ----------
    target_names : sequence of str, default=None
        The tags, in the order of the columns of an indicator matrix; `evaluate` fills them in.
    """

    name = "tags"
    model_kind = "classifier"
    configuration = ("feature", "classifier")
    metrics = TAG_METRICS
    n_repeats = 1
    models = CLASSIFIERS
    dummy = DummyClassifier()
    charts = ("tags",)
    headline_words = {
        "average_precision": "finds the tags of {whose} with a mean average precision of {value}",
        "": "reaches {value} on {whose}",
    }
    guess_words = {
        "average_precision": "guessing by the share of each tag gives {value}",
        "": "guessing gives {value}",
    }

    def __init__(self, target_names: Sequence[str] | None = None):
        # Set by `bind` before there is anything to predict or to describe.
        self.target_names: Any = None if target_names is None else [*target_names]

    def takes(self, y):
        if _are_lists(y):
            return True
        try:
            return np.ndim(y) == 2 and type_of_target(y) == "multilabel-indicator"
        except (ValueError, TypeError):
            return False

    def bind(self, y, target_names=None):
        return Tags(_find_names(y, target_names))

    def check(self, y):
        names = _find_names(y, self.target_names)
        matrix = _from_lists(y, names) if _are_lists(y) else np.asarray(y)
        if matrix.ndim != 2 or matrix.shape[1] < 2 or not np.isin(matrix, (0, 1)).all():
            raise InputError(
                "The tags y must be a table of 0 and 1 with a row for each clip and a column for "
                f"each of two tags or more, or a list of tags for each clip. Got {y!r:.100}.",
                param="y",
            )
        if matrix.shape[1] != len(names):
            raise InputError(
                f"The 'target_names' parameter must name the {matrix.shape[1]} columns of y. Got "
                f"{len(names)} names.",
                param="target_names",
            )
        return Targets.of_clips({"tags": matrix.astype(int)})

    def strata(self, targets):
        return targets.first

    def splitters(self, n_folds, n_repeats):
        return {
            "grouped": lambda seed: IterativeStratifiedGroupKFold(
                n_folds, n_repeats=n_repeats, random_state=seed
            ),
            "shuffled": lambda seed: RepeatedKFold(
                n_splits=n_folds, n_repeats=n_repeats, random_state=seed
            ),
        }

    def make_model(self, name, preset):
        return make_classifier(name, preset=preset, tags=True)

    def fits(self, model):
        ranks = hasattr(model, "predict_proba") or hasattr(model, "decision_function")
        return ranks and not is_regressor(model)

    def wrap(self, model):
        if isinstance(model, TagClassifier):
            return model
        return TagClassifier(model, target_names=self.target_names)

    def input_of(self, transformer, model, preset):
        return choose_input(transformer, model, preset=preset)

    def predict(self, model, X, y, test):
        proba = check_output(model, "predict_proba", X[test], (test.size, y.shape[1]))
        columns = {f"{_PROBA}{name}": proba[:, i] for i, name in enumerate(self.target_names)}
        called = proba >= model.thresholds_
        answers = {"y_true": y[test], "y_pred": called}
        return {key: join_tags(one, self.target_names) for key, one in answers.items()} | columns

    def score(self, predictions, clips):
        by_tag = score_tags(predictions)
        scored = ~np.isnan(by_tag["average_precision"])
        if not scored.any():
            raise InputError(
                f"No tag is both on some and not on others of the {len(clips)} clips of a test "
                "part, so there is nothing to score; use fewer folds, or other tags.",
                param="y",
            )
        truth, _, proba = matrices_of(predictions)
        tagged = truth.any(axis=1)
        means = {name: float(np.mean(by_tag[name][scored])) for name in TAG_METRICS[:3]}
        lrap = label_ranking_average_precision_score(truth[tagged], proba[tagged])
        return means | {"lrap": float(lrap)}

    def guess(self, dataset, score, predictions):
        if score == "roc_auc":
            return 0.5
        if score != "average_precision":
            return None
        # The share of a tag in the test part is the average precision of any constant.
        return float(np.mean([np.nanmean(tag["share"]) for tag in _score_splits(predictions)]))

    def interval(self, predictions, *, n_resamples, random_state):
        drawn, estimates = resample_tags(
            predictions, n_resamples=n_resamples, random_state=random_state
        )
        return float(np.mean(np.nanmean(estimates, axis=1))), *_percentiles(drawn.mean_over_tags)

    def find_unscored(self, predictions):
        unscored: dict[str, dict[str, int]] = {}
        for protocol, rows in predictions.groupby("protocol", sort=False):
            first = rows.groupby(["feature", "classifier"], sort=False).ngroup() == 0
            counts: dict[str, int] = {}
            for by_tag in _score_splits(rows[first]):
                for name, share in zip(names_of(rows), by_tag["share"]):
                    if np.isnan(share):
                        counts[name] = counts.get(name, 0) + 1
            if counts:
                unscored[str(protocol)] = counts
        return unscored

    def describe(self, targets):
        counts = targets.first.sum(axis=0).tolist()
        return {"n_clips": targets.n_clips, "tags": dict(zip(self.target_names, counts))}


def _are_lists(y) -> bool:
    """Whether the target has a list, tuple or set of texts for each clip."""
    if isinstance(y, str | bytes | Mapping) or getattr(y, "ndim", 1) != 1:
        return False
    try:
        items = list(y)
    except TypeError:
        return False
    are_collections = all(isinstance(item, list | tuple | set | frozenset) for item in items)
    if not items or not are_collections:
        return False
    tags = [tag for item in items for tag in item]
    return bool(tags) and all(isinstance(tag, str) for tag in tags)


def _find_names(y, target_names) -> list[str]:
    """Return the names of the tags: those that are given, or those in y."""
    if target_names is not None:
        names = check_labels(target_names, "The 'target_names'").tolist()
    elif _are_lists(y):
        names = sorted(set().union(*y))
    elif hasattr(y, "columns"):
        names = list(y.columns)
    else:
        names = [f"tag {i}" for i in range(np.shape(y)[-1])]
    names = [str(name) for name in names]
    check_text("The names of the tags", *names)
    bad = [name for name in names if not name.strip() or SEPARATOR in name]
    if bad or len(set(names)) < len(names):
        raise InputError(
            "The names of the tags must differ, have a letter each, and no semicolon. Got "
            f"{shorten(bad or names)}.",
            param="target_names",
        )
    return names


def _from_lists(y: Iterable, names: list[str]) -> np.ndarray:
    """Return the indicator matrix of a list of tags for each clip."""
    places = {name: i for i, name in enumerate(names)}
    rows = [list(tags) for tags in y]
    unknown = sorted({tag for tags in rows for tag in tags} - set(places))
    if unknown:
        raise InputError(
            f"The tags y must be among 'target_names'. Got {shorten(unknown)}.", param="y"
        )
    matrix = np.zeros((len(rows), len(names)), dtype=int)
    for row, tags in enumerate(rows):
        matrix[row, [places[tag] for tag in tags]] = 1
    return matrix


def join_tags(matrix: np.ndarray, names: Sequence[str]) -> list[str]:
    """Return the tags of each row of an indicator matrix as one text."""
    return [SEPARATOR.join(names[i] for i in np.flatnonzero(row).tolist()) for row in matrix]


def split_tags(texts, names: Sequence[str]) -> np.ndarray:
    """Return the indicator matrix of texts that `join_tags` made."""
    different, inverse = np.unique(np.asarray(texts, dtype=str), return_inverse=True)
    return _from_lists([list(filter(None, one.split(SEPARATOR))) for one in different], [*names])[
        inverse
    ]


def names_of(predictions: Mapping) -> list[str]:
    """Return the names of the tags that a table of predictions has probabilities of."""
    return [key.removeprefix(_PROBA) for key in predictions if str(key).startswith(_PROBA)]


def matrices_of(predictions: Mapping) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which tags are true, which were predicted, and their probabilities."""
    names = names_of(predictions)
    truth, called = (split_tags(predictions[key], names) for key in ("y_true", "y_pred"))
    proba = np.column_stack([np.asarray(predictions[f"{_PROBA}{name}"]) for name in names])
    return truth, called, proba


def score_tags(predictions: Mapping) -> dict[str, np.ndarray]:
    """Score each tag of the predictions of one test part.

    Returns
    -------
    scores : dict of str to ndarray of shape (n_tags,)
        average_precision, roc_auc, f1 and share, NaN for a tag without a positive or without a
        negative.
    """
    truth, called, proba = matrices_of(predictions)
    names = (*TAG_METRICS[:3], "share")
    scores = {name: np.full(truth.shape[1], np.nan) for name in names}
    for tag in np.flatnonzero(truth.any(axis=0) & ~truth.all(axis=0)):
        scores["average_precision"][tag] = average_precision_score(truth[:, tag], proba[:, tag])
        scores["roc_auc"][tag] = roc_auc_score(truth[:, tag], proba[:, tag])
        scores["f1"][tag] = f1_score(truth[:, tag], called[:, tag], zero_division=0)
        scores["share"][tag] = truth[:, tag].mean()
    return scores


def _score_splits(predictions) -> list[dict[str, np.ndarray]]:
    """Score each tag in each split of one configuration, or of the first of several."""
    keys = [name for name in ("feature", "classifier") if name in predictions]
    first = predictions.groupby(keys, sort=False).ngroup() == 0
    splits = predictions[first].groupby(["repeat", "fold"], sort=False)
    return [score_tags(rows) for _, rows in splits]


class Draws:
    """Average precisions of resamples: over all tags, and of each tag, as means over splits."""

    def __init__(self, by_split: np.ndarray):
        # By split, tag and draw; NaN where a draw has no positive or no negative.
        count = (~np.isnan(by_split)).sum(axis=0)
        total = np.nansum(by_split, axis=0)
        with np.errstate(invalid="ignore"):
            self.by_tag = np.where(count, total / count, np.nan)
            tags = (~np.isnan(by_split)).sum(axis=1)
            means = np.where(tags, np.nansum(by_split, axis=1) / tags, np.nan)
        n_splits = (~np.isnan(means)).sum(axis=0)
        self.mean_over_tags = np.nansum(means, axis=0) / np.maximum(n_splits, 1)
        self.mean_over_tags[n_splits == 0] = np.nan


def resample_tags(predictions, *, n_resamples: int, random_state: int) -> tuple[Draws, np.ndarray]:
    """Draw whole groups, or else clips, again and again, and score each tag in each split.

    A tag without a positive or a negative in a draw of a split is left out of the mean there.

    Returns
    -------
    draws : Draws
        None of a single group.
    estimates : ndarray of shape (n_splits, n_tags)
        Of all rows.
    """
    codes = np.unique(
        predictions["group" if "group" in predictions else "row"], return_inverse=True
    )[1]
    n_groups = codes.max() + 1
    rng = np.random.default_rng(random_state)
    # Each group once, then how often each is drawn.
    times = np.ones((1 + n_resamples * (n_groups > 1), n_groups))
    times[1:] = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=len(times) - 1)
    splits = predictions.groupby(["repeat", "fold"], sort=False).indices.values()
    scores = []
    for rows in splits:
        truth, _, proba = matrices_of(predictions.iloc[rows])
        pairs = zip(truth.T, proba.T)
        scores.append([weighted_average_precision(*pair, codes[rows], times) for pair in pairs])
    found = np.array(scores)
    return Draws(found[:, :, 1:]), found[:, :, 0]


def weighted_average_precision(
    truth: np.ndarray, proba: np.ndarray, codes: np.ndarray, times: np.ndarray
) -> np.ndarray:
    """Return the average precision with each group counted several times, for each row of `times`.

    Only rows of other groups at or above each positive matter, so that all draws are two products
    of matrices. NaN where no positive or no negative is drawn.
    """
    known, codes = np.unique(codes, return_inverse=True)
    times = times[:, known]
    # From the most probable value of a positive to the least.
    values = np.unique(proba[truth == 1])
    if not values.size or truth.all():
        return np.full(len(times), np.nan)
    # Each row counts for the positives whose value it reaches.
    places = values.size - np.searchsorted(values, proba, side="right")
    above = np.zeros((2, values.size + 1, known.size))
    np.add.at(above[0], (places, codes), 1)
    np.add.at(above[1], (places, codes), truth)
    called, found = np.cumsum(above[:, :-1], axis=1) @ times.T
    at_value = np.diff(found, axis=0, prepend=0)
    n_positive = found[-1]
    n_rows = np.bincount(codes, minlength=known.size) @ times.T
    total = (at_value * found / np.maximum(called, 1)).sum(axis=0)
    is_scored = (n_positive > 0) & (n_positive < n_rows)
    return np.where(is_scored, total / np.maximum(n_positive, 1), np.nan)


def _percentiles(draws: np.ndarray) -> tuple[float, float]:
    """Return the ends of the 95 % interval; NaN without draws."""
    kept = draws[~np.isnan(draws)]
    if not kept.size:
        return np.nan, np.nan
    low, high = np.quantile(kept, [0.025, 0.975])
    return float(low), float(high)


class TagsResult(EvaluationResult):
    """What `evaluate` returns for tags.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row per fit, as in `EvaluationResult`; average_precision, roc_auc and f1 are means over
        the tags that have a positive and a negative in the test part, and lrap is the label
        ranking average precision of the clips that have a tag.
    predictions : pandas.DataFrame
        One row per fit and tested clip, as in `EvaluationResult`; y_true and y_pred have the tags
        of a clip with semicolons between them, and proba_* is the probability of each tag.
    manifest : dict
        Seeds, versions, weights, splits, parameters and counts; ready for JSON.
    task : Task, default=None
        As in `EvaluationResult`.
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
            One row per tag: tag, n_clips (that have it), share (in the test parts, which is the
            average precision of guessing), average_precision with the ends low and high of its
            95 % interval, roc_auc, f1, and n_splits, the test parts where it has a score; 0 and
            NaN for a tag that has none anywhere.
        """
        import pandas as pd

        protocol = next(iter(self.manifest["protocols"])) if protocol is None else protocol
        for key, name in {
            "feature": feature,
            "classifier": classifier,
            "protocol": protocol,
        }.items():
            check_choice("tag_scores", self.scores[key].unique().tolist(), **{key: name})
        rows = self.predictions.query(
            "feature == @feature and classifier == @classifier and protocol == @protocol"
        )
        splits = _score_splits(rows)
        draws, _ = resample_tags(
            rows,
            n_resamples=n_resamples,
            random_state=self.manifest["settings"]["random_state"],
        )
        n_splits = sum(~np.isnan(one["share"]) for one in splits)
        with np.errstate(invalid="ignore"):
            means = {
                name: np.where(n_splits, np.nansum([one[name] for one in splits], axis=0), np.nan)
                / n_splits
                for name in ("share", *TAG_METRICS[:3])
            }
        low, high = np.transpose([_percentiles(tag) for tag in draws.by_tag])
        tags = names_of(rows)
        counts = self.manifest["dataset"]["tags"]
        table = pd.DataFrame(
            {
                "tag": tags,
                "n_clips": [counts[tag] for tag in tags],
                "share": means["share"],
                "average_precision": means["average_precision"],
                "low": low,
                "high": high,
                "roc_auc": means["roc_auc"],
                "f1": means["f1"],
                "n_splits": n_splits,
            }
        )
        return table.sort_values("average_precision", ascending=False, ignore_index=True)


Tags.result_class = TagsResult
TAGS = register_task(Tags())

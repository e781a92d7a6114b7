"""Scores of each tag, also over draws of groups, and several tags a clip as one text."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from skmer.exceptions import InputError
from skmer.utils.messages import shorten

TAG_METRICS = ("average_precision", "roc_auc", "f1", "lrap")
# What stands between the tags of a clip in a table of predictions.
SEPARATOR = ";"
# What the columns of probabilities begin with.
PROBA = "proba_"


def indicator_matrix(y: Iterable, names: list[str]) -> np.ndarray:
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
    return indicator_matrix(
        [list(filter(None, one.split(SEPARATOR))) for one in different], [*names]
    )[inverse]


def names_of(predictions: Mapping) -> list[str]:
    """Return the names of the tags that a table of predictions has probabilities of."""
    return [key.removeprefix(PROBA) for key in predictions if str(key).startswith(PROBA)]


def matrices_of(predictions: Mapping) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which tags are true, which were predicted, and their probabilities."""
    names = names_of(predictions)
    truth, called = (split_tags(predictions[key], names) for key in ("y_true", "y_pred"))
    proba = np.column_stack([np.asarray(predictions[f"{PROBA}{name}"]) for name in names])
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


def score_splits(predictions) -> list[dict[str, np.ndarray]]:
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


def percentiles(draws: np.ndarray) -> tuple[float, float]:
    """Return the ends of the 95 % interval; NaN without draws."""
    kept = draws[~np.isnan(draws)]
    if not kept.size:
        return np.nan, np.nan
    low, high = np.quantile(kept, [0.025, 0.975])
    return float(low), float(high)

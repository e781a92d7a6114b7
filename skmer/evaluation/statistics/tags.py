"""Scores of each tag, also over draws of groups, and several tags a clip as one text."""

import numpy as np
from scipy import stats
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score
from sklearn.preprocessing import MultiLabelBinarizer

from skmer.evaluation.statistics import paired
from skmer.exceptions import InputError
from skmer.utils.messages import shorten

TAG_METRICS = ("average_precision", "roc_auc", "f1", "lrap")
# What stands between the tags of a clip in a table of predictions.
SEPARATOR = ";"
# What the columns of probabilities begin with.
PROBA = "proba_"


def indicator_matrix(y, names: list[str]) -> np.ndarray:
    """Return the indicator matrix of a list of tags for each clip."""
    rows = [set(tags) for tags in y]
    unknown = sorted(set().union(*rows) - set(names))
    if unknown:
        raise InputError(
            f"The tags y must be among 'target_names'. Got {shorten(unknown)}.", param="y"
        )
    return MultiLabelBinarizer(classes=names).fit_transform(rows)


def join_tags(matrix: np.ndarray, names) -> list[str]:
    """Return the tags of each row of an indicator matrix as one text."""
    return [SEPARATOR.join(names[i] for i in np.flatnonzero(row).tolist()) for row in matrix]


def split_tags(texts, names) -> np.ndarray:
    """Return the indicator matrix of texts that `join_tags` made."""
    different, inverse = np.unique(np.asarray(texts, dtype=str), return_inverse=True)
    tags = [list(filter(None, one.split(SEPARATOR))) for one in different]
    return indicator_matrix(tags, [*names])[inverse]


def names_of(predictions) -> list[str]:
    """Return the names of the tags that a table of predictions has probabilities of."""
    return [key.removeprefix(PROBA) for key in predictions if str(key).startswith(PROBA)]


def matrices_of(predictions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which tags are true, which were predicted, and their probabilities."""
    names = names_of(predictions)
    truth, called = (split_tags(predictions[key], names) for key in ("y_true", "y_pred"))
    proba = np.column_stack([np.asarray(predictions[f"{PROBA}{name}"]) for name in names])
    return truth, called, proba


def score_tags(predictions) -> dict[str, np.ndarray]:
    """Score each tag of the predictions of one test set.

    Returns
    -------
    scores : dict of str to ndarray of shape (n_tags,)
        average_precision, roc_auc, f1 and share, NaN for a tag without a positive or without a
        negative.
    """
    truth, called, proba = matrices_of(predictions)
    scores = {name: np.full(truth.shape[1], np.nan) for name in (*TAG_METRICS[:3], "share")}
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


def nan_mean(values, axis: int) -> np.ndarray:
    """Return means of what is not NaN; NaN where nothing is left."""
    count = (~np.isnan(values)).sum(axis=axis)
    return np.where(count, np.nansum(values, axis=axis) / np.maximum(count, 1), np.nan)


def resample_tags(predictions, *, n_resamples: int, random_state: int) -> np.ndarray:
    """Draw whole groups, or else clips, again and again, and score each tag in each split.

    A tag without a positive or a negative in a draw of a split is left out of the mean there.

    Returns
    -------
    scores : ndarray of shape (n_splits, n_tags, 1 + n_resamples)
        Average precisions: of all rows, and of each draw, of which a single group has none. NaN
        where a draw has no positive or no negative.
    """
    codes = _codes_of(predictions)
    times = _draw_groups(codes, n_resamples, np.random.default_rng(random_state))
    scores = []
    for rows in predictions.groupby(["repeat", "fold"], sort=False).indices.values():
        truth, _, proba = matrices_of(predictions.iloc[rows])
        pairs = zip(truth.T, proba.T)
        scores.append([weighted_average_precision(*pair, codes[rows], times) for pair in pairs])
    return np.array(scores)


def _codes_of(predictions) -> np.ndarray:
    """Return the number of the group, or else of the clip, of each prediction."""
    units = predictions["group" if "group" in predictions else "row"]
    return np.unique(units, return_inverse=True)[1]


def _draw_groups(codes: np.ndarray, n_resamples: int, rng) -> np.ndarray:
    """Return a row with each group once, then rows of how often each is drawn."""
    n_groups = codes.max() + 1
    times = np.ones((1 + n_resamples * (n_groups > 1), n_groups))
    times[1:] = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=len(times) - 1)
    return times


def weighted_average_precision(truth, proba, codes, times: np.ndarray) -> np.ndarray:
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


# Exchanges of groups, fewer where many rows have to be sorted for each; all of them if there are no
# more.
N_EXCHANGES, FEWEST_EXCHANGES = 4000, 200
_SORTED_AT_MOST = 50_000_000
# The truth, ranks and groups of clips, by split and tag.
_Ranked = list[list[tuple[np.ndarray, np.ndarray, np.ndarray]]]


def compare_tags(predictions, *, keys, over, random_state: int) -> paired.GroupComparison:
    """Test every two values of `keys` by groups, averaged over the columns `over`.

    The mean average precision is no sum over groups, so that it is computed anew for each exchange
    and each draw of groups. Where groups are exchanged between two sets of predictions, a clip has
    the rank that its probability has in its own set, for each tag and split, so that two sets with
    other probabilities of the same ranking are the same. Intervals are those of `compare_by_group`.
    """
    codes, rng = _codes_of(predictions), np.random.default_rng(random_state)
    n_groups = int(codes.max()) + 1
    sets = [
        [_rank(rows, codes[predictions.index.get_indexer(rows.index)]) for _, rows in models]
        for _, one in predictions.groupby(keys, sort=False)
        for models in [one.groupby(over, sort=False) if over else [(None, one)]]
    ]
    times = _draw_groups(codes, paired.N_RESAMPLES, rng)
    drawn = [np.mean([_draw(model, times) for model in models], axis=0) for models in sets]
    n_sorted = sum(truth.size for model in sets[0] for split in model for truth, *_ in split)
    signs = _exchanges(n_groups, n_sorted, rng)
    pairs = paired.pairs_of(len(sets)).T
    differences = np.transpose([drawn[first] - drawn[second] for first, second in pairs])
    pvalues = [_exchange_test(sets[first], sets[second], signs) for first, second in pairs]
    low, high = paired.wide_interval(differences[1:], n_groups)
    return paired.GroupComparison(differences[0], low, high, np.array(pvalues), n_groups)


def _exchanges(n_groups: int, n_sorted: int, rng) -> np.ndarray:
    """Return rows of which groups are exchanged; the first row exchanges none."""
    most = int(np.clip(_SORTED_AT_MOST // max(n_sorted, 1), FEWEST_EXCHANGES, N_EXCHANGES))
    if 2**n_groups <= most:
        return (np.arange(2**n_groups)[:, None] >> np.arange(n_groups) & 1).astype(bool)
    return np.concatenate([np.zeros((1, n_groups), bool), rng.random((most, n_groups)) < 0.5])


def _rank(rows, codes: np.ndarray) -> _Ranked:
    """Return truth, ranks and groups of a configuration, by split and scored tag."""
    by_split = []
    for places in rows.groupby(["repeat", "fold"], sort=False).indices.values():
        truth, _, proba = matrices_of(rows.iloc[places])
        ranks = stats.rankdata(proba, axis=0)
        scored = np.flatnonzero(truth.any(axis=0) & ~truth.all(axis=0))
        by_split.append([(truth[:, tag], ranks[:, tag], codes[places]) for tag in scored])
    return by_split


def _draw(ranked: _Ranked, times: np.ndarray) -> np.ndarray:
    """Return the mean average precision with each group counted several times."""
    by_split = [
        nan_mean([weighted_average_precision(*tag, times) for tag in split], 0) for split in ranked
    ]
    # A draw may leave a split without any tag that can be scored.
    return nan_mean(by_split, 0)


def _exchange_test(first: list[_Ranked], second: list[_Ranked], signs: np.ndarray) -> float:
    """Return the share of exchanges of groups that give as large a difference."""
    differences = np.zeros(len(signs))
    for one, other in zip(first, second):
        for split, others in zip(one, other):
            of_split = np.zeros(len(signs))
            for (truth, ranks, codes), (_, other_ranks, _) in zip(split, others):
                for start in range(0, len(signs), 100):
                    moved = signs[start : start + 100, codes]
                    here = average_precisions(truth, np.where(moved, other_ranks, ranks))
                    there = average_precisions(truth, np.where(moved, ranks, other_ranks))
                    of_split[start : start + 100] += here - there
            differences += of_split / len(split) / len(one) / len(first)
    bound = abs(differences[0]) - 1e-12
    return float(np.mean(np.abs(differences) >= bound))


def average_precisions(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return the average precision of each row of scores, as `average_precision_score` has it."""
    order = np.argsort(-scores, axis=1)
    ranked = np.take_along_axis(scores, order, axis=1)
    positive = truth[order]
    # Rows of one score are called together, so that each has the precision at the last of them.
    is_last = np.ones(ranked.shape, dtype=bool)
    is_last[:, :-1] = ranked[:, :-1] != ranked[:, 1:]
    places = np.where(is_last, np.arange(ranked.shape[1]), ranked.shape[1])
    end = np.minimum.accumulate(places[:, ::-1], axis=1)[:, ::-1]
    found = np.take_along_axis(np.cumsum(positive, axis=1), end, axis=1)
    return (positive * found / (end + 1)).sum(axis=1) / truth.sum()

"""Cluster bootstrap against closed forms and simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, r2_score, root_mean_squared_error

from skmer.evaluation import cluster_bootstrap
from skmer.evaluation.statistics import bootstrap
from skmer.evaluation.statistics.scores import concordance, correlation


def test_standard_error_is_that_of_the_group_means():
    rng = np.random.default_rng(0)
    means = rng.normal(size=40)
    values, groups = np.repeat(means, 5), np.repeat(np.arange(40), 5)
    interval = cluster_bootstrap(np.mean, values, groups=groups, random_state=0)
    assert interval.standard_error == pytest.approx(means.std() / np.sqrt(40), rel=0.05)
    assert interval.n_groups == 40
    by_rows = cluster_bootstrap(np.mean, values, random_state=0)
    assert by_rows.standard_error == pytest.approx(means.std() / np.sqrt(200), rel=0.05)


def test_two_groups_resample_into_the_enumerable_values():
    interval = cluster_bootstrap(
        np.mean, [0.0, 0.0, 3.0], groups=["a", "a", "b"], confidence_level=0.99, random_state=0
    )
    # Drawing aa, ab or ba, bb: means 0, 1, 3 with odds 1 : 2 : 1.
    assert (interval.estimate, interval.low, interval.high) == (1, 0, 3)
    assert interval.standard_error == pytest.approx(np.std([0, 1, 1, 3]), rel=0.05)


def test_standard_error_of_few_resamples_is_unbiased():
    seen = []

    def mean(values):
        seen.append(np.mean(values))
        return seen[-1]

    values = np.arange(9.0)
    interval = cluster_bootstrap(mean, values, n_resamples=3, random_state=0)
    assert interval.standard_error == pytest.approx(np.std(seen[1:4], ddof=1))
    with pytest.raises(ValueError, match="'n_resamples' parameter"):
        cluster_bootstrap(mean, values, n_resamples=1)


@pytest.mark.slow
def test_coverage_holds_with_groups_and_fails_without():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(30), 8)
    covered = {"groups": 0, "rows": 0}
    for trial in range(200):
        hit_rate = stats.beta(2, 2).rvs(30, random_state=rng)
        hits = rng.random(240) < np.repeat(hit_rate, 8)
        for name, of in (("groups", groups), ("rows", None)):
            interval = cluster_bootstrap(
                np.mean, hits, groups=of, n_resamples=300, random_state=trial
            )
            covered[name] += interval.low <= 0.5 <= interval.high
    assert covered["groups"] > 178
    assert covered["rows"] < 165


def test_takes_lists_and_frames_and_is_reproducible():
    y_true, y_pred = list("aabbaabb"), pd.Series(list("aabbabab"), index=range(8, 16))
    groups = [1, 1, 1, 1, 2, 2, 3, 3]
    first, second = (
        cluster_bootstrap(
            accuracy_score, y_true, y_pred, groups=groups, n_resamples=99, random_state=3
        )
        for _ in range(2)
    )
    assert first == second
    assert first.estimate == 0.75


def test_few_groups_and_undefined_statistics_are_refused():
    with pytest.raises(ValueError, match="two or more observations"):
        cluster_bootstrap(np.mean, [1.0, 2.0], groups=["a", "a"])
    with pytest.raises(ValueError, match="Got none"):
        cluster_bootstrap(np.mean)
    with pytest.raises(ValueError, match="Got nan for all rows"):
        cluster_bootstrap(np.mean, [1.0, np.nan])

    def spread(y, prediction):
        return r2_score(y, prediction) if np.ptp(y) else np.nan

    with pytest.raises(ValueError, match="Got nan for one resample of the groups"):
        cluster_bootstrap(spread, [1.0, 2.0, 3.0], [1.0, 2.0, 2.0], random_state=0)


@pytest.mark.parametrize(
    ("score", "direct"),
    [
        (bootstrap.R2, r2_score),
        (bootstrap.CCC, concordance),
        (bootstrap.PEARSON, correlation),
        (bootstrap.RMSE, root_mean_squared_error),
    ],
)
def test_totals_of_drawn_rows_give_the_score_of_these_rows(score, direct):
    """Of all rows the mean is 0, so that wrong terms in the means can only be seen in a draw."""
    rng = np.random.default_rng(0)
    y_true = rng.normal(3, 1, 40)
    y_pred = 0.5 * y_true + rng.normal(1, 0.5, 40)
    rows = score.summands(y_true, y_pred)
    for _ in range(5):
        drawn = rng.integers(40, size=12)
        found = score.from_totals(rows[drawn].sum(axis=0))
        assert found == pytest.approx(direct(y_true[drawn], y_pred[drawn]))


def test_a_split_of_many_rows_weighs_as_much_as_one_of_few():
    places = {"repeat": [0, 0, 0, 1], "fold": [0, 0, 0, 0], "row": [4, 5, 6, 4]}
    weights = bootstrap.equal_by_split(pd.DataFrame(places))
    np.testing.assert_allclose(weights, [1 / 3, 1 / 3, 1 / 3, 1])

"""Intervals by sums of groups are those of the cluster bootstrap over rows."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score

from skmer.evaluation import cluster_bootstrap
from skmer.evaluation.statistics.bootstrap import ACCURACY, R2, bootstrap_interval

RNG = np.random.default_rng(0)
GROUPS = np.repeat(np.arange(9), [3, 5, 2, 7, 4, 4, 6, 1, 8])
NUMBERS = 1e4 + RNG.normal(size=(2, GROUPS.size)) + RNG.normal(size=9)[GROUPS]
LABELS = RNG.choice(["calm", "sad"], size=(2, GROUPS.size))


@pytest.mark.parametrize(
    ("metric", "score", "y"), [(accuracy_score, ACCURACY, LABELS), (r2_score, R2, NUMBERS)]
)
def test_same_as_the_bootstrap_over_rows(metric, score, y):
    estimate, low, high = bootstrap_interval(score, *y, GROUPS, n_resamples=300, random_state=7)
    expected = cluster_bootstrap(metric, *y, groups=GROUPS, n_resamples=300, random_state=7)
    assert estimate == pytest.approx(expected.estimate)
    assert (low, high) == pytest.approx((expected.low, expected.high))
    assert low < estimate < high


def test_one_group_has_no_interval():
    estimate, low, high = bootstrap_interval(
        ACCURACY, *LABELS, np.zeros(GROUPS.size), n_resamples=10, random_state=0
    )
    assert estimate == accuracy_score(*LABELS)
    assert np.isnan([low, high]).all()


def test_two_groups_have_an_interval():
    codes = (GROUPS > 4).astype(int)
    _, low, high = bootstrap_interval(ACCURACY, *LABELS, codes, n_resamples=99, random_state=0)
    correct = LABELS[0] == LABELS[1]
    each = sorted(correct[codes == code].mean() for code in (0, 1))
    assert (low, high) == pytest.approx(each)


def test_a_weight_counts_as_so_many_rows():
    weights = RNG.integers(1, 4, GROUPS.size)
    run = {"n_resamples": 50, "random_state": 1}
    weighted = bootstrap_interval(R2, *NUMBERS, GROUPS, weights=weights, **run)
    repeated = bootstrap_interval(
        R2, *np.repeat(NUMBERS, weights, axis=1), np.repeat(GROUPS, weights), **run
    )
    assert weighted == pytest.approx(repeated)

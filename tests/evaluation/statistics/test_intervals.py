"""Intervals by sums of groups are those of the cluster bootstrap over rows."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score

from skmer.evaluation import cluster_bootstrap
from skmer.evaluation.statistics._intervals import (
    accuracy_of_sums,
    interval_of_sums,
    r2_of_sums,
    sums_of_accuracy,
    sums_of_r2,
)

RNG = np.random.default_rng(0)
GROUPS = np.repeat(np.arange(9), [3, 5, 2, 7, 4, 4, 6, 1, 8])
NUMBERS = 1e4 + RNG.normal(size=(2, GROUPS.size)) + RNG.normal(size=9)[GROUPS]
LABELS = RNG.choice(["calm", "sad"], size=(2, GROUPS.size))


@pytest.mark.parametrize(
    ("metric", "sums_of_score", "score_of_sums", "y"),
    [
        (accuracy_score, sums_of_accuracy, accuracy_of_sums, LABELS),
        (r2_score, sums_of_r2, r2_of_sums, NUMBERS),
    ],
)
def test_same_as_the_bootstrap_over_rows(metric, sums_of_score, score_of_sums, y):
    estimate, low, high = interval_of_sums(
        score_of_sums, sums_of_score(*y), GROUPS, n_resamples=300, random_state=7
    )
    expected = cluster_bootstrap(metric, *y, groups=GROUPS, n_resamples=300, random_state=7)
    assert estimate == pytest.approx(expected.estimate)
    assert (low, high) == pytest.approx((expected.low, expected.high))
    assert low < estimate < high


def test_one_group_has_no_interval():
    rows = sums_of_accuracy(*LABELS)
    estimate, low, high = interval_of_sums(
        accuracy_of_sums, rows, np.zeros(len(rows)), n_resamples=10, random_state=0
    )
    assert estimate == accuracy_score(*LABELS)
    assert np.isnan([low, high]).all()

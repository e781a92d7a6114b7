"""Two configurations, split by split."""

import numpy as np
import pytest

from skmer.evaluation import PairedComparisonDisplay, corrected_resampled_ttest


def test_paired_comparison_shows_every_split_and_the_test(scores):
    first, second = (
        {"feature": feature, "classifier": "svm", "protocol": "grouped"}
        for feature in ("mfcc", "l3")
    )
    display = PairedComparisonDisplay.from_frame(
        scores.sample(frac=1, random_state=0), first, second
    )
    indexed = scores.set_index(["feature", "classifier", "protocol"]).sort_index()
    a, b = (
        indexed.loc[tuple(choice.values())].sort_values(["repeat", "fold"])["accuracy"].to_numpy()
        for choice in (first, second)
    )
    np.testing.assert_allclose(display.points_.get_offsets(), np.column_stack([a, b]))
    np.testing.assert_allclose(display.mean_.get_offsets(), [[a.mean(), b.mean()]])
    test = corrected_resampled_ttest(b, a, n_train=80, n_test=20)
    assert display.test == test
    title = display.ax_.get_title()
    assert title.startswith(f"l3 minus mfcc: {b.mean() - a.mean():+.3f}")
    assert f"p = {test.pvalue:.2g}" in title
    assert display.ax_.get_xlabel() == "accuracy, mfcc"


def test_paired_comparison_is_the_same_either_way_round_with_unequal_training_sizes(scores):
    scores = scores[scores["protocol"] == "grouped"].copy()
    scores.loc[scores["classifier"] == "rf", "n_train"] = 70
    pair = [{"feature": "l3", "classifier": name} for name in ("svm", "rf")]
    there = PairedComparisonDisplay.from_frame(scores, *pair).test
    back = PairedComparisonDisplay.from_frame(scores, *pair[::-1]).test
    assert there.pvalue == back.pvalue
    assert there.difference == -back.difference
    equal = PairedComparisonDisplay.from_frame(scores.assign(n_train=80), *pair).test
    assert there.standard_error > equal.standard_error


def test_paired_comparison_of_arrays_and_of_equal_scores(ax):
    display = PairedComparisonDisplay([0.5, 0.5], [0.5, 0.5], ["512", "6144"]).plot(ax)
    assert display.ax_ is ax
    assert "6144 minus 512: +0.000" in ax.get_title()


def test_paired_comparison_needs_one_score_a_split(scores):
    with pytest.raises(ValueError, match="'first' parameter must pick one score a split"):
        PairedComparisonDisplay.from_frame(scores, {"feature": "l3"}, {"feature": "mfcc"})
    with pytest.raises(ValueError, match="scored on the same splits"):
        PairedComparisonDisplay.from_frame(
            scores,
            {"feature": "l3", "classifier": "svm", "protocol": "grouped"},
            {"feature": "l3", "classifier": "svm", "protocol": "koh2021"},
        )

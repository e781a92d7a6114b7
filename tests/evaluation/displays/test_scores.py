"""Bars of scores, the gap between protocols, and two configurations, against the numbers."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from skmer.evaluation import (
    AccuracyBarsDisplay,
    GapDisplay,
    PairedComparisonDisplay,
    corrected_resampled_ttest,
)


def test_accuracy_bars_are_the_means_in_the_studys_order_and_colours(scores):
    display = AccuracyBarsDisplay.from_frame(scores, protocol="grouped", chance=0.25)
    assert display.features == ["l3", "mfcc", "my own"]
    assert display.classifiers == ["svm", "rf"]
    means = scores[scores["protocol"] == "grouped"].groupby(["feature", "classifier"])["accuracy"]
    for feature, bars in display.bars_.items():
        for classifier, bar in zip(display.classifiers, bars):
            assert bar.get_height() == pytest.approx(means.mean()[feature, classifier])
        spread = means.std()[feature, "svm"]
        low, high = bars.errorbar.lines[2][0].get_segments()[0][:, 1]
        assert high - low == pytest.approx(2 * spread)
    colours = {feature: to_hex(bars[0].get_facecolor()) for feature, bars in display.bars_.items()}
    assert (colours["l3"], colours["mfcc"]) == ("#0072b2", "#009e73")
    assert len(set(colours.values())) == 3
    assert [text.get_text() for text in display.ax_.get_xticklabels()] == ["SVM", "RF"]
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == [
        "L3-Net",
        "MFCC",
        "my own",
    ]
    assert display.ax_.lines[-1].get_ydata() == [0.25, 0.25]
    assert "standard deviation" in display.ax_.get_xlabel()


def test_accuracy_bars_of_intervals(ax):
    intervals = pd.DataFrame(
        {
            "feature": ["l3", "mfcc"],
            "classifier": ["svm", "svm"],
            "protocol": ["grouped", "grouped"],
            "accuracy": [0.7, 0.5],
            "low": [0.6, 0.45],
            "high": [0.75, 0.6],
        }
    )
    display = AccuracyBarsDisplay.from_frame(intervals, ax=ax)
    assert display.ax_ is ax
    segment = display.bars_["l3"].errorbar.lines[2][0].get_segments()[0]
    np.testing.assert_allclose(segment[:, 1], [0.6, 0.75])


def test_a_protocol_must_be_chosen_and_must_be_there(scores):
    with pytest.raises(
        ValueError, match=r"'protocol' parameter of the display must be one of 'koh2021', 'grou"
    ):
        AccuracyBarsDisplay.from_frame(scores)
    with pytest.raises(ValueError, match="Got 'other'"):
        AccuracyBarsDisplay.from_frame(scores, protocol="other")


def test_gap_joins_the_means_of_the_two_protocols(scores):
    display = GapDisplay.from_frame(scores)
    means = scores.groupby(["feature", "classifier", "protocol"])["accuracy"].mean()
    assert display.names[0] == "L3-Net + SVM"
    assert len(display.names) == 6
    assert display.random[0] == pytest.approx(means["l3", "svm", "koh2021"])
    assert display.grouped[0] == pytest.approx(means["l3", "svm", "grouped"])
    np.testing.assert_allclose(display.random_.get_offsets()[:, 0], display.random)
    np.testing.assert_allclose(
        [segment[:, 0] for segment in display.lines_.get_segments()],
        np.column_stack([display.grouped, display.random]),
    )
    assert f"{display.gaps[0]:+.2f}" in {text.get_text() for text in display.ax_.texts}


def test_gap_needs_both_protocols(scores):
    with pytest.raises(ValueError, match="'protocol' parameter of the display must be one of"):
        GapDisplay.from_frame(scores[scores["protocol"] == "grouped"])
    half = scores[(scores["protocol"] == "grouped") == (scores["feature"] == "l3")]
    with pytest.raises(ValueError, match="was scored by both 'koh2021' and 'grouped'"):
        GapDisplay.from_frame(half)


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

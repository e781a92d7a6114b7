"""Bars of scores, and the gap between protocols, against the numbers they are drawn from."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from skmer.evaluation import AccuracyBarsDisplay, GapDisplay


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

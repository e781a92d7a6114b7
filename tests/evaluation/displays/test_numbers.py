"""Curves of one clip with an interval from the others, and the plane of arousal and valence."""

import numpy as np
import pandas as pd
import pytest

from skmer.evaluation import CurveDisplay, QuadrantDisplay
from skmer.evaluation.displays.numbers import curves_of
from skmer.exceptions import InputError


@pytest.fixture
def predictions():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        [
            (row, repeat, 15 + moment / 2)
            for row in range(40)
            for repeat in (0, 1)
            for moment in range(9)
        ],
        columns=["row", "repeat", "time"],
    )
    truth = {key: rng.normal() for key in set(zip(table["row"], table["time"]))}
    table["y_true"] = [truth[key] for key in zip(table["row"], table["time"])]
    table["y_pred"] = table["y_true"] + rng.normal(scale=0.1, size=len(table))
    return table.assign(feature="a", regressor="ridge", target="arousal", protocol="grouped")


def test_one_clip(predictions):
    display = CurveDisplay.from_frame(predictions, row=3)
    mine = predictions[predictions["row"] == 3].groupby("time")
    assert display.times.tolist() == [15 + moment / 2 for moment in range(9)]
    assert np.allclose(display.lines_["annotated"].get_ydata(), mine["y_true"].first())
    assert np.allclose(display.lines_["predicted"].get_ydata(), mine["y_pred"].mean())
    low, high = display.intervals
    means = predictions.groupby(["row", "time"])[["y_true", "y_pred"]].mean().reset_index()
    errors = (means["y_true"] - means["y_pred"]).abs()[means["row"] != 3]
    assert np.allclose(high - low, 2 * np.quantile(errors, 0.95))
    assert display.ax_.get_ylabel() == "arousal"


def test_the_interval_holds_as_many_moments_as_it_says(predictions):
    inside = []
    for curve in curves_of(predictions, level=0.8).values():
        low, high = curve.interval
        inside += ((low <= curve.y_true) & (curve.y_true <= high)).tolist()
    assert np.mean(inside) == pytest.approx(0.8, abs=0.03)


def test_what_is_not_there(predictions):
    with pytest.raises(InputError, match="row"):
        CurveDisplay.from_frame(predictions, row=99)
    two = pd.concat([predictions, predictions.assign(target="valence")])
    with pytest.raises(InputError, match="target"):
        CurveDisplay.from_frame(two, row=3)
    assert CurveDisplay.from_frame(two, row=3, target="valence").name == "valence"
    with pytest.raises(ValueError, match="unequal size"):
        CurveDisplay([0, 1], [0, 1], [0, 1], intervals=[[0, 1, 2], [1, 2, 3]]).plot()


def test_quadrants_and_their_labels(drawn):
    valence, arousal = [0.5, -0.5, -0.5, 0.5, 0.0], [0.4, 0.4, -0.4, -0.4, 0.0]
    labels = ["glad", "$", "sad", "calm", "sad"]
    display = QuadrantDisplay(valence, arousal, labels=labels).plot()
    assert display.quadrants().tolist() == ["Q1", "Q2", "Q3", "Q4", "Q3"]
    assert {"glad", "$", "Q1", "valence", "arousal"} <= set(drawn(display))
    np.testing.assert_array_equal(
        display.scatters_["sad"].get_offsets(), [[-0.5, -0.4], [0.0, 0.0]]
    )
    (left, right), (low, high) = display.ax_.get_xlim(), display.ax_.get_ylim()
    assert (right, high) == (-left, -low)
    five = QuadrantDisplay([4, 6], [6, 6], center=(5, 5))
    assert five.quadrants().tolist() == ["Q2", "Q1"]


def test_quadrants_of_repeated_predictions_have_means_and_intervals():
    rng = np.random.default_rng(0)
    clips = np.repeat([3, 1, 2], 200)
    valence = np.repeat([0.5, -0.5, 0.1], 200) + 0.1 * rng.normal(size=600)
    arousal = np.repeat([-0.2, 0.2, 0.0], 200) + 0.01 * rng.normal(size=600)
    order = rng.permutation(600)
    display = QuadrantDisplay.from_predictions(
        valence[order], arousal[order], clips[order], labels=np.array(list("abc"))[clips[order] - 1]
    )
    np.testing.assert_allclose(display.valence, [-0.5, 0.1, 0.5], atol=0.03)
    np.testing.assert_allclose(display.arousal, [0.2, 0.0, -0.2], atol=0.003)
    assert display.labels.tolist() == ["a", "b", "c"]
    width = display.intervals[:, 1] - display.intervals[:, 0]
    np.testing.assert_allclose(width[0], 2 * 1.96 * 0.1, rtol=0.2)
    np.testing.assert_allclose(width[1], 2 * 1.96 * 0.01, rtol=0.2)


def test_quadrants_refuse_intervals_of_another_shape():
    with pytest.raises(ValueError, match="broadcast"):
        QuadrantDisplay([0, 1, 2], [0, 1, 2], intervals=np.zeros((2, 3))).plot()

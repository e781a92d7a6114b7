"""Curves of one clip, with the truth and an interval from the errors of the others."""

import numpy as np
import pandas as pd
import pytest

from skmer.evaluation import CurveDisplay
from skmer.evaluation.displays.curves import curves_of
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

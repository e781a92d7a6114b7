"""The plane of arousal and valence."""

import numpy as np
import pytest

from skmer.evaluation import QuadrantDisplay


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

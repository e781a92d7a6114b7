"""Scores by hand, and where classes or a spread are missing."""

import numpy as np
import pytest

from skmer.evaluation.statistics.scores import (
    classification_scores,
    concordance,
    dynamic_scores,
    regression_scores,
)


def test_classification_by_hand():
    # Of three a two are found, of one b one; c is predicted and never there.
    scores = classification_scores(np.array(list("aaab")), np.array(list("aacb")))
    assert scores == pytest.approx(
        {
            "accuracy": 3 / 4,
            "f1_macro": (0.8 + 1 + 0) / 3,
            "f1_weighted": (3 * 0.8 + 1) / 4,
            "balanced_accuracy": (2 / 3 + 1) / 2,
        }
    )


def test_regression_by_hand():
    scores = regression_scores(np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0]))
    assert scores == pytest.approx({"r2": -0.5, "ccc": 4 / 3 / (4 / 3 + 1), "rmse": 1})
    assert concordance(np.ones(3), np.ones(3)) == 0
    assert concordance(np.ones(3), np.arange(3.0)) == 0


def test_scores_by_song_are_means_over_songs():
    songs = np.array([0, 0, 1, 1, 1])
    y = np.array([0.0, 1.0, 0.0, 1.0, 2.0])
    pred = np.array([0.0, 1.0, 1.0, 1.0, 1.0])
    scores = dynamic_scores(y, pred, songs)
    assert scores["r2_song"] == pytest.approx((1 + 0) / 2)
    assert scores["rmse_song"] == pytest.approx((0 + np.sqrt(2 / 3)) / 2)
    assert scores["r2"] == pytest.approx(regression_scores(y, pred)["r2"])
    assert list(scores) == ["r2", "ccc", "rmse", "r2_song", "ccc_song", "rmse_song"]

"""Scores by hand, and where classes or a spread are missing."""

import numpy as np
import pytest
from scipy import stats

from skmer.evaluation.statistics.bootstrap import PEARSON
from skmer.evaluation.statistics.scores import (
    classification_scores,
    concordance,
    dynamic_scores,
    regression_scores,
    song_scores,
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
    expected = {"r2": -0.5, "ccc": 4 / 3 / (4 / 3 + 1), "rmse": 1, "pearson": 1, "spearman": 1}
    assert scores == pytest.approx(expected)
    rng = np.random.default_rng(0)
    y, pred = rng.normal(size=50), rng.normal(size=50).round(1)
    scores = regression_scores(y, pred)
    assert scores["pearson"] == pytest.approx(stats.pearsonr(y, pred).statistic)
    assert scores["spearman"] == pytest.approx(stats.spearmanr(y, pred).statistic)
    assert float(PEARSON.from_totals(PEARSON.summands(y, pred).sum(axis=0))) == pytest.approx(
        scores["pearson"]
    )
    constant = regression_scores(y, np.ones(50))
    assert (constant["pearson"], constant["spearman"]) == (0, 0)
    assert float(PEARSON.from_totals(PEARSON.summands(y, np.ones(50)).sum(axis=0))) == 0
    assert concordance(np.ones(3), np.ones(3)) == 0
    assert concordance(np.ones(3), np.arange(3.0)) == 0


def test_scores_by_song():
    songs = np.array([0, 0, 1, 1, 1])
    y = np.array([0.0, 1.0, 0.0, 1.0, 2.0])
    pred = np.array([0.0, 1.0, 1.0, 1.0, 1.0])
    scores = dynamic_scores(y, pred, songs)
    # Of the movement within songs, 1/2 and 2, what is not explained is 0 and 2.
    assert scores["r2_song"] == pytest.approx(1 - 2 / 2.5)
    assert scores["pearson_song"] == pytest.approx((1 + 0) / 2)
    assert scores["rmse_song"] == pytest.approx((0 + np.sqrt(2 / 3)) / 2)
    assert scores["r2"] == pytest.approx(regression_scores(y, pred)["r2"])
    names = ["r2", "ccc", "rmse", "pearson", "spearman"]
    assert list(scores) == [*names, *(f"{name}_song" for name in names)]


def test_a_song_that_hardly_moves_decides_nothing():
    y = np.r_[np.linspace(-1, 1, 20), 0.5 + 1e-3 * np.linspace(-1, 1, 20)]
    songs = np.repeat([0, 1], 20)
    pred = y + 0.1
    scores = dynamic_scores(y, pred, songs)
    assert scores["r2_song"] > 0.9
    still = song_scores(y[20:], pred[20:], y.std())
    assert np.isnan(still["r2"])
    assert still["rmse"] == pytest.approx(0.1)
    assert song_scores(y[:20], pred[:20], y.std())["r2"] > 0.9


def test_whether_a_song_moves_is_judged_by_the_spread_of_all():
    y = np.array([-1.0, 1.0])
    assert song_scores(y, y, 10.0)["r2"] == 1
    assert np.isnan(song_scores(y, y, 10.1)["r2"])


def test_one_song_and_songs_that_do_not_move():
    y = np.array([0.0, 1.0, 2.0])
    alone = dynamic_scores(y, y + 1, np.zeros(3))
    assert alone["r2_song"] == alone["r2"] == pytest.approx(1 - 3 / 2)
    assert dynamic_scores(np.zeros(4), np.ones(4), np.repeat([0, 1], 2))["r2_song"] == 0

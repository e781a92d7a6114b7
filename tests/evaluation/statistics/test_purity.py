"""Neighbour purity against counting, and what t-SNE keeps of planted groups."""

import numpy as np
import pytest

from skmer.evaluation import neighbor_purity, tsne_purity
from skmer.exceptions import InputError


def test_purity_is_the_share_that_counting_finds():
    rng = np.random.default_rng(0)
    points, labels = rng.normal(size=(30, 3)), rng.integers(0, 3, size=30)
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    np.fill_diagonal(distances, np.inf)
    shares = [np.mean(labels[np.argsort(distances[row])[:4]] == labels[row]) for row in range(30)]
    assert neighbor_purity(points, labels, n_neighbors=4) == pytest.approx(np.mean(shares))


def test_purity_of_an_unordered_map_is_chance():
    rng = np.random.default_rng(1)
    points, labels = rng.normal(size=(600, 2)), np.repeat(["a", "b", "c"], [300, 200, 100])
    chance = (300 * 299 + 200 * 199 + 100 * 99) / (600 * 599)
    assert neighbor_purity(points, labels) == pytest.approx(chance, abs=0.03)


def test_tsne_keeps_planted_groups_at_every_perplexity():
    rng = np.random.default_rng(2)
    singer = np.repeat(np.arange(4), 12)
    emotion = np.tile([0, 1, 2], 16)
    X = rng.normal(size=(48, 6)) + 9 * rng.normal(size=(4, 6))[singer]
    table = tsne_purity(X, {"emotion": emotion, "singer": singer}, [4, 8], n_neighbors=5)
    assert list(table.columns) == ["perplexity", "label", "purity", "chance"]
    assert table["perplexity"].tolist() == [4, 4, 8, 8]
    of = table.set_index(["label", "perplexity"])
    assert (of.loc["singer", "purity"] > 0.9).all()
    assert (of.loc["emotion", "purity"] < 0.5).all()
    assert of.loc[("singer", 4), "chance"] == pytest.approx(11 / 47)
    assert of.loc[("emotion", 8), "chance"] == pytest.approx(15 / 47)


def test_features_that_no_map_can_be_made_of_do_not_reach_scikit_learn(monkeypatch):
    def fail(**parameters):
        pytest.fail("scikit-learn's t-SNE was called")

    monkeypatch.setattr("sklearn.manifold.TSNE", fail)
    with pytest.raises(InputError, match="rows that differ"):
        tsne_purity(np.ones((12, 2)), {"a": range(12)}, [5])


def test_the_old_name_warns():
    with pytest.warns(DeprecationWarning, match="neighbor_purity"):
        from skmer.evaluation import neighbour_purity
    assert neighbour_purity is neighbor_purity

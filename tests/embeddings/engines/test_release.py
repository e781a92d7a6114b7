"""Networks that are kept are freed on demand, and loaded again when they are used again."""

import weakref

import numpy as np

from skmer.embeddings import MusiCNNTransformer, release_networks
from skmer.embeddings import engines as _engines


def test_released_networks_are_loaded_again():
    X = [np.random.default_rng(0).standard_normal(48000)]
    musicnn = MusiCNNTransformer(weights=None, random_state=0, engine="numpy").fit(X)
    before = musicnn.transform(X)
    kept = weakref.ref(next(reversed(_engines._engines.values())))
    release_networks()
    assert not _engines._engines
    assert kept() is None
    np.testing.assert_array_equal(musicnn.transform(X), before)

"""Random weights: the same for a seed everywhere, of a sane scale, cheap to name."""

import numpy as np
import pytest

from skmer.embeddings import loading as _load
from skmer.embeddings.loading import (
    l3_weights_digest,
    load_l3_weights,
    load_vggish_pca,
    load_vggish_weights,
    vggish_weights_digest,
)
from skmer.embeddings.readers import L3_SHAPES, VGGISH_SHAPES

SETTINGS = {"content_type": "music", "input_repr": "mel256"}


def test_values_are_the_same_on_every_machine():
    arrays = load_l3_weights(None, **SETTINGS, random_state_seed=7).arrays
    assert [array.shape for array in arrays] == [shape for _, shape in L3_SHAPES]
    # 16-bit integers of a documented stream, times the bound of He's uniform distribution
    first = arrays[4].ravel()[:4] / (np.sqrt(6 / 9) / 2**15)
    last = arrays[-2].ravel()[-3:] / (np.sqrt(6 / (9 * 512)) / 2**15)
    np.testing.assert_allclose(first, [19083, -3611, 16809, -24570], rtol=1e-6)
    np.testing.assert_allclose(last, [-21224, -21637, 20826], rtol=1e-6)


def test_seed_decides():
    first, again, other = (
        load_l3_weights(None, **SETTINGS, random_state_seed=seed) for seed in (3, 3, 4)
    )
    assert (first.digest, first.label) == ("random-3", "random (seed 3)")
    for one, two in zip(first.arrays, again.arrays, strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(first.arrays[4], other.arrays[4])


def test_digest_is_known_without_drawing(monkeypatch):
    def refuse(seed):
        raise AssertionError("drawn")

    monkeypatch.setattr(_load, "random_l3_weights", refuse)
    monkeypatch.setattr(_load, "random_vggish_weights", refuse)
    assert l3_weights_digest(None, **SETTINGS, random_state_seed=3) == "random-3"
    assert vggish_weights_digest(None, seed=12) == "random-12"


def test_scale_holds_through_rectified_layers():
    kernels = [
        array
        for array, (role, _) in zip(
            load_l3_weights(None, **SETTINGS, random_state_seed=0).arrays, L3_SHAPES, strict=True
        )
        if role == "kernel"
    ]
    # each layer seen as a plain product of the fan-in: mean square in, mean square out
    rng = np.random.default_rng(0)
    signal = rng.standard_normal((200, 9)).astype(np.float32)
    for kernel in kernels:
        matrix = kernel.reshape(-1, kernel.shape[-1])
        if signal.shape[1] != matrix.shape[0]:
            signal = rng.permuted(np.tile(signal, 9), axis=1)
        signal = np.maximum(signal @ matrix, 0)
    assert 0.1 < np.sqrt(np.mean(signal**2)) < 10


def test_vggish_random_has_a_pca_that_keeps_the_scale(monkeypatch):
    vectors, means = load_vggish_pca(None, seed=1)
    assert vectors.shape == (128, 128)
    assert means.shape == (128, 1)
    rng = np.random.default_rng(0)
    out = vectors @ (rng.standard_normal((128, 500)) - means)
    assert out.std() == pytest.approx(1, rel=0.1)


def test_vggish_random_is_drawn_once_while_it_is_in_use():
    loaded = load_vggish_weights(None, seed=2)
    assert load_vggish_weights(None, seed=2) is loaded
    assert [array.shape for array in loaded.arrays] == [shape for _, shape in VGGISH_SHAPES]
    assert sum(array.size for array in loaded.arrays) == 72_141_184
    np.testing.assert_array_equal(loaded.pca[0], load_vggish_pca(None, seed=2)[0])

"""Seeded random weights with batch normalisation that matters, and an independent reference."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

L3_WIDTHS = (1, 64, 64, 128, 128, 256, 256, 512, 512)
VGGISH_SHAPES = (
    (3, 3, 1, 64),
    (3, 3, 64, 128),
    (3, 3, 128, 256),
    (3, 3, 256, 256),
    (3, 3, 256, 512),
    (3, 3, 512, 512),
    (12288, 4096),
    (4096, 4096),
    (4096, 128),
)
INPUT_SHAPES = {"linear": (257, 197), "mel128": (128, 199), "mel256": (256, 199)}


def _kernel(rng, shape):
    limit = np.float32(np.sqrt(6 / np.prod(shape[:-1])))
    # A prime number of draws, repeated: quicker than 72 million.
    draws = (rng.random(1_000_003, dtype=np.float32) * 2 - 1) * limit
    return np.resize(draws, shape)


def _norm(rng, size, mean, variance):
    gamma, beta = rng.uniform(0.7, 1.3, size), rng.normal(0, 0.2, size)
    moments = rng.normal(mean, 0.1, size), variance * rng.uniform(0.7, 1.3, size)
    return [array.astype(np.float32) for array in (gamma, beta, *moments)]


@pytest.fixture(scope="session")
def l3_weights():
    rng = np.random.default_rng(1)
    arrays = _norm(rng, 1, -40, 400)
    for index, pair in enumerate(itertools.pairwise(L3_WIDTHS)):
        arrays += [_kernel(rng, (3, 3, *pair)), rng.normal(0, 0.1, pair[1]).astype(np.float32)]
        if index < 7:
            arrays += _norm(rng, pair[1], 0, 1)
    return tuple(arrays)


@pytest.fixture(scope="session")
def vggish_weights():
    rng = np.random.default_rng(2)
    arrays = []
    for shape in VGGISH_SHAPES:
        arrays += [_kernel(rng, shape), rng.normal(0, 0.1, shape[-1]).astype(np.float32)]
    return tuple(arrays)


def l3_frames(n, shape, seed=0):
    """Frames in decibels: a tone, its partials and noise."""
    rng = np.random.default_rng(seed)
    frames = -60 * rng.random((n, *shape))
    frames[:, :: rng.integers(7, 15)] += 30
    frames -= frames.max(axis=(1, 2), keepdims=True)
    return np.maximum(frames, -80).astype(np.float32)


def vggish_frames(n, seed=0):
    return np.random.default_rng(seed).uniform(-4.6, 2, (n, 96, 64)).astype(np.float32)


def _convolve(maps, kernel, bias):
    """3x3 'same' convolution as nine matrix products, float64."""
    height, width, _ = maps.shape
    padded = np.pad(maps, ((1, 1), (1, 1), (0, 0)))
    total = np.zeros((height, width, bias.size)) + bias
    for row in range(3):
        for column in range(3):
            total += padded[row : row + height, column : column + width] @ kernel[row, column]
    return total


def _pool(maps, height, width):
    """Maximum over cells, what does not fill a cell dropped."""
    rows, columns = maps.shape[0] // height, maps.shape[1] // width
    cells = maps[: rows * height, : columns * width]
    return cells.reshape(rows, height, columns, width, -1).max(axis=(1, 3))


def _normalize(maps, gamma, beta, mean, variance):
    return (maps - mean) / np.sqrt(variance + 1e-3) * gamma + beta


def l3_reference(frame, arrays):
    """L3-Net on one mel128 frame, layer by layer as published, nothing folded, float64."""
    arrays = [array.astype(np.float64) for array in arrays]
    maps = _normalize(frame[..., np.newaxis].astype(np.float64), *arrays[:4])
    for index in range(8):
        start = 4 + 6 * index
        maps = _convolve(maps, *arrays[start : start + 2])
        if index < 7:
            maps = np.maximum(_normalize(maps, *arrays[start + 2 : start + 6]), 0)
        if index in (1, 3, 5):
            maps = _pool(maps, 2, 2)
    assert maps.shape == (16, 24, 512)
    return _pool(maps, 4, 8).ravel()


def vggish_reference(frame, arrays):
    """VGGish on one example, float64."""
    maps = frame[..., np.newaxis].astype(np.float64)
    for index in range(6):
        kernel, bias = (array.astype(np.float64) for array in arrays[2 * index : 2 * index + 2])
        maps = np.maximum(_convolve(maps, kernel, bias), 0)
        if index in (0, 1, 3, 5):
            maps = _pool(maps, 2, 2)
    row = maps.ravel()
    assert row.size == 12288
    for kernel, bias in zip(arrays[12::2], arrays[13::2]):
        row = row @ kernel + bias
        if bias.size == 4096:
            row = np.maximum(row, 0)
    return row


def largest_difference(a, b):
    """Largest difference in units of the largest value."""
    return np.abs(a - b).max() / np.abs(b).max()


def lowest_cosine(a, b):
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return ((a * b).sum(axis=1) / norms).min()


@pytest.fixture(scope="session")
def tools():
    """The functions above: test modules are not importable from one another."""
    return SimpleNamespace(
        input_shapes=INPUT_SHAPES,
        l3_frames=l3_frames,
        vggish_frames=vggish_frames,
        l3_reference=l3_reference,
        vggish_reference=vggish_reference,
        largest_difference=largest_difference,
        lowest_cosine=lowest_cosine,
    )

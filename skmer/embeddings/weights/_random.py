"""Random weights that are the same for a seed on every machine and with every numpy."""

from math import prod, sqrt

import numpy as np

from skmer.embeddings.weights._arrays import (
    L3_SHAPES,
    PCA_SHAPES,
    VGGISH_SHAPES,
    L3Weights,
    VGGishWeights,
)

# The first batch normalisation stands before decibels between -80 and 0: these bring them to
# about zero mean and unit variance, so that He's scaling holds from there on.
_L3_INPUT_NORM = {"gamma": 1.0, "beta": 0.0, "moving mean": -40.0, "moving variance": 400.0}
_L3_NORM = {"gamma": 1.0, "beta": 0.0, "moving mean": 0.0, "moving variance": 1.0, "bias": 0.0}


def random_digest(seed: int) -> str:
    """The digest of random weights, known without drawing them."""
    return f"random-{seed}"


def uniform(bits: np.random.PCG64, shape: tuple[int, ...], limit: float) -> np.ndarray:
    """Read-only float32 uniform in [-limit, limit), 16 bits each.

    Made from the raw stream, which numpy keeps the same for ever; those of its Generator it may
    change.
    """
    size = prod(shape)
    raw = bits.random_raw(-(-size // 4)).astype("<u8", copy=False).view("<i2")[:size]
    array = raw.astype(np.float32)
    array *= np.float32(limit / 2**15)
    array.setflags(write=False)
    return array.reshape(shape)


def constant(shape: tuple[int, ...], value: float) -> np.ndarray:
    """Read-only float32 filled with one value."""
    array = np.full(shape, value, dtype=np.float32)
    array.setflags(write=False)
    return array


def he_limit(shape: tuple[int, ...]) -> float:
    """Bound of the uniform distribution that keeps the scale through a rectified layer [He2015]."""
    return sqrt(6 / prod(shape[:-1]))


def random_l3_weights(seed: int) -> L3Weights:
    """L3-Net with random kernels."""
    bits = np.random.PCG64(seed)
    arrays = []
    for position, (role, shape) in enumerate(L3_SHAPES):
        if role == "kernel":
            arrays.append(uniform(bits, shape, he_limit(shape)))
        else:
            arrays.append(constant(shape, (_L3_INPUT_NORM if position < 4 else _L3_NORM)[role]))
    return L3Weights(tuple(arrays), random_digest(seed), f"random (seed {seed})")


def random_vggish_weights(seed: int) -> VGGishWeights:
    """VGGish with random kernels, and a random matrix in the place of its PCA."""
    bits = np.random.PCG64(seed)
    arrays = tuple(
        uniform(bits, shape, he_limit(shape)) if len(shape) > 1 else constant(shape, 0.0)
        for _, shape in VGGISH_SHAPES
    )
    label = f"random (seed {seed})"
    return VGGishWeights(arrays, random_digest(seed), label, random_vggish_pca(seed))


def random_vggish_pca(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(eigen_vectors, means) that leave the scale of an embedding about as it is."""
    (_, eigen_shape), (_, mean_shape) = PCA_SHAPES
    # a stream of its own, so that it can be had without the network's arrays
    bits = np.random.PCG64([seed, 1])
    return uniform(bits, eigen_shape, sqrt(3 / eigen_shape[1])), constant(mean_shape, 0.0)

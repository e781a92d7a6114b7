"""What MusiCNN's arrays look like, the digests of the published ones, and random ones."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from skmer.embeddings.weights._arrays import finish
from skmer.embeddings.weights._random import constant, he_limit, random_digest, uniform

_CONVOLUTIONS = (
    (7, 38, 1, 204), (7, 67, 1, 204), (128, 1, 1, 51), (64, 1, 1, 51), (32, 1, 1, 51),
    (7, 561, 1, 64), (7, 64, 1, 64), (7, 64, 1, 64),
)  # fmt: skip
_DENSE = ((1506, 200), (200, 50))
_NORMALISED = (1, 204, 204, 51, 51, 51, 64, 64, 64, 1506, 200)
_NORM = {"beta": 0.0, "gamma": 1.0, "moving_mean": 0.0, "moving_variance": 1.0}
# The first normalisation stands before log-mel values, mostly 0 to 5.
_INPUT_NORM = {**_NORM, "moving_mean": 2.0, "moving_variance": 1.5}


def _numbered(layer: str, position: int) -> str:
    """A layer's name as TensorFlow numbers it."""
    return f"{layer}_{position}" if position else layer


def _shapes() -> tuple[tuple[str, tuple[int, ...]], ...]:
    """(name, shape) of the 64 arrays in the order of the network, kernels before biases."""
    shapes: list[tuple[str, tuple[int, ...]]] = []
    for layer, kernels in (("conv2d", _CONVOLUTIONS), ("dense", _DENSE)):
        for position, kernel in enumerate(kernels):
            name = _numbered(layer, position)
            shapes += [(f"{name}/kernel", kernel), (f"{name}/bias", kernel[-1:])]
    for position, width in enumerate(_NORMALISED):
        name = _numbered("batch_normalization", position)
        shapes += [(f"{name}/{role}", (width,)) for role in _NORM]
    return tuple(shapes)


MUSICNN_SHAPES = _shapes()
# `digest_arrays` over the published arrays in the order of MUSICNN_SHAPES. A file of converted
# arrays is the published model when its content says so, whoever put it there.
PUBLISHED_DIGESTS = {
    "msd": "1f3bf56835ff0e1c0188dfa001e666707ba9f8efbfc0014595ff6e28af7709d5",
    "mtt": "313a4824e0b608e6faea44cf718a17795b39e3e836d32c3cc52f9e33a110baa8",
}


@dataclass(frozen=True, eq=False)
class MusiCNNWeights:
    """MusiCNN's 64 arrays by the names of the checkpoint, their digest and their label.

    `arrays` maps "conv2d/kernel" and so on to read-only float32 arrays; `digest` is the SHA-256
    over them (or "random-<seed>").
    """

    arrays: Mapping[str, np.ndarray]
    digest: str
    label: str


def by_name(arrays, source: str) -> dict[str, np.ndarray]:
    """Arrays in the order of MUSICNN_SHAPES by their names, every value checked."""
    return {
        name: finish(array, name, source)
        for (name, _), array in zip(MUSICNN_SHAPES, arrays, strict=True)
    }


def random_musicnn_weights(seed: int) -> MusiCNNWeights:
    """MusiCNN with random kernels."""
    bits = np.random.PCG64(seed)
    arrays = {}
    for name, shape in MUSICNN_SHAPES:
        layer, role = name.split("/")
        if role == "kernel":
            arrays[name] = uniform(bits, shape, he_limit(shape))
        elif role == "bias":
            arrays[name] = constant(shape, 0.0)
        else:
            norm = _INPUT_NORM if layer == "batch_normalization" else _NORM
            arrays[name] = constant(shape, norm[role])
    return MusiCNNWeights(arrays, random_digest(seed), f"random (seed {seed})")

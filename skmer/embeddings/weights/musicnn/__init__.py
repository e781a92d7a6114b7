"""MusiCNN's weights, published inside a package: found, fetched, verified, read as data."""

from skmer.embeddings.weights.musicnn._arrays import (
    MUSICNN_SHAPES,
    PUBLISHED_DIGESTS,
    MusiCNNWeights,
)
from skmer.embeddings.weights.musicnn._load import (
    load_musicnn_weights,
    musicnn_state,
    musicnn_weights_digest,
    obtain_musicnn,
)
from skmer.embeddings.weights.musicnn._tags import MUSICNN_TAGS

__all__ = [
    "MUSICNN_SHAPES",
    "MUSICNN_TAGS",
    "PUBLISHED_DIGESTS",
    "MusiCNNWeights",
    "load_musicnn_weights",
    "musicnn_state",
    "musicnn_weights_digest",
    "obtain_musicnn",
]

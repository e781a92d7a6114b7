"""Weights of the networks: a registry of the published files, fetched, verified, read as arrays.

Files are data only: HDF5 datasets and npz arrays without pickles, every shape checked. Random
weights stand beside them for tests and baselines, never in their place.
"""

from skmer.embeddings.weights._arrays import L3Weights, VGGishWeights, digest_arrays
from skmer.embeddings.weights._listing import (
    WeightsRow,
    describe_weights,
    fetch_weights,
    list_weights,
)
from skmer.embeddings.weights._load import (
    l3_weights_digest,
    load_l3_weights,
    load_vggish_pca,
    load_vggish_weights,
    vggish_weights_digest,
)
from skmer.embeddings.weights.musicnn import (
    MUSICNN_TAGS,
    MusiCNNWeights,
    load_musicnn_weights,
    musicnn_weights_digest,
)

__all__ = [
    "MUSICNN_TAGS",
    "L3Weights",
    "MusiCNNWeights",
    "VGGishWeights",
    "WeightsRow",
    "describe_weights",
    "digest_arrays",
    "fetch_weights",
    "l3_weights_digest",
    "list_weights",
    "load_l3_weights",
    "load_musicnn_weights",
    "load_vggish_pca",
    "load_vggish_weights",
    "musicnn_weights_digest",
    "vggish_weights_digest",
]

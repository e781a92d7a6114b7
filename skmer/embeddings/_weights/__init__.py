"""Weights of the networks: a registry of the published files, fetched, verified, read as arrays.

Files are data only: HDF5 datasets and npz arrays without pickles, every shape checked. Random
weights stand beside them for tests and baselines, never in their place.
"""

from ._arrays import L3Weights, VGGishWeights
from ._load import (
    l3_weights_digest,
    load_l3_weights,
    load_vggish_weights,
    vggish_weights_digest,
)

__all__ = [
    "L3Weights",
    "VGGishWeights",
    "l3_weights_digest",
    "load_l3_weights",
    "load_vggish_weights",
    "vggish_weights_digest",
]

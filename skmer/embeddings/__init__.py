"""Transformers from clips to embeddings."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skmer.embeddings.base import BaseClipTransformer
    from skmer.embeddings.extraction import Extraction, extract, extract_files
    from skmer.embeddings.function import ClipFunctionTransformer
    from skmer.embeddings.hub import HubTransformer
    from skmer.embeddings.l3 import L3Transformer
    from skmer.embeddings.mfcc import MFCCStatsTransformer
    from skmer.embeddings.musicnn import MusiCNNTransformer
    from skmer.embeddings.recipe import Recipe
    from skmer.embeddings.registry import FEATURES, Feature, make_transformer, resolve_features
    from skmer.embeddings.vggish import VGGishTransformer
    from skmer.embeddings.weights import fetch_weights, list_weights, verify_weights
    from skmer.utils.processes import release_networks

__all__ = [
    "FEATURES",
    "BaseClipTransformer",
    "ClipFunctionTransformer",
    "Extraction",
    "Feature",
    "HubTransformer",
    "L3Transformer",
    "MFCCStatsTransformer",
    "MusiCNNTransformer",
    "Recipe",
    "VGGishTransformer",
    "extract",
    "extract_files",
    "fetch_weights",
    "list_weights",
    "make_transformer",
    "release_networks",
    "resolve_features",
    "verify_weights",
]

_HOMES = {
    ".base": ("BaseClipTransformer",),
    ".extraction": ("Extraction", "extract", "extract_files"),
    ".function": ("ClipFunctionTransformer",),
    ".hub": ("HubTransformer",),
    ".l3": ("L3Transformer",),
    ".mfcc": ("MFCCStatsTransformer",),
    ".musicnn": ("MusiCNNTransformer",),
    ".recipe": ("Recipe",),
    ".registry": ("FEATURES", "Feature", "make_transformer", "resolve_features"),
    ".vggish": ("VGGishTransformer",),
    ".weights": ("fetch_weights", "list_weights", "verify_weights"),
    "..utils.processes": ("release_networks",),
}


def __getattr__(name: str):
    # Loaded when first asked for: worker processes embed clips without scikit-learn.
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home, __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Transformers from clips to embeddings."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skmer.embeddings.base import BaseClipTransformer
    from skmer.embeddings.engines import release_networks
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

_MODULES = {
    "FEATURES": "registry",
    "BaseClipTransformer": "base",
    "ClipFunctionTransformer": "function",
    "Extraction": "extraction",
    "Feature": "registry",
    "HubTransformer": "hub",
    "L3Transformer": "l3",
    "MFCCStatsTransformer": "mfcc",
    "Recipe": "recipe",
    "MusiCNNTransformer": "musicnn",
    "VGGishTransformer": "vggish",
    "extract": "extraction",
    "extract_files": "extraction",
    "fetch_weights": "weights",
    "list_weights": "weights",
    "make_transformer": "registry",
    "release_networks": "engines",
    "resolve_features": "registry",
    "verify_weights": "weights",
}


def __getattr__(name: str):
    # Loaded when first asked for: worker processes embed clips without scikit-learn.
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

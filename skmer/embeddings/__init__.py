"""Transformers from clips to embeddings."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skmer.embeddings._base import BaseClipTransformer
    from skmer.embeddings._clip_function import ClipFunctionTransformer
    from skmer.embeddings._l3 import L3Transformer
    from skmer.embeddings._mfcc import MFCCStatsTransformer
    from skmer.embeddings._musicnn import MusiCNNTransformer
    from skmer.embeddings._table import FEATURES, make_transformer
    from skmer.embeddings._verify import verify_weights
    from skmer.embeddings._vggish import VGGishTransformer
    from skmer.embeddings.engines import release_networks
    from skmer.embeddings.extraction import Extraction, extract, extract_files
    from skmer.embeddings.recipes._base import Recipe
    from skmer.embeddings.weights import fetch_weights, list_weights

__all__ = [
    "FEATURES",
    "BaseClipTransformer",
    "ClipFunctionTransformer",
    "Extraction",
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
    "verify_weights",
]

_MODULES = {
    "FEATURES": "_table",
    "BaseClipTransformer": "_base",
    "ClipFunctionTransformer": "_clip_function",
    "Extraction": "extraction",
    "L3Transformer": "_l3",
    "MFCCStatsTransformer": "_mfcc",
    "Recipe": "recipes._base",
    "MusiCNNTransformer": "_musicnn",
    "VGGishTransformer": "_vggish",
    "extract": "extraction",
    "extract_files": "extraction",
    "fetch_weights": "weights",
    "list_weights": "weights",
    "make_transformer": "_table",
    "release_networks": "engines",
    "verify_weights": "_verify",
}


def __getattr__(name: str):
    # Loaded when first asked for: worker processes embed clips without scikit-learn.
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

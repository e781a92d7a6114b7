"""Transformers from clips to embeddings."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skmer.embeddings._extract import extract
    from skmer.embeddings._extraction import Extraction
    from skmer.embeddings._l3 import L3Transformer
    from skmer.embeddings._mfcc import MFCCStatsTransformer
    from skmer.embeddings._vggish import VGGishTransformer

__all__ = ["Extraction", "L3Transformer", "MFCCStatsTransformer", "VGGishTransformer", "extract"]

_MODULES = {
    "Extraction": "_extraction",
    "L3Transformer": "_l3",
    "MFCCStatsTransformer": "_mfcc",
    "VGGishTransformer": "_vggish",
    "extract": "_extract",
}


def __getattr__(name: str):
    # Loaded when first asked for: worker processes embed clips without scikit-learn.
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

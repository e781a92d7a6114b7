"""Deep audio embeddings and music emotion recognition in scikit-learn's terms."""

from skmer._version import __version__
from skmer.embeddings import L3Transformer, MFCCStatsTransformer, VGGishTransformer

__all__ = ["L3Transformer", "MFCCStatsTransformer", "VGGishTransformer", "__version__"]

"""Transformers from clips to embeddings."""

from skmer.embeddings._extract import extract
from skmer.embeddings._extraction import Extraction
from skmer.embeddings._l3 import L3Transformer
from skmer.embeddings._mfcc import MFCCStatsTransformer
from skmer.embeddings._vggish import VGGishTransformer

__all__ = ["Extraction", "L3Transformer", "MFCCStatsTransformer", "VGGishTransformer", "extract"]

"""Any number of clips to one table on disk."""

from skmer.embeddings.extraction._extract import extract
from skmer.embeddings.extraction._result import Extraction

__all__ = ["Extraction", "extract"]

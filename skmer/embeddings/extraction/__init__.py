"""Any number of clips to one table on disk, or to a file for each."""

from skmer.embeddings.extraction._extract import extract
from skmer.embeddings.extraction._per_file import extract_files
from skmer.embeddings.extraction._result import Extraction

__all__ = ["Extraction", "extract", "extract_files"]

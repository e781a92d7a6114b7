"""Deep audio embeddings and music emotion recognition in scikit-learn's terms."""

from skmer._version import __version__

__all__ = ["__version__"]

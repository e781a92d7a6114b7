"""Small helpers that every room may use."""

from skmer.utils._cache import ClipCache
from skmer.utils._progress import track

__all__ = ["ClipCache", "track"]

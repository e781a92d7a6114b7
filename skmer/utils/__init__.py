"""Small helpers that every room may use."""

from skmer.utils._cache import CacheEntry, ClipCache
from skmer.utils._progress import track
from skmer.utils._quiet import quiet_tensorflow

__all__ = ["CacheEntry", "ClipCache", "quiet_tensorflow", "track"]

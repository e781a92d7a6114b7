"""Small helpers that every room may use."""

from skmer.utils._cache import ClipCache
from skmer.utils._progress import track
from skmer.utils._quiet import quiet_tensorflow

__all__ = ["ClipCache", "quiet_tensorflow", "track"]

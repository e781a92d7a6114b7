"""Small helpers that every room may use."""

from skmer.utils._progress import track

__all__ = ["track"]

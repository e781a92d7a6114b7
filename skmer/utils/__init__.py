"""Small helpers that every room may use."""

from skmer.utils._cache import CacheEntry, ClipCache
from skmer.utils._output_folder import check_output_folder
from skmer.utils._paths import expand_path
from skmer.utils._progress import track
from skmer.utils._quiet import quiet_tensorflow

__all__ = [
    "CacheEntry",
    "ClipCache",
    "check_output_folder",
    "expand_path",
    "quiet_tensorflow",
    "track",
]

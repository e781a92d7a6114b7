"""Small helpers that every room may use."""

from skmer.utils.cache import CacheEntry, ClipCache
from skmer.utils.files import (
    check_output_file,
    check_output_folder,
    disarm_table,
    expand_path,
    unfinished_file,
)
from skmer.utils.processes import (
    exact_float32,
    import_tensorflow,
    one_blas_thread,
    quiet_tensorflow,
)
from skmer.utils.progress import track

__all__ = [
    "CacheEntry",
    "ClipCache",
    "check_output_file",
    "check_output_folder",
    "disarm_table",
    "exact_float32",
    "expand_path",
    "import_tensorflow",
    "one_blas_thread",
    "quiet_tensorflow",
    "track",
    "unfinished_file",
]

"""Small helpers that every room may use; only the cache is public."""

from skmer.utils.cache import CacheEntry, ClipCache
from skmer.utils.messages import deprecated_names

__all__ = ["CacheEntry", "ClipCache"]

__getattr__ = deprecated_names(
    __name__,
    {
        "check_output_file": "skmer.utils.files",
        "check_output_folder": "skmer.utils.files",
        "disarm_table": "skmer.utils.files:escape_formula",
        "exact_float32": "skmer.utils.processes",
        "expand_path": "skmer.utils.files",
        "import_tensorflow": "skmer.utils.processes",
        "one_blas_thread": "skmer.utils.processes",
        "quiet_tensorflow": "skmer.utils.processes",
        "track": "skmer.utils.progress",
        "unfinished_file": "skmer.utils.files:atomic_write",
    },
)

"""Small helpers that every room may use."""

from skmer.utils._progress import track
from skmer.utils.files._cache import CacheEntry, ClipCache
from skmer.utils.files._output_folder import check_output_file, check_output_folder
from skmer.utils.files._paths import expand_path
from skmer.utils.files._spreadsheets import disarm_table
from skmer.utils.files._unfinished import unfinished_file
from skmer.utils.processes._blas import one_blas_thread
from skmer.utils.processes._quiet import quiet_tensorflow
from skmer.utils.processes._tensorflow import exact_float32, import_tensorflow

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

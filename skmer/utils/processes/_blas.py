"""Matrix products in one thread, where the work is spread over threads already."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

from skmer.utils.processes._fork import call_in_forked_child
from skmer.utils.processes._setting import ProcessSetting


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS use one thread inside this block, in any number of threads at once.

    The setting is the process's: the first to come sets it, the last to go puts back what was.

    Examples
    --------
    >>> from skmer.utils import one_blas_thread
    >>> with one_blas_thread():
    ...     pass  # many small matrix products
    """
    with _setting.hold():
        yield


def _set_limit() -> Callable[[], object]:
    limiter = _switch().submit(lambda: _controller().limit(limits=1, user_api="blas")).result()
    return lambda: _switch().submit(limiter.restore_original_limits).result()


_setting = ProcessSetting(_set_limit)


@cache
def _switch():
    # threadpoolctl lets nobody but the thread that set a limit take it back.
    return ThreadPoolExecutor(1, thread_name_prefix="skmer-blas")


# No thread lives on in a forked process.
call_in_forked_child(_switch.cache_clear)


@cache
def _controller():
    # Looking for the libraries takes milliseconds.
    return ThreadpoolController()

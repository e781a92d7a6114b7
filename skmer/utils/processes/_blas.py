"""Matrix products in one thread, where the work is spread over threads already."""

import contextlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_inside = 0
_limits = contextlib.ExitStack()


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS use one thread inside this block, in any number of threads at once.

    The setting is the process's: the first to come sets it, the last to go puts back what was.

    Examples
    --------
    >>> from skmer.utils import one_blas_thread
    >>> with one_blas_thread():
    ...     pass  # many small matrix products
    """
    global _inside
    with _lock:
        if not _inside:
            _switch().submit(_set_limit).result()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _switch().submit(_limits.close).result()


def _set_limit():
    _limits.enter_context(_controller().limit(limits=1, user_api="blas"))


@cache
def _switch():
    # threadpoolctl lets nobody but the thread that set a limit take it back.
    return ThreadPoolExecutor(1, thread_name_prefix="skmer-blas")


def _start_anew():
    # In a forked process nobody is inside, whatever was going on at the fork, and no thread lives.
    global _lock, _inside
    _lock, _inside = threading.Lock(), 0
    _switch.cache_clear()


os.register_at_fork(after_in_child=_start_anew)


@cache
def _controller():
    # Looking for the libraries takes milliseconds.
    return ThreadpoolController()

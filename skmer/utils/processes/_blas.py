"""Matrix products in one thread, where the work is spread over threads already."""

import contextlib
import os
import threading
from collections.abc import Iterator
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
            _limits.enter_context(_controller().limit(limits=1, user_api="blas"))
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _limits.close()


def _start_anew():
    # In a forked process nobody is inside, whatever was going on at the fork.
    global _lock, _inside
    _lock, _inside = threading.Lock(), 0


os.register_at_fork(after_in_child=_start_anew)


@cache
def _controller():
    # Looking for the libraries takes milliseconds.
    return ThreadpoolController()

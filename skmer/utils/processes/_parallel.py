"""Work on many clips at once, in joblib's way."""

import os
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache
from multiprocessing import current_process, parent_process
from numbers import Integral

from joblib import Parallel, cpu_count, delayed, effective_n_jobs
from joblib.externals.loky.backend.process import LokyProcess

from skmer.exceptions import InputError, WorkerError
from skmer.utils._words import cut_middle


def run_parallel(
    function: Callable,
    arguments: Iterable[tuple],
    *,
    n_jobs: int | None,
    prefer: str | None = None,
) -> Iterator:
    """Yield ``function(*args)`` for each `args`, in order, each as soon as it is there.

    Parameters
    ----------
    function : callable
        What a worker runs.
    arguments : iterable of tuple
        The arguments of each call.
    n_jobs : int or None
        In joblib's meaning; `joblib.parallel_config` holds.
    prefer : {"threads", "processes"}, default=None
        In joblib's meaning: what `joblib.parallel_config` says goes before.

    Yields
    ------
    result : object

    Raises
    ------
    WorkerError
        When a worker process is killed.
    """
    check_n_jobs(n_jobs)
    calls = [delayed(_call)(function, *one) for one in arguments]
    try:
        try:
            results = Parallel(n_jobs=n_jobs, prefer=prefer, return_as="generator")(calls)
        except ValueError as error:
            # joblib's "multiprocessing" backend and those built on it have no generators.
            if "return_as" not in str(error):
                raise
            results = Parallel(n_jobs=n_jobs, prefer=prefer)(calls)
        with _closing_quietly(results):
            # Not `yield from`, which would close the results before the block ends.
            for result in results:  # noqa: UP028
                yield result
    except BrokenProcessPool as error:
        raise WorkerError(
            "A worker process ended before its work was done; most often the system kills one that "
            "takes too much memory. Run it again with fewer jobs (n_jobs)."
        ) from error


def check_n_jobs(n_jobs) -> None:
    """Refuse a number of jobs that joblib would refuse, or not understand, in its depths."""
    is_number = isinstance(n_jobs, Integral) and not isinstance(n_jobs, bool)
    if n_jobs is not None and not (is_number and n_jobs):
        raise InputError(
            "The 'n_jobs' parameter must be None or an int other than 0, such as 2, or -1 for all "
            f"processors. Got {cut_middle(repr(n_jobs), 100)} instead."
        )


def _call(function: Callable, *args):
    """Call the function, in whatever process."""
    _end_with_parent()
    return function(*args)


@cache
def _end_with_parent() -> None:
    """Let a worker end soon after the process that started it, however that one was killed.

    joblib's would wait for more work for five minutes, with all that they hold in memory. One that
    was given no work yet holds nothing, and is left to do so.
    """
    parent = parent_process()
    if isinstance(current_process(), LokyProcess) and parent is not None:
        threading.Thread(target=_outlive_briefly, args=(parent.pid,), daemon=True).start()


def _outlive_briefly(parent: int | None) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


@contextmanager
def _closing_quietly(results) -> Iterator[None]:
    """Stop the workers whatever ends the block; joblib would warn of the work that is lost."""
    try:
        yield
    finally:
        if hasattr(results, "close"):
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", ".*tasks (have been|which were)")
                results.close()


def threads_per_worker(n_jobs: int | None) -> int | None:
    """Return how many threads each worker may use; None = as many as it likes, with one worker."""
    n_workers = effective_n_jobs(n_jobs)
    return max(1, cpu_count() // n_workers) if n_workers > 1 else None

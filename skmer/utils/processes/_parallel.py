"""Work on many clips at once, in joblib's way."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from joblib import Parallel, cpu_count, delayed, effective_n_jobs

from skmer.exceptions import WorkerError


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
    calls = [delayed(function)(*one) for one in arguments]
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

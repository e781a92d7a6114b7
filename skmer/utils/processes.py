"""Work on many clips at once, in joblib's way."""

import gc
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache, partial
from multiprocessing import current_process, parent_process
from numbers import Integral

from joblib import Parallel, cpu_count, delayed, effective_n_jobs
from joblib.externals.loky import process_executor
from joblib.externals.loky.backend.process import LokyProcess
from threadpoolctl import ThreadpoolController

from skmer.exceptions import EngineNotAvailableError, WorkerError
from skmer.utils.messages import wrong_parameter


def run_parallel(function, arguments, *, n_jobs, prefer=None, ordered=True) -> Generator:
    """Yield ``function(*args)`` for each `args`, each as soon as it is there.

    Parameters
    ----------
    function : callable
        What a worker runs.
    arguments : iterable of tuple
        The arguments of each call.
    n_jobs : int or None
        In joblib's meaning; `joblib.parallel_config` holds.
    prefer : {"threads", "processes"}, default=None
        As in joblib; the backend of `joblib.parallel_config` has precedence.
    ordered : bool, default=True
        Whether a result waits for those of the arguments before its own.

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
    results = None
    try:
        try:
            kind = "generator" if ordered else "generator_unordered"
            results = Parallel(n_jobs=n_jobs, prefer=prefer, return_as=kind)(calls)
        except ValueError as error:
            # joblib's "multiprocessing" backend and those built on it have no generators.
            if "return_as" not in str(error):
                raise
            results = iter(Parallel(n_jobs=n_jobs, prefer=prefer)(calls))
        # Not `yield from`, which would close the results outside of the block below.
        for result in results:  # noqa: UP028
            yield result
    except BrokenProcessPool as error:
        raise WorkerError(
            "A worker process ended before its work was done; most often the system kills one that "
            "takes too much memory. Run it again with fewer jobs (n_jobs)."
        ) from error
    finally:
        if isinstance(results, Generator):
            with warnings.catch_warnings():
                # joblib warns that the work which was not done is lost.
                warnings.filterwarnings("ignore", ".*tasks (have been|which were)")
                results.close()


def check_n_jobs(n_jobs) -> None:
    """Raise for a number of jobs that joblib does not accept."""
    is_number = isinstance(n_jobs, Integral) and not isinstance(n_jobs, bool)
    if n_jobs is not None and not (is_number and n_jobs):
        allowed = "None or an int other than 0, such as 2, or -1 for all processors"
        raise wrong_parameter("", "n_jobs", allowed, n_jobs)


def _call(function: Callable, *args):
    """Call the function, in any process."""
    _prepare_worker()
    return function(*args)


@cache
def _prepare_worker() -> None:
    """Let a worker end soon after the process that started it, however that one was killed.

    joblib's workers would wait five minutes for more work, with all that they hold in memory.
    Where psutil is installed, loky (of joblib 1.6) replaces a worker that holds 300 MB more than
    after its first task. TensorFlow and a network are more: the new worker would load them again.
    """
    process = parent_process()
    # Not os.getppid(), since the parent may have ended before this worker had started.
    parent = process.pid if process is not None else None

    def watch():
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    if isinstance(current_process(), LokyProcess) and parent is not None:
        process_executor._MAX_MEMORY_LEAK_SIZE = sys.maxsize
        threading.Thread(target=watch, daemon=True).start()


def threads_per_worker(n_jobs: int | None) -> int | None:
    """Return how many threads each worker may use; None = as many as it likes, with one worker."""
    check_n_jobs(n_jobs)
    n_workers = effective_n_jobs(n_jobs)
    return max(1, cpu_count() // n_workers) if n_workers > 1 else None


def call_in_forked_child(function: Callable[[], object]) -> None:
    """Call a function in every process forked from this one, where processes fork at all."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=function)


class ProcessSetting:
    """Set by the first block that wants it, put back by the last to go.

    Parameters
    ----------
    enter : callable
        Sets it, and returns a callable that puts back what was.
    """

    def __init__(self, enter: Callable[[], Callable[[], object]]):
        self._enter = enter
        self._start_anew()
        # In a forked process nobody is inside, whatever was going on at the fork.
        call_in_forked_child(self._start_anew)

    def _start_anew(self) -> None:
        self._lock, self._n_inside = threading.Lock(), 0

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Set it inside this block."""
        with self._lock:
            if not self._n_inside:
                self._put_back = self._enter()
            self._n_inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._n_inside -= 1
                if not self._n_inside:
                    self._put_back()


def _set_limit() -> Callable[[], object]:
    limiter = _switch().submit(lambda: _controller().limit(limits=1, user_api="blas")).result()
    return lambda: _switch().submit(limiter.restore_original_limits).result()


# A context manager: BLAS uses one thread inside its block, in any number of threads at once. The
# setting is the process's: the first to come sets it, the last to go puts back what was.
one_blas_thread = ProcessSetting(_set_limit).hold


# threadpoolctl lets nobody but the thread that set a limit take it back.
_switch = cache(partial(ThreadPoolExecutor, 1, thread_name_prefix="skmer-blas"))
# No thread lives on in a forked process.
call_in_forked_child(_switch.cache_clear)


# Looking for the libraries takes milliseconds.
_controller = cache(ThreadpoolController)


@contextmanager
def quiet_tensorflow() -> Iterator[None]:
    """Import TensorFlow inside this block without its log lines.

    A user who has set ``TF_CPP_MIN_LOG_LEVEL`` to less than 3 still sees them. Python's own errors
    and warnings come through either way.

    Examples
    --------
    >>> from skmer.utils.processes import quiet_tensorflow
    >>> with quiet_tensorflow():
    ...     pass  # import tensorflow
    """
    # Both are read while the library loads, and are inherited by worker processes.
    level = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    if level != "3" or "tensorflow" in sys.modules:
        yield
        return
    # Some lines are written to the file descriptor before any logging level counts.
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


_releases: list[Callable[[], None]] = []


def on_release(forget: Callable[[], None]) -> Callable[[], None]:
    """Call `forget` whenever networks are to be freed; a decorator.

    Examples
    --------
    >>> from skmer.utils.processes import on_release
    >>> kept = {}
    >>> forget = on_release(kept.clear)
    """
    _releases.append(forget)
    return forget


def release_networks() -> None:
    """Free the networks that this process keeps in memory for the next call.

    Embedding networks and Keras classifiers are loaded when they are first used and kept, a few of
    each; call this when the memory is wanted for something else. Nothing breaks: a network that
    is used again is loaded again. Fitted classifiers keep what they have learnt.

    Where Keras classifiers ran, TensorFlow's kernels are freed too, as they are when more
    architectures were trained than are kept. Of TensorFlow's own random operations, outside of
    functions, those that were given a seed of their own begin again thereby.

    Examples
    --------
    >>> from skmer.embeddings import release_networks
    >>> release_networks()
    """
    for forget in _releases:
        forget()
    # Networks refer to themselves by way of their traced functions.
    gc.collect()


_started_by: int | None = None


def import_tensorflow():
    """Import TensorFlow to run networks: quietly, and taking no more of a GPU than it needs.

    Returns
    -------
    tensorflow : module

    Raises
    ------
    EngineNotAvailableError
        In a process that was forked from one in which TensorFlow ran: its threads are not there,
        and every computation would wait for them for ever. Where its eager execution is off.

    Examples
    --------
    >>> from skmer.utils.processes import import_tensorflow
    >>> tf = import_tensorflow()
    >>> int(tf.constant(2) + 1)
    3
    """
    global _started_by
    if _started_by not in (None, os.getpid()):
        raise EngineNotAvailableError(
            "TensorFlow ran before this process was forked, and would hang here. Start processes "
            "by 'spawn', 'forkserver' or joblib's 'loky', or fork before the first network runs."
        )
    _started_by = os.getpid()
    # Read when a GPU is first used.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    with quiet_tensorflow():
        import tensorflow

    if not tensorflow.executing_eagerly():
        raise EngineNotAvailableError(
            "TensorFlow does not run eagerly in this process, as after tf.disable_v2_behavior() of "
            "its version 1. Use skmer in another process, or engines and classifiers without it."
        )
    return tensorflow


def _switch_tf32_off() -> Callable[[], object]:
    switch = import_tensorflow().config.experimental
    before = switch.tensor_float_32_execution_enabled()
    switch.enable_tensor_float_32_execution(False)
    return lambda: switch.enable_tensor_float_32_execution(before)


# A context manager and a decorator: inside, a GPU multiplies in full float32, where it would round
# to ten bits (TF32). The user's own networks run as before: the last to go puts back what was.
exact_float32 = ProcessSetting(_switch_tf32_off).hold

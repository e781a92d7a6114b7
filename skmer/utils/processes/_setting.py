"""A setting of the whole process that many blocks of code, in any number of threads, want alike."""

import contextlib
import threading
from collections.abc import Callable, Iterator

from skmer.utils.processes._fork import call_in_forked_child


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

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Have it set inside this block."""
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

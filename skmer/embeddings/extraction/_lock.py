"""One writer for each table or folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skmer.exceptions import bounded


@contextmanager
def lock_output(out: Path) -> Iterator[None]:
    """Keep other processes from writing `out` at the same time.

    The lock is a hidden file beside `out`. It is left there: whoever removes a lock file lets a
    process that waits for the removed one and a process that makes a new one in at the same time.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(out.with_name(f".{out.name}.lock"), timeout=0)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise OSError(
            bounded(f"Another process is writing '{out}'; wait for it, or choose another name.")
        ) from error
    except OSError as error:
        raise type(error)(
            bounded(
                f"'{out}' cannot be written into its folder ({error.strerror or error}); choose "
                "another one."
            )
        ) from error
    try:
        yield
    finally:
        lock.release()

"""What was read stays while somebody uses it; its digest is remembered for good."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar
from weakref import WeakValueDictionary


class HasDigest(Protocol):
    """Weights of any network."""

    @property
    def digest(self) -> str:
        """SHA-256 over the arrays, or "random-<seed>"."""


W = TypeVar("W", bound=HasDigest)

# Arrays live as long as somebody uses them, so no second copy of 288 MB is ever kept; digests are
# kept, so that asking for one does not read a file again.
_alive: WeakValueDictionary = WeakValueDictionary()
digests: dict[tuple, str] = {}
reading = threading.RLock()


def read_once(key: tuple, read: Callable[[], W]) -> W:
    """What is alive under `key`, else what `read` returns."""
    with reading:
        found = _alive.get(key)
        return found if found is not None else keep_alive(key, read())


def keep_alive(key: tuple, weights: W) -> W:
    """`weights`, from now on to be had under `key`."""
    _alive[key] = weights
    digests[key] = weights.digest
    return weights


def signature(path: Path) -> tuple:
    """What tells one state of a file from another."""
    status = path.stat()
    return str(path), status.st_size, status.st_mtime_ns

"""A folder of arrays, one file an entry, that any number of processes may share."""

import contextlib
import hashlib
import io
import json
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from skmer.exceptions import IgnoredCacheWarning

# Raise it when a change to skmer changes numbers without changing a setting.
_CACHE_VERSION = 1
_DIGEST_SIZE = 16


class ClipCache:
    """Arrays on disk, keyed by content and by every setting that changes them.

    An entry is written to a temporary file and renamed, so it is whole or absent, also with many
    processes and on shared storage. It starts with a checksum: a damaged one is computed again.
    Entries are plain arrays without pickles, so that a shared folder can do no harm.

    Parameters
    ----------
    memory : str, path-like, or joblib.Memory
        The folder, made when the first entry is written. Of a `joblib.Memory` its folder is used,
        so that its ``clear`` clears these entries as well.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skmer.utils import ClipCache
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = ClipCache(folder)
    ...     first, _ = cache.remember({"hop": 1}, lambda: (np.ones((2, 3), np.float32), []))
    ...     again, _ = cache.remember({"hop": 1}, lambda: 1 / 0)
    ...     len(cache)
    1
    >>> bool((first == again).all())
    True
    """

    def __init__(self, memory):
        if hasattr(memory, "cache"):
            # The sub-folder that joblib keeps its own entries in, and clears.
            memory = Path(memory.location) / "joblib"
        self.folder = Path(memory) / "skmer-clips"

    def remember(
        self, settings: dict, compute: Callable[[], tuple[np.ndarray, list[str]]]
    ) -> tuple[np.ndarray, list[str]]:
        """Return the entry for `settings`, computed and stored where there is none.

        Parameters
        ----------
        settings : dict
            What decides the numbers; values that json knows.
        compute : callable
            Returns an array and a list of notes on it.

        Returns
        -------
        array : ndarray
        notes : list of str
        """
        path = self._path(settings)
        found = self._read(path)
        if found is not None:
            return found
        array, notes = compute()
        self._write(path, array, notes)
        return array, notes

    def __len__(self) -> int:
        return sum(1 for _ in self._entries())

    def size(self) -> int:
        """Return how much the entries take on disk [bytes]."""
        return sum(entry.stat().st_size for entry in self._entries())

    def prune(self, max_bytes: int) -> int:
        """Remove the entries that were written first, until `max_bytes` bytes are left.

        Parameters
        ----------
        max_bytes : int
            What may stay; 0 empties the cache.

        Returns
        -------
        n_removed : int
        """
        entries = sorted(
            ((entry.stat().st_mtime_ns, entry.stat().st_size, entry) for entry in self._entries()),
            key=lambda item: item[0],
        )
        excess, n_removed = sum(size for _, size, _ in entries) - max_bytes, 0
        for _, size, entry in entries:
            if excess <= 0:
                break
            entry.unlink(missing_ok=True)
            excess -= size
            n_removed += 1
        return n_removed

    def _entries(self):
        return self.folder.glob("[0-9a-f][0-9a-f]/*.clip")

    def _path(self, settings):
        text = json.dumps({"cache_version": _CACHE_VERSION, **settings}, sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()
        # Two levels, so that no folder grows with the number of entries beyond use.
        return self.folder / key[:2] / f"{key[2:]}.clip"

    def _read(self, path):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._warn(f"could not be read ({error.strerror})", path)
            return None
        digest, payload = data[:_DIGEST_SIZE], data[_DIGEST_SIZE:]
        if hashlib.blake2b(payload, digest_size=_DIGEST_SIZE).digest() != digest:
            self._warn("is damaged", path)
            return None
        stream = io.BytesIO(payload)
        notes = json.loads(stream.readline())
        return np.load(stream, allow_pickle=False), notes

    def _write(self, path, array, notes):
        stream = io.BytesIO()
        stream.write(json.dumps(notes).encode() + b"\n")
        np.save(stream, array, allow_pickle=False)
        payload = stream.getvalue()
        temporary = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=path.parent, suffix=".part", delete=False
            ) as temporary:
                temporary.write(hashlib.blake2b(payload, digest_size=_DIGEST_SIZE).digest())
                temporary.write(payload)
            os.replace(temporary.name, path)
        except OSError as error:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    os.unlink(temporary.name)
            self._warn(f"could not be written ({error.strerror})", path)

    def _warn(self, what, path):
        warnings.warn(
            f"The cache entry {path} {what}; the clip was computed instead.",
            IgnoredCacheWarning,
            stacklevel=2,
        )

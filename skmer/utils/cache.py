"""A folder of arrays, one file an entry, that any number of processes may share."""

import contextlib
import hashlib
import json
import lzma
import os
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from skmer.exceptions import IgnoredCacheWarning, InputError
from skmer.utils.digest import canonical_json, read_regular
from skmer.utils.files import atomic_write, expand_path, remove_abandoned, user_folder

# zip, gzip, npy, JSON, HDF5 and tables have no class of their own in common. Of zipfile alone come
# most of these, for archives that are damaged, encrypted, or oddly compressed. numpy reads headers
# and the names of types as Python is read.
DAMAGE = (
    ValueError, TypeError, LookupError, AttributeError, OverflowError, SyntaxError, EOFError,
    OSError, RuntimeError, MemoryError, struct.error, tokenize.TokenError, zlib.error,
    lzma.LZMAError, zipfile.BadZipFile,
)  # fmt: skip


# Raise it when a change to skmer changes numbers, or the form of an entry, without a setting.
_CACHE_VERSION = 3
_CHECKSUM_SIZE = 16
_LOCK_SECONDS = 900


class CacheEntry(NamedTuple):
    """The frames of one clip, and what was noticed while they were computed.

    Parameters
    ----------
    array : ndarray
        The frames, as they were computed.
    notes : list of str
        Short names of what was noticed, such as "short".
    audio_digest : str, default=None
        The digest of the decoded waveform.
    error : str, default=None
        The reason why the cache could not be read or written this time; never stored.
    sr : int, default=None
        The rate of the clip before it was resampled [Hz].
    n_samples : int, default=None
        Samples, at `sr`, of the segment of the clip that was used.
    is_new : bool, default=True
        Whether the entry was computed this time; never stored.
    """

    array: np.ndarray
    notes: list[str]
    audio_digest: str | None = None
    error: str | None = None
    sr: int | None = None
    n_samples: int | None = None
    is_new: bool = True


def open_cache(memory) -> "ClipCache | None":
    """Return the cache in the folder of a parameter `memory`; None where it has no folder."""
    if memory is None or (hasattr(memory, "cache") and memory.location is None):
        return None
    return ClipCache(memory)


def default_cache() -> Path:
    """Return the folder in which the command keeps embeddings; it need not exist."""
    chosen = os.environ.get("SKMER_CACHE")
    return expand_path(chosen) if chosen else user_folder("cache") / "embeddings"


def default_max_bytes() -> int:
    """Return how large the user's cache may become, ``SKMER_CACHE_BYTES`` where that is set."""
    text = os.environ.get("SKMER_CACHE_BYTES") or str(10 * 10**9)
    if not text.isdecimal():
        raise InputError(
            f"The environment variable SKMER_CACHE_BYTES must be a number of bytes. Got {text!r}."
        )
    return int(text)


def warn_of_cache(errors: Sequence[str], *, stacklevel: int) -> None:
    """Warn once, for any number of clips, that the cache could not be used."""
    if errors:
        n = len(errors) - 1
        others = f", and so {'was 1 other' if n == 1 else f'were {n} others'}" if n else ""
        message = f"{errors[0]}; the clip was computed instead{others}."
        warnings.warn(message, IgnoredCacheWarning, stacklevel=stacklevel + 1)


class ClipCache:
    """Arrays on disk, keyed by content and by every setting that changes them.

    An entry is written to a temporary file and renamed, so it is whole or absent, also with many
    processes and on shared storage. It starts with a checksum and states its key: a damaged one,
    or one that was copied over another, is computed again. Threads and processes that need the
    same entry at the same time compute it once. Entries are plain arrays without pickles, so that
    a shared folder can do no harm, and who may read them follows the umask.

    Parameters
    ----------
    memory : str, path-like, or joblib.Memory
        The folder, made when the first entry is written; ``~`` is the home folder. Of a
        `joblib.Memory` its folder is used, so that its ``clear`` clears these entries as well.

    Raises
    ------
    InputError
        When there is a file of that name.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skmer.utils import CacheEntry, ClipCache
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = ClipCache(folder)
    ...     first = cache.get_or_compute({"hop": 1}, lambda: CacheEntry(np.ones((2, 3)), []))
    ...     again = cache.get_or_compute({"hop": 1}, lambda: 1 / 0)
    ...     len(cache)
    1
    >>> bool((first.array == again.array).all())
    True
    """

    # Of the folder, and what the parameter is called that names it.
    subfolder, parameter = "skmer-clips", "memory"

    def __init__(self, memory):
        if hasattr(memory, "cache"):
            # The sub-folder that joblib keeps its own entries in, and clears.
            memory = Path(memory.location) / "joblib"
        folder = expand_path(memory)
        if folder.exists() and not folder.is_dir():
            raise InputError(
                f"The '{self.parameter}' parameter must name a folder, and '{folder}' is a "
                "file; choose another name."
            )
        self.folder = folder / self.subfolder

    def get_or_compute(
        self, settings: dict, compute: Callable[[], tuple], *, is_valid: Callable = lambda _: True
    ) -> CacheEntry:
        """Return the entry for `settings`, computed and stored where there is none.

        Parameters
        ----------
        settings : dict
            All that decides the numbers, as values of JSON or numpy's numbers.
        compute : callable
            Returns the entry, or its first fields: (array, notes), or (array, notes, digest).
        is_valid : callable, default=None
            Whether `compute` could have returned a stored array.

        Returns
        -------
        entry : CacheEntry
            Its `error` is set where the cache could not be used; nothing is raised for that.
        """
        key = canonical_json({"cache_version": _CACHE_VERSION, **settings})
        path = self._path(key)
        if (entry := _read(path, key, is_valid)[0]) is not None:
            return entry
        with _lock(path):
            # Another thread or process may have written it while this one waited.
            entry, error = _read(path, key, is_valid)
            if entry is not None:
                return entry
            entry = CacheEntry(*compute())
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with atomic_write(path, sync=False) as temporary:
                    temporary.write_bytes(_encode(entry, key))
            except OSError as failure:
                error = f"could not be written ({failure.strerror or failure})"
        return entry if error is None else entry._replace(error=f"The cache entry {path} {error}")

    def get(self, settings: dict) -> CacheEntry | None:
        """Return the entry for `settings`; None where there is none that can be used.

        Parameters
        ----------
        settings : dict
            As in `get_or_compute`.

        Returns
        -------
        entry : CacheEntry or None
            As it was stored.
        """
        key = canonical_json({"cache_version": _CACHE_VERSION, **settings})
        return _read(self._path(key), key, lambda array: True)[0]

    def remember(self, settings: dict, compute: Callable[[], tuple], **options) -> CacheEntry:
        """Call `get_or_compute`; deprecated.

        Parameters
        ----------
        settings : dict
            As in `get_or_compute`.
        compute : callable
            As in `get_or_compute`.
        **options : dict
            As in `get_or_compute`.

        Returns
        -------
        entry : CacheEntry
            As `get_or_compute` returns it.
        """
        message = "ClipCache.remember is deprecated; call ClipCache.get_or_compute."
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return self.get_or_compute(settings, compute, **options)

    def __len__(self) -> int:
        return sum(1 for _ in self._files("[0-9a-f]*.clip"))

    def size(self) -> int:
        """Measure the folder on disk, unfinished files included.

        Returns
        -------
        n_bytes : int
            Sum of the sizes of its files [bytes].
        """
        return sum(status.st_size for _, status in self._files("*"))

    def prune(self, max_bytes: int) -> int:
        """Remove the entries that were written first, until `max_bytes` bytes are left.

        Files that killed processes left unfinished more than a day ago are removed as well. Any
        number of processes may prune, read and write at the same time.

        Parameters
        ----------
        max_bytes : int
            The size that the cache may keep; 0 empties it.

        Returns
        -------
        n_removed : int
            Entries that this call removed.
        """
        for folder in self.folder.glob("*/"):
            remove_abandoned(folder)
        entries = sorted(self._files("[0-9a-f]*.clip"), key=lambda item: item[1].st_mtime_ns)
        excess, n_removed = self.size() - max_bytes, 0
        for path, status in entries:
            if excess <= 0:
                break
            excess -= status.st_size
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
                n_removed += 1
        return n_removed

    def _files(self, pattern) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self.folder.glob(f"[0-9a-f][0-9a-f]/{pattern}"):
            # Another process may have removed it since it was listed.
            with contextlib.suppress(FileNotFoundError):
                yield path, path.stat()

    def _path(self, key):
        name = hashlib.sha256(key.encode()).hexdigest()
        # Two levels, so that no folder grows with the number of entries beyond use.
        return self.folder / name[:2] / f"{name[2:]}.clip"


def _read(path, key, is_valid) -> tuple[CacheEntry | None, str | None]:
    """Return the entry, or None and, where there is a file that cannot be used, the reason."""
    try:
        data = read_regular(path)
    except FileNotFoundError:
        return None, None
    except OSError as error:
        return None, f"could not be read ({error.strerror or error})"
    payload = data[_CHECKSUM_SIZE:]
    if _checksum(payload) != data[:_CHECKSUM_SIZE]:
        return None, "is damaged"
    line, _, numbers = payload.partition(b"\n")
    with contextlib.suppress(*DAMAGE):
        header = json.loads(line)
        if header["key"] != key:
            return None, "holds another clip or other settings"
        # A copy: what was read from bytes could not be written to.
        array = np.frombuffer(numbers, header["dtype"]).reshape(header["shape"]).copy()
        if is_valid(array):
            noticed = {name: header[name] for name in ("notes", "audio_digest", "sr", "n_samples")}
            return CacheEntry(array, **noticed, is_new=False), None
    return None, "has another format than this cache writes"


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Let one thread of one process at a time compute an entry, where files can be locked.

    The lock only saves work: the entry is whole without it too. So it is not waited for longer
    than any clip takes, and a folder that cannot be written to has none.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_suffix(".lock"), timeout=_LOCK_SECONDS)
    with contextlib.suppress(OSError, NotImplementedError, Timeout):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    try:
        yield
    finally:
        if lock.is_locked:
            # Whoever waits for the removed file finds the entry.
            with contextlib.suppress(OSError):
                os.unlink(lock.lock_file)
            lock.release()


def _checksum(payload):
    return hashlib.blake2b(payload, digest_size=_CHECKSUM_SIZE).digest()


def _encode(entry, key):
    """Return the bytes of an entry: a checksum, a line of json, the array's own bytes."""
    header = {
        "key": key,
        "notes": list(entry.notes),
        "audio_digest": entry.audio_digest,
        "sr": entry.sr,
        "n_samples": entry.n_samples,
        "dtype": entry.array.dtype.str,
        "shape": entry.array.shape,
    }
    payload = json.dumps(header).encode() + b"\n" + entry.array.tobytes()
    return _checksum(payload) + payload

"""The digests that name things: of files, of what was decoded from them, of settings."""

import errno
import hashlib
import json
import os
import platform
import stat
from collections.abc import Collection, Mapping
from functools import cache, lru_cache
from importlib import metadata

import numpy as np

from skmer._version import __version__


def open_regular(path):
    """Open a regular file; a pipe or a device, whose reading may never end, is an OSError."""
    # Without O_NONBLOCK, opening a pipe waits for somebody to write to it.
    flag = getattr(os, "O_NONBLOCK", 0)
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | flag))  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is no regular file", os.fspath(path))
    return file


def read_regular(path) -> bytes:
    """Read a regular file; see `open_regular`."""
    with open_regular(path) as file:
        return file.read()


def file_digest(path, kind: str = "sha256") -> str:
    """Return the digest of a file's content.

    Parameters
    ----------
    path : str or path-like
        A regular file.
    kind : {"sha256", "md5", "git-blob", ...}, default="sha256"
        A name of `hashlib`, or the SHA-1 behind a short header that ``git hash-object`` prints.

    Returns
    -------
    digest : str
        Lower-case hex.

    Examples
    --------
    >>> import tempfile
    >>> from skmer.utils.digest import file_digest
    >>> with tempfile.NamedTemporaryFile() as empty:
    ...     file_digest(empty.name, "git-blob")
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    with open_regular(path) as file:

        def start():
            if kind != "git-blob":
                return hashlib.new(kind, usedforsecurity=False)
            size = os.fstat(file.fileno()).st_size
            return hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)

        return hashlib.file_digest(file, start).hexdigest()


# What the key of a path begins with.
FILE_KEY = "sha256:"


def key_of(value):
    """Return what stands for a value in a key: for a path its content, else the value.

    A path is what names a regular file, or a folder and is no plain word. Its content is read once
    in a process, and again when size or time of a file have changed.

    Examples
    --------
    >>> import tempfile
    >>> from skmer.utils.digest import key_of
    >>> key_of(("mean", 512))
    ['mean', 512]
    >>> with tempfile.NamedTemporaryFile() as empty:
    ...     key_of(empty.name)[:15]
    'sha256:e3b0c442'
    """
    if isinstance(value, Mapping):
        return {name: key_of(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [key_of(one) for one in value]
    if not isinstance(value, str | os.PathLike):
        return value
    path = os.path.expanduser(os.fspath(value))
    # A word such as "music" may be the name of a folder as well, of anything.
    is_word = isinstance(value, str) and os.path.basename(path) == path
    is_folder = os.path.isdir(path) and not is_word
    if not is_folder and not os.path.isfile(path):
        return value
    files = [path]
    if is_folder:
        files = sorted(os.path.join(at, name) for at, _, names in os.walk(path) for name in names)
    seen = [(one, status.st_size, status.st_mtime_ns) for one in files for status in [os.stat(one)]]
    return f"{FILE_KEY}{_digest_of_content(path, tuple(seen))}"


@lru_cache(maxsize=256)
def _digest_of_content(path: str, files: tuple) -> str:
    if [path] == [name for name, *_ in files]:
        return file_digest(path)
    return settings_digest({os.path.relpath(name, path): file_digest(name) for name, *_ in files})


class AudioDigest:
    """SHA-256 of a decoded mono waveform and its rate, for any container.

    Taken at 16 bits, so that a copy in another sample format is the same recording.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.utils.digest import AudioDigest
    >>> whole, parts = AudioDigest(), AudioDigest()
    >>> whole.update(np.arange(9) / 9, 8000)
    >>> parts.update(np.arange(4) / 9, 8000)
    >>> parts.update(np.arange(4, 9) / 9, 8000)
    >>> whole.hexdigest() == parts.hexdigest()
    True
    """

    def __init__(self):
        self._total = hashlib.sha256()
        self.sr: int | None = None
        self.n_samples = 0

    def update(self, block: np.ndarray, sr: int) -> None:
        """Add a block of the waveform, of rate `sr` [Hz]."""
        # Bounded, since samples beyond full scale, however far, are finite numbers too.
        samples = np.clip(np.round(block * 2**15), -(2**30), 2**30)
        self._total.update(samples.astype("<i4"))
        self.sr = sr
        self.n_samples += len(block)

    def hexdigest(self) -> str:
        """Return the digest of what was added so far."""
        total = self._total.copy()
        total.update(str(self.sr).encode())
        return total.hexdigest()


def canonical_json(settings: dict) -> str:
    """Return one text for equal settings: numpy's numbers are written as Python's.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.utils.digest import canonical_json
    >>> canonical_json({"n": np.int64(3), "hop": np.float64(0.5)})
    '{"hop": 0.5, "n": 3}'
    """
    return json.dumps(settings, sort_keys=True, default=_plain)


def settings_digest(settings: dict) -> str:
    """Return the SHA-256 of settings, the same for equal ones."""
    return hashlib.sha256(canonical_json(settings).encode()).hexdigest()


def _plain(value):
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"{value!r} of type {type(value).__name__} cannot be part of a key.")


PACKAGES = (
    "numpy", "scipy", "scikit-learn", "pandas", "joblib", "soundfile", "soxr", "librosa",
    "tensorflow", "tensorflow-cpu", "keras", "scikeras", "ncnn", "onnxruntime",
    "torch", "transformers",
)  # fmt: skip


# It reads and parses a file, and a search asks for it in each of its fits.
version = cache(metadata.version)


def versions(packages: Collection[str] = PACKAGES) -> dict[str, str]:
    """Return the versions of Python and of the packages that make the numbers, or some of them."""
    found = {"python": platform.python_version(), "skmer": __version__}
    for package in filter(packages.__contains__, PACKAGES):
        try:
            found[package] = version(package)
        except metadata.PackageNotFoundError:
            continue
    return found

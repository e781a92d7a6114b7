"""Files at URLs, such as ``s3://``, ``gs://`` and ``https://``, read and written by fsspec."""

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from skmer.exceptions import InputError, MissingPackageError, bounded
from skmer.utils import digest, download, files, messages


def check_url(url: str):
    """Return the file system of a URL; raise where files there cannot be read."""
    protocol = url.partition("://")[0].lower()
    messages.check_installed("fsspec", extra="remote", needed_for=f"Files at {protocol}://")
    import fsspec

    try:
        return fsspec.filesystem(protocol)
    except ImportError as error:
        raise MissingPackageError(
            f"Files at {protocol}:// need a package that is not installed ({error}); install it "
            'by: pip install "skmer[remote]"'
        ) from error
    except ValueError as error:
        raise InputError(
            f"The protocol {protocol}:// is not one that fsspec has ({error}); use a path, or "
            "another URL such as s3://bucket/name."
        ) from error


@contextmanager
def _errors_of(what: str, cannot: str = "be fetched"):
    """Convert any error inside the block to an OSError."""
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(f"{what} does not exist") from None
    except Exception as error:
        # File systems raise what their own clients raise.
        reason = download.without_password(" ".join(f"{type(error).__name__}: {error}".split()))
        raise OSError(bounded(f"{what} cannot {cannot} ({reason})", 200)) from error


def read_url(url: str) -> bytes:
    """Return the content of the file at a URL; any error is raised as OSError."""
    system = check_url(url)
    with _errors_of("the file"):
        return system.cat_file(system._strip_protocol(url))


def exists(url: str) -> bool:
    """Return whether there is a file at a URL."""
    system = check_url(url)
    with _errors_of(f"The file '{download.without_password(url)}'"):
        return system.exists(system._strip_protocol(url))


@contextmanager
def fetched(*names: str):
    """Yield the path of the first of some files of one folder.

    Of URLs, it is that of a copy, which is removed behind the block, as are those of the others.
    """
    if not files.is_url(names[0]):
        yield files.expand_path(names[0])
        return
    system = check_url(names[0])
    with TemporaryDirectory() as folder:
        here = [Path(folder, name.rpartition("/")[2]) for name in names]
        for name, path in zip(names, here):
            with _errors_of(f"The file '{download.without_password(name)}'"):
                system.get_file(system._strip_protocol(name), str(path))
        yield here[0]


def find_urls(url: str) -> list[str]:
    """Return the URLs that a URL stands for: those of a pattern or a folder, or itself."""
    system = check_url(url)
    path = system._strip_protocol(url)
    if url.startswith(("http://", "https://")):
        return [url]
    if any(mark in path for mark in "*?["):
        found = system.glob(path)
    else:
        found = system.find(path) if system.isdir(path) else [path]
    return [system.unstrip_protocol(name) for name in sorted(found)]


class Place:
    """A folder that results go to, on this machine or at a URL.

    At a URL, files are fetched into a folder of this machine, changed there, and stored.

    Parameters
    ----------
    folder : str or path-like
        The folder, made where it does not exist, or its URL.

    Examples
    --------
    >>> import tempfile
    >>> from skmer.utils.remote import Place
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     place = Place(folder)
    ...     _ = place.fetch("scores.txt").write_text("0.57")
    ...     place.store("scores.txt")
    ...     sorted(path.name for path in place.here.iterdir())
    ['scores.txt']
    """

    def __init__(self, folder: str | os.PathLike):
        self.url = str(folder).rstrip("/") if files.is_url(folder) else None
        if self.url is None:
            self.here = files.check_output_folder(folder)
            return
        shown = download.without_password(self.url)
        if self.url.startswith(("http://", "https://")):
            raise InputError(
                f"Results cannot be written to '{shown}': files at http:// can be read only; use a "
                "path, or a URL such as s3://bucket/name."
            )
        self._files = check_url(self.url)
        # Of its own name, so that the same call finds there what a killed one has left.
        name = digest.settings_digest({"url": self.url})[:16]
        self.here = files.check_output_folder(files.user_folder("cache") / "remote" / name)
        test = self._at(".skmer-write-test")
        with _errors_of(f"The folder '{shown}'", "be written to; choose another one"):
            self._files.makedirs(self._files._parent(test), exist_ok=True)
            self._files.pipe_file(test, b"")
            self._files.rm_file(test)

    def _at(self, name: str) -> str:
        return self._files._strip_protocol(f"{self.url}/{name}")

    def show(self, name: str | None = None) -> Path | str:
        """Return where a file, or the place itself, is: a path, or a URL."""
        if self.url is None:
            return self.here if name is None else self.here / name
        return self.url if name is None else f"{self.url}/{name}"

    def open(self, name: str):
        """Open a file for reading, wherever it is."""
        if self.url is None:
            return digest.open_regular(self.here / name)
        return self._files.open(self._at(name), "rb")

    def names(self, pattern: str) -> list[str]:
        """Return the names of the files in it that fit a pattern."""
        if self.url is None:
            return sorted(path.name for path in self.here.glob(pattern))
        return sorted(name.rpartition("/")[2] for name in self._files.glob(self._at(pattern)))

    def fetch(self, name: str) -> Path:
        """Return the path of a file on this machine, which exists where the file does."""
        path = self.here / name
        if self.url is not None:
            path.unlink(missing_ok=True)
            if self._files.exists(self._at(name)):
                self._files.get_file(self._at(name), str(path))
        return path

    def store(self, name: str) -> None:
        """Put a file of `fetch`, which has been written, in its place."""
        if self.url is not None:
            path = self.here / name
            self._files.put_file(str(path), self._at(name))
            path.unlink()

    def remove(self, name: str) -> None:
        """Remove a file."""
        if self.url is None:
            (self.here / name).unlink(missing_ok=True)
        else:
            with suppress(FileNotFoundError):
                self._files.rm_file(self._at(name))


def place_of(out: str | os.PathLike) -> tuple[Place, str]:
    """Return the folder that a file goes to, which can be written to, and the name of the file."""
    text = os.fspath(out)
    if files.is_url(text):
        folder, _, name = text.rpartition("/")
        return Place(folder), name
    path = files.check_output_file(out)
    return Place(path.parent), path.name

"""Archives: fetched, unpacked beside their place, and moved there when whole and checked."""

import gzip
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import IO, Any

from skmer.exceptions import DatasetNotFoundError, InputError, bounded
from skmer.utils.digest import file_digest
from skmer.utils.download import DownloadError, NotPublishedError, download, one_at_a_time
from skmer.utils.files import expand_path, user_folder
from skmer.utils.messages import cut_middle, shorten

# Bytes. No archive here is larger; DEAM's audio takes 1.3 GB.
LARGEST = 8 * 2**30
# Audio hardly shrinks and tables shrink to a tenth; what unpacks to more is made to fill the disk.
LARGEST_RATIO = 50
_SMALLEST_LIMIT = 10 * 2**20
_UNPACKING = ".unpacking-"
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Archive:
    """A published archive, and its checksum where its publisher or a reader noted one."""

    filename: str
    url: str
    sha256: str | None
    md5: str | None = None


def download_and_unpack(
    archive: Archive,
    folder: Path,
    *,
    wanted: Callable[[str], str | None],
    checksums: Mapping[str, str] | None = None,
    check: Callable[[Path], object] | None = None,
) -> None:
    """Fetch an archive and put the wanted files of it into a folder.

    ``wanted`` says where a member goes, relative to the folder; None = nowhere. With
    ``checksums`` all files in it must come out, with these SHA-256; ``check`` gets the folder with
    what came out, and raises what is wrong with it. Nothing is seen in the folder before
    everything is checked.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(folder / archive.filename):
            # left by a process that was killed; one that runs holds the lock
            for stale in folder.glob(f"{_UNPACKING}{archive.filename}-*"):
                shutil.rmtree(stale, ignore_errors=True)
            with tempfile.TemporaryDirectory(
                prefix=f"{_UNPACKING}{archive.filename}-", dir=folder
            ) as temporary:
                path = folder / f".{archive.filename}"
                _download(archive, path, folder)
                try:
                    unpacked = Path(temporary, "unpacked")
                    _unpack(path, archive.filename, unpacked, wanted)
                    if checksums is not None:
                        _check(unpacked, checksums, archive)
                    if check is not None:
                        check(unpacked)
                finally:
                    path.unlink()
                _move_into(unpacked, folder)
    except DatasetNotFoundError:
        raise
    except DownloadError as error:
        raise _not_to_be_had(archive, folder, str(error)) from error
    except OSError as error:
        raise OSError(
            bounded(
                f"{archive.filename} could not be unpacked in {folder}: {error}. Choose another "
                "folder by 'data_home' or the environment variable SKMER_DATA."
            )
        ) from error


def _download(archive: Archive, path: Path, folder: Path) -> None:
    """Archive on this disk, its checksum verified where one is known."""
    published = {"sha256": archive.sha256, "md5": archive.md5}
    checksums = {kind: value for kind, value in published.items() if value is not None}
    try:
        download(archive.url, path, checksums=checksums, largest=LARGEST)
    except NotPublishedError as error:
        path.with_name(path.name + ".rejected").unlink(missing_ok=True)
        raise InputError(
            f"{archive.filename} from {archive.url} is not the published file, its checksum is "
            f"another; it was not kept. Try again later, or fetch it by hand and unpack it in "
            f"{folder}."
        ) from error


def _not_to_be_had(archive: Archive, folder: Path, reason: str) -> DatasetNotFoundError:
    return DatasetNotFoundError(
        f"{archive.filename} could not be downloaded from {archive.url}: {reason}. Try again "
        f"later, or fetch it by hand and unpack it in {folder}."
    )


def _unpack(path: Path, filename: str, target: Path, wanted: Callable[[str], str | None]) -> None:
    """Write the wanted regular files of a zip or tar archive below the target."""
    target.mkdir()
    limit = max(_SMALLEST_LIMIT, LARGEST_RATIO * path.stat().st_size)
    try:
        for name, stream in _members(path, filename, limit):
            place = wanted(name)
            if place is None:
                continue
            # of Windows as well, where a drive may stand before the root
            if PureWindowsPath(name).anchor or ".." in PureWindowsPath(name).parts:
                raise InputError(
                    f"{filename} must not hold files outside its own folder. Got "
                    f"{cut_middle(repr(name), 80)}."
                )
            destination = target / place
            destination.parent.mkdir(parents=True, exist_ok=True)
            # "x": two members in one place are no published archive
            with open(destination, "xb") as file:
                shutil.copyfileobj(stream, file, _CHUNK)
    except InputError:
        raise
    # zipfile has RuntimeError for encrypted members, NotImplementedError for odd compressions
    except (
        zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, RuntimeError,
        ValueError, FileExistsError, NotADirectoryError,
    ) as error:  # fmt: skip
        raise InputError(
            f"{filename} must be a whole zip or tar archive. Got: {cut_middle(str(error), 100)}; "
            "try again later."
        ) from error


class _Bounded:
    """A stream that ends in an error beyond a number of bytes, before they are in memory."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, limit: int, filename: str):
        self._stream = stream
        self.left = limit
        self._filename = filename

    def read(self, size: int = -1) -> bytes:
        """As of a file; what is asked for, and what comes, must be within the limit."""
        # one more than is left tells a stream that is too long from one that ends there
        block = self._stream.read(self.left + 1 if size < 0 else min(size, self.left + 1))
        self.left -= len(block)
        if self.left < 0:
            raise InputError(
                f"{self._filename} unpacks to far more than a published archive does; it was not "
                "kept."
            )
        return block


def _members(path: Path, filename: str, limit: int) -> Iterator[tuple[str, Any]]:
    """Names and contents of the regular files in an archive; links and devices are passed over.

    `limit` bounds what all of them together may hold [bytes].
    """
    if filename.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    with archive.open(info) as stream:
                        bounded = _Bounded(stream, limit, filename)
                        yield info.filename.replace("\\", "/"), bounded
                        limit = bounded.left
    else:
        with gzip.open(path) as unzipped:
            # bounded as a whole: a member's headers may be as large as its content
            whole: Any = _Bounded(unzipped, limit, filename)
            with tarfile.open(fileobj=whole, mode="r|") as tar:
                for member in tar:
                    content = tar.extractfile(member) if member.isfile() else None
                    if content is not None:
                        # and by itself: a sparse file has holes that take nothing in the archive
                        bounded = _Bounded(content, limit, filename)
                        yield member.name.removeprefix("./"), bounded
                        limit = bounded.left


def _check(unpacked: Path, checksums: Mapping[str, str], archive: Archive) -> None:
    """Raise unless every file is there with its SHA-256."""
    missing = [name for name in checksums if not (unpacked / name).is_file()]
    wrong = [
        name
        for name, sha in checksums.items()
        if name not in missing and file_digest(unpacked / name) != sha
    ]
    for what, names in (("lacks", missing), ("holds other bytes for", wrong)):
        if names:
            raise InputError(
                f"{archive.filename} from {archive.url} is not the published file: it {what} "
                f"{len(names)} of {len(checksums)} clips, {shorten(names)}. Nothing of it was "
                "kept; try again later."
            )


def _move_into(unpacked: Path, folder: Path) -> None:
    """Move whole entries into the folder; what another process put there first stays."""
    for entry in sorted(unpacked.iterdir()):
        place = folder / entry.name
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()
        if not place.exists():
            try:
                os.rename(entry, place)
            except OSError:
                if not place.exists():
                    raise


def get_data_home(data_home: str | os.PathLike | None = None) -> Path:
    """Folder in which the datasets lie; it is not created.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder. By default the environment variable ``SKMER_DATA``, else the
        user's data folder of the operating system, or a temporary one for a user whose home
        does not exist or cannot be written.

    Returns
    -------
    data_home : pathlib.Path
        An absolute path.

    Examples
    --------
    >>> from skmer.datasets import get_data_home
    >>> get_data_home("my_data").name
    'my_data'
    """
    if data_home is None:
        data_home = os.environ.get("SKMER_DATA") or None
    if data_home is None:
        return user_folder("data")
    return expand_path(data_home).absolute()

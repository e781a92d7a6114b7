"""Archives: fetched, unpacked beside their place, and moved there when whole and checked."""

import gzip
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath
from typing import NamedTuple

from skmer.datasets.files import AUDIO_SUFFIXES, find_audio_files, find_tables, not_in_place
from skmer.exceptions import DatasetNotFoundError, InputError, bounded
from skmer.utils import digest, messages
from skmer.utils.download import DownloadError, NotPublishedError, download, one_at_a_time

# Bytes. No archive here is larger; DEAM's audio takes 1.3 GB.
LARGEST = 8 * 2**30
# Audio hardly shrinks and tables shrink to a tenth; what unpacks to more is no published archive.
LARGEST_RATIO = 50
SMALLEST_LIMIT = 10 * 2**20


class Archive(NamedTuple):
    """A published archive, and its checksum where its publisher or a reader noted one."""

    filename: str
    url: str
    sha256: str | None = None
    md5: str | None = None

    @property
    def checksums(self) -> dict[str, str]:
        """The known checksums by their kinds."""
        return {kind: value for kind in ("sha256", "md5") if (value := getattr(self, kind))}


def download_and_unpack(archive: Archive, folder: Path, *, checksums=None, check=None) -> None:
    """Fetch an archive and put the audio and the csv files of it into a folder.

    With ``checksums`` all files in it must come out, with these SHA-256; ``check`` gets the folder
    with what came out, and raises if it is wrong. Nothing is in the folder before all is checked.
    """
    with _fetching(archive, folder, "unpacking"):
        prefix = f".unpacking-{archive.filename}-"
        # A process that was killed left them; one that runs holds the lock.
        for stale in folder.glob(f"{prefix}*"):
            shutil.rmtree(stale, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=prefix, dir=folder) as temporary:
            path, unpacked = folder / f".{archive.filename}", Path(temporary, "unpacked")
            download(archive.url, path, checksums=archive.checksums, largest=LARGEST)
            try:
                _unpack(path, archive.filename, unpacked)
            finally:
                path.unlink()
            _check(unpacked, checksums or {}, archive)
            if check is not None:
                check(unpacked)
            _move_into(unpacked, folder)


def find_or_fetch(readers, folder: Path, info, archive=None, download=False, **options):
    """Paths of the tables of these names, whose archive is fetched where some are not in place."""
    tables = find_tables(folder, readers)
    if archive is not None and download and len(tables) < len(readers):
        download_and_unpack(archive, folder, **options)
        tables = find_tables(folder, readers)
    if missing := [name for name in readers if name not in tables]:
        filename = getattr(archive, "filename", "")
        raise not_in_place(messages.shorten(missing), folder, info, filename)
    return tables


def fetch_clips(folder: Path, info, archive: Archive, clips: str, download: bool) -> None:
    """Fetch the clips, which `clips` describes, where none of them is in place."""
    if not find_audio_files(folder).paths:
        if not download:
            raise not_in_place(clips, folder, info, archive.filename)
        download_and_unpack(archive, folder)


def download_files(url: str, checksums: dict[str, str], folder: Path) -> None:
    """Fetch files below an address to their places below a folder; each comes with its SHA-256."""
    for place, sha256 in checksums.items():
        path = folder / place
        archive = Archive(path.name, f"{url}/{place}", sha256)
        with _fetching(archive, path.parent, "fetching"):
            download(archive.url, path, checksums=archive.checksums, largest=LARGEST)


@contextmanager
def writing_to(folder: Path, what: str):
    """Make a folder for the block; an OSError of the block states what to do about it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except DatasetNotFoundError:
        raise
    except OSError as error:
        raise OSError(
            bounded(
                f"{folder} cannot be written to ({what}): {error}. Choose another folder by "
                "'data_home' or the environment variable SKMER_DATA."
            )
        ) from error


@contextmanager
def _fetching(archive: Archive, folder: Path, what: str):
    """Let one process at a time fetch an archive; an error of the block states what to do."""
    advice = f"Try again later, or fetch it by hand and unpack it in {folder}."
    try:
        with (
            writing_to(folder, f"{what} {archive.filename}"),
            one_at_a_time(folder / archive.filename),
        ):
            yield
    except DownloadError as error:
        raise DatasetNotFoundError(
            f"{archive.filename} could not be downloaded from {archive.url}: {error}. {advice}"
        ) from error
    except NotPublishedError as error:
        raise InputError(
            f"{archive.filename} from {archive.url} is not the published file, its checksum is "
            f"another; it was not kept. {advice}"
        ) from error


def _unpack(path: Path, filename: str, target: Path) -> None:
    """Write the audio and the csv files of a zip or tar archive below the target."""
    target.mkdir()
    left = max(SMALLEST_LIMIT, LARGEST_RATIO * path.stat().st_size)
    try:
        for name, size, stream in _members(path):
            # Neither reader gives more of a member than the size that is declared for it.
            left -= size
            if left < 0:
                raise InputError(
                    f"{filename} unpacks to far more than a published archive does; it was not "
                    "kept."
                )
            # By the rules of Windows as well, where a drive may stand before the root.
            parts = PureWindowsPath(name)
            if parts.anchor or ".." in parts.parts:
                raise InputError(
                    f"{filename} must not hold files outside its own folder. Got {name!r}."
                )
            # Hidden files are those that unpacking on a Mac leaves.
            hidden = any(part.startswith((".", "__MACOSX")) for part in parts.parts)
            if hidden or parts.suffix.lower() not in {".csv", *AUDIO_SUFFIXES}:
                continue
            destination = target / name
            destination.parent.mkdir(parents=True, exist_ok=True)
            # "x": two members in one place are no published archive.
            with open(destination, "xb") as file:
                shutil.copyfileobj(stream, file)
    except InputError:
        raise
    # zipfile raises RuntimeError for encrypted members, NotImplementedError for other compressions.
    except (
        zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, RuntimeError,
        ValueError, FileExistsError, NotADirectoryError,
    ) as error:  # fmt: skip
        raise InputError(
            f"{filename} must be a whole zip or tar archive. Got: {error}; try again later."
        ) from error


def _members(path: Path):
    """Name, size and content of the regular files in an archive, without links and devices.

    A tar archive is read only where its SHA-256 is published, so its headers are trusted.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    with archive.open(info) as stream:
                        yield info.filename.replace("\\", "/"), info.file_size, stream
    else:
        with tarfile.open(path, "r:gz") as tar:
            for member in tar:
                if member.isfile() and (content := tar.extractfile(member)) is not None:
                    yield member.name.removeprefix("./"), member.size, content


def _check(unpacked: Path, checksums: dict[str, str], archive: Archive) -> None:
    """Raise unless every file is there with its SHA-256."""
    missing = [name for name in checksums if not (unpacked / name).is_file()]
    there = [name for name in checksums if name not in missing]
    wrong = [name for name in there if digest.file_digest(unpacked / name) != checksums[name]]
    for what, names in (("lacks", missing), ("holds other bytes for", wrong)):
        if names:
            raise InputError(
                f"{archive.filename} from {archive.url} is not the published file: it {what} "
                f"{len(names)} of {len(checksums)} clips, {messages.shorten(names)}. Nothing of "
                "it was kept; try again later."
            )


def _move_into(unpacked: Path, folder: Path) -> None:
    """Move entries into the folder, as whole as they can be; files that are there stay."""
    for entry in sorted(unpacked.iterdir()):
        place = folder / entry.name
        if not place.exists():
            os.rename(entry, place)
        elif entry.is_dir() and place.is_dir():
            _move_into(entry, place)

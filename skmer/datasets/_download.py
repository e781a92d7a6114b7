"""Archives: fetched by pooch, unpacked beside their place, and moved there when whole."""

import os
import shutil
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from skmer.exceptions import DatasetNotFoundError, InputError
from skmer.utils._digest import file_digest
from skmer.utils._progress import ProgressBar
from skmer.utils._words import shorten

N_RETRIES = 2
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Archive:
    """A published archive, and its checksum where its publisher or a reader noted one."""

    filename: str
    url: str
    sha256: str | None


def download_and_unpack(
    archive: Archive,
    folder: Path,
    *,
    wanted: Callable[[str], str | None],
    checksums: Mapping[str, str] | None = None,
) -> None:
    """Fetch an archive and put the wanted files of it into a folder.

    ``wanted`` says where a member goes, relative to the folder; None = nowhere. With
    ``checksums`` all files in it must come out, with these SHA-256. Nothing is seen in the
    folder before everything is checked.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=folder) as temporary:
            path = _download(archive, Path(temporary), folder)
            unpacked = Path(temporary, "unpacked")
            _unpack(path, unpacked, wanted)
            if checksums is not None:
                _check(unpacked, checksums, archive)
            _move_into(unpacked, folder)
    except DatasetNotFoundError:
        raise
    except OSError as error:
        raise OSError(
            f"{archive.filename} could not be unpacked in {folder}: {error}. Choose another folder "
            "by 'data_home' or the environment variable SKMER_DATA."
        ) from error


def _download(archive: Archive, temporary: Path, folder: Path) -> Path:
    """Archive on this disk, its checksum verified where one is known."""
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")
    store = pooch.create(
        path=temporary,
        base_url="",
        registry={archive.filename: archive.sha256 and f"sha256:{archive.sha256}"},
        urls={archive.filename: archive.url},
        retry_if_failed=N_RETRIES,
    )
    by_hand = f"Try again later, or fetch it by hand and unpack it in {folder}."
    try:
        shown = sys.stderr.isatty()
        with ProgressBar(archive.filename, unit="bytes", enabled=shown) as progress:
            downloader = pooch.HTTPDownloader(progressbar=progress, chunk_size=_CHUNK)
            return Path(store.fetch(archive.filename, downloader=downloader))
    except requests.exceptions.RequestException as error:
        if error.response is not None:
            error.response.close()
        raise DatasetNotFoundError(
            f"{archive.filename} could not be downloaded from {archive.url}: "
            f"{_first_line(error)}. {by_hand}"
        ) from error
    except ValueError as error:
        raise InputError(
            f"{archive.filename} from {archive.url} is not the published file, its SHA-256 is "
            f"another; it was not kept. {by_hand}"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def _unpack(path: Path, target: Path, wanted: Callable[[str], str | None]) -> None:
    """Write the wanted regular files of a zip or tar archive below the target."""
    target.mkdir()
    try:
        for name, stream in _members(path):
            place = wanted(name)
            if place is None:
                continue
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise InputError(
                    f"{path.name} must not hold files outside its own folder. Got {name!r}."
                )
            destination = target / place
            destination.parent.mkdir(parents=True, exist_ok=True)
            with open(destination, "wb") as file:
                shutil.copyfileobj(stream, file, _CHUNK)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError) as error:
        raise InputError(
            f"{path.name} must be a whole zip or tar archive. Got: {error}; try again later."
        ) from error


def _members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Names and contents of the regular files in an archive; links and devices are passed over."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    with archive.open(info) as stream:
                        yield info.filename.replace("\\", "/"), stream
    else:
        with tarfile.open(path) as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isfile() else None
                if content is not None:
                    yield member.name.removeprefix("./"), content


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

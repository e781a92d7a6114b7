"""Where weights files lie on this machine, and how one is had: found, verified, else fetched."""

import errno
import importlib.util
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skmer.embeddings.weights._registry import WeightsFile
from skmer.exceptions import InputTypeError, WeightsIntegrityError, WeightsNotFoundError
from skmer.utils._words import cut_middle
from skmer.utils.files._download import (
    DownloadError,
    NotPublishedError,
    download,
    find_mismatch,
    one_at_a_time,
    put_aside,
    without_password,
)
from skmer.utils.files._paths import expand_path, user_folder

FOLDER_VARIABLE = "SKMER_WEIGHTS"
MIRROR_VARIABLE = "SKMER_WEIGHTS_MIRROR"

Weights = str | os.PathLike | None

# What a file of unknown size certainly is not larger than; VGGish's takes 289 MB.
LARGEST = 512 * 2**20
# Seconds. A file that was changed a shorter time ago may still be being copied.
COPYING_TIME = 60.0

# files verified by this process: (path, size, time of change in ns)
_verified: set[tuple] = set()


def weights_folder() -> Path:
    """The folder that downloads go to: $SKMER_WEIGHTS, else one in the user's cache."""
    if folder := os.environ.get(FOLDER_VARIABLE):
        return expand_path(folder).absolute()
    return user_folder("cache") / "weights"


def weights_source(entry: WeightsFile) -> str:
    """Where `entry` is fetched from, in words: $SKMER_WEIGHTS_MIRROR, else its own source.

    Of a package only name and version are known; the package client knows where it is.
    """
    if entry.base_url is None:
        return f"the package {entry.requirement}"
    base = os.environ.get(MIRROR_VARIABLE) or entry.base_url
    return f"{without_password(base).rstrip('/')}/{entry.file}"


def given_path(weights: Weights, estimator: str, kinds: str) -> Path:
    """The path that the user gave as the parameter `weights`, which must be a file."""
    if not isinstance(weights, (str, os.PathLike)):
        raise InputTypeError(
            f"The 'weights' parameter of {estimator} must be 'pretrained', the path of a file "
            f"({kinds}), or None for random weights. Got {cut_middle(repr(weights), 80)} instead."
        )
    path = expand_path(weights).absolute()
    # os.path says False where a path cannot be one; pathlib raises
    readable, exists = os.access(path, os.R_OK), os.path.exists(path)
    if not (readable and os.path.isfile(path)):
        what = "is no file" if readable else "cannot be read" if exists else "does not exist"
        raise WeightsNotFoundError(
            f"The weights file {cut_middle(str(path))} {what}: the 'weights' parameter of "
            f"{estimator} must be 'pretrained', the path of a file ({kinds}), or None for random "
            "weights."
        )
    return path


def obtain(entry: WeightsFile) -> Path:
    """The path of the verified file: in the folder, in an installed package, or fetched now."""
    target = weights_folder() / entry.file
    with sentences_for(entry):
        if target.exists():
            return verified(target, entry)
        if (installed := find_installed(entry)) is not None:
            return verified(installed, entry)
        return _fetched(entry, target)


@contextmanager
def sentences_for(entry: WeightsFile) -> Iterator[None]:
    """Whatever keeps `entry` from being had inside the block becomes one sentence."""
    folder = weights_folder()
    try:
        yield
    except DownloadError as error:
        raise not_to_be_had(entry, str(error)) from error
    except WeightsNotFoundError:
        raise
    except OSError as error:
        elsewhere = f"${FOLDER_VARIABLE} may name another folder"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            reason = f"no space is left in {folder} (free some; {elsewhere})"
        else:
            what = error.filename or folder
            reason = f"{what} cannot be read or written ({error.strerror or error}; {elsewhere})"
        raise not_to_be_had(entry, reason) from error


def _fetched(entry: WeightsFile, target: Path) -> Path:
    """`target`, downloaded and verified; one process downloads and the others wait for it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    mirror = os.environ.get(MIRROR_VARIABLE)
    with one_at_a_time(target):
        if not target.exists():
            try:
                download(
                    f"{(mirror or entry.base_url or '').rstrip('/')}/{entry.file}",
                    target,
                    checksums=entry.checksums,
                    largest=entry.size or LARGEST,
                    any_http=bool(mirror),
                )
            except NotPublishedError as error:
                raise WeightsIntegrityError(
                    f"What was downloaded from {weights_source(entry)} is not the published "
                    f"'{entry.name}': {error}. Try again later, or put {entry.file} into "
                    f"{target.parent} yourself."
                ) from error
        return verified(target, entry)


def not_to_be_had(entry: WeightsFile, reason: str) -> WeightsNotFoundError:
    """The error that says which file, why not, where it comes from and where to put it."""
    return WeightsNotFoundError(
        f"The pretrained weights '{entry.name}' are not on this machine and cannot be downloaded: "
        f"{reason}. Put {entry.file} from {weights_source(entry)} into {weights_folder()}, or pass "
        "weights=None for random weights."
    )


def verified(path: Path, entry: WeightsFile) -> Path:
    """`path`, once its checksums match; a file of ours that does not match is put aside."""
    status = path.stat()
    state = (str(path), status.st_size, status.st_mtime_ns)
    if state in _verified:
        return path
    if (mismatch := find_mismatch(path, checksums_of(path, entry))) is not None:
        raise WeightsIntegrityError(
            f"The file {path} is not the published '{entry.name}': {mismatch}; {rejected(path)}. "
            f"Run again to have it fetched, or put {entry.file} from {weights_source(entry)} into "
            f"{weights_folder()}."
        )
    _verified.add(state)
    return path


def rejected(path: Path) -> str:
    """What becomes of a file with another content than the published one, in words."""
    if path.parent != weights_folder():
        return "it was not loaded"
    if abs(time.time() - path.stat().st_mtime) < COPYING_TIME:
        return "it was changed a moment ago and may still be being copied, so it stays"
    return put_aside(path)


def checksums_of(path: Path, entry: WeightsFile) -> dict[str, str]:
    """What is known of a file: of the published one, or of the one in a package."""
    return entry.checksums if path.name == entry.file else entry.installed_checksums


def find_installed(entry: WeightsFile) -> Path | None:
    """The same file inside an installed package, which is not imported."""
    if entry.installed is None:
        return None
    package, _, inside = entry.installed.partition("/")
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        path = Path(folder) / inside
        if path.is_file():
            return path
    return None

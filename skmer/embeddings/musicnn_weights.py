"""From the parameters `weights` and `trained_on` to MusiCNN's arrays."""

import importlib.util
import io
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skmer.embeddings.loading import (
    constant,
    digests,
    he_limit,
    random_digest,
    read_once,
    signature,
    uniform,
)
from skmer.embeddings.readers import (
    INDEX,
    NUMBERS,
    DamagedCheckpointError,
    damaged_unless,
    digest_arrays,
    finish,
    is_zip,
    read_checkpoint,
    read_npz,
    read_v2,
)
from skmer.embeddings.weights import (
    Weights,
    WeightsFile,
    find_entry,
    find_installed,
    given_path,
    musicnn_name,
    rejected,
    sentences_for,
    verified,
    weights_folder,
)
from skmer.exceptions import WeightsIntegrityError
from skmer.utils.download import DownloadError, find_mismatch, one_at_a_time, without_password
from skmer.utils.messages import cut_middle

_CONVOLUTIONS = (
    (7, 38, 1, 204), (7, 67, 1, 204), (128, 1, 1, 51), (64, 1, 1, 51), (32, 1, 1, 51),
    (7, 561, 1, 64), (7, 64, 1, 64), (7, 64, 1, 64),
)  # fmt: skip
_DENSE = ((1506, 200), (200, 50))
_NORMALISED = (1, 204, 204, 51, 51, 51, 64, 64, 64, 1506, 200)
_NORM = {"beta": 0.0, "gamma": 1.0, "moving_mean": 0.0, "moving_variance": 1.0}
# The first normalisation stands before log-mel values, mostly 0 to 5.
_INPUT_NORM = {**_NORM, "moving_mean": 2.0, "moving_variance": 1.5}


def _numbered(layer: str, position: int) -> str:
    """A layer's name as TensorFlow numbers it."""
    return f"{layer}_{position}" if position else layer


def _shapes() -> tuple[tuple[str, tuple[int, ...]], ...]:
    """(name, shape) of the 64 arrays in the order of the network, kernels before biases."""
    shapes: list[tuple[str, tuple[int, ...]]] = []
    for layer, kernels in (("conv2d", _CONVOLUTIONS), ("dense", _DENSE)):
        for position, kernel in enumerate(kernels):
            name = _numbered(layer, position)
            shapes += [(f"{name}/kernel", kernel), (f"{name}/bias", kernel[-1:])]
    for position, width in enumerate(_NORMALISED):
        name = _numbered("batch_normalization", position)
        shapes += [(f"{name}/{role}", (width,)) for role in _NORM]
    return tuple(shapes)


MUSICNN_SHAPES = _shapes()
# `digest_arrays` over the published arrays in the order of MUSICNN_SHAPES. A file of converted
# arrays is the published model when its content says so, whoever put it there.
PUBLISHED_DIGESTS = {
    "msd": "1f3bf56835ff0e1c0188dfa001e666707ba9f8efbfc0014595ff6e28af7709d5",
    "mtt": "313a4824e0b608e6faea44cf718a17795b39e3e836d32c3cc52f9e33a110baa8",
}


@dataclass(frozen=True, eq=False)
class MusiCNNWeights:
    """MusiCNN's 64 arrays by the names of the checkpoint, their digest and their label.

    `arrays` maps "conv2d/kernel" and so on to read-only float32 arrays; `digest` is the SHA-256
    over them (or "random-<seed>").
    """

    arrays: Mapping[str, np.ndarray]
    digest: str
    label: str


def by_name(arrays, source: str) -> dict[str, np.ndarray]:
    """Arrays in the order of MUSICNN_SHAPES by their names, every value checked."""
    return {
        name: finish(array, name, source)
        for (name, _), array in zip(MUSICNN_SHAPES, arrays, strict=True)
    }


def random_musicnn_weights(seed: int) -> MusiCNNWeights:
    """MusiCNN with random kernels."""
    bits = np.random.PCG64(seed)
    arrays = {}
    for name, shape in MUSICNN_SHAPES:
        layer, role = name.split("/")
        if role == "kernel":
            arrays[name] = uniform(bits, shape, he_limit(shape))
        elif role == "bias":
            arrays[name] = constant(shape, 0.0)
        else:
            norm = _INPUT_NORM if layer == "batch_normalization" else _NORM
            arrays[name] = constant(shape, norm[role])
    return MusiCNNWeights(arrays, random_digest(seed), f"random (seed {seed})")


_MUST_BE = (
    "the wheel of musicnn 0.1.0, the .index file of a TensorFlow checkpoint beside its .data file, "
    "or an npz of its arrays"
)
# The published ones take 9.5 MB, two thirds of it the state of the optimiser.
_LARGEST = 64 * 2**20


def checkpoint_in(root: str | Path, trained_on: str) -> Path:
    """Where the package keeps the index of a model, below its own folder `root`."""
    return Path(root, f"{trained_on.upper()}_musicnn", INDEX)


def read_musicnn_file(path: Path, trained_on: str) -> tuple[dict[str, np.ndarray], str]:
    """(arrays by name, digest) of a wheel, an npz of the arrays, or the index of a checkpoint."""
    arrays = by_name(_read(path, trained_on), str(path))
    return arrays, digest_arrays(tuple(arrays.values()))


def _read(path: Path, trained_on: str) -> list[np.ndarray]:
    with damaged_unless(path, _MUST_BE):
        if not is_zip(path):
            return read_checkpoint(path, MUSICNN_SHAPES)
        with zipfile.ZipFile(path) as archive:
            index = checkpoint_in("musicnn", trained_on)
            if index.as_posix() not in archive.namelist():
                return read_npz(path, MUSICNN_SHAPES, "MusiCNN")
            table = _unpack(archive, index.as_posix())
            numbers = _unpack(archive, index.with_name(NUMBERS).as_posix())
        return read_v2(table, numbers, MUSICNN_SHAPES, str(path))


def _unpack(archive: zipfile.ZipFile, name: str) -> io.BytesIO:
    """One member of the wheel, bounded whatever its header says of its size."""
    with archive.open(name) as stream:
        data = stream.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise DamagedCheckpointError(f"{name} in it holds more than {_LARGEST >> 20} MB")
    return io.BytesIO(data)


# Seconds. The clients have limits of their own; this one ends what hangs all the same.
CLIENT_TIMEOUT = 900.0
_SPACE = ("No space left on device", "Disk quota exceeded")


def fetch_package(requirement: str, sha256: str, folder: Path) -> None:
    """Have the package client put a wheel, or the files in it, into `folder`.

    pip downloads the wheel. uv cannot; it checks the wheel's SHA-256 and unpacks it. Neither runs
    anything of the package. Raises DownloadError when there is no client or it fails.
    """
    command = _command(requirement, sha256, folder)
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=CLIENT_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DownloadError(f"the package client did not end in {CLIENT_TIMEOUT:.0f} s") from error
    except OSError as error:
        raise DownloadError(f"the package client cannot be started ({error.strerror})") from error
    if done.returncode:
        raise DownloadError(_reason(done.stdout + "\n" + done.stderr, folder))


def _command(requirement: str, sha256: str, folder: Path) -> list[str]:
    """What to run: this environment's pip, else uv."""
    if importlib.util.find_spec("pip") is not None:
        # -P: a file called pip.py in the working folder is not run
        return [
            sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:",
            "--no-input", "--disable-pip-version-check", "--progress-bar=off",
            "-d", str(folder), requirement,
        ]  # fmt: skip
    if (uv := shutil.which("uv")) is not None:
        pinned = folder / "requirements.txt"
        pinned.write_text(f"{requirement} --hash=sha256:{sha256}\n", encoding="utf-8")
        return [
            uv, "pip", "install", "--python", sys.executable, "--no-deps", "--only-binary=:all:",
            "--require-hashes", "--target", str(folder), "--requirements", str(pinned),
        ]  # fmt: skip
    raise DownloadError("this environment has neither pip nor uv")


def _reason(output: str, folder: Path) -> str:
    """The client's own reason in one line, without passwords."""
    if any(phrase in output for phrase in _SPACE):
        return f"no space is left in {folder.parent} or in the temporary folder"
    # plain characters only: uv draws boxes, and terminals obey others
    lines = [re.sub(r"[^ -~]", "", line).strip() for line in output.splitlines()]
    errors = [n for n, line in enumerate(lines) if line.lower().startswith("error")]
    said = lines[errors[-1] :][:2] if errors else [line for line in lines if line][-3:]
    reason = re.sub(r"(?i)\b(error|cause): ", "", " - ".join(filter(None, said)))
    return f"the package client failed: {cut_middle(without_password(reason)) or 'no reason given'}"


_logger = logging.getLogger("skmer")
_UNPACKING = ".fetching-"


def load_musicnn_weights(weights: Weights, trained_on: str, *, seed: int) -> MusiCNNWeights:
    """MusiCNN's arrays: "pretrained", those of the file at a path, or random ones for None."""
    if weights is None:
        return random_musicnn_weights(seed)
    path, label = _path(weights, trained_on)
    read = _read_published if label == "pretrained" else _read_given
    return read_once(
        ("musicnn", label, trained_on, *signature(path)), lambda: read(path, trained_on)
    )


def musicnn_weights_digest(weights: Weights, trained_on: str, *, seed: int) -> str:
    """The digest that `load_musicnn_weights` would state, without drawing random arrays."""
    if weights is None:
        return random_digest(seed)
    path, label = _path(weights, trained_on)
    key = ("musicnn", label, trained_on, *signature(path))
    if key not in digests:
        return load_musicnn_weights(weights, trained_on, seed=seed).digest
    return digests[key]


def obtain_musicnn(trained_on: str) -> Path:
    """A file that holds the published model: converted, the wheel, installed, or fetched now."""
    entry = find_entry(musicnn_name(trained_on))
    with sentences_for(entry):
        return find_musicnn(trained_on) or _fetched(entry, trained_on)


def find_musicnn(trained_on: str) -> Path | None:
    """The file on this machine that the published model would be read from."""
    entry = find_entry(musicnn_name(trained_on))
    if (converted := converted_path(trained_on)).exists():
        return converted
    wheel = weights_folder() / entry.file
    return wheel if wheel.exists() else find_installed(entry)


def converted_path(trained_on: str) -> Path:
    """Where the arrays of a published model are kept once they were read."""
    return weights_folder() / f"musicnn_{trained_on}.npz"


def musicnn_state(trained_on: str) -> tuple[Path, str]:
    """(path, state) of the copy that would be used, as in the list of weights; moves nothing."""
    entry = find_entry(musicnn_name(trained_on))
    path = find_musicnn(trained_on)
    if path is None:
        return weights_folder() / entry.file, "missing"
    if path.name == entry.file:
        return path, "verified" if find_mismatch(path, entry.checksums) is None else "wrong"
    try:
        _, digest = read_musicnn_file(path, trained_on)
    except WeightsIntegrityError:
        return path, "wrong"
    is_right = digest == PUBLISHED_DIGESTS[trained_on]
    kind = "converted" if path == converted_path(trained_on) else "verified"
    return path, kind if is_right else "wrong"


def _path(weights: Weights, trained_on: str) -> tuple[Path, str]:
    """(file, label) of a path or of "pretrained"."""
    if weights == "pretrained":
        return obtain_musicnn(trained_on), "pretrained"
    if isinstance(weights, (str, os.PathLike)):
        # TensorFlow names a checkpoint by what its files' names begin with
        index = Path(f"{os.fspath(weights)}{INDEX}").expanduser()
        weights = index if os.path.isfile(index) else weights
    path = given_path(weights, "MusiCNNTransformer", "a wheel, an .index, or an .npz of the arrays")
    return path, path.name


def _read_given(path: Path, trained_on: str) -> MusiCNNWeights:
    return MusiCNNWeights(*read_musicnn_file(path, trained_on), path.name)


def _read_published(path: Path, trained_on: str) -> MusiCNNWeights:
    """The published arrays, kept as an npz for the next time where that is possible."""
    entry = find_entry(musicnn_name(trained_on))
    if path.name == entry.file:
        verified(path, entry)
    found = _read_checked(path, trained_on)
    if path != (converted := converted_path(trained_on)):
        try:
            _save(found.arrays, converted)
        except OSError as error:
            _logger.info("The arrays of %s cannot be kept in %s (%s).", path, converted, error)
    return found


def _read_checked(path: Path, trained_on: str) -> MusiCNNWeights:
    """The arrays of a file, which must be the published ones by their content."""
    arrays, digest = read_musicnn_file(path, trained_on)
    if digest != PUBLISHED_DIGESTS[trained_on]:
        entry = find_entry(musicnn_name(trained_on))
        raise WeightsIntegrityError(
            f"The arrays in {path} are not those of the published '{entry.name}'; "
            f"{rejected(path)}. Run again to fetch them, or put {entry.file} into "
            f"{weights_folder()}."
        )
    return MusiCNNWeights(arrays, digest, "pretrained")


def _fetched(entry: WeightsFile, trained_on: str) -> Path:
    """The converted arrays of the package, had from the index by the package client."""
    folder, converted = weights_folder(), converted_path(trained_on)
    folder.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(folder / entry.file):
        if (found := find_musicnn(trained_on)) is not None:
            return found
        for stale in folder.glob(f"{_UNPACKING}*"):
            shutil.rmtree(stale, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_UNPACKING, dir=folder) as temporary:
            fetch_package(str(entry.requirement), entry.checksums["sha256"], Path(temporary))
            source = Path(temporary, entry.file)
            if not source.exists():
                source = checkpoint_in(Path(temporary, "musicnn"), trained_on)
            elif (mismatch := find_mismatch(source, entry.checksums)) is not None:
                raise WeightsIntegrityError(
                    f"What the package client fetched as {entry.requirement} is not the published "
                    f"'{entry.name}': {mismatch}; it was not kept. Put {entry.file} into {folder}."
                )
            _save(_read_checked(source, trained_on).arrays, converted)
    return converted


def _save(arrays: Mapping[str, Any], target: Path) -> None:
    """Write an npz, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            np.savez(stream, **dict(arrays))
        os.replace(part, target)
    finally:
        with suppress(OSError):
            part.unlink()


_MSD = """rock, pop, alternative, indie, electronic, female vocalists, dance, 00s, alternative rock,
jazz, beautiful, metal, chillout, male vocalists, classic rock, soul, indie rock, Mellow,
electronica, 80s, folk, 90s, chill, instrumental, punk, oldies, blues, hard rock, ambient, acoustic,
experimental, female vocalist, guitar, Hip-Hop, 70s, party, country, easy listening, sexy, catchy,
funk, electro, heavy metal, Progressive rock, 60s, rnb, indie pop, sad, House, happy"""

_MTT = """guitar, classical, slow, techno, strings, drums, electronic, rock, fast, piano, ambient,
beat, violin, vocal, synth, female, indian, opera, male, singing, vocals, no vocals, harpsichord,
loud, quiet, flute, woman, male vocal, no vocal, pop, soft, sitar, solo, man, classic, choir, voice,
new age, dance, male voice, female vocal, beats, harp, cello, no voice, weird, country, metal,
female voice, choral"""

MUSICNN_TAGS: dict[str, tuple[str, ...]] = {
    trained_on: tuple(text.replace("\n", " ").split(", "))
    for trained_on, text in (("msd", _MSD), ("mtt", _MTT))
}

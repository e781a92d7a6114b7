"""From the transformers' parameter `weights` to checked arrays, read once per process."""

import threading
from collections.abc import Callable
from dataclasses import replace
from math import prod, sqrt
from pathlib import Path
from typing import Protocol, TypeVar
from weakref import WeakValueDictionary

import numpy as np

from skmer.embeddings.readers import (
    L3_SHAPES,
    PCA_SHAPES,
    VGGISH_SHAPES,
    L3Weights,
    VGGishWeights,
    damaged_unless,
    digest_arrays,
    finish,
    is_zip,
    read_checkpoint,
    read_l3_arrays,
    read_npz,
)
from skmer.embeddings.weights import REGISTRY, Weights, given_path, l3_name, obtain


class HasDigest(Protocol):
    """Weights of any network."""

    @property
    def digest(self) -> str:
        """SHA-256 over the arrays, or "random-<seed>"."""


W = TypeVar("W", bound=HasDigest)

# Arrays live as long as somebody uses them, so no second copy of 288 MB is ever kept; digests are
# kept, so that asking for one does not read a file again.
_alive: WeakValueDictionary = WeakValueDictionary()
digests: dict[tuple, str] = {}
reading = threading.RLock()


def read_once(key: tuple, read: Callable[[], W]) -> W:
    """What is alive under `key`, else what `read` returns."""
    with reading:
        found = _alive.get(key)
        return found if found is not None else keep_alive(key, read())


def keep_alive(key: tuple, weights: W) -> W:
    """`weights`, from now on to be had under `key`."""
    _alive[key] = weights
    digests[key] = weights.digest
    return weights


def signature(path: Path) -> tuple:
    """What tells one state of a file from another."""
    status = path.stat()
    return str(path), status.st_size, status.st_mtime_ns


# The first batch normalisation stands before decibels between -80 and 0: these bring them to
# about zero mean and unit variance, so that He's scaling holds from there on.
_L3_INPUT_NORM = {"gamma": 1.0, "beta": 0.0, "moving mean": -40.0, "moving variance": 400.0}
_L3_NORM = {"gamma": 1.0, "beta": 0.0, "moving mean": 0.0, "moving variance": 1.0, "bias": 0.0}


def random_digest(seed: int) -> str:
    """The digest of random weights, known without drawing them."""
    return f"random-{seed}"


def uniform(bits: np.random.PCG64, shape: tuple[int, ...], limit: float) -> np.ndarray:
    """Read-only float32 uniform in [-limit, limit), 16 bits each.

    Made from the raw stream, which numpy keeps the same for ever; those of its Generator it may
    change.
    """
    size = prod(shape)
    raw = bits.random_raw(-(-size // 4)).astype("<u8", copy=False).view("<i2")[:size]
    array = raw.astype(np.float32)
    array *= np.float32(limit / 2**15)
    array.setflags(write=False)
    return array.reshape(shape)


def constant(shape: tuple[int, ...], value: float) -> np.ndarray:
    """Read-only float32 filled with one value."""
    array = np.full(shape, value, dtype=np.float32)
    array.setflags(write=False)
    return array


def he_limit(shape: tuple[int, ...]) -> float:
    """Bound of the uniform distribution that keeps the scale through a rectified layer [He2015]."""
    return sqrt(6 / prod(shape[:-1]))


def random_l3_weights(seed: int) -> L3Weights:
    """L3-Net with random kernels."""
    bits = np.random.PCG64(seed)
    arrays = []
    for position, (role, shape) in enumerate(L3_SHAPES):
        if role == "kernel":
            arrays.append(uniform(bits, shape, he_limit(shape)))
        else:
            arrays.append(constant(shape, (_L3_INPUT_NORM if position < 4 else _L3_NORM)[role]))
    return L3Weights(tuple(arrays), random_digest(seed), f"random (seed {seed})")


def random_vggish_weights(seed: int) -> VGGishWeights:
    """VGGish with random kernels, and a random matrix in the place of its PCA."""
    bits = np.random.PCG64(seed)
    arrays = tuple(
        uniform(bits, shape, he_limit(shape)) if len(shape) > 1 else constant(shape, 0.0)
        for _, shape in VGGISH_SHAPES
    )
    label = f"random (seed {seed})"
    return VGGishWeights(arrays, random_digest(seed), label, random_vggish_pca(seed))


def random_vggish_pca(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(eigen_vectors, means) that leave the scale of an embedding about as it is."""
    (_, eigen_shape), (_, mean_shape) = PCA_SHAPES
    # a stream of its own, so that it can be had without the network's arrays
    bits = np.random.PCG64([seed, 1])
    return uniform(bits, eigen_shape, sqrt(3 / eigen_shape[1])), constant(mean_shape, 0.0)


PCA_FILE = "vggish_pca_params.npz"


def read_vggish_arrays(path: Path) -> tuple[np.ndarray, ...]:
    """The 18 arrays of a checkpoint or of an npz, every shape and value checked."""
    if is_zip(path):
        arrays = read_npz(path, VGGISH_SHAPES, "VGGish")
    else:
        with damaged_unless(path, "vggish_model.ckpt (TensorFlow V1), or an npz of its arrays"):
            arrays = read_checkpoint(path, VGGISH_SHAPES)
    return _finished(arrays, VGGISH_SHAPES, path)


def read_pca(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(eigen_vectors (128, 128), means (128, 1)) of the published PCA file."""
    vectors, means = _finished(read_npz(path, PCA_SHAPES, "VGGish"), PCA_SHAPES, path)
    return vectors, means


def _finished(arrays, shapes, path: Path) -> tuple[np.ndarray, ...]:
    return tuple(
        finish(array, name, str(path)) for array, (name, _) in zip(arrays, shapes, strict=True)
    )


_VGGISH = ("VGGishTransformer", "vggish_model.ckpt or an npz of its arrays")


def load_l3_weights(
    weights: Weights, *, content_type: str, input_repr: str, random_state_seed: int
) -> L3Weights:
    """L3-Net's arrays: "pretrained", those of the file at a path, or random ones for None."""
    if weights is None:
        return random_l3_weights(random_state_seed)
    path, label = _l3_path(weights, content_type, input_repr)

    def read() -> L3Weights:
        arrays = read_l3_arrays(path)
        return L3Weights(arrays, digest_arrays(arrays), label)

    return read_once(("l3", label, *signature(path)), read)


def load_vggish_weights(weights: Weights, *, seed: int, with_pca: bool = True) -> VGGishWeights:
    """VGGish's arrays: "pretrained", those of the file at a path, or random ones for None.

    `with_pca` asks for the PCA too, which lies in a file of its own: without it "pretrained" does
    not need that file. Beside a path it may be missing, and `pca` is None.
    """
    if weights is None:
        return read_once(("vggish", "random", seed), lambda: random_vggish_weights(seed))
    path, label = _vggish_path(weights)

    def read() -> VGGishWeights:
        arrays = read_vggish_arrays(path)
        return VGGishWeights(arrays, digest_arrays(arrays), label)

    key = ("vggish", label, *signature(path))
    with reading:
        found = read_once(key, read)
        if with_pca and found.pca is None:
            pca = load_vggish_pca(weights, seed=seed)
            if pca is not None:
                found = keep_alive(key, replace(found, pca=pca))
        return found


def load_vggish_pca(weights: Weights, *, seed: int) -> tuple[np.ndarray, np.ndarray] | None:
    """The PCA alone, (eigen_vectors, means), without the network's arrays; None as above."""
    if weights is None:
        return random_vggish_pca(seed)
    if weights == "pretrained":
        return read_pca(obtain(REGISTRY["vggish-pca"]))
    beside = given_path(weights, *_VGGISH).with_name(PCA_FILE)
    return read_pca(beside) if beside.is_file() else None


def l3_weights_digest(
    weights: Weights, *, content_type: str, input_repr: str, random_state_seed: int
) -> str:
    """The digest that `load_l3_weights` would state, without drawing random arrays."""
    if weights is None:
        return random_digest(random_state_seed)
    path, label = _l3_path(weights, content_type, input_repr)
    key = ("l3", label, *signature(path))
    if key not in digests:
        load_l3_weights(
            weights,
            content_type=content_type,
            input_repr=input_repr,
            random_state_seed=random_state_seed,
        )
    return digests[key]


def vggish_weights_digest(weights: Weights, *, seed: int) -> str:
    """The digest that `load_vggish_weights` would state, without drawing random arrays."""
    if weights is None:
        return random_digest(seed)
    path, label = _vggish_path(weights)
    key = ("vggish", label, *signature(path))
    if key not in digests:
        return load_vggish_weights(weights, seed=seed, with_pca=False).digest
    return digests[key]


def _l3_path(weights: Weights, content_type: str, input_repr: str) -> tuple[Path, str]:
    """(file, label) of a path or of "pretrained"."""
    if weights == "pretrained":
        return obtain(REGISTRY[l3_name(content_type, input_repr)]), "pretrained"
    path = given_path(weights, "L3Transformer", ".h5 or .h5.gz")
    return path, path.name


def _vggish_path(weights: Weights) -> tuple[Path, str]:
    """(file, label) of a path or of "pretrained"."""
    if weights == "pretrained":
        return obtain(REGISTRY["vggish"]), "pretrained"
    path = given_path(weights, *_VGGISH)
    return path, path.name

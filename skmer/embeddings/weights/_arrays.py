"""What the arrays of each network look like, and how a set of them is checked and named."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skmer.exceptions import WeightsIntegrityError
from skmer.utils._words import cut_middle

_L3_WIDTHS = (64, 64, 128, 128, 256, 256, 512, 512)


def _l3_shapes() -> tuple[tuple[str, tuple[int, ...]], ...]:
    """(role, shape) of L3-Net's 48 arrays in stored order."""
    norm = ("gamma", "beta", "moving mean", "moving variance")
    shapes: list[tuple[str, tuple[int, ...]]] = [(role, (1,)) for role in norm]
    before = 1
    for layer, width in enumerate(_L3_WIDTHS, start=1):
        shapes += [("kernel", (3, 3, before, width)), ("bias", (width,))]
        if layer < len(_L3_WIDTHS):
            shapes += [(role, (width,)) for role in norm]
        before = width
    return tuple(shapes)


_VGGISH_KERNELS = (
    ("conv1", (3, 3, 1, 64)),
    ("conv2", (3, 3, 64, 128)),
    ("conv3/conv3_1", (3, 3, 128, 256)),
    ("conv3/conv3_2", (3, 3, 256, 256)),
    ("conv4/conv4_1", (3, 3, 256, 512)),
    ("conv4/conv4_2", (3, 3, 512, 512)),
    ("fc1/fc1_1", (12288, 4096)),
    ("fc1/fc1_2", (4096, 4096)),
    ("fc2", (4096, 128)),
)

L3_SHAPES = _l3_shapes()
VGGISH_SHAPES = tuple(
    item
    for name, shape in _VGGISH_KERNELS
    for item in ((f"vggish/{name}/weights", shape), (f"vggish/{name}/biases", shape[-1:]))
)
PCA_SHAPES = (("pca_eigen_vectors", (128, 128)), ("pca_means", (128, 1)))


@dataclass(frozen=True, eq=False)
class L3Weights:
    """L3-Net's 48 arrays in stored order, the SHA-256 over them (or "random-<seed>"), a label."""

    arrays: tuple[np.ndarray, ...]
    digest: str
    label: str


@dataclass(frozen=True, eq=False)
class VGGishWeights:
    """VGGish's 18 arrays in stored order, their digest and label, and the PCA where there is one.

    `pca` is (eigen_vectors (128, 128), means (128, 1)).
    """

    arrays: tuple[np.ndarray, ...]
    digest: str
    label: str
    pca: tuple[np.ndarray, np.ndarray] | None = None


def check_shape(role: str, shape: Sequence[int], dtype: np.dtype, expected, source: str) -> None:
    """Raise unless an array that is still in its file has the shape and kind it must have."""
    if tuple(shape) != tuple(expected) or dtype.kind != "f":
        got = cut_middle(f"{dtype} of shape {tuple(shape)}", 80)
        raise WeightsIntegrityError(
            f"The weights file {source} does not fit the network: the array '{role}' must hold "
            f"floats of shape {tuple(expected)}. Got {got} instead."
        )


def finish(array: np.ndarray, role: str, source: str) -> np.ndarray:
    """`array` as read-only float32; raise where a value makes the network meaningless."""
    array = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(array).all():
        raise WeightsIntegrityError(
            f"The weights file {source} is damaged: the array '{role}' holds values that are not "
            "finite; put the published file in its place."
        )
    if role.replace("_", " ").endswith("moving variance") and (array < 0).any():
        raise WeightsIntegrityError(
            f"The weights file {source} is damaged: the array '{role}' holds negative values; put "
            "the published file in its place."
        )
    array.setflags(write=False)
    return array


def digest_arrays(arrays: Sequence[np.ndarray]) -> str:
    """SHA-256 (hex) over the arrays' little-endian float32 bytes in order."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array, dtype="<f4").data)
    return total.hexdigest()

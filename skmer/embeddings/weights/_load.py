"""From the transformers' parameter `weights` to checked arrays, read once per process."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from skmer.embeddings.weights._alive import digests, keep_alive, read_once, reading, signature
from skmer.embeddings.weights._arrays import L3Weights, VGGishWeights, digest_arrays
from skmer.embeddings.weights._hdf5 import read_l3_arrays
from skmer.embeddings.weights._random import (
    random_digest,
    random_l3_weights,
    random_vggish_pca,
    random_vggish_weights,
)
from skmer.embeddings.weights._registry import REGISTRY, l3_name
from skmer.embeddings.weights._store import Weights, given_path, obtain
from skmer.embeddings.weights._vggish import PCA_FILE, read_pca, read_vggish_arrays

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

"""VGGish's arrays from the published TensorFlow checkpoint, or from an npz of them; and its PCA."""

from pathlib import Path

import numpy as np

from skmer.embeddings.weights._arrays import PCA_SHAPES, VGGISH_SHAPES, finish
from skmer.embeddings.weights._npz import damaged_unless, is_zip, read_npz
from skmer.embeddings.weights._tf_checkpoint import read_checkpoint

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

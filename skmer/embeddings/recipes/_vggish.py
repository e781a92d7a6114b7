"""The recipe of VGGish frames; importing it does not import scikit-learn, for workers' sake."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from skmer.audio import Framing, vggish_log_mel
from skmer.audio._vggish import FRAME_LENGTH, N_COLUMNS, N_MELS, SR
from skmer.embeddings.engines import get_engine
from skmer.embeddings.recipes._base import Recipe, SampleCounter, StatedWeights
from skmer.embeddings.weights import load_vggish_pca, load_vggish_weights
from skmer.embeddings.weights._arrays import digest_arrays
from skmer.exceptions import WeightsIntegrityError, WeightsNotFoundError
from skmer.utils import one_blas_thread
from skmer.utils._words import cut_middle

_CLIP = 2.0


@dataclass(frozen=True, kw_only=True)
class VGGishRecipe(Recipe):
    """Clip -> VGGish frames; raw ones in the cache, post-processed ones for users."""

    sr: int = SR
    weights: str | None
    seed: int
    digest: str
    # Of the PCA, which is in a file of its own; None where it is not used. It is not in the key of
    # the cache, which keeps the frames that it is applied to.
    pca_digest: str | None
    postprocess: str | None
    hop_length: int
    batch_size: int
    engine: str
    kind = "vggish"

    def settings(self):
        names = "digest hop_length engine"
        return super().settings() | {name: getattr(self, name) for name in names.split()}

    def compute(self, waveform: Iterable[np.ndarray], n_threads: int | None):
        network = get_engine(
            "vggish",
            engine=self.engine,
            weights=StatedWeights(self.digest, self._load_weights),
            input_shape=(N_COLUMNS, N_MELS),
            n_threads=n_threads,
        )
        counted = SampleCounter(waveform)
        framing = Framing(FRAME_LENGTH, self.hop_length, keep_tail=False)
        parts = [
            network(vggish_log_mel(frames))
            for frames in framing.blocks(counted, size=self.batch_size)
        ]
        notes = {"short"} if counted.n_samples < FRAME_LENGTH else set()
        return np.concatenate(parts), notes

    def finish(self, frames):
        if self.postprocess is not None:
            eigen_vectors, means = _load_pca(self.weights, self.seed, self.pca_digest)
            with one_blas_thread():
                frames = np.clip((eigen_vectors @ (frames.T - means)).T, -_CLIP, _CLIP)
        if self.postprocess == "quantize":
            # Truncated, not rounded, as published.
            frames = np.floor((frames + _CLIP) * (255 / (2 * _CLIP)))
        return super().finish(frames)

    def _load_weights(self):
        return load_vggish_weights(self.weights, seed=self.seed, with_pca=False)


@lru_cache(maxsize=2)
def _load_pca(weights, seed, digest):
    """Load the PCA whose digest `fit` has stated."""
    pca = _read_pca(weights, seed)
    if digest_arrays(pca) != digest:
        raise WeightsIntegrityError(
            "The file vggish_pca_params.npz of VGGishTransformer has changed since fit. Fit the "
            "transformer again."
        )
    return pca


def pca_digest(weights, seed: int) -> str:
    """Return the SHA-256 over the arrays of the PCA that the weights come with."""
    return digest_arrays(_read_pca(weights, seed))


def _read_pca(weights, seed):
    pca = load_vggish_pca(weights, seed=seed)
    if pca is None:
        raise WeightsNotFoundError(
            "The 'postprocess' parameter of VGGishTransformer needs the file "
            f"vggish_pca_params.npz beside {cut_middle(repr(weights))}, and it is not there. Put "
            "it there, or set postprocess=None."
        )
    return pca

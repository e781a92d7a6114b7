"""The recipe of MusiCNN frames; importing it does not import scikit-learn, for workers' sake."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from skmer.audio import Framing, musicnn_log_mel
from skmer.audio._musicnn import HOP_LENGTH, N_COLUMNS, N_MELS, SR
from skmer.embeddings.engines import get_engine
from skmer.embeddings.recipes._base import Recipe, StatedWeights
from skmer.embeddings.weights import load_musicnn_weights

# The columns that each layer has in what the network gives.
LAYERS = {
    "mean_pool": slice(0, 753),
    "max_pool": slice(753, 1506),
    "penultimate": slice(1506, 1706),
    "tags": slice(1706, 1756),
}
FRAME_SIZE = 1756
# The shortest clip that has all columns of a patch [samples].
PATCH_LENGTH = (N_COLUMNS - 1) * HOP_LENGTH


@dataclass(frozen=True, kw_only=True)
class MusiCNNRecipe(Recipe):
    """Clip -> MusiCNN frames; all layers in the cache, the wanted ones for users."""

    sr: int = SR
    frame_size: int | None = FRAME_SIZE
    weights: str | None
    trained_on: str
    seed: int
    digest: str
    layers: tuple[str, ...]
    # Distance between two patches [columns].
    hop_columns: int
    batch_size: int
    engine: str
    kind = "musicnn"

    def settings(self):
        names = "digest hop_columns engine"
        return super().settings() | {name: getattr(self, name) for name in names.split()}

    def compute(self, waveform: Iterable[np.ndarray], n_threads: int | None):
        network = get_engine(
            "musicnn",
            engine=self.engine,
            weights=StatedWeights(self.digest, self._load_weights),
            input_shape=(N_COLUMNS, N_MELS),
            n_threads=n_threads,
        )
        notes: set[str] = set()
        columns = (block.ravel() for block in musicnn_log_mel(_lengthened(waveform, notes)))
        framing = Framing(N_COLUMNS * N_MELS, self.hop_columns * N_MELS, keep_tail=False)
        parts = [
            network(patches.reshape(-1, N_COLUMNS, N_MELS))
            for patches in framing.blocks(columns, size=self.batch_size)
        ]
        return np.concatenate(parts), notes

    def finish(self, frames):
        chosen = [frames[:, LAYERS[layer]] for layer in self.layers]
        return super().finish(chosen[0] if len(chosen) == 1 else np.concatenate(chosen, axis=1))

    def _load_weights(self):
        return load_musicnn_weights(self.weights, self.trained_on, seed=self.seed)


def _lengthened(waveform: Iterable[np.ndarray], notes: set[str]) -> Iterator[np.ndarray]:
    """Pass blocks on; after a clip shorter than a patch add silence, and note it."""
    n_samples = 0
    for block in waveform:
        n_samples += len(block)
        yield block
    if n_samples < PATCH_LENGTH:
        notes.add("short")
        yield np.zeros(PATCH_LENGTH - n_samples, np.float32)

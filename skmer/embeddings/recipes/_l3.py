"""The recipe of L3-Net frames; importing it does not import scikit-learn, for workers' sake."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from skmer.audio import Framing, l3_spectrogram
from skmer.audio._l3 import FRAME_LENGTH, INPUT_SHAPES, SR
from skmer.embeddings.engines import get_engine
from skmer.embeddings.recipes._base import Recipe, StatedWeights
from skmer.embeddings.weights import load_l3_weights

# The engines return 4 x 3 cells of 512 channels; the smaller embedding is the maximum over cells.
_N_CELLS = 12


@dataclass(frozen=True, kw_only=True)
class L3Recipe(Recipe):
    """Clip -> L3-Net frames."""

    sr: int = SR
    weights: str | None
    seed: int
    digest: str
    content_type: str
    input_repr: str
    embedding_size: int
    frontend: str
    hop_length: int
    center: bool
    batch_size: int
    engine: str
    precision: str
    kind = "l3"

    def settings(self):
        names = "digest input_repr embedding_size frontend hop_length center engine precision"
        return super().settings() | {name: getattr(self, name) for name in names.split()}

    def framing(self):
        return Framing(FRAME_LENGTH, self.hop_length, FRAME_LENGTH // 2 if self.center else 0)

    def compute(self, waveform: Iterable[np.ndarray], n_threads: int | None):
        network = get_engine(
            "l3",
            engine=self.engine,
            precision=self.precision,
            weights=StatedWeights(self.digest, self._load_weights),
            input_shape=INPUT_SHAPES[self.input_repr],
            n_threads=n_threads,
        )
        parts = []
        for frames in self.framing().blocks(waveform, size=self.batch_size):
            cells = network(
                l3_spectrogram(frames, input_repr=self.input_repr, frontend=self.frontend)
            )
            if self.embedding_size == 512:
                cells = cells.reshape(len(cells), _N_CELLS, 512).max(axis=1)
            parts.append(cells)
        return np.concatenate(parts), set()

    def _load_weights(self):
        return load_l3_weights(
            self.weights,
            content_type=self.content_type,
            input_repr=self.input_repr,
            random_state_seed=self.seed,
        )

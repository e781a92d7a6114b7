"""The recipe of MFCC columns; importing it does not import scikit-learn, for workers' sake."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from skmer.audio import mel_power_columns, mfcc_deltas, mfcc_from_mel
from skmer.embeddings.recipes._base import Recipe


@dataclass(frozen=True, kw_only=True)
class MFCCRecipe(Recipe):
    """Clip -> columns of coefficients, and differences where they are summarised."""

    n_mfcc: int
    deltas: int
    n_fft: int
    hop_length: int
    n_mels: int
    kind = "mfcc"

    def settings(self):
        names = "n_mfcc n_fft hop_length n_mels"
        return super().settings() | {name: getattr(self, name) for name in names.split()}

    def compute(self, waveform: Iterable[np.ndarray], n_threads: int | None):
        mel = mel_power_columns(
            waveform,
            sr=self.sr,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            n_mels=self.n_mels,
        )
        return mfcc_from_mel(mel, n_mfcc=self.n_mfcc), set()

    def finish(self, frames):
        if self.pooling is None:
            return frames
        orders = [mfcc_deltas(frames, order=order) for order in range(1, self.deltas + 1)]
        return super().finish(np.concatenate([frames, *orders], axis=1))

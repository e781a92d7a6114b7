"""Clips for the tests of models; those of skmer 0.2 were trained on the same."""

from dataclasses import dataclass

import numpy as np
import soundfile

from skmer.embeddings import BaseClipTransformer, Recipe


def songs(folder):
    """Write twenty-four clips, low and noisy or high and clean; return their paths and labels."""
    rng, paths = np.random.default_rng(0), []
    t = np.arange(16000) / 16000
    for i in range(24):
        tone = 0.3 * np.sin(2 * np.pi * (200 if i % 2 else 900) * (1 + i / 200) * t)
        noise = (0.05 if i % 2 else 0.005) * rng.standard_normal(t.size)
        paths.append(str(folder / f"{i:02}.wav"))
        soundfile.write(paths[-1], tone + noise, 16000)
    return paths, np.array(["sad", "happy"] * 12)


@dataclass(frozen=True, kw_only=True)
class LoudnessRecipe(Recipe):
    """Clip -> its level and its steps."""

    kind = "loudness"

    def compute(self, waveform, n_threads):
        """Return one frame."""
        audio = np.concatenate(list(waveform))
        return np.array([[np.abs(audio).mean(), np.abs(np.diff(audio)).mean()]], "f4"), set()


class LoudnessTransformer(BaseClipTransformer):
    """An embedding of one's own."""

    _name = "loudness"
    _recipe_class = LoudnessRecipe

    def _network_sr(self):
        return 16000

    def _frame_size(self):
        return 2

    def _hop_seconds(self):
        return 1.0


def loudness(audio):
    """Return the same as `LoudnessTransformer`, as a function."""
    return np.array([np.abs(audio).mean(), np.abs(np.diff(audio)).mean()])

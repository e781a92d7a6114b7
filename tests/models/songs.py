"""Clips for the tests of models; those of skmer 0.2 were trained on the same."""

import numpy as np
import soundfile


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

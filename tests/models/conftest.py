"""Clips for the tests of models."""

import numpy as np
import pytest
import soundfile


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Paths and labels of twenty-four clips, low and noisy or high and clean."""
    folder, rng, paths = tmp_path_factory.mktemp("songs"), np.random.default_rng(0), []
    t = np.arange(16000) / 16000
    for i in range(24):
        tone = 0.3 * np.sin(2 * np.pi * (200 if i % 2 else 900) * (1 + i / 200) * t)
        noise = (0.05 if i % 2 else 0.005) * rng.standard_normal(t.size)
        paths.append(str(folder / f"{i:02}.wav"))
        soundfile.write(paths[-1], tone + noise, 16000)
    return paths, np.array(["sad", "happy"] * 12)

"""Small clips, as files and as arrays."""

import numpy as np
import pytest
import soundfile


@pytest.fixture(scope="session")
def waveforms():
    """Five different clips of different lengths, with their rates."""
    rng = np.random.default_rng(0)
    made = []
    for i, (sr, seconds) in enumerate(
        [(22050, 0.7), (48000, 1.3), (16000, 2.1), (44100, 0.4), (8000, 1.0)]
    ):
        t = np.arange(int(sr * seconds)) / sr
        tone = np.sin(2 * np.pi * 220 * (i + 1) * t) * np.exp(-t)
        made.append(((0.4 * tone + 0.02 * rng.standard_normal(len(t))).astype(np.float32), sr))
    return made


@pytest.fixture(scope="session")
def paths(waveforms, tmp_path_factory):
    """The same clips as float wav files."""
    folder = tmp_path_factory.mktemp("audio")
    made = []
    for i, (waveform, sr) in enumerate(waveforms):
        made.append(str(folder / f"{i}.wav"))
        soundfile.write(made[-1], waveform, sr, subtype="FLOAT")
    return made

"""What the tests of files read."""

import numpy as np
import pytest

from tests.audio.encoding import SECONDS, SR


@pytest.fixture(scope="module")
def clip():
    """Half noise, half a sweep, so that an encoder of constant quality changes its bitrate."""
    t = np.arange(SECONDS * SR) / SR
    noise = 0.2 * np.random.default_rng(0).standard_normal(len(t))
    return np.where(t < SECONDS / 2, noise, 0.2 * np.sin(2 * np.pi * 40 * t**2)).clip(-1, 1)

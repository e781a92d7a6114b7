"""A feature of three emotions, six clips a singer."""

import numpy as np
import pytest

N_CLIPS, N_FEATURES = 66, 5
LABELS = np.tile(["calm", "happy", "sad"], 22)
SINGERS = np.repeat(np.arange(11), 6)


@pytest.fixture(scope="session")
def feature():
    rng = np.random.default_rng(0)
    codes = np.unique(LABELS, return_inverse=True)[1]
    return rng.normal(size=(N_CLIPS, N_FEATURES)) + 0.8 * codes[:, None]

"""An evaluation that every test of its result looks at."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import FunctionTransformer

from skmer.evaluation import (
    evaluate,
)

N_CLIPS = 60
LABELS = np.tile(["NA", "sad"], N_CLIPS // 2)
SINGERS = np.repeat(np.arange(10), 6)


class Drawn(FunctionTransformer):
    """A feature from a network that was never trained."""

    def fit(self, X, y=None):
        self.weights_label_ = "random (seed 3)"
        self.weights_are_random_ = True
        self.weights_digest_ = "random-3"
        return super().fit(X, y)


@pytest.fixture(scope="module")
def feature():
    """Every singer has a voice of their own, louder than the emotion."""
    rng = np.random.default_rng(0)
    voices = 3 * rng.normal(size=(10, 4))
    return rng.normal(size=(N_CLIPS, 4)) + voices[SINGERS] + 1.2 * (LABELS == "sad")[:, None]


@pytest.fixture(scope="module")
def result(feature):
    return evaluate(
        {"given": feature, "drawn": Drawn()},
        {"nb": GaussianNB(), "most": DummyClassifier(strategy="prior")},
        feature,
        LABELS,
        groups=SINGERS,
        protocol=["koh2021", "grouped"],
        n_repeats=2,
    )

"""Results to report on."""

import numpy as np
import pytest
import soundfile
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import FunctionTransformer

from skmer.evaluation import evaluate, evaluate_regression

N_CLIPS = 60
LABELS = np.tile(["NA", "sad"], N_CLIPS // 2)
SINGERS = np.repeat(np.arange(10), 6)


class Drawn(FunctionTransformer):
    """A feature from a network that was never trained."""

    weights = None

    def fit(self, X, y=None):
        self.weights_label_ = "random (seed 3)"
        self.weights_digest_ = "random-3"
        self.weights_are_random_ = True
        return super().fit(X, y)


@pytest.fixture(scope="session")
def feature():
    """Every singer has a voice of their own, louder than the emotion."""
    rng = np.random.default_rng(0)
    voices = 3 * rng.normal(size=(10, 4))
    return rng.normal(size=(N_CLIPS, 4)) + voices[SINGERS] + 1.2 * (LABELS == "sad")[:, None]


@pytest.fixture(scope="session")
def songs(tmp_path_factory):
    """The paths of short noises."""
    folder = tmp_path_factory.mktemp("songs")
    paths = [folder / f"clip {row}.wav" for row in range(N_CLIPS)]
    rng = np.random.default_rng(0)
    for path in paths:
        soundfile.write(path, rng.uniform(-0.5, 0.5, size=2000), 8000)
    return paths


@pytest.fixture(scope="session")
def result(feature, songs):
    """Two arrays and a transformer of paths, two classifiers, two protocols."""
    return evaluate(
        {
            "mfcc": feature,
            "<i>mine</i>": feature + (LABELS == "sad")[:, None],
            "drawn": Drawn(lambda paths: feature[[int(path.stem[5:]) for path in paths]]),
        },
        {"nb": GaussianNB(), "$\\frac{$": DummyClassifier(strategy="prior")},
        songs,
        LABELS,
        groups=SINGERS,
        dataset="songs & more",
        protocol=["koh2021", "grouped"],
        n_repeats=2,
    )


@pytest.fixture(scope="session")
def regression():
    """Arousal and valence of forty clips."""
    X = np.random.default_rng(0).normal(size=(40, 3))
    return evaluate_regression(
        {"a": X}, {"ridge": Ridge()}, None, X[:, :2], protocol="shuffled", n_folds=4
    )

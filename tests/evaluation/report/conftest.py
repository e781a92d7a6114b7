"""Results to report on."""

import numpy as np
import pytest
import soundfile
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB

from skmer.evaluation import evaluate, evaluate_regression
from tests.evaluation.singers import LABELS, N_CLIPS, SINGERS, Drawn, make_feature


@pytest.fixture(scope="session")
def feature():
    return make_feature()


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


@pytest.fixture(scope="session")
def tagged():
    """Eight tags of sixty clips."""
    X = np.random.default_rng(0).normal(size=(60, 8))
    names = [f"<i>tag {i}</i>" for i in range(8)]
    return evaluate(
        {"a": X}, ["nb"], None, (X > 0).astype(int), target_names=names, protocol="shuffled",
        n_folds=3, groups=np.arange(60) // 3,
    )  # fmt: skip

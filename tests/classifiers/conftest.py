"""Data and small networks for the classifiers' tests."""

import numpy as np
import pytest
from sklearn.datasets import make_classification

from skmer.classifiers import KerasCNNClassifier, KerasLSTMClassifier, KerasMLPClassifier

SMALL = {
    "mlp": (KerasMLPClassifier, {"hidden_layer_sizes": (16, 8)}),
    "cnn": (KerasCNNClassifier, {"filters": (4, 6), "strides": (1, 2)}),
    "lstm": (KerasLSTMClassifier, {"units": 7}),
}


@pytest.fixture
def small():
    """Return a maker of small networks: ``small("cnn", epochs=3)``."""

    def make(name, **parameters):
        cls, sizes = SMALL[name]
        return cls(**{"random_state": 0, "learning_rate": 0.01, "epochs": 3, **sizes, **parameters})

    return make


@pytest.fixture(scope="session")
def vectors():
    """107 vectors of 9 features in three classes of different sizes."""
    X, codes = make_classification(
        107, 9, n_informative=6, n_classes=3, weights=[0.5, 0.3], random_state=0
    )
    return X.astype(np.float32), np.array(["angry", "calm", "sad"])[codes]


@pytest.fixture(scope="session")
def sequences(vectors):
    """61 sequences of up to 5 frames of 4 features, the short ones padded with zeros."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((61, 5, 4)).astype(np.float32)
    X[::3, 3:] = 0.0
    return X, np.where(X[:, :3, 0].sum(axis=1) > 0, "major", "minor")

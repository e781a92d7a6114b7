"""Threads, worker processes, and memory."""

import subprocess
import sys

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.model_selection import cross_val_predict


@pytest.mark.parametrize("backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)])
def test_parallel_folds_give_the_same_rows(small, vectors, backend):
    X, y = vectors
    classifier = small("mlp")
    expected = cross_val_predict(classifier, X, y, cv=4, method="predict_proba")
    with parallel_config(backend, n_jobs=2):
        found = cross_val_predict(classifier, X, y, cv=4, method="predict_proba")
    np.testing.assert_array_equal(found, expected)


def test_folds_share_one_network(small, vectors):
    from skmer.classifiers import training as _network

    X, y = vectors
    _network._idle.clear()
    cross_val_predict(small("mlp"), X, y, cv=4)
    assert [len(networks) for networks in _network._idle.values()] == [1]
    (model,) = next(iter(_network._idle.values()))
    assert model._epoch.cache_info().misses == 2  # training and evaluation


def test_a_failed_fit_gives_no_network_back(small, vectors):
    from skmer.classifiers import training as _network

    X, y = vectors
    _network._idle.clear()
    with pytest.raises(ValueError, match="not finite"):
        small("mlp", learning_rate=1e30).fit(X * 1e14, y)
    assert not any(_network._idle.values())


def test_scikeras_is_used_by_its_public_methods_alone(small, vectors, monkeypatch):
    from scikeras.wrappers import KerasClassifier

    called = []
    for name in ("fit", "initialize", "predict_proba"):
        method = getattr(KerasClassifier, name)

        def watched(self, *args, _method=method, _name=name, **kwargs):
            called.append((_name, type(self)))
            return _method(self, *args, **kwargs)

        monkeypatch.setattr(KerasClassifier, name, watched)
    X, y = vectors
    classifier = small("mlp").fit(X, y)
    assert classifier.predict_proba(X[:1]).shape == (1, 3)
    assert called == [(name, KerasClassifier) for name in ("fit", "initialize", "predict_proba")]


@pytest.mark.slow
def test_memory_is_bounded_over_many_architectures(small):
    """As in a search over layer sizes, or features of many lengths."""
    code = """
import gc
import psutil
import numpy as np
from skmer.classifiers import KerasMLPClassifier
from skmer.classifiers.base import _import_network

network = _import_network()
network._MAX_IDLE = 2
sizes = []
for width in range(8, 40):
    mlp = KerasMLPClassifier(hidden_layer_sizes=(width,), epochs=1, random_state=0)
    mlp.fit(np.eye(20, 8), np.arange(20) % 2)
    sizes.append(psutil.Process().memory_info().rss / 2**20)
gc.collect()
alive = sum(isinstance(one, network.GraphModel) for one in gc.get_objects())
print(alive, (sizes[-1] - sizes[11]) / 20)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    alive, growth = out.stdout.split()
    assert int(alive) <= 3
    # A model and its graphs take some 3 MB. TensorFlow keeps the kernels, about 1 MB each.
    assert float(growth) < 2.2
    assert "retracing" not in out.stderr

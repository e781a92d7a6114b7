"""The table of six, against what the study states."""

import inspect

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV

from skmer.classifiers import make_classifier, takes_sequences

NAMES = ["svm", "nb", "rf", "mlp", "cnn", "lstm"]


@pytest.mark.parametrize("preset", ["koh2021", "tuned"])
@pytest.mark.parametrize("name", NAMES)
def test_every_entry_is_a_classifier(name, preset):
    classifier = make_classifier(name, preset=preset, random_state=7)
    assert is_classifier(classifier)
    seeds = {
        value
        for key, value in clone(classifier).get_params().items()
        if key.endswith("random_state")
    }
    assert seeds == (set() if name == "nb" else {7})


@pytest.mark.parametrize("name, has_patience", [("mlp", False), ("cnn", True), ("lstm", True)])
def test_koh2021_networks(name, has_patience):
    parameters = make_classifier(name, preset="koh2021").get_params()
    assert parameters["epochs"] == 1000
    assert parameters["batch_size"] == 32
    assert parameters["patience"] == (100 if has_patience else None)
    assert parameters["validation_fraction"] == pytest.approx(1 / 9)


def test_sizes_of_the_networks():
    assert make_classifier("mlp", preset="koh2021").hidden_layer_sizes == (512, 512)
    assert make_classifier("cnn", preset="koh2021").filters == (64, 64, 64, 64)
    assert make_classifier("lstm", preset="koh2021").units == 128


def test_koh2021_leaves_features_and_library_defaults_alone():
    for name in ("svm", "nb", "rf"):
        classifier = make_classifier(name, preset="koh2021")
        assert classifier.get_params() == type(classifier)().get_params()


def test_only_the_tuned_lstm_takes_sequences():
    taking = [
        (name, preset)
        for name in NAMES
        for preset in ("koh2021", "tuned")
        if takes_sequences(name, preset=preset)
    ]
    assert taking == [("lstm", "tuned")]


@pytest.mark.parametrize("name", ["svm", "nb"])
def test_tuned_search_keeps_groups_apart(name, vectors):
    X, y = vectors
    search = make_classifier(name, preset="tuned", random_state=0)
    assert isinstance(search, GridSearchCV)
    groups = np.arange(len(y)) % 4
    with config_context(enable_metadata_routing=True):
        grouped = clone(search).fit(X, y, groups=groups)
    folds = search.cv.split(X, y, groups)
    assert all(not set(groups[train]) & set(groups[test]) for train, test in folds)
    plain = clone(search).fit(X, y)
    assert (
        grouped.cv_results_["mean_test_score"].tolist()
        != plain.cv_results_["mean_test_score"].tolist()
    )


def test_one_default_preset_here_and_in_evaluate():
    from skmer.evaluation import evaluate

    defaults = {
        inspect.signature(function).parameters["preset"].default
        for function in (make_classifier, takes_sequences, evaluate)
    }
    assert defaults == {"tuned"}


@pytest.mark.parametrize("name", NAMES)
def test_all_tuned_classifiers_give_probabilities(name):
    assert hasattr(make_classifier(name), "predict_proba")


@pytest.mark.parametrize(
    "name, data", [("mlp", "vectors"), ("cnn", "vectors"), ("lstm", "sequences")]
)
def test_tuned_networks_fit(name, data, request):
    X, y = request.getfixturevalue(data)
    model = make_classifier(name, preset="tuned", random_state=0)
    model[-1].set_params(epochs=2)
    assert model.fit(X, y).predict(X).shape == y.shape


def test_unknown_names():
    with pytest.raises(ValueError, match=r"'name' parameter of make_classifier.*'svm'.*Got 'svn'"):
        make_classifier("svn")
    with pytest.raises(ValueError, match=r"'preset' parameter of takes_sequences.*Got 'best'"):
        takes_sequences("svm", preset="best")

"""The probabilities of the tuned support vector machine."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.svm import LinearSVC

from skmer.classifiers import make_classifier
from skmer.classifiers.search import CalibratedGridSearchCV, GroupAwareKFold


@pytest.fixture(scope="module")
def singers():
    """Clips of 12 singers in three classes; a singer's voice outweighs the emotion."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(12), 15)
    y = np.array(["angry", "calm", "sad"])[np.arange(180) % 3]
    voices = 2 * rng.normal(size=(12, 8))[groups]
    return rng.normal(size=(180, 8)) + voices + 1.2 * (y == "sad")[:, None], y, groups


def plain(search):
    """Return the same search without probabilities."""
    return GridSearchCV(**search.get_params(deep=False))


@pytest.mark.parametrize("with_groups", [True, False])
def test_labels_and_scores_are_those_of_the_plain_search(singers, with_groups):
    X, y, groups = singers
    params = {"groups": groups[:120]} if with_groups else {}
    search = make_classifier("svm", random_state=0)
    ours, theirs = (clone(one).fit(X[:120], y[:120], **params) for one in (search, plain(search)))
    assert ours.best_params_ == theirs.best_params_
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_array_equal(ours.decision_function(X), theirs.decision_function(X))
    assert ours.score(X, y) == theirs.score(X, y)
    assert not hasattr(theirs, "predict_proba")


def test_probabilities_couple_the_margins_of_all_pairs(singers):
    """Wu, Lin and Weng's second method, by their equations rather than by their system."""
    X, y, _ = singers
    search = make_classifier("svm").fit(X, y)
    proba, pairs = search.predict_proba(X), search.pairs_.tolist()
    assert pairs == [[0, 1], [0, 2], [1, 2]]
    svm = clone(search.best_estimator_).set_params(svc__decision_function_shape="ovo").fit(X, y)
    shares = expit(search.slope_ * svm.decision_function(X))
    np.testing.assert_allclose(proba.sum(axis=1), 1)

    def cost(p):
        return sum(((1 - r) * p[:, i] - r * p[:, j]) ** 2 for r, (i, j) in zip(shares.T, pairs))

    rng = np.random.default_rng(0)
    for _ in range(20):
        moved = np.abs(proba + 0.01 * rng.normal(size=proba.shape))
        assert (cost(proba) <= cost(moved / moved.sum(axis=1, keepdims=True)) + 1e-15).all()
    # The labels are votes of the same pairs.
    assert (search.classes_[proba.argmax(axis=1)] == search.predict(X)).mean() > 0.9


def test_probabilities_are_no_votes(singers):
    """Which scikit-learn's values for each class are: their largest is the same for every row."""
    X, y, groups = singers
    seen = groups < 8
    search = make_classifier("svm").fit(X[seen], y[seen], groups=groups[seen])
    proba = search.predict_proba(X[~seen])
    assert np.ptp(np.quantile(proba.max(axis=1), [0.05, 0.95])) > 0.2
    votes = GridSearchCV(**search.get_params(deep=False)).fit(X[seen], y[seen], groups=groups[seen])
    best = min(
        log_loss(y[~seen], softmax(slope * votes.decision_function(X[~seen]), axis=1))
        for slope in np.geomspace(0.01, 10, 30)
    )
    assert log_loss(y[~seen], proba) < best


def test_values_for_each_class_give_their_softmax(singers):
    X, y, _ = singers
    search = CalibratedGridSearchCV(LinearSVC(), {"C": [0.01]}, cv=GroupAwareKFold(3)).fit(X, y)
    np.testing.assert_allclose(
        search.predict_proba(X), softmax(search.slope_ * search.decision_function(X), axis=1)
    )


def test_two_classes_get_a_sigmoid_of_the_decision_value(singers):
    X, y, _ = singers
    search = make_classifier("svm").fit(X, y == "sad")
    values = search.decision_function(X)
    proba = search.predict_proba(X)
    np.testing.assert_allclose(proba[:, 1], 1 / (1 + np.exp(-search.slope_ * values)))
    np.testing.assert_array_equal(search.predict(X), proba[:, 1] > 0.5)


@pytest.mark.parametrize("routed", [True, False])
def test_the_slope_knows_no_singer_of_the_rows_that_it_is_fitted_to(singers, routed):
    X, y, groups = singers
    with config_context(enable_metadata_routing=routed):
        apart = make_classifier("svm").fit(X, y, groups=groups)
        mixed = make_classifier("svm").fit(X, y)
    # With the singer known the decisions look surer than they are for a new one.
    assert apart.slope_ < mixed.slope_


def test_probabilities_are_worth_something_for_new_singers(singers):
    X, y, groups = singers
    seen = groups < 8
    search = make_classifier("svm").fit(X[seen], y[seen], groups=groups[seen])
    proba = search.predict_proba(X[~seen])
    assert log_loss(y[~seen], proba) < np.log(3)
    best = search.slope_
    for search.slope_ in (best * 8, best / 8):
        assert log_loss(y[~seen], search.predict_proba(X[~seen])) > log_loss(y[~seen], proba)


def test_separable_rows_give_no_certainty():
    X, y = make_classification(60, 4, n_redundant=0, class_sep=9, flip_y=0, random_state=0)
    proba = make_classifier("svm").fit(X, y).predict_proba(X)
    assert 0.95 < proba.max() < 1


def test_a_class_of_a_single_singer_is_left_out_of_the_fold_that_lacks_it(singers):
    X, y, groups = singers
    y = np.where(groups == 3, "fearful", y)
    search = make_classifier("svm").fit(X, y, groups=groups)
    np.testing.assert_array_equal(
        search.predict(X), plain(search).fit(X, y, groups=groups).predict(X)
    )
    proba = search.predict_proba(X)
    assert proba.shape == (180, 4)
    assert np.isfinite(proba).all()


def test_not_fitted():
    with pytest.raises(NotFittedError):
        make_classifier("svm").predict_proba([[0.0]])

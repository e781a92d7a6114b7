"""The validation set: stratified, by group where there are groups, the same for a seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmer.classifiers import base as _base
from skmer.classifiers.base import validation_split
from skmer.classifiers.search import GroupAwareKFold

LABELS = np.repeat(["angry", "calm", "sad"], [60, 30, 10])


@given(fraction=st.floats(0.05, 0.5), seed=st.integers(0, 99), shuffle=st.randoms())
def test_rows_are_split_in_proportion(fraction, seed, shuffle):
    order = shuffle.sample(range(100), 100)
    y = LABELS[order]
    train, validation = validation_split(y, None, fraction, seed, owner="test")
    assert sorted([*train, *validation]) == list(range(100))
    for label in np.unique(y):
        share = (y[validation] == label).sum() / len(validation)
        assert abs(share - (y == label).mean()) <= 1 / len(validation) + 1e-9


@given(seed=st.integers(0, 99), n_groups=st.integers(2, 12))
def test_groups_are_not_shared(seed, n_groups):
    groups = np.arange(100) % n_groups
    train, validation = validation_split(LABELS, groups, 0.2, seed, owner="test")
    assert validation.size > 0
    assert not set(groups[train]) & set(groups[validation])
    assert set(LABELS[train]) == set(LABELS)


def test_a_class_of_one_group_stays_in_training():
    groups = np.repeat([0, 1, 2, 3], [30, 30, 30, 10])
    for seed in range(20):
        train, _ = validation_split(LABELS, groups, 0.25, seed, owner="test")
        assert "sad" in LABELS[train]
        assert 3 in groups[train]


def test_seed_decides():
    parts = [validation_split(LABELS, None, 0.1, seed, owner="test")[1] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(parts[0], parts[1])
    assert (parts[0] != parts[2]).any()


@pytest.fixture
def recorded(monkeypatch):
    """Record the groups of the two parts of each fit."""
    splits = []

    def record(y, groups, *args, **kwargs):
        train, validation = validation_split(y, groups, *args, **kwargs)
        splits.append(None if groups is None else (set(groups[train]), set(groups[validation])))
        return train, validation

    monkeypatch.setattr(_base, "validation_split", record)
    return splits


@pytest.mark.parametrize("request_groups", [None, True, False])
def test_groups_are_routed_through_cross_validation(small, vectors, recorded, request_groups):
    X, y = vectors
    groups = np.arange(len(y)) % 8
    with config_context(enable_metadata_routing=True):
        classifier = small("mlp")
        if request_groups is not None:
            classifier.set_fit_request(groups=request_groups)
        cross_validate(
            make_pipeline(StandardScaler(), classifier),
            X,
            y,
            cv=GroupKFold(3),
            params={"groups": groups},
            error_score="raise",
        )
    assert len(recorded) == 3
    if request_groups is False:
        assert recorded == [None] * 3
    else:
        assert all(
            train and validation and not train & validation for train, validation in recorded
        )


def test_integer_cv_is_stratified_on_sorted_labels(small, vectors):
    X, y = vectors
    order = np.argsort(y, kind="stable")
    model = make_pipeline(StandardScaler(), small("mlp", epochs=40))
    result = cross_validate(model, X[order], y[order], cv=3, return_indices=True)
    for train, test in zip(result["indices"]["train"], result["indices"]["test"]):
        assert set(y[order][train]) == set(y[order][test]) == set(y)
    assert result["test_score"].min() > 0.5


def test_group_aware_kfold():
    groups = np.arange(100) % 5
    for train, test in GroupAwareKFold(3).split(LABELS, LABELS, groups):
        assert not set(groups[train]) & set(groups[test])
    assert GroupAwareKFold(3).get_n_splits(LABELS, LABELS, np.arange(100) % 2) == 2
    sizes = [test.size for _, test in GroupAwareKFold(4).split(LABELS, LABELS)]
    assert sum(sizes) == 100
    assert len(sizes) == 4

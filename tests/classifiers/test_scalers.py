"""Standardization: columns that hold nothing but rounding, and padded sequences."""

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from skmer import MusiCNNTransformer
from skmer.classifiers import FeatureScaler, SequenceScaler, make_classifier
from skmer.datasets import load_toy_emotions
from skmer.evaluation.tasks import make_regressor


def test_padding_neither_counts_nor_changes(sequences):
    X, _ = sequences
    X = 3 + 2 * X * (X != 0)
    X[::3, 3:] = 0.0
    scaled = SequenceScaler().fit_transform(X)
    frames = scaled[X.any(axis=-1)]
    np.testing.assert_allclose(frames.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(frames.std(axis=0), 1, atol=1e-5)
    assert not scaled[::3, 3:].any()
    assert scaled.dtype == np.float32


def test_more_padding_changes_nothing(sequences):
    X, _ = sequences
    longer = np.pad(X, [(0, 0), (0, 2), (0, 0)])
    np.testing.assert_array_equal(
        SequenceScaler().fit(X).transform(X), SequenceScaler().fit(longer).transform(longer)[:, :5]
    )


def test_vectors_as_standard_scaler(vectors):
    X, _ = vectors
    np.testing.assert_array_equal(
        SequenceScaler().fit_transform(X), StandardScaler().fit_transform(X)
    )


def test_other_number_of_features(sequences):
    with pytest.raises(ValueError, match=r"3 features, but .* is expecting 4"):
        SequenceScaler().fit(sequences[0]).transform(np.ones((2, 5, 3)))


# Columns that hold nothing but rounding -----------------------------------------------------------


@pytest.fixture(scope="module")
def embedding():
    """Rows as of a network, most of whose columns are dead, and labels."""
    rng, y = np.random.default_rng(0), np.repeat(["angry", "calm", "happy", "sad"], 20)
    alive = rng.normal(size=(80, 40)) + (np.unique(y)[:, None] == y).T @ rng.normal(size=(4, 40))
    constant = rng.uniform(-9, 9, 40) * (1 + 1e-7 * rng.normal(size=(80, 40)))
    # What is left of a rectified sum, and of its rounding.
    vanishing = 2e-6 + 1e-10 * rng.normal(size=(80, 40))
    rows = np.hstack([alive, constant, vanishing, 1e-12 * rng.normal(size=(80, 40))])
    return rows.astype(np.float32), y


def test_rounding_is_constant_and_small_units_are_not(embedding):
    X, _ = embedding
    for rows in (X, X.astype(float)):
        scaler = FeatureScaler().fit(rows)
        assert scaler.constant_.tolist() == [False] * 40 + [True] * 120
        assert not scaler.transform(X + 1)[:, 40:].any()
        np.testing.assert_allclose(
            scaler.inverse_transform(scaler.transform(X)), X, rtol=1e-5, atol=1e-5
        )
    np.testing.assert_array_equal(
        FeatureScaler().fit_transform(X[:, :40]), StandardScaler().fit_transform(X[:, :40])
    )
    # Loudness, zero crossings, and three numbers in Hz; and seconds since 1970.
    rng = np.random.default_rng(0)
    units = rng.normal(1, 0.3, size=(80, 6)) * [0.01, 0.03, 5e3, 2e4, 1e4, 1]
    units[:, 5] = 1.7e9 + np.arange(80) * 1e6
    for rows in (units, units.astype(np.float32), units[:, [0, 5]], units[:, [0]]):
        assert not FeatureScaler().fit(rows).constant_.any()
    assert FeatureScaler().fit(np.full((9, 1), 0.1, np.float32)).constant_.all()


def test_as_a_frame_and_with_what_is_missing(embedding):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(embedding[0]).add_prefix("x").astype(np.float64)
    frame.iloc[3, 0] = np.nan
    scaler = FeatureScaler().set_output(transform="pandas").fit(frame)
    assert list(scaler.transform(frame)) == list(frame)
    assert scaler.constant_.sum() == 120
    assert FeatureScaler(with_std=False).fit_transform(frame).shape == (80, 160)


@pytest.mark.parametrize("name", ["svm", "nb", "rf"])
def test_no_label_depends_on_rounding(embedding, name):
    """Of 20 seen and unseen rows, one model for both, and one model each."""
    X, y = embedding
    rng, scale = np.random.default_rng(1), np.abs(X).max()
    train, test = np.arange(80) % 4 > 0, np.arange(80) % 4 == 0
    rounded = (X * (1 + 6e-8 * rng.choice([-1, 0, 1], X.shape))).astype(np.float32)
    moved = X + 1e-6 * scale * rng.normal(size=X.shape)
    model = make_classifier(name, random_state=0).fit(X[train], y[train])
    again = make_classifier(name, random_state=0).fit(rounded[train], y[train])
    right = model.predict_proba(X[test])
    for one, rows in ((model, rounded), (model, moved), (again, X), (again, rounded)):
        np.testing.assert_allclose(one.predict_proba(rows[test]), right, atol=1e-3)
        np.testing.assert_array_equal(one.predict(rows[test]), model.predict(X[test]))


@pytest.mark.parametrize("name", ["svr", "ridge"])
def test_no_number_depends_on_rounding(embedding, name):
    X, _ = embedding
    moved = X + 1e-6 * np.abs(X).max() * np.random.default_rng(1).normal(size=X.shape)
    model = make_regressor(name).fit(X[::2], X[::2, 0])
    np.testing.assert_allclose(model.predict(moved), model.predict(X), atol=1e-3)


@pytest.mark.slow
@pytest.mark.weights
def test_musicnn_gives_the_same_labels_by_every_engine():
    toy = load_toy_emotions()
    by = {
        engine: MusiCNNTransformer(engine=engine, duration=3.0).fit_transform(toy.data)
        for engine in ("numpy", "tensorflow")
    }
    assert [FeatureScaler().fit(rows).constant_.sum() for rows in by.values()] == [541, 541]
    model = make_classifier("svm", random_state=0).fit(by["numpy"][::2], toy.target[::2])
    for predict in (model.predict_proba, lambda X: model.predict(X) == toy.target):
        one, other = map(predict, by.values())
        np.testing.assert_allclose(one, other, atol=1e-3)


def test_columns_in_another_order_are_an_error():
    X = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0]})
    for scaler in (FeatureScaler(), SequenceScaler()):
        with pytest.raises(ValueError, match="must be in the same order as they were in fit"):
            scaler.fit(X).transform(X[["b", "a"]])

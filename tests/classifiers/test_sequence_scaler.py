"""Standardization of padded sequences."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from skmer.classifiers import SequenceScaler


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

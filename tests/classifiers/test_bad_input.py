"""Bad input ends in one plain sentence."""

import numpy as np
import pytest


def refused(classifier, X, y, match, **fit_params):
    with pytest.raises(ValueError, match=match):
        classifier.fit(X, y, **fit_params)


def test_one_class(small, vectors):
    X, _ = vectors
    refused(small("mlp"), X, np.full(len(X), "sad"), "needs samples of at least 2 classes")


def test_one_class_left_by_the_weights(small, vectors):
    X, y = vectors
    refused(small("mlp"), X, y, "at least 2 classes with a weight", sample_weight=y == "sad")


def test_groups_of_another_length(small, vectors):
    X, y = vectors
    refused(small("mlp"), X, y, "one entry for each of the 107 samples. Got 5", groups=range(5))


def test_labels_of_another_length(small, vectors):
    refused(small("mlp"), vectors[0], vectors[1][:-1], "inconsistent numbers of samples")


@pytest.mark.parametrize("value", [np.nan, -np.inf, 1e39])
@pytest.mark.parametrize("name, data", [("mlp", "vectors"), ("lstm", "sequences")])
def test_features_that_are_not_finite(small, name, data, value, request):
    X, y = request.getfixturevalue(data)
    X = X.astype(float)
    X[3, 1] = X[5, 0] = value
    refused(small(name), X, y, f"finite numbers of float32, and 2 of its {len(X)} rows.*row 3")


def test_too_few_samples_for_the_validation_part(small, vectors):
    X, y = vectors
    rows = np.append(np.flatnonzero(y == "calm"), np.flatnonzero(y == "sad")[:1])
    refused(small("mlp"), X[rows], y[rows], "1 of the class 'sad'.*validation_fraction=0")
    small("mlp", validation_fraction=0).fit(X[rows], y[rows])


def test_one_group(small, vectors):
    X, y = vectors
    refused(small("mlp"), X, y, "Got 1 groups.*validation_fraction=0", groups=np.zeros(len(y)))


def test_frames_for_the_mlp(small, sequences):
    refused(small("mlp"), *sequences, "Pool the frames, or use KerasLSTMClassifier")


@pytest.mark.parametrize("ndim", [1, 4])
def test_wrong_number_of_dimensions(small, ndim):
    refused(small("lstm"), np.zeros((6,) * ndim), np.arange(6) % 2, "Expected 2D|dim 4")


def test_sequences_of_different_lengths(small):
    refused(small("lstm"), [np.ones((2, 3)), np.ones((4, 3))], [0, 1], "Pad the short ones")


def test_no_frames(small):
    refused(small("lstm"), np.zeros((6, 0, 3)), np.arange(6) % 2, "at least 1 frame")


def test_other_dimensions_than_fitted(small, vectors, sequences):
    classifier = small("lstm").fit(*vectors)
    with pytest.raises(ValueError, match="must have 2 dimensions"):
        classifier.predict(sequences[0])
    classifier = small("lstm").fit(*sequences)
    with pytest.raises(ValueError, match="9 features, but KerasLSTMClassifier is expecting 4"):
        classifier.predict(np.ones((2, 5, 9)))


def test_loss_that_is_not_finite(small, vectors):
    X, y = vectors
    refused(small("mlp", learning_rate=1e30), X * 1e15, y, "the loss is not finite after epoch")


@pytest.mark.parametrize(
    "name, parameters, match",
    [
        ("mlp", {"hidden_layer_sizes": (16, 0)}, "'hidden_layer_sizes'.*positive integers"),
        ("mlp", {"hidden_layer_sizes": 16}, "'hidden_layer_sizes' parameter of KerasMLPClassifier"),
        ("mlp", {"validation_fraction": 1.0}, "'validation_fraction'"),
        ("cnn", {"kernel_size": (3, 3, 3)}, "one int for each of the 2 filters"),
        ("cnn", {"strides": 0}, "'strides'"),
        ("lstm", {"units": 0}, "'units'"),
        ("lstm", {"patience": 0}, "'patience'"),
        ("mlp", {"batch_size": 0}, "'batch_size'"),
        ("cnn", {"kernel_size": 999}, "'kernel_size' .* points of the signal, 9 .* Got 999"),
        ("cnn", {"kernel_size": (3, 10)}, "'kernel_size' .* Got 10 instead"),
        ("cnn", {"filters": (10**9,), "strides": 1}, "network of KerasCNNClassifier would hold"),
        ("mlp", {"hidden_layer_sizes": (10**6, 10**6)}, "network of KerasMLPClassifier would hold"),
        ("lstm", {"units": 10**12}, "network of KerasLSTMClassifier would hold"),
    ],
)
def test_parameters(small, vectors, name, parameters, match):
    refused(small(name, **parameters), *vectors, match)


@pytest.mark.parametrize(
    "name, data", [("mlp", "vectors"), ("cnn", "sequences"), ("lstm", "sequences")]
)
def test_numbers_that_decide_on_the_memory(small, name, data, request):
    classifier = small(name, epochs=1).fit(*request.getfixturevalue(data))
    n_weights, n_values = classifier._count_numbers()
    model = classifier.model_
    assert n_weights == model.count_params()
    hidden = [np.prod(layer.output.shape[1:]) for layer in model.layers if layer.weights]
    assert n_values >= sum(hidden[:-1])


def test_a_batch_larger_than_the_data_is_all_of_the_data(small, vectors):
    X, y = vectors
    huge = small("mlp", batch_size=10**10, validation_fraction=0).fit(X, y)
    exact = small("mlp", batch_size=len(X), validation_fraction=0).fit(X, y)
    assert huge.batch_size_ == len(X)
    np.testing.assert_array_equal(huge.predict_proba(X), exact.predict_proba(X))


@pytest.mark.parametrize(
    "name, parameters",
    [
        ("mlp", {"hidden_layer_sizes": np.array([16, 8])}),
        (
            "cnn",
            {"filters": np.array([4, 6]), "kernel_size": np.int64(3), "pool_size": np.int32(2)},
        ),
        ("lstm", {"units": np.int64(7)}),
    ],
)
def test_numpy_numbers_are_numbers(small, vectors, name, parameters):
    X, y = vectors
    common = {"epochs": 2, "batch_size": 32, "patience": 1, "validation_fraction": 0.25}
    plain = small(name, random_state=3, **common).fit(X, y)
    common = {key: np.asarray(value)[()] for key, value in common.items()}
    numpy = small(name, random_state=np.int64(3), **common, **parameters).fit(X, y)
    np.testing.assert_array_equal(numpy.predict_proba(X), plain.predict_proba(X))

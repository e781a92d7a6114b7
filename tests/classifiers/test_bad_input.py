"""Bad input ends in one plain sentence."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import DataConversionWarning

from skmer.classifiers import SequenceScaler, make_classifier
from skmer.exceptions import InputError, InputTypeError


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


@pytest.mark.parametrize("value", [np.nan, -np.inf, 1e39, -1e16])
@pytest.mark.parametrize("name, data", [("mlp", "vectors"), ("lstm", "sequences")])
def test_features_that_are_not_finite(small, name, data, value, request):
    X, y = request.getfixturevalue(data)
    X = X.astype(float)
    X[3, 1] = X[5, 0] = value
    refused(small(name), X, y, f"of at most 1e.15, and 2 of its {len(X)} rows have NaN, inf.*row 3")


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
    refused(small("mlp", learning_rate=1e30), X * 1e14, y, "the loss is not finite after epoch")


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
        ("lstm", {"units": 10**400}, r"network of KerasLSTMClassifier would hold 1e.99 numbers"),
        ("mlp", {"hidden_layer_sizes": (10**400,)}, "network of KerasMLPClassifier would hold"),
    ],
)
def test_parameters(small, vectors, name, parameters, match):
    refused(small(name, **parameters), *vectors, match)


@pytest.mark.parametrize(
    "name, parameters, match",
    [
        ("mlp", {"learning_rate": True}, "'learning_rate' .* finite number"),
        ("mlp", {"epochs": True}, "'epochs' .* finite number"),
        ("mlp", {"hidden_layer_sizes": np.array(2)}, "list of positive integers"),
        ("mlp", {"hidden_layer_sizes": {}}, "list of positive integers"),
        ("mlp", {"hidden_layer_sizes": {4, 8}}, "list of positive integers"),
        ("mlp", {"hidden_layer_sizes": (True, 4)}, "list of positive integers"),
        ("cnn", {"filters": {}}, "list of positive integers"),
        ("cnn", {"kernel_size": np.array(2)}, "list of positive integers"),
        *(("mlp", {"class_weight": {"sad": weight, "calm": 1}}, "class_weight")
          for weight in ("1", b"1", np.datetime64("2020"), 1j, None, [2], -1, np.nan, 1e300)),
    ],
)  # fmt: skip
def test_parameters_of_the_wrong_kind(small, vectors, name, parameters, match):
    refused(small(name, **parameters), *vectors, match)


@pytest.mark.parametrize("size", [10**9, 2**63, 10**30])
def test_a_step_beyond_the_signal_is_the_whole_signal(small, vectors, size):
    # TensorFlow ended the process.
    X, y = vectors
    settings = {"filters": (4,), "epochs": 1, "random_state": 0}
    whole, huge = (
        small("cnn", strides=step, pool_size=step, **settings).fit(X, y).predict_proba(X)
        for step in (X.shape[1], size)
    )
    np.testing.assert_array_equal(huge, whole)


def of_others(X):
    """Arrays that scikit-learn casts to numbers without a word, or refuses in words of numpy's."""
    table = pd.DataFrame(X)
    return {
        "masked": np.ma.masked_greater(X, 0),
        "dates": X.astype("datetime64[s]"),
        "durations": X.astype("timedelta64[s]"),
        "text": X.astype(str),
        "bytes": X.astype("S"),
        "complex": X + 0j,
        "record": np.zeros(len(X), dtype=[("a", "f4")]),
        "a date": table.assign(day=pd.Timestamp("2020")).set_axis([*"abcdefghij"], axis=1),
        "a word": table.assign(word="a").set_axis([*"abcdefghij"], axis=1),
        "a set": {1},
        "a word alone": "abc",
        "a class": dict,
        "objects": np.where(X > 0, X.astype(object), "a"),
    }


@pytest.mark.parametrize("what", of_others(np.zeros((4, 9))))
@pytest.mark.filterwarnings("ignore:X has feature names")
def test_features_that_are_no_numbers(small, vectors, what):
    X, y = vectors
    fitted = small("mlp", epochs=1).fit(X, y)
    odd = of_others(X.astype(float))[what]
    for call in (
        lambda: small("mlp").fit(odd, y),
        lambda: fitted.predict(odd),
        lambda: SequenceScaler().fit(odd),
        lambda: SequenceScaler().fit(X).transform(odd),
    ):
        with pytest.raises((InputError, InputTypeError), match=r"X (of|must)") as caught:
            call()
        assert len(str(caught.value)) <= 500


def test_frames_that_are_no_numbers(small, sequences):
    X, y = sequences
    for odd in (np.ma.masked_greater(X, 0), X + 0j, X.astype(str), X.astype("datetime64[s]")):
        for call in (small("cnn").fit, small("lstm").fit, SequenceScaler().fit):
            with pytest.raises(InputError, match=r"masked values|real numbers"):
                call(odd, y)
    with pytest.raises(InputError, match="X of SequenceScaler must have shape"):
        SequenceScaler().fit(X[..., None])


def test_names_of_columns(small, vectors):
    X, y = vectors
    with pytest.raises(InputTypeError, match="X of KerasMLPClassifier: Feature names"):
        small("mlp").fit(pd.DataFrame(X).rename(columns={0: "a"}), y)
    table = pd.DataFrame(X, columns=["a"] * X.shape[1])
    try:
        small("mlp", epochs=1).fit(table, y)
    except InputError as error:
        # Of newer versions of scikit-learn.
        assert "unique column names" in str(error)  # noqa: PT017


@pytest.mark.parametrize("scale", [1e16, 1e150, 1e300])
def test_features_whose_squares_overflow(scale):
    with pytest.raises(InputError, match=r"between -1e.15 and 1e.15"):
        SequenceScaler().fit(np.array([[1.0], [2.0]]) * scale)


@pytest.mark.parametrize(
    "labels",
    [
        lambda y: np.ma.masked_array(y, y == "sad"),
        lambda y: [None, *y[1:]],
        lambda y: [pd.NA, *y[1:]],
        lambda y: [np.nan, *y[1:]],
        lambda y: [1, *y[1:]],
        lambda y: [np.ma.masked, *y[1:]],
        lambda y: [["a"], *y[1:]],
        lambda y: np.arange(len(y)).astype("datetime64[D]"),
        lambda y: y.astype(bytes),
        lambda y: [{}] * len(y),
        lambda y: pd.Series(y, dtype="string").mask(y == "sad"),
        lambda y: np.zeros(len(y), dtype=[("a", "f4")]),
    ],
)
def test_labels_and_groups_that_are_none(small, vectors, labels):
    X, y = vectors
    with pytest.raises(InputError, match="The labels y"):
        small("mlp").fit(X, labels(y))
    with pytest.raises(InputError, match="The groups"):
        small("mlp").fit(X, y, groups=labels(y))


@pytest.mark.parametrize("weight", ["1", b"1", pd.NA, None, np.datetime64("2020"), 1j, -1, [1, 2]])
def test_weights_of_samples_that_are_none(small, vectors, weight):
    X, y = vectors
    refused(small("mlp"), X, y, "[Ss]ample_weight", sample_weight=[weight, *np.ones(len(y) - 1)])


@pytest.mark.parametrize("seed", [-1, 0.5, "1", True, np.nan, [1], pd.NA])
def test_seeds_that_are_none(seed):
    with pytest.raises(InputError, match="'random_state'"):
        make_classifier("svm", random_state=seed)


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


SPOILED = {
    "nan": lambda X: X * np.nan,
    "inf": lambda X: np.where(np.arange(9) == 0, np.inf, X),
    "too large": lambda X: X.astype(float) * 1e300,
    "one dimension": lambda X: X[:, 0],
    "three dimensions": lambda X: X[:, np.newaxis],
    "text": lambda X: X.astype(str),
    "no features": lambda X: X[:, :0],
    "complex": lambda X: X + 1j,
    "dates": lambda X: np.full(X.shape, np.datetime64("2020-01-01")),
    "masked": lambda X: np.ma.masked_array(X, X > 0),
    "dicts": lambda X: np.full(X.shape, {}),
}


@pytest.mark.parametrize(
    "name, spoiled",
    # A forest has a branch for what is missing.
    [case for case in product(["svm", "nb", "rf"], SPOILED) if case != ("rf", "nan")],
)
def test_features_that_no_fit_of_a_search_can_take(vectors, name, spoiled):
    X, y = vectors
    with pytest.raises((InputError, InputTypeError), match=r"^X of [A-Z]\w+( |: )") as caught:
        make_classifier(name).fit(SPOILED[spoiled](X), y)
    assert len(str(caught.value)) <= 500
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["svm", "nb", "rf"])
@pytest.mark.parametrize(
    "y, match",
    [([None, "sad"], "missing"), ([1, "sad"], "all text or all"), ([np.nan, 1], "missing")],
)
def test_labels_that_no_search_can_learn(name, y, match):
    with pytest.raises(InputError, match=match):
        make_classifier(name).fit(np.ones((20, 2)), y * 10)


def test_a_search_for_decision_values_needs_two_classes(vectors):
    X, _ = vectors
    refused(
        make_classifier("svm"),
        X,
        np.full(len(X), "sad"),
        "SVC needs .* at least 2 classes. Got 1 class",
    )


@pytest.mark.parametrize("name", ["svm", "nb"])
def test_the_labels_of_a_search_may_be_a_column_of_a_table(vectors, name):
    X, y = vectors
    search = make_classifier(name).fit(X, y)
    with pytest.warns(DataConversionWarning, match="column-vector"):
        again = make_classifier(name).fit(X, pd.DataFrame({"emotion": y}))
    np.testing.assert_array_equal(search.predict_proba(X), again.predict_proba(X))

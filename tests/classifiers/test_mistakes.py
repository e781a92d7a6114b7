"""Input that would give wrong numbers, or a late error, gives one sentence at once."""

import numpy as np
import pandas as pd
import pytest

from skmer.classifiers import SequenceScaler, make_classifier
from skmer.exceptions import InputError


def same(X, y):
    return {"X": X, "y": y}


MISTAKES = {
    "one class": ("mlp", {}, lambda X, y: same(X, y * 0), "at least 2 classes"),
    "one class with a weight": (
        "mlp", {}, lambda X, y: {**same(X, y), "sample_weight": y == 2}, "2 classes with a weight",
    ),
    "groups of another length": (
        "mlp", {}, lambda X, y: {**same(X, y), "groups": range(5)}, "inconsistent numbers",
    ),
    "groups that are missing": (
        "mlp", {}, lambda X, y: {**same(X, y), "groups": [None, *y[1:]]}, "The groups",
    ),
    "one group": (
        "mlp", {}, lambda X, y: {**same(X, y), "groups": y * 0}, "Got 1 group .*_fraction=0",
    ),
    "too few to validate": (
        "mlp", {}, lambda X, y: same(X, np.r_[3, y[1:] * 0]), "1 of the class.*_fraction=0",
    ),
    "labels that are missing": ("mlp", {}, lambda X, y: same(X, [None, *y[1:]]), "The labels y"),
    "negative weights": (
        "mlp", {}, lambda X, y: {**same(X, y), "sample_weight": -1.0 - y}, "[Nn]egative",
    ),
    "NaN": ("mlp", {}, lambda X, y: same(np.where(X > 2, np.nan, X), y), "rows have NaN, inf"),
    "beyond float32": ("mlp", {}, lambda X, y: same(X * 1e300, y), "rows have NaN, inf"),
    "masked": ("mlp", {}, lambda X, y: same(np.ma.masked_greater(X, 0), y), "masked values"),
    "frames": ("mlp", {}, lambda X, y: same(X[:, None], y), "dim 3"),
    "no list": ("mlp", {"hidden_layer_sizes": 16}, same, "'hidden_layer_sizes'"),
    "a layer of nothing": ("mlp", {"hidden_layer_sizes": (16, 0)}, same, "'hidden_layer_sizes'"),
    "a layer beyond the bound": ("mlp", {"hidden_layer_sizes": (2**16 + 1,)}, same, "to 65536"),
    "a filter beyond the signal": ("cnn", {"kernel_size": 10}, same, "'kernel_size'.*signal, 9"),
    "a kernel too many": ("cnn", {"kernel_size": (3, 3, 3)}, same, "each of the 2 filters"),
    "units beyond the bound": ("lstm", {"units": 2**16 + 1}, same, "'units'"),
    "a negative class weight": ("mlp", {"class_weight": {0: -1, 1: 1}}, same, "class_weight"),
    "a step that diverges": (
        "mlp", {"learning_rate": 1e30}, lambda X, y: same(X * 1e14, y), "loss is not finite",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(small, vectors, mistake):
    name, parameters, spoil, message = MISTAKES[mistake]
    X, y = vectors
    given = spoil(X.astype(float), np.unique(y, return_inverse=True)[1])
    with pytest.raises(ValueError, match=message):
        small(name, **parameters).fit(**given)


def test_errors_name_their_parameter(small, vectors):
    with pytest.raises(InputError) as caught:
        small("cnn", kernel_size=10).fit(*vectors)
    assert caught.value.param == "kernel_size"


def test_other_dimensions_than_fitted(small, vectors, sequences):
    with pytest.raises(InputError, match="must have 2 dimensions"):
        small("lstm", epochs=1).fit(*vectors).predict(sequences[0])
    with pytest.raises(ValueError, match="9 features, but KerasLSTMClassifier is expecting 4"):
        small("lstm", epochs=1).fit(*sequences).predict(np.ones((2, 5, 9)))


def test_scaler(sequences):
    X = sequences[0]
    for odd in (np.ma.masked_greater(X, 0), X.astype(float) * 1e300):
        with pytest.raises(InputError):
            SequenceScaler().fit(odd)
    with pytest.raises(ValueError, match="dim 4"):
        SequenceScaler().fit(X[..., None])


def test_a_step_beyond_the_signal_is_the_whole_signal(small, vectors):
    X, y = vectors
    whole, longer = (
        small("cnn", filters=(4,), strides=step, pool_size=step, epochs=1).fit(X, y)
        for step in (X.shape[1], X.shape[1] + 1)
    )
    np.testing.assert_array_equal(longer.predict_proba(X), whole.predict_proba(X))


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("name", ["svm", "nb"])
def test_a_search_raises_the_error_of_its_first_fit(vectors, name):
    X, y = vectors
    with pytest.raises(ValueError, match="contains NaN"):
        make_classifier(name).fit(X * np.nan, y)


def test_seeds():
    with pytest.raises(InputError, match="'random_state'"):
        make_classifier("svm", random_state=-1)


def test_numpy_numbers_are_numbers(small, vectors):
    X, y = vectors
    plain = small("cnn", random_state=3, batch_size=32).fit(X, y)
    numpy = small(
        "cnn", random_state=np.int64(3), batch_size=np.int64(32), filters=np.array([4, 6])
    )
    np.testing.assert_array_equal(numpy.fit(X, y).predict_proba(X), plain.predict_proba(X))


def test_a_batch_larger_than_the_data_is_all_of_the_data(small, vectors):
    X, y = vectors
    huge = small("mlp", batch_size=10**10, validation_fraction=0).fit(X, y)
    assert huge.batch_size_ == len(X)


def test_the_labels_of_a_search_may_be_a_column_of_a_table(small, vectors):
    X, y = vectors
    with pytest.warns(UserWarning, match="column-vector"):
        again = small("mlp").fit(X, pd.DataFrame({"emotion": y}))
    np.testing.assert_array_equal(small("mlp").fit(X, y).predict_proba(X), again.predict_proba(X))

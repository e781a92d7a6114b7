"""What a fit computes: Keras' own numbers, the best epoch, and the same again."""

import copy
import pickle
import sys

import numpy as np
import pytest
from sklearn.base import clone

from skmer.classifiers.base import check_keras_backend, validation_split
from skmer.embeddings import release_networks
from skmer.exceptions import EngineNotAvailableError

CASES = [("mlp", "vectors"), ("cnn", "sequences"), ("lstm", "sequences")]


def plain_keras_history(classifier, X, y, *, sample_weight=None):
    """Train with `Model.fit`, on the batches that `classifier` sees, and keep the best epoch."""
    import keras

    split_seed, seed = np.random.RandomState(classifier.random_state).randint(
        np.iinfo(np.int32).max, size=2
    )
    codes = np.searchsorted(classifier.classes_, y)
    weight = np.ones(len(y)) if sample_weight is None else sample_weight
    train, rows = validation_split(
        y, None, classifier.validation_fraction, split_seed, owner="the test"
    )
    X = classifier._to_network_input(X)
    model = classifier._build(int(seed))
    model.compile(
        keras.optimizers.Adam(classifier.learning_rate),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    stop = keras.callbacks.EarlyStopping(patience=classifier.patience, restore_best_weights=True)
    shuffle = np.random.default_rng(int(seed))

    def batches():
        while True:
            order = train[shuffle.permutation(len(train))]
            for start in range(0, len(order), classifier.batch_size):
                at = order[start : start + classifier.batch_size]
                yield X[at], codes[at], weight[at]

    history = model.fit(
        batches(),
        steps_per_epoch=-(-len(train) // classifier.batch_size),
        epochs=classifier.epochs,
        validation_data=(X[rows], codes[rows], weight[rows]),
        validation_batch_size=classifier.batch_size,
        callbacks=[stop],
        shuffle=False,
        verbose=0,
    ).history
    return history, model, stop.best_epoch


@pytest.mark.parametrize("name, data", CASES)
def test_history_equals_model_fit(small, name, data, request):
    X, y = request.getfixturevalue(data)
    weight = np.random.default_rng(2).uniform(0.5, 2.0, len(y))
    classifier = small(name, epochs=4, patience=2).fit(X, y, sample_weight=weight)
    history, model, best_epoch = plain_keras_history(classifier, X, y, sample_weight=weight)
    assert set(classifier.history_) == set(history)
    for key, values in history.items():
        np.testing.assert_allclose(classifier.history_[key], values, rtol=1e-4, atol=1e-5)
    assert classifier.best_epoch_ == best_epoch
    np.testing.assert_allclose(
        classifier.predict_proba(X),
        model.predict(classifier._to_network_input(X), verbose=0),
        atol=1e-4,
    )


def test_compiled_epochs_give_the_same_history(small, vectors, monkeypatch):
    interpreted = small("mlp").fit(*vectors)
    monkeypatch.setattr("skmer.classifiers.base._JIT_MIN_STEPS", 0)
    compiled = small("mlp").fit(*vectors)
    for key, values in interpreted.history_.items():
        np.testing.assert_allclose(compiled.history_[key], values, rtol=1e-4, atol=1e-5)


def test_best_epoch_is_restored_after_patience(small, vectors):
    classifier = small("mlp", epochs=200, patience=4, learning_rate=0.05).fit(*vectors)
    losses = classifier.history_["val_loss"]
    assert classifier.n_iter_ == len(losses) < 200
    assert classifier.best_epoch_ == np.argmin(losses) == classifier.n_iter_ - 1 - 4
    shorter = small(
        "mlp", epochs=classifier.best_epoch_ + 1, patience=None, learning_rate=0.05
    ).fit(*vectors)
    np.testing.assert_allclose(
        classifier.predict_proba(vectors[0]), shorter.predict_proba(vectors[0]), atol=1e-6
    )


@pytest.mark.parametrize("parameters", [{"patience": None}, {"validation_fraction": 0}])
def test_last_epoch_is_kept(small, vectors, parameters):
    classifier = small("mlp", epochs=5, **parameters).fit(*vectors)
    assert classifier.n_iter_ == 5
    assert classifier.best_epoch_ == 4
    assert ("val_loss" in classifier.history_) == ("patience" in parameters)


@pytest.mark.parametrize("name", ["mlp", "cnn", "lstm"])
def test_reproducible_after_other_fits(small, vectors, name):
    X, y = vectors
    first = small(name).fit(X, y).predict_proba(X)
    other = small(name, random_state=1, learning_rate=0.1).fit(X[:60], y[:60]).predict_proba(X)
    again = small(name).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_global_random_states_are_neither_read_nor_written(small, vectors):
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    small("mlp").fit(*vectors)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_fits_do_not_share_weights(small, vectors):
    X, y = vectors
    first = small("mlp").fit(X, y)
    expected = first.predict_proba(X)
    small("mlp", random_state=3).fit(X, y).predict(X)
    np.testing.assert_array_equal(first.predict_proba(X), expected)


@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))],
    ids=["deepcopy", "pickle"],
)
@pytest.mark.parametrize("name", ["mlp", "cnn", "lstm"])
def test_copies_predict_the_same(small, vectors, name, copied):
    X, y = vectors
    classifier = small(name).fit(X, y)
    np.testing.assert_array_equal(copied(classifier).predict_proba(X), classifier.predict_proba(X))
    assert clone(classifier).get_params() == classifier.get_params()
    assert not hasattr(clone(classifier), "weights_")


def test_pickle_holds_arrays_and_no_network(small, vectors):
    data = pickle.dumps(small("mlp").fit(*vectors))
    assert b"keras" not in data.replace(b"skmer.classifiers", b"").replace(b"KerasMLP", b"")
    assert len(data) < 10_000


def test_settings_of_keras_change_no_number(small, sequences):
    import keras

    def weights():
        release_networks()
        return small("cnn").fit(*sequences).weights_

    expected, config = weights(), keras.config
    before = config.dtype_policy(), config.floatx(), config.image_data_format()
    settings = "mixed_float16", "float16", "channels_first"
    put = "set_dtype_policy", "set_floatx", "set_image_data_format"
    try:
        for name, value in zip(put, settings):
            getattr(config, name)(value)
        found = weights()
    finally:
        for name, value in zip(put, before):
            getattr(config, name)(value)
    for array, wanted in zip(found, expected):
        np.testing.assert_array_equal(array, wanted, strict=True)


def test_another_backend_of_keras_is_an_error_before_the_fit(small, vectors, monkeypatch, tmp_path):
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "keras.json").write_text('{"backend": "jax"}')
    with pytest.raises(EngineNotAvailableError, match=r"Got 'jax'; set .* KERAS_BACKEND"):
        check_keras_backend()
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(EngineNotAvailableError, match=r"Got 'torch'; set .* KERAS_BACKEND"):
        small("mlp").fit(*vectors)


def test_a_row_does_not_depend_on_its_neighbours(small, vectors):
    X, y = vectors
    classifier = small("mlp").fit(X, y)
    alone = np.concatenate([classifier.predict_proba(row[np.newaxis]) for row in X[:5]])
    np.testing.assert_array_equal(alone, classifier.predict_proba(X)[:5])


def test_model_is_a_keras_model_with_the_weights(small, sequences):
    X, y = sequences
    classifier = small("lstm").fit(X, y)
    proba = np.asarray(classifier.model_(X))
    np.testing.assert_allclose(proba, classifier.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("name", ["cnn", "lstm"])
def test_padding_to_another_length_changes_nothing(small, sequences, name):
    X, y = sequences
    classifier = small(name).fit(X, y)
    longer = np.pad(X, [(0, 0), (0, 3), (0, 0)])
    np.testing.assert_allclose(
        classifier.predict_proba(longer), classifier.predict_proba(X), atol=1e-6
    )
    assert classifier.predict(X[:, :3]).shape == (61,)
    assert classifier.n_features_in_ == 4


def test_class_weight_moves_predictions(small, vectors):
    X, y = vectors
    shares = [
        (small("mlp", epochs=30, class_weight=weights).fit(X, y).predict(X) == "sad").mean()
        for weights in (
            {"angry": 1, "calm": 1, "sad": 50},
            None,
            {"angry": 50, "calm": 1, "sad": 1},
        )
    ]
    assert shares[0] > shares[1]
    assert shares[0] > shares[2]


def test_rows_without_weight_do_not_count(small, vectors):
    X, y = vectors
    weight = np.ones(len(y))
    weight[:40] = 0.0
    weighted = small("mlp").fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(
        weighted.predict_proba(X), small("mlp").fit(X[40:], y[40:]).predict_proba(X)
    )


def test_progress_bar_only_on_request(small, vectors, capsys, monkeypatch):
    # rich takes standard error for a terminal then.
    monkeypatch.setenv("FORCE_COLOR", "1")
    small("mlp").fit(*vectors)
    assert capsys.readouterr() == ("", "")
    small("mlp", verbose=True).fit(*vectors)
    assert "KerasMLPClassifier" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name, data", [("mlp", "vectors"), ("cnn", "vectors"), ("lstm", "sequences")]
)
def test_a_row_is_what_it_is_at_every_place(small, name, data, request):
    X, y = request.getfixturevalue(data)
    classifier = small(name, batch_size=19).fit(X, y)
    together = classifier.predict_proba(X)
    for first in range(0, len(X), 5):
        rolled = classifier.predict_proba(np.roll(X, -first, axis=0))
        np.testing.assert_array_equal(np.roll(rolled, first, axis=0), together)
    np.testing.assert_array_equal(classifier.predict_proba(X[7:8]), together[7:8])

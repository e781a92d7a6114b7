"""What the three Keras classifiers have in common."""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.model_selection import GroupShuffleSplit, StratifiedShuffleSplit
from sklearn.utils import check_array, check_random_state, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skmer.exceptions import EngineNotAvailableError, InputError
from skmer.utils import estimators as params
from skmer.utils import floats, labels, messages, processes

_N_DRAWS = 50


def validation_split(y, groups, fraction, seed, owner):
    """Split rows into those to train on and those to validate on, stratified and by group.

    Every class stays among the rows to train on; of tags, where y is an indicator matrix, only the
    shares are kept. Returns two arrays of sorted row indices.
    """
    owner = type(owner).__name__
    if y.ndim == 2 and groups is None:
        groups = np.arange(len(y))
    if groups is None:
        train, validation = _split_rows(y, fraction, seed, owner)
    else:
        train, validation = _split_groups(y, groups, fraction, seed, owner)
    return np.sort(train), np.sort(validation)


def _split_rows(y, fraction, seed, owner):
    classes, counts = np.unique(y, return_counts=True)
    n_validation = max(round(fraction * len(y)), classes.size)
    if counts.min() < 2 or len(y) - n_validation < classes.size:
        raise InputError(
            f"The 'validation_fraction' parameter of {owner} must leave samples of every class to "
            f"train on and to validate on. Got n_samples={len(y)}, {counts.min()} of the class "
            f"'{classes[counts.argmin()]}'. Add samples, or set validation_fraction=0.",
            param="validation_fraction",
        )
    splitter = StratifiedShuffleSplit(1, test_size=n_validation, random_state=seed)
    return next(splitter.split(y, y))


def _split_groups(y, groups, fraction, seed, owner):
    are_tags = y.ndim == 2
    members = y if are_tags else np.unique(y)[None] == y[:, None]
    counts = members.sum(axis=0)
    wanted = fraction * counts
    best, best_distance = None, np.inf
    if np.unique(groups).size > 1:
        # Groups differ in size and classes, so the draw nearest to a stratified split is taken.
        splitter = GroupShuffleSplit(_N_DRAWS, test_size=fraction, random_state=seed)
        for train, validation in splitter.split(y, y, groups):
            held_out = members[validation].sum(axis=0)
            distance = np.abs(held_out - wanted).sum()
            if distance < best_distance and (are_tags or (held_out < counts).all()):
                best, best_distance = (train, validation), distance
    if best is None:
        raise InputError(
            f"The 'validation_fraction' parameter of {owner} must leave groups to validate on and "
            "every class in the others. Got "
            f"{messages.counted(np.unique(groups).size, 'group')} and {counts.size} classes. Add "
            "groups, call fit without groups, or set validation_fraction=0.",
            param="validation_fraction",
        )
    return best


_JIT_MIN_STEPS = 400
# A layer of this size takes 17 GB for its weights alone.
LARGEST_LAYER = 2**16
# `check_rows` reports numbers that are not finite, together with their rows.
_AS_FLOAT32: dict = {"dtype": np.float32, "ensure_all_finite": False}


@params.estimator
class BaseKerasClassifier(params.ClassifierMixin, params.BaseEstimator):
    """Fits a scikeras ``KerasClassifier`` and keeps the weights of the best epoch as arrays.

    scikeras' ``fit``, ``initialize`` and ``predict_proba`` work on a Keras model whose own ``fit``
    and ``predict`` run whole epochs (`GraphModel`). A ``KerasClassifier`` is made where it is
    needed and neither kept nor inherited from: scikit-learn does not take it for a classifier, and
    a pickle should hold arrays, not a network.

    A subclass defines its own parameters, the layers, the shape of a row, and whether it takes
    frame sequences.
    """

    # Groups that are routed to a cross-validation reach the validation split by default.
    __metadata_request__fit = {"groups": True}

    _takes_sequences = False
    _jit_compile = True

    learning_rate: params.PositiveFloat = 0.001
    batch_size: params.Positive = 32
    epochs: params.Positive = 1000
    validation_fraction: params.HeldOut = 0.1
    patience: params.Positive | None = 100
    class_weight: params.ClassWeight = None
    random_state: params.RandomState = None
    verbose: bool = False

    def _layers(self, make, draw):
        """Return the Keras layers between the input and the output.

        ``make(name, ...)`` makes a layer, ``draw(name)`` an initializer with a seed of its own.
        """

    def _architecture(self):
        """Return a hashable that decides the layers, apart from the input."""

    def _input_shape(self):
        """Return the shape of a row that the network takes; None where it may vary."""

    def _to_network_input(self, X):
        """Return `X` as the float32 array that the network takes."""

    def fit(self, X, y, sample_weight=None, groups=None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_frames, n_features)
            One vector a sample or, where the class takes them, one frame sequence a sample.
        y : array-like of shape (n_samples,) or (n_samples, n_tags)
            Class labels; or tags, 1 where a sample has the tag and else 0.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the loss, in training and in validation.
        groups : array-like of shape (n_samples,), default=None
            The singer, artist or album of each sample. No group is in both the training and the
            validation set.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        params.validate_parameters(self)
        labels.check_order({"X": X, "y": y, "groups": groups, "sample_weight": sample_weight})
        X = self._validate_X(X, reset=True)
        are_tags = np.asarray(y).ndim == 2 and type_of_target(y) == "multilabel-indicator"
        y = np.asarray(y).astype(np.int32) if are_tags else labels.check_target(y)
        check_classification_targets(y)
        if groups is not None:
            groups = labels.check_labels(groups, "The groups")
            labels.warn_of_alike(groups, "The groups")
        check_consistent_length(X, y, groups)
        if sample_weight is not None:
            sample_weight = floats.check_floats(sample_weight, "sample_weight")
        sample_weight = params._check_sample_weight(sample_weight, X, ensure_non_negative=True)
        if are_tags and self.class_weight is not None:
            allowed = "None for tags, for which fit takes sample_weight"
            raise messages.wrong_parameter(self, "class_weight", allowed, self.class_weight)
        if not are_tags:
            sample_weight = sample_weight * self._class_weights(y)

        # Rows of weight zero must neither add a class nor fill the validation rows.
        kept = sample_weight > 0
        X, y, sample_weight = X[kept], y[kept], sample_weight[kept].astype(np.float32)
        groups = None if groups is None else groups[kept]
        self.classes_: Any
        if are_tags:
            self.classes_, codes = [np.array([0, 1])] * y.shape[1], y
        else:
            self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(
                f"{type(self).__name__} needs samples of at least 2 classes with a weight above 0. "
                f"Got {len(self.classes_)} class instead."
            )
        random_state = check_random_state(self.random_state)
        split_seed, seed = random_state.randint(np.iinfo(np.int32).max, size=2)
        train, validation = np.arange(len(y)), None
        if self.validation_fraction > 0:
            train, rows = validation_split(y, groups, self.validation_fraction, split_seed, self)
            validation = (X[rows], codes[rows].astype(np.int32), sample_weight[rows])
        self._train(X[train], codes[train], sample_weight[train], validation, int(seed))
        return self

    def _train(self, X, codes, weight, validation, seed):
        network = _import_network()
        self.batch_size_ = int(min(self.batch_size, len(X)))
        n_epochs = min(self.epochs, self.patience if validation and self.patience else self.epochs)
        n_steps = n_epochs * -(-len(X) // self.batch_size_)
        with self._borrow_model() as model:
            model.start(
                self._build(seed).get_weights(),
                learning_rate=self.learning_rate,
                seed=seed,
                # Compiling takes as long as some hundred steps, and so many are sure to be run.
                jit_compile=self._jit_compile and n_steps >= _JIT_MIN_STEPS,
            )
            self.history_, self.best_epoch_ = network.fit(self, model, X, codes, weight, validation)
            self.weights_ = model.get_weights()
        self.n_iter_ = len(self.history_["loss"])

    def predict_proba(self, X) -> np.ndarray:
        """Return the class probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_frames, n_features)
            Samples of the form given to ``fit``. The number of frames may differ from that.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes) or (n_samples, n_tags), dtype float32
            Probabilities, in the order of ``classes_``; for tags, of having each.
        """
        check_is_fitted(self, "weights_")
        X = self._validate_X(X, reset=False)
        with self._borrow_model() as model:
            model.set_weights(self.weights_)
            return _import_network().predict_proba(model, X)

    def predict(self, X) -> np.ndarray:
        """Return the most probable class of each sample, or the tags above one half.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_frames, n_features)
            Samples of the form given to ``fit``. The number of frames may differ from that.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,) or (n_samples, n_tags)
            Class labels, or an indicator matrix.
        """
        proba = self.predict_proba(X)
        if self._are_tags:
            return (proba >= 0.5).astype(int)
        return self.classes_.take(proba.argmax(axis=1))

    @property
    def _are_tags(self) -> bool:
        return isinstance(self.classes_, list)

    @property
    def model_(self):
        """A new ``keras.Model`` with the learnt weights."""
        check_is_fitted(self, "weights_")
        model = self._build(seed=0)
        model.set_weights(self.weights_)
        return model

    # A number beyond float32 becomes infinity, which `check_rows` reports.
    @np.errstate(over="ignore")
    def _validate_X(self, X, *, reset):
        name = type(self).__name__
        X = X if hasattr(X, "ndim") else np.asarray(X)
        if not reset and {X.ndim, self.input_ndim_} == {2, 3}:
            raise InputError(
                f"X must have {self.input_ndim_} dimensions, as when {name} was fitted. "
                f"Got {X.ndim} dimensions instead.",
                param="X",
            )
        are_sequences = X.ndim == 3 and self._takes_sequences
        params.check_unmasked(X, f"X of {name}")
        if are_sequences:
            X = check_array(X, allow_nd=True, estimator=self, input_name="X", **_AS_FLOAT32)
        # The features are the columns of the frames, or of a plain X.
        columns = X[:, 0] if are_sequences else X
        rows = params.validate_data(self, columns, reset=reset, **_AS_FLOAT32)
        X = X if are_sequences else rows
        floats.check_rows(X, f"X of {name}")
        if reset:
            self.input_ndim_: int = X.ndim
            self.row_shape_: tuple[int, ...] = X.shape[1:]
        return self._to_network_input(X)

    def _check_sizes(self, name, values):
        """Return the entries of a parameter that lists sizes, as a tuple of int."""
        for value in values:
            messages.check_whole(type(self).__name__, most=LARGEST_LAYER, **{name: value})
        return tuple(map(int, values))

    def _class_weights(self, y):
        """Return the weight of each sample that `class_weight` gives."""
        if isinstance(self.class_weight, dict):
            weights = floats.check_floats([*self.class_weight.values()], "class_weight")
            if (weights < 0).any():
                allowed = "a dict of numbers of at least 0"
                raise messages.wrong_parameter(self, "class_weight", allowed, self.class_weight)
        return compute_sample_weight(self.class_weight, y)

    def _build(self, seed, make_model=None):
        """Return a new Keras model with initial weights drawn from `seed`."""
        keras = _import_network().keras
        make_model = keras.Sequential if make_model is None else make_model
        states = iter(np.random.SeedSequence(seed).generate_state(64))

        def draw(name):
            return getattr(keras.initializers, name)(seed=int(next(states)))

        # Named, since the user's own settings of Keras may have another type of numbers.
        def make(name, *args, **options):
            return getattr(keras.layers, name)(*args, dtype="float32", **options)

        output = make(
            "Dense",
            len(self.classes_),
            activation="sigmoid" if self._are_tags else "softmax",
            kernel_initializer=draw("GlorotUniform"),
        )
        layers = self._layers(make, draw)
        return make_model([keras.Input(self._input_shape(), dtype="float32"), *layers, output])

    def _borrow_model(self):
        network = _import_network()
        outputs = (len(self.classes_), self._are_tags)
        return network.borrowed_model(
            (type(self), self._architecture(), self._input_shape(), outputs),
            lambda: self._build(seed=0, make_model=network.GraphModel),
            self.batch_size_,
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.input_tags.three_d_array = self._takes_sequences
        return tags


def check_keras_backend() -> None:
    """Raise before the import where Keras has another backend, or TensorFlow is not eager."""
    if "keras" in sys.modules:
        backend = sys.modules["keras"].config.backend()
    else:
        home = os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras")
        backend = os.environ.get("KERAS_BACKEND")
        with suppress(OSError, ValueError, LookupError, TypeError):
            settings = Path(home, "keras.json").read_text(encoding="utf-8")
            backend = backend or json.loads(settings)["backend"]
    if (backend or "tensorflow") != "tensorflow":
        raise EngineNotAvailableError(
            f"The Keras classifiers need Keras with the backend tensorflow. Got {backend!r}; set "
            "the environment variable KERAS_BACKEND=tensorflow for this program, or take other "
            "classifiers."
        )
    if "tensorflow" in sys.modules:
        processes.import_tensorflow()


def _import_network():
    """Import the module that needs TensorFlow, which is started as for the embeddings."""
    check_keras_backend()
    processes.import_tensorflow()
    with processes.quiet_tensorflow():
        from skmer.classifiers import training as _network

    return _network

"""What the three Keras classifiers have in common."""

from abc import abstractmethod
from functools import partial
from numbers import Integral, Real
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GroupShuffleSplit, StratifiedShuffleSplit
from sklearn.utils import check_array, check_random_state, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skmer.exceptions import InputError
from skmer.utils.estimators import (
    DocumentedMixin,
    Interval,
    StrOptions,
    _check_sample_weight,
    checked_features,
    validate_data,
    validate_parameters,
)
from skmer.utils.floats import check_floats, check_rows
from skmer.utils.labels import check_labels, check_target
from skmer.utils.processes import exact_float32, import_tensorflow, quiet_tensorflow
from skmer.utils.progress import track

_N_DRAWS = 50


def validation_split(y, groups, fraction, seed, *, owner):
    """Split rows into training and validation part, stratified and, given groups, by group.

    Every class stays in the training part. Returns two arrays of sorted row indices.
    """
    split = _split_rows if groups is None else _split_groups
    train, validation = split(y, groups, fraction, seed, owner)
    return np.sort(train), np.sort(validation)


def _split_rows(y, groups, fraction, seed, owner):
    classes, counts = np.unique(y, return_counts=True)
    n_validation = max(round(fraction * len(y)), classes.size)
    if counts.min() < 2 or len(y) - n_validation < classes.size:
        raise InputError(
            f"The 'validation_fraction' parameter of {owner} must leave samples of every class to "
            f"train on and to validate on. Got n_samples={len(y)}, {counts.min()} of the class "
            f"'{classes[counts.argmin()]}'. Add samples, or set validation_fraction=0."
        )
    splitter = StratifiedShuffleSplit(1, test_size=n_validation, random_state=seed)
    return next(splitter.split(y, y))


def _split_groups(y, groups, fraction, seed, owner):
    codes = np.unique(y, return_inverse=True)[1]
    counts = np.bincount(codes)
    wanted = fraction * counts
    best, best_distance = None, np.inf
    if np.unique(groups).size > 1:
        # Groups differ in size and classes: of many draws, the one nearest to a stratified split.
        splitter = GroupShuffleSplit(_N_DRAWS, test_size=fraction, random_state=seed)
        for train, validation in splitter.split(y, y, groups):
            held_out = np.bincount(codes[validation], minlength=counts.size)
            distance = np.abs(held_out - wanted).sum()
            if distance < best_distance and (held_out < counts).all():
                best, best_distance = (train, validation), distance
    if best is None:
        raise InputError(
            f"The 'validation_fraction' parameter of {owner} must leave groups to validate on and "
            f"every class in the others. Got {np.unique(groups).size} groups and {counts.size} "
            "classes. Add groups, call fit without groups, or set validation_fraction=0."
        )
    return best


_JIT_MIN_STEPS = 500
# Weights, their gradients and Adam's two moments, and the layers of one batch: 4 GB of float32.
_MOST_NUMBERS = 2**30
# What is not finite is told of in words of our own, rows included.
_AS_THE_NETWORK_TAKES_IT: dict = {"dtype": np.float32, "ensure_all_finite": False}


class BaseKerasClassifier(DocumentedMixin, ClassifierMixin, BaseEstimator):
    """Fits a scikeras ``KerasClassifier`` and keeps the weights of the best epoch as arrays.

    scikeras' ``fit``, ``initialize`` and ``predict_proba`` do their part on a Keras model whose own
    ``fit`` and ``predict`` run whole epochs (`GraphModel`). A ``KerasClassifier`` is made where it
    is needed and neither kept nor inherited from: scikit-learn would not see a classifier in it,
    and a network does not go well into a pickle.

    A subclass states the layers, the shape of a row, and whether frame sequences make sense.
    """

    # Groups that are routed to a cross-validation reach the validation split by default.
    __metadata_request__fit = {"groups": True}

    input_ndim_: int
    row_shape_: tuple[int, ...]

    _takes_sequences = False
    _documented_in = "skmer.classifiers"
    _jit_compile = True

    _parameter_constraints: dict = {
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left"), None],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "random_state": ["random_state"],
        "verbose": ["boolean"],
    }

    @abstractmethod
    def _layers(self, keras, make_initializer):
        """Return the Keras layers between the input and the softmax."""

    @abstractmethod
    def _architecture(self):
        """Return what decides the layers, apart from the input, as something hashable."""

    @abstractmethod
    def _count_numbers(self):
        """Return how many weights the layers have, and how many values one row gives in them."""

    @abstractmethod
    def _input_shape(self):
        """Return the shape of a row that the network takes; None where it may vary."""

    @abstractmethod
    def _to_network_input(self, X):
        """Return `X` as the float32 array that the network takes."""

    def fit(self, X, y, sample_weight=None, groups=None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_frames, n_features)
            One vector a sample or, where the class takes them, one frame sequence a sample.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the loss, in training and in validation.
        groups : array-like of shape (n_samples,), default=None
            The singer, artist or album of each sample. No group is in both the training and the
            validation part.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        validate_parameters(self)
        X = self._validate_X(X, reset=True)
        y = check_target(y)
        check_classification_targets(y)
        check_consistent_length(X, y)
        groups = self._validate_groups(groups, len(y))
        if sample_weight is not None:
            sample_weight = check_floats(sample_weight, "sample_weight")
        sample_weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        sample_weight = sample_weight * compute_sample_weight(self._validate_class_weight(), y)

        # Rows of no weight must not decide on the classes or fill the validation part.
        kept = sample_weight > 0
        X, y, sample_weight = X[kept], y[kept], sample_weight[kept].astype(np.float32)
        groups = None if groups is None else groups[kept]
        self.classes_, codes = np.unique(y, return_inverse=True)
        if self.classes_.size < 2:
            raise InputError(
                f"{type(self).__name__} needs samples of at least 2 classes with a weight above 0. "
                f"Got {self.classes_.size} class instead."
            )
        random_state = check_random_state(self.random_state)
        split_seed, seed = random_state.randint(np.iinfo(np.int32).max, size=2)
        train, validation = np.arange(len(y)), None
        if self.validation_fraction > 0:
            train, rows = validation_split(
                y, groups, self.validation_fraction, split_seed, owner=type(self).__name__
            )
            validation = (X[rows], codes[rows].astype(np.int32), sample_weight[rows])
        self._train(X[train], codes[train], sample_weight[train], validation, int(seed))
        return self

    @exact_float32()
    def _train(self, X, codes, sample_weight, validation, seed):
        network = _import_network()
        self.batch_size_ = int(min(self.batch_size, len(X)))
        self._check_memory()
        n_steps = self.epochs * -(-len(X) // self.batch_size_)
        initial_weights = self._build(seed).get_weights()
        with self._borrow_model() as model:
            model.start(
                initial_weights,
                learning_rate=self.learning_rate,
                seed=seed,
                # Compiling takes as long as some hundred steps; shorter fits do without.
                jit_compile=self._jit_compile and n_steps >= _JIT_MIN_STEPS,
                track=partial(
                    track,
                    description=type(self).__name__,
                    enabled=self.verbose,
                    unit="epochs",
                ),
            )
            self.history_, self.best_epoch_ = network.fit(
                model,
                X,
                codes,
                sample_weight,
                epochs=int(self.epochs),
                validation=validation,
                patience=self.patience,
            )
            self.weights_ = model.get_weights()
        self.n_iter_ = len(self.history_["loss"])

    @exact_float32()
    def predict_proba(self, X) -> np.ndarray:
        """Return the class probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_frames, n_features)
            Samples of the form given to ``fit``. The number of frames may differ from that.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes), dtype float32
            Probabilities, in the order of ``classes_``.
        """
        check_is_fitted(self, "weights_")
        X = self._validate_X(X, reset=False)
        with self._borrow_model() as model:
            model.set_weights(self.weights_)
            return _import_network().predict_proba(model, X)

    def predict(self, X) -> np.ndarray:
        """Return the most probable class of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_frames, n_features)
            Samples of the form given to ``fit``. The number of frames may differ from that.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
            Class labels.
        """
        proba = self.predict_proba(X)
        return self.classes_.take(proba.argmax(axis=1))

    @property
    def model_(self):
        """A new ``keras.Model`` with the learnt weights."""
        check_is_fitted(self, "weights_")
        model = self._build(seed=0)
        model.set_weights(self.weights_)
        return model

    # A number beyond float32 becomes infinity, and is told of below.
    @np.errstate(over="ignore")
    def _validate_X(self, X, *, reset):
        name = type(self).__name__
        try:
            X = X if hasattr(X, "ndim") else np.asarray(X)
        except ValueError:
            raise InputError(
                f"{name} takes X as one array. Got sequences of different lengths instead. "
                "Pad the short ones with frames of zeros at the end."
            ) from None
        if not reset and {X.ndim, self.input_ndim_} == {2, 3}:
            raise InputError(
                f"X must have {self.input_ndim_} dimensions, as when {name} was fitted. "
                f"Got {X.ndim} dimensions instead."
            )
        if X.ndim == 3 and not self._takes_sequences:
            raise InputError(
                f"{name} takes X of shape (n_samples, n_features). Got an array of 3 dimensions "
                "instead. Pool the frames, or use KerasLSTMClassifier."
            )
        with checked_features(X, self):
            if X.ndim == 3:
                X = check_array(
                    X, allow_nd=True, estimator=self, input_name="X", **_AS_THE_NETWORK_TAKES_IT
                )
                if X.shape[1] == 0:
                    raise InputError(f"{name} needs at least 1 frame a sample. Got 0 frames.")
            # The columns of the frames are the features, as those of a plain X are.
            rows = validate_data(
                self, X if X.ndim != 3 else X[:, 0], reset=reset, **_AS_THE_NETWORK_TAKES_IT
            )
        X = X if X.ndim == 3 else rows
        check_rows(X, f"X of {name}")
        if reset:
            self.input_ndim_ = X.ndim
            self.row_shape_ = X.shape[1:]
        return self._to_network_input(X)

    def _check_sizes(self, name, values):
        """Return the entries of a parameter that lists positive integers, as a tuple."""
        is_list = isinstance(values, list | tuple) or getattr(values, "ndim", 0) == 1
        if not is_list or not all(
            isinstance(value, Integral) and not isinstance(value, bool) and int(value) > 0
            for value in values
        ):
            raise InputError(
                f"The '{name}' parameter of {type(self).__name__} must be a list of positive "
                f"integers. Got {values!r} instead."
            )
        return tuple(int(value) for value in values)

    def _check_memory(self):
        """Refuse a network that no machine would hold, before anything is allocated."""
        n_weights, n_values = self._count_numbers()
        n_numbers = 4 * n_weights + self.batch_size_ * n_values
        if n_numbers > _MOST_NUMBERS:
            # More digits than a float has cannot be written as one.
            n_numbers = min(n_numbers, 10**99)
            raise InputError(
                f"The network of {type(self).__name__} would hold {n_numbers:.2g} numbers with its "
                f"gradients and one batch, and at most {_MOST_NUMBERS:.2g} are allowed. Lower the "
                f"sizes of its layers or batch_size={self.batch_size}, or give fewer features."
            )

    def _validate_class_weight(self):
        if isinstance(self.class_weight, dict):
            weights = check_floats([*self.class_weight.values()], "class_weight")
            if (weights < 0).any():
                raise InputError(
                    f"The 'class_weight' parameter of {type(self).__name__} must hold numbers of "
                    f"at least 0. Got {weights.min():g}."
                )
        return self.class_weight

    def _validate_groups(self, groups, n_samples):
        if groups is None:
            return None
        groups = check_labels(groups, "The groups")
        if len(groups) != n_samples:
            raise InputError(
                f"The 'groups' argument of {type(self).__name__}.fit must have one entry for each "
                f"of the {n_samples} samples. Got {len(groups)} entries instead."
            )
        return groups

    def _build(self, seed, make_model=None):
        """Return a new Keras model with initial weights drawn from `seed`."""
        keras = _import_network().keras
        make_model = keras.Sequential if make_model is None else make_model
        states = iter(np.random.SeedSequence(seed).generate_state(64))

        def make_initializer(name):
            return getattr(keras.initializers, name)(seed=int(next(states)))

        output = keras.layers.Dense(
            self.classes_.size,
            activation="softmax",
            kernel_initializer=make_initializer("GlorotUniform"),
        )
        layers = self._layers(keras, make_initializer)
        return make_model([keras.Input(self._input_shape()), *layers, output])

    def _borrow_model(self):
        network = _import_network()
        return network.borrowed_model(
            (type(self), self._architecture(), self._input_shape(), self.classes_.size),
            lambda: self._build(seed=0, make_model=network.GraphModel),
            self.batch_size_,
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = self._takes_sequences
        return tags


def _import_network():
    """Import the module that needs TensorFlow, which is started as for the embeddings."""
    import_tensorflow()
    with quiet_tensorflow():
        from skmer.classifiers import training as _network

    return _network

"""The three Keras classifiers."""

import numpy as np

from skmer.classifiers.base import BaseKerasClassifier
from skmer.utils import estimators as params
from skmer.utils import messages


@params.estimator
class KerasMLPClassifier(BaseKerasClassifier):
    """Fully connected ReLU layers and a softmax on one vector a sample.

    Trained with Adam on the cross-entropy. The epoch with the lowest loss on the validation set
    is kept; the validation set is stratified and, when ``groups`` reach ``fit``, holds whole
    groups.

    Parameters
    ----------
    learning_rate : float, default=0.001
        Step size of Adam.
    batch_size : int, default=32
        Samples of one step, or all that are trained on where those are fewer.
    epochs : int, default=1000
        The most passes over the training set.
    validation_fraction : float, default=0.1
        Share of the samples that is held out to choose the epoch, at least one of each class.
        With 0 all samples are trained on and the last epoch is kept.
    patience : int or None, default=100
        Training stops after so many epochs without a lower validation loss, and the best epoch is
        restored. None = all epochs are run and the last is kept.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the loss.
    random_state : int, RandomState instance or None, default=None
        Decides the initial weights, the order of the batches and the validation set.
    verbose : bool, default=False
        Show a progress bar over epochs.
    hidden_layer_sizes : tuple of int, default=(512, 512)
        Units of each hidden layer.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    weights_ : list of ndarray
        The weights of the kept epoch, in Keras' order.
    model_ : keras.Model
        A new model with these weights.
    history_ : dict of str to list of float
        ``loss`` and ``accuracy`` of each epoch and, with a validation set, ``val_loss`` and
        ``val_accuracy``.
    n_iter_ : int
        Number of epochs run.
    best_epoch_ : int
        Index into `history_` of the epoch that was kept.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X was a data frame.

    See Also
    --------
    KerasCNNClassifier : Convolutions over the vector.
    KerasLSTMClassifier : Takes frame sequences.

    References
    ----------
    Koh, E., & Dubnov, S. (2021). Comparison and analysis of deep audio embeddings for music emotion
    recognition. arXiv:2104.06517.

    Kingma, D. P., & Ba, J. (2015). Adam: a method for stochastic optimization. ICLR.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmer.classifiers import KerasMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = KerasMLPClassifier(hidden_layer_sizes=(16,), epochs=60, random_state=0)
    >>> make_pipeline(StandardScaler(), mlp).fit(X, y).score(X, y) > 0.9
    True
    """

    hidden_layer_sizes: params.Sizes = (512, 512)

    def _layers(self, make, draw):
        return [
            make("Dense", units, activation="relu", kernel_initializer=draw("GlorotUniform"))
            for units in self._architecture()
        ]

    def _architecture(self):
        return self._check_sizes("hidden_layer_sizes", self.hidden_layer_sizes)

    def _input_shape(self):
        return self.row_shape_

    def _to_network_input(self, X):
        return X


@params.estimator
class KerasCNNClassifier(BaseKerasClassifier):
    """One-dimensional convolutions, a max-pooling and a softmax.

    A vector of d features is read as a signal of d points and one channel; a frame sequence as a
    signal of n_frames points and one channel a feature. Convolutions pad at both ends, so that
    short vectors keep at least one point.

    Trained with Adam on the cross-entropy. The epoch with the lowest loss on the validation set
    is kept; the validation set is stratified and, when ``groups`` reach ``fit``, holds whole
    groups.

    Parameters
    ----------
    learning_rate : float, default=0.001
        Step size of Adam.
    batch_size : int, default=32
        Samples of one step, or all that are trained on where those are fewer.
    epochs : int, default=1000
        The most passes over the training set.
    validation_fraction : float, default=0.1
        Share of the samples that is held out to choose the epoch, at least one of each class.
        With 0 all samples are trained on and the last epoch is kept.
    patience : int or None, default=100
        Training stops after so many epochs without a lower validation loss, and the best epoch is
        restored. None = all epochs are run and the last is kept.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the loss.
    random_state : int, RandomState instance or None, default=None
        Decides the initial weights, the order of the batches and the validation set.
    verbose : bool, default=False
        Show a progress bar over epochs.
    filters : tuple of int, default=(64, 64, 64, 64)
        Filters of each convolution.
    kernel_size : int or tuple of int, default=3
        Length of the filters [points], of all convolutions or of each; not more than the signal
        has, but 3 always works.
    strides : int or tuple of int, default=2
        Step between two filter positions [points], of all convolutions or of each.
    pool_size : int, default=2
        Length and step of the max-pooling after the last convolution [points].

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    weights_ : list of ndarray
        The weights of the kept epoch, in Keras' order.
    model_ : keras.Model
        A new model with these weights.
    history_ : dict of str to list of float
        ``loss`` and ``accuracy`` of each epoch and, with a validation set, ``val_loss`` and
        ``val_accuracy``.
    n_iter_ : int
        Number of epochs run.
    best_epoch_ : int
        Index into `history_` of the epoch that was kept.
    n_features_in_ : int
        Number of features, of a vector or of a frame.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X was a data frame.

    See Also
    --------
    KerasMLPClassifier : Fully connected layers.
    KerasLSTMClassifier : Takes frame sequences of any length.

    References
    ----------
    Koh, E., & Dubnov, S. (2021). Comparison and analysis of deep audio embeddings for music emotion
    recognition. arXiv:2104.06517.

    Kingma, D. P., & Ba, J. (2015). Adam: a method for stochastic optimization. ICLR.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmer.classifiers import KerasCNNClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> cnn = KerasCNNClassifier(filters=(16,), strides=1, epochs=60, random_state=0)
    >>> make_pipeline(StandardScaler(), cnn).fit(X, y).score(X, y) > 0.9
    True
    """

    _takes_sequences = True
    # XLA has no fast convolution for a CPU: compiled, an epoch takes twenty times as long.
    _jit_compile = False

    filters: params.Sizes = (64, 64, 64, 64)
    kernel_size: params.Positive | params.Sizes = 3
    strides: params.Positive | params.Sizes = 2
    pool_size: params.Positive = 2

    def _layers(self, make, draw):
        convolutions = [
            make(
                "Conv1D",
                filters,
                kernel_size,
                strides=strides,
                padding="same",
                data_format="channels_last",
                activation="relu",
                kernel_initializer=draw("GlorotUniform"),
            )
            for filters, kernel_size, strides in zip(*self._architecture()[:3])
        ]
        pool_size = self._architecture()[3]
        pooling = make("MaxPooling1D", pool_size, padding="same", data_format="channels_last")
        return [*convolutions, pooling, make("Flatten", data_format="channels_last")]

    def _architecture(self):
        filters = self._check_sizes("filters", self.filters)
        settings = [filters]
        for name in ("kernel_size", "strides"):
            value = getattr(self, name)
            is_one = np.ndim(value) == 0
            values = self._check_sizes(name, (value,) * len(filters) if is_one else value)
            if len(values) != len(filters):
                allowed = f"an int, or one int for each of the {len(filters)} filters"
                raise messages.wrong_parameter(self, name, allowed, values)
            settings.append(values)
        # The default must work for vectors of any length; longer filters see padding only.
        n_points, longest = self._input_shape()[0], max(settings[1], default=1)
        if longest > max(n_points, 3):
            allowed = f"at most the points of the signal, {n_points} (features, or frames)"
            raise messages.wrong_parameter(self, "kernel_size", allowed, longest)
        # Longer steps than the signal do the same as one of its length.
        strides = tuple(min(stride, n_points) for stride in settings[2])
        return filters, settings[1], strides, min(int(self.pool_size), n_points)

    def _input_shape(self):
        return self.row_shape_ if self.input_ndim_ == 3 else (*self.row_shape_, 1)

    def _to_network_input(self, X):
        if X.ndim == 2:
            return X[:, :, np.newaxis]
        # Another batch of clips may be padded to another number of frames.
        n_frames = self.row_shape_[0]
        missing = max(n_frames - X.shape[1], 0)
        return np.pad(X, [(0, 0), (0, missing), (0, 0)])[:, :n_frames]


@params.estimator
class KerasLSTMClassifier(BaseKerasClassifier):
    """One LSTM layer and a softmax on frame sequences.

    Frames that are zero throughout are masked: they are the padding of short clips. A vector is
    read as a sequence of one frame.

    Trained with Adam on the cross-entropy. The epoch with the lowest loss on the validation set
    is kept; the validation set is stratified and, when ``groups`` reach ``fit``, holds whole
    groups.

    Parameters
    ----------
    learning_rate : float, default=0.001
        Step size of Adam.
    batch_size : int, default=32
        Samples of one step, or all that are trained on where those are fewer.
    epochs : int, default=1000
        The most passes over the training set.
    validation_fraction : float, default=0.1
        Share of the samples that is held out to choose the epoch, at least one of each class.
        With 0 all samples are trained on and the last epoch is kept.
    patience : int or None, default=100
        Training stops after so many epochs without a lower validation loss, and the best epoch is
        restored. None = all epochs are run and the last is kept.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the loss.
    random_state : int, RandomState instance or None, default=None
        Decides the initial weights, the order of the batches and the validation set.
    verbose : bool, default=False
        Show a progress bar over epochs.
    units : int, default=128
        Units of the LSTM layer.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    weights_ : list of ndarray
        The weights of the kept epoch, in Keras' order.
    model_ : keras.Model
        A new model with these weights.
    history_ : dict of str to list of float
        ``loss`` and ``accuracy`` of each epoch and, with a validation set, ``val_loss`` and
        ``val_accuracy``.
    n_iter_ : int
        Number of epochs run.
    best_epoch_ : int
        Index into `history_` of the epoch that was kept.
    n_features_in_ : int
        Number of features, of a frame or of a vector.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X was a data frame.

    See Also
    --------
    KerasMLPClassifier : Fully connected layers on a vector.
    KerasCNNClassifier : Convolutions over a vector or over frames.

    References
    ----------
    Koh, E., & Dubnov, S. (2021). Comparison and analysis of deep audio embeddings for music emotion
    recognition. arXiv:2104.06517.

    Hochreiter, S., & Schmidhuber, J. (1997). Long short-term memory. Neural Computation, 9(8),
    1735-1780.

    Kingma, D. P., & Ba, J. (2015). Adam: a method for stochastic optimization. ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.classifiers import KerasLSTMClassifier
    >>> X = np.random.default_rng(0).standard_normal((80, 5, 3))
    >>> X[::2, 3:] = 0.0  # every other clip is shorter
    >>> y = np.where(X[:, :3, 0].sum(axis=1) > 0, "major", "minor")
    >>> lstm = KerasLSTMClassifier(units=16, learning_rate=0.01, epochs=60, random_state=0)
    >>> lstm.fit(X, y).score(X, y) > 0.9
    True
    """

    _takes_sequences = True

    units: params.Positive = 128

    def _layers(self, make, draw):
        lstm = make(
            "LSTM",
            self._architecture()[0],
            kernel_initializer=draw("GlorotUniform"),
            recurrent_initializer=draw("OrthogonalInitializer"),
            unroll=self.input_ndim_ == 2,
        )
        return [make("Masking", 0.0), lstm] if self.input_ndim_ == 3 else [lstm]

    def _architecture(self):
        return (*self._check_sizes("units", [self.units]), self.input_ndim_)

    def _input_shape(self):
        # Another batch of clips may be padded to another number of frames.
        return (None if self.input_ndim_ == 3 else 1, self.n_features_in_)

    def _to_network_input(self, X):
        return X if X.ndim == 3 else X[:, np.newaxis]

"""Recurrent network."""

from numbers import Integral

import numpy as np

from skmer.classifiers._base import BaseKerasClassifier
from skmer.utils._sklearn import Interval
from skmer.utils._types import ClassWeight, RandomState


class KerasLSTMClassifier(BaseKerasClassifier):
    """One LSTM layer and a softmax on frame sequences.

    Frames that are zero throughout are masked: they are the padding of short clips. A vector is
    read as a sequence of one frame.

    Trained with Adam on the cross-entropy. The epoch with the lowest loss on the validation part
    is kept; the validation part is stratified and, when ``groups`` reach ``fit``, holds whole
    groups.

    Parameters
    ----------
    units : int, default=128
        Units of the LSTM layer.
    learning_rate : float, default=0.001
        Step size of Adam.
    batch_size : int, default=32
        Samples of one step, or all that are trained on where those are fewer.
    epochs : int, default=1000
        The most passes over the training part.
    validation_fraction : float, default=0.1
        Share of the samples that is held out to choose the epoch, at least one of each class.
        With 0 all samples are trained on and the last epoch is kept.
    patience : int or None, default=100
        Training stops after so many epochs without a lower validation loss, and the best epoch is
        restored. None = all epochs are run and the last is kept.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the loss.
    random_state : int, RandomState instance or None, default=None
        Decides the initial weights, the order of the batches and the validation part.
    verbose : bool, default=False
        Show a progress bar over epochs.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    weights_ : list of ndarray
        The weights of the kept epoch, in Keras' order.
    model_ : keras.Model
        A new model with these weights.
    history_ : dict of str to list of float
        ``loss`` and ``accuracy`` of each epoch and, with a validation part, ``val_loss`` and
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

    _parameter_constraints: dict = {
        "units": [Interval(Integral, 1, None, closed="left")],
        **BaseKerasClassifier._parameter_constraints,
    }

    def __init__(
        self,
        *,
        units: int = 128,
        learning_rate: float = 0.001,
        batch_size: int = 32,
        epochs: int = 1000,
        validation_fraction: float = 0.1,
        patience: int | None = 100,
        class_weight: ClassWeight = None,
        random_state: RandomState = None,
        verbose: bool = False,
    ):
        self.units = units
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.class_weight = class_weight
        self.random_state = random_state
        self.verbose = verbose

    def _layers(self, keras, make_initializer):
        lstm = keras.layers.LSTM(
            self._architecture()[0],
            kernel_initializer=make_initializer("GlorotUniform"),
            recurrent_initializer=make_initializer("OrthogonalInitializer"),
            unroll=self.input_ndim_ == 2,
        )
        return [keras.layers.Masking(0.0), lstm] if self.input_ndim_ == 3 else [lstm]

    def _architecture(self):
        return (int(self.units), self.input_ndim_)

    def _count_numbers(self):
        units, n_steps = int(self.units), self.row_shape_[0] if self.input_ndim_ == 3 else 1
        n_weights = 4 * units * (self.n_features_in_ + units + 1)
        return n_weights + (units + 1) * self.classes_.size, 5 * units * n_steps

    def _input_shape(self):
        # Another batch of clips may be padded to another number of frames.
        return (None if self.input_ndim_ == 3 else 1, self.n_features_in_)

    def _to_network_input(self, X):
        return X if X.ndim == 3 else X[:, np.newaxis]

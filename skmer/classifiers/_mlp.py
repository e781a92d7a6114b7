"""Multi-layer perceptron."""

from collections.abc import Sequence
from itertools import pairwise

from skmer.classifiers._base import BaseKerasClassifier
from skmer.utils._types import ClassWeight, RandomState


class KerasMLPClassifier(BaseKerasClassifier):
    """Fully connected ReLU layers and a softmax on one vector a sample.

    Trained with Adam on the cross-entropy. The epoch with the lowest loss on the validation part
    is kept; the validation part is stratified and, when ``groups`` reach ``fit``, holds whole
    groups.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(512, 512)
        Units of each hidden layer.
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

    _parameter_constraints: dict = {
        "hidden_layer_sizes": ["array-like"],
        **BaseKerasClassifier._parameter_constraints,
    }

    def __init__(
        self,
        *,
        hidden_layer_sizes: Sequence[int] = (512, 512),
        learning_rate: float = 0.001,
        batch_size: int = 32,
        epochs: int = 1000,
        validation_fraction: float = 0.1,
        patience: int | None = 100,
        class_weight: ClassWeight = None,
        random_state: RandomState = None,
        verbose: bool = False,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.class_weight = class_weight
        self.random_state = random_state
        self.verbose = verbose

    def _layers(self, keras, make_initializer):
        return [
            keras.layers.Dense(
                units, activation="relu", kernel_initializer=make_initializer("GlorotUniform")
            )
            for units in self._architecture()
        ]

    def _architecture(self):
        return self._check_sizes("hidden_layer_sizes", self.hidden_layer_sizes)

    def _count_numbers(self):
        widths = (self.n_features_in_, *self._architecture(), self.classes_.size)
        return sum((a + 1) * b for a, b in pairwise(widths)), sum(widths)

    def _input_shape(self):
        return self.row_shape_

    def _to_network_input(self, X):
        return X

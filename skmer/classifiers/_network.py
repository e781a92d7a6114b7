"""Training of a Keras model with whole epochs as one graph call. Loads TensorFlow on import."""

import contextlib
import threading
from collections import OrderedDict

import keras
import numpy as np
import tensorflow as tf
from scikeras.wrappers import KerasClassifier

from skmer.exceptions import InputError

_MAX_IDLE = 16

_idle: OrderedDict = OrderedDict()
_idle_lock = threading.Lock()


class Network:
    """A Keras model, its optimizer and its traced functions, to be trained again and again.

    An epoch is what ``Model.fit`` computes, on the batches of a given order. Rows stay in memory as
    tensors, and a short last batch is filled up with rows of no weight, so that neither another
    number of rows nor another fold is traced or compiled anew.
    """

    def __init__(self, model, batch_size):
        self.model = model
        self.batch_size = batch_size
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        model.optimizer.build(model.trainable_variables)
        row = model.input_shape[1:]
        data = [
            tf.TensorSpec((None, *row), tf.float32),
            tf.TensorSpec((None,), tf.int32),
            tf.TensorSpec((None,), tf.float32),
            tf.TensorSpec((None,), tf.int32),
            tf.TensorSpec((), tf.int32),
        ]
        self._train_epoch, self._evaluate = (
            {
                jit: tf.function(function, input_signature=data, jit_compile=jit or None)
                for jit in (False, True)
            }
            for function in (self._train_batches, self._evaluate_batches)
        )
        self._forward = tf.function(
            lambda x: model(x, training=False),
            input_signature=[tf.TensorSpec((batch_size, *row), tf.float32)],
        )

    def fit(
        self,
        X,
        y,
        weight,
        *,
        weights,
        learning_rate,
        epochs,
        seed,
        validation,
        patience,
        jit_compile,
    ):
        """Train from `weights` and leave the model at the epoch to keep.

        Returns the history and the index of that epoch: the one of the lowest loss on the
        `validation` rows, or the last where there are none or `patience` is None.
        """
        self.model.set_weights(weights)
        optimizer = self.model.optimizer
        for variable in optimizer.variables:
            variable.assign(tf.zeros(variable.shape, variable.dtype))
        optimizer.learning_rate = learning_rate

        shuffle = np.random.default_rng(seed)
        train_data = _to_tensors((X, y, weight), jit_compile)
        if validation is not None:
            validation_data = _to_tensors(validation, jit_compile)
            validation_rows = np.arange(len(validation[0]))
        monitored = validation is not None and patience is not None
        history: dict[str, list[float]] = {}
        best, best_loss, best_weights = 0, np.inf, None
        for epoch in epochs:
            rows = shuffle.permutation(len(X))
            losses = self._run(self._train_epoch[jit_compile], train_data, rows)
            names = ["loss", "accuracy"]
            if validation is not None:
                losses += self._run(self._evaluate[jit_compile], validation_data, validation_rows)
                names += ["val_loss", "val_accuracy"]
            for name, value in zip(names, losses):
                history.setdefault(name, []).append(value)
            if not np.isfinite(losses).all():
                raise InputError(
                    f"Training failed: the loss is not finite after epoch {epoch + 1}. "
                    "Scale the features, for instance with StandardScaler, or lower learning_rate."
                )
            if not monitored:
                best = epoch
            elif losses[2] < best_loss:
                best, best_loss, best_weights = epoch, losses[2], self.model.get_weights()
            elif epoch - best >= patience:
                break
        if best_weights is not None:
            self.model.set_weights(best_weights)
        return history, best

    def predict(self, X):
        """Return the class probabilities, batch by batch of one shape."""
        size = self.batch_size
        parts = [self._forward(_padded(X[i : i + size], size)) for i in range(0, len(X), size)]
        return np.concatenate([part.numpy() for part in parts])[: len(X)]

    def _run(self, function, data, rows):
        n_slots = -(-len(data[0]) // self.batch_size) * self.batch_size
        order = tf.constant(_padded(rows.astype(np.int32), n_slots))
        loss, accuracy = function(*data, order, tf.constant(len(rows)))
        return [float(loss), float(accuracy)]

    def _train_batches(self, X, y, weight, order, n_rows):
        def step(batch):
            with tf.GradientTape() as tape:
                loss, hits, size = self._loss(batch, training=True)
                mean = loss / size
            variables = self.model.trainable_variables
            self.model.optimizer.apply(tape.gradient(mean, variables), variables)
            return loss, hits

        return self._mean_over_batches(step, X, y, weight, order, n_rows)

    def _evaluate_batches(self, X, y, weight, order, n_rows):
        def step(batch):
            loss, hits, _ = self._loss(batch, training=False)
            return loss, hits

        return self._mean_over_batches(step, X, y, weight, order, n_rows)

    def _mean_over_batches(self, step, X, y, weight, order, n_rows):
        def body(start, loss_sum, hit_sum):
            rows = tf.slice(order, [start], [self.batch_size])
            real = tf.cast(start + tf.range(self.batch_size) < n_rows, tf.float32)
            batch = (tf.gather(X, rows), tf.gather(y, rows), tf.gather(weight, rows), real)
            loss, hits = step(batch)
            return start + self.batch_size, loss_sum + loss, hit_sum + hits

        _, loss_sum, hit_sum = tf.while_loop(
            lambda start, *_: start < n_rows, body, (0, 0.0, 0.0), parallel_iterations=1
        )
        n_rows = tf.cast(n_rows, tf.float32)
        return loss_sum / n_rows, hit_sum / n_rows

    def _loss(self, batch, *, training):
        x, y, weight, real = batch
        proba = self.model(x, training=training)
        losses = keras.ops.sparse_categorical_crossentropy(y, proba)
        hits = tf.cast(tf.equal(tf.argmax(proba, -1, tf.int32), y), tf.float32)
        return (
            tf.reduce_sum(losses * weight * real),
            tf.reduce_sum(hits * real),
            tf.reduce_sum(real),
        )


class GraphKerasClassifier(KerasClassifier):
    """scikeras' classifier, with the epochs of a `Network` in the place of ``Model.fit``."""

    def _fit_keras_model(self, X, y, sample_weight, *, network, fit_arguments, **_):
        y = np.asarray(y, dtype=np.int32).ravel()
        self.history_, self.best_epoch_ = network.fit(X, y, sample_weight, **fit_arguments)


@contextlib.contextmanager
def borrowed_network(architecture, build, batch_size):
    """Lend a network of this architecture to one thread; idle ones are kept for the next fit."""
    key = (architecture, batch_size)
    with _idle_lock:
        networks = _idle.pop(key, [])
        network = networks.pop() if networks else None
        if networks:
            _idle[key] = networks
    if network is None:
        network = Network(build(), batch_size)
    yield network
    # Not reached after an exception: a network in an unknown state is not lent again.
    with _idle_lock:
        _idle.setdefault(key, []).append(network)
        _idle.move_to_end(key)
        while len(_idle) > _MAX_IDLE:
            _idle.popitem(last=False)


def _to_tensors(arrays, jit_compile):
    # XLA compiles once a shape: with powers of two all folds of a cross-validation share one.
    n_rows = len(arrays[0])
    n_rows = 1 << (n_rows - 1).bit_length() if jit_compile else n_rows
    return [tf.constant(_padded(array, n_rows)) for array in arrays]


def _padded(array, n_rows):
    """Append rows of zeros."""
    return np.pad(array, [(0, n_rows - len(array))] + [(0, 0)] * (array.ndim - 1))

"""A Keras model that trains whole epochs as one graph call. Loads TensorFlow on import.

Keras' own ``fit`` with ``steps_per_execution`` and ``jit_compile`` takes 1.2 to 4.5 times as long
(the median is 1.7) for the shapes of ``tests/benchmarks/bench_training.py``, since it prepares an
iterator for each epoch.
"""

import contextlib
import functools
import gc
import threading
from collections import OrderedDict

import keras
import numpy as np
import tensorflow as tf
from scikeras.wrappers import KerasClassifier

from skmer.exceptions import InputError
from skmer.utils import processes, progress

_MAX_IDLE = 16

_idle: OrderedDict = OrderedDict()
_idle_lock = threading.Lock()


class GraphModel(keras.Sequential):
    """A Keras model whose ``fit`` and ``predict`` run whole epochs, and that is used for many fits.

    An epoch computes what ``keras.Model.fit`` computes, on batches in a given order. Rows stay in
    memory as tensors, and a short last batch is filled up with rows of weight zero, so that no
    other number of rows and no other fold needs a new trace.
    """

    def prepare(self, batch_size):
        """Make the optimizer and the graph functions, for batches of one size."""
        self.batch_size = batch_size
        # Tags have a sigmoid each, and a row of y has a number for each of them.
        self.are_tags = self.layers[-1].activation is keras.activations.sigmoid
        loss = "binary_crossentropy" if self.are_tags else "sparse_categorical_crossentropy"
        self.compile(optimizer="adam", loss=loss, auto_scale_loss=False)
        self.optimizer.build(self.trainable_variables)
        # The optimizer's own is of the user's type of numbers, `floatx`, as of Keras 3.15.
        self._rate = tf.Variable(0.0, dtype=tf.float32)
        row = self.input_shape[1:]
        data = [
            tf.TensorSpec((None, *row), tf.float32),
            tf.TensorSpec((None, *self.output_shape[1:])[: 1 + self.are_tags], tf.int32),
            tf.TensorSpec((None,), tf.float32),
            tf.TensorSpec((None,), tf.int32),
            tf.TensorSpec((), tf.int32),
        ]

        # Each function is traced once for each way to run it.
        @functools.cache
        def epoch(step, jit_compile):
            mean = functools.partial(self._mean_over_batches, step)
            function = tf.function(mean, jit_compile=jit_compile or None)
            return function.get_concrete_function(*data)

        self._epoch = epoch
        # The last bit of a row depends on its place in the batch. Computed in float64 and rounded
        # to float32 at the end, a row has the same bits at every place.
        self._in_double = double = keras.models.clone_model(self, clone_function=_in_double)
        self._forward = tf.function(
            lambda x: tf.cast(double(tf.cast(x, tf.float64), training=False), tf.float32)
        ).get_concrete_function(tf.TensorSpec((batch_size, *row), tf.float32))
        return self

    def start(self, weights, *, learning_rate, seed, jit_compile):
        """Set what the next ``fit`` starts from, and how it goes through the rows."""
        self.set_weights(weights)
        for variable in self.optimizer.variables:
            variable.assign(tf.zeros(variable.shape, variable.dtype))
        self._rate.assign(learning_rate)
        self._shuffle = np.random.default_rng(seed)
        self._jit = jit_compile

    def fit(self, x, y, *, sample_weight, epochs, validation_data=None, callbacks=(), **_):
        """Train as ``keras.Model.fit`` does, in batches of the size that was prepared for."""
        train_data = self._to_tensors(x, y, sample_weight)
        if validation_data is not None:
            validation_rows = np.arange(len(validation_data[0]))
            validation_data = self._to_tensors(*validation_data)
        callbacks = keras.callbacks.CallbackList(
            callbacks, add_history=True, model=self, epochs=epochs
        )
        self.stop_training = False
        callbacks.on_train_begin()
        for epoch in self.track(range(epochs)):
            logs = self._run(self._train_step, train_data, self._shuffle.permutation(len(x)))
            if validation_data is not None:
                losses = self._run(self._evaluation_step, validation_data, validation_rows)
                logs |= {f"val_{name}": value for name, value in losses.items()}
            if not np.isfinite(list(logs.values())).all():
                raise InputError(
                    f"Training failed: the loss is not finite after epoch {epoch + 1}. "
                    "Scale the features, for instance with StandardScaler, or lower learning_rate."
                )
            callbacks.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        callbacks.on_train_end()
        return self.history

    def predict(self, x, **_):
        """Return the class probabilities, batch by batch of one shape."""
        self._in_double.set_weights(self.get_weights())
        size = self.batch_size
        batches = [self._forward(_padded(x[i : i + size], size)) for i in range(0, len(x), size)]
        return np.concatenate([batch.numpy() for batch in batches])[: len(x)]

    def _to_tensors(self, x, y, weight):
        # XLA compiles once a shape: with powers of two all folds of a cross-validation share one.
        n_rows = 1 << (len(x) - 1).bit_length() if self._jit else len(x)
        y = np.asarray(y, np.int32)
        arrays = x, y if self.are_tags else y.ravel(), np.asarray(weight, np.float32)
        return [tf.constant(_padded(array, n_rows)) for array in arrays]

    def _run(self, step, data, rows):
        n_slots = -(-len(data[0]) // self.batch_size) * self.batch_size
        order = tf.constant(_padded(rows.astype(np.int32), n_slots))
        loss, accuracy = self._epoch(step, self._jit)(*data, order, tf.constant(len(rows)))
        return {"loss": float(loss), "accuracy": float(accuracy)}

    def _train_step(self, batch):
        with tf.GradientTape() as tape:
            loss, hits, size = self._loss(batch, training=True)
            mean = loss / size
        variables, optimizer = self.trainable_variables, self.optimizer
        # `optimizer.apply` would sum over devices first, in a function that is never freed.
        for gradient, variable in zip(tape.gradient(mean, variables), variables):
            optimizer.update_step(gradient, variable, self._rate)
        optimizer.iterations.assign_add(1)
        return loss, hits

    def _evaluation_step(self, batch):
        return self._loss(batch, training=False)[:2]

    def _mean_over_batches(self, step, x, y, weight, order, n_rows):
        def body(start, loss_sum, hit_sum):
            rows = tf.slice(order, [start], [self.batch_size])
            real = tf.cast(start + tf.range(self.batch_size) < n_rows, tf.float32)
            batch = (tf.gather(x, rows), tf.gather(y, rows), tf.gather(weight, rows), real)
            loss, hits = step(batch)
            return start + self.batch_size, loss_sum + loss, hit_sum + hits

        _, loss_sum, hit_sum = tf.while_loop(
            lambda start, *_: start < n_rows, body, (0, 0.0, 0.0), parallel_iterations=1
        )
        n_rows = tf.cast(n_rows, tf.float32)
        return loss_sum / n_rows, hit_sum / n_rows

    def _loss(self, batch, *, training):
        x, y, weight, real = batch
        proba = self(x, training=training)
        if self.are_tags:
            losses = keras.losses.binary_crossentropy(tf.cast(y, tf.float32), proba)
            right = tf.equal(tf.cast(proba >= 0.5, tf.int32), y)
            hits = tf.reduce_mean(tf.cast(right, tf.float32), -1)
        else:
            losses = keras.ops.sparse_categorical_crossentropy(y, proba)
            hits = tf.cast(tf.equal(tf.argmax(proba, -1, tf.int32), y), tf.float32)
        loss = tf.reduce_sum(losses * weight * real)
        return loss, tf.reduce_sum(hits * real), tf.reduce_sum(real)


def _in_double(layer):
    return type(layer).from_config(layer.get_config() | {"dtype": "float64"})


def fit(owner, model, X, codes, sample_weight, validation):
    """Train by scikeras, as a classifier is set.

    Return the history, and the index of the epoch whose weights are kept.
    """
    patience, callbacks = owner.patience, []
    shown = {"description": type(owner).__name__, "enabled": owner.verbose, "unit": "epochs"}
    model.track = functools.partial(progress.track, **shown)
    if validation is not None and patience is not None:
        callbacks = [keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True)]
    settings = {"epochs": int(owner.epochs), "fit__validation_data": validation}
    classifier = KerasClassifier(model, loss=model.loss, callbacks=callbacks, **settings)
    classifier.fit(X, codes, sample_weight=sample_weight)
    history = dict(classifier.history_)
    best = callbacks[0].best_epoch if callbacks else len(history["loss"]) - 1
    return history, int(best)


def predict_proba(model, X):
    """Return the class probabilities by scikeras."""
    n_classes = model.output_shape[-1]
    classifier = KerasClassifier(model, loss=model.loss)
    classifier.initialize(np.broadcast_to(X[:1], (n_classes, *X.shape[1:])), np.arange(n_classes))
    # scikeras returns a single row without its first axis.
    return classifier.predict_proba(X).reshape(len(X), n_classes)


@contextlib.contextmanager
def borrowed_model(architecture, build, batch_size):
    """Lend a model of this architecture to one thread; idle ones are kept for the next fit."""
    key = (architecture, batch_size)
    with _idle_lock:
        models = _idle.get(key)
        model = models.pop() if models else None
    with processes.exact_float32():
        if model is None:
            model = build().prepare(batch_size)
        # An exception leaves the model in an unknown state, so it is not kept after one.
        yield model
    with _idle_lock:
        _idle.setdefault(key, []).append(model)
        _idle.move_to_end(key)
        too_many = len(_idle) > _MAX_IDLE
        if too_many:
            _idle.popitem(last=False)
    if too_many:
        # A model and its functions refer to each other, so that only the collector frees them.
        del model
        gc.collect()


def _padded(array, n_rows):
    """Append rows of zeros."""
    return np.pad(array, [(0, n_rows - len(array))] + [(0, 0)] * (array.ndim - 1))


processes.on_release(_idle.clear)

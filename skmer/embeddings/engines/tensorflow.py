"""TensorFlow: plain operations in one traced function of fixed shape; the engine for a GPU."""

from contextlib import suppress

import numpy as np

from skmer.embeddings.engines import layers as nn
from skmer.embeddings.engines.base import Engine
from skmer.utils.processes import exact_float32, import_tensorflow

_GPU_ROWS = 32


class TensorFlowEngine(Engine):
    """The reference. TensorFlow takes `n_threads` only until its first use in the process."""

    def __init__(self, network, *, n_threads):
        super().__init__(network)
        tf = import_tensorflow()
        # Fixed once TensorFlow has run; an engine changes speed by it, never numbers.
        with suppress(RuntimeError):
            tf.config.threading.set_intra_op_parallelism_threads(n_threads)
        if tf.config.list_physical_devices("GPU"):
            self.body_rows = _GPU_ROWS
        shape: tuple = (self.body_rows, *network.input_shape, 1)
        self._traced_body = _trace(tf, network.body, shape, (len(network.body),))
        if network.head:
            shape = (self.head_rows, len(network.head[0].operation.kernel))
            self._traced_head = _trace(tf, network.head, shape, network.outputs)

    @staticmethod
    def _multiply(rows, matrix):
        with exact_float32():
            return import_tensorflow().matmul(rows, matrix).numpy()

    def _run_body(self, block):
        with exact_float32():
            return self._traced_body(block[..., np.newaxis]).numpy()

    def _run_head(self, block):
        with exact_float32():
            return self._traced_head(block).numpy()


def _trace(tf, layers, shape, outputs):
    """Return a function of arrays of this shape: the flattened values that `outputs` numbers."""

    # A tensor is captured; an array becomes part of the graph, and large ones take half a minute.
    def captured(layer):
        is_dense = isinstance(layer, nn.Dense)
        return layer._replace(kernel=tf.constant(layer.kernel)) if is_dense else layer

    layers = [(captured(layer), inputs) for layer, inputs in layers]

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32)])
    def traced(given):
        values = nn.run_layers(layers, given, lambda one, *args: _RUN[type(one)](tf, one, *args))
        return tf.concat([tf.reshape(values[number], (shape[0], -1)) for number in outputs], axis=1)

    return traced


def _convolve(tf, layer, maps):
    top, bottom, left, right = layer.padding
    padding = [[0, 0], [top, bottom], [left, right], [0, 0]]
    maps = tf.nn.bias_add(tf.nn.conv2d(maps, layer.kernel, strides=1, padding=padding), layer.bias)
    return tf.nn.relu(maps) if layer.relu else maps


def _convolve_and_reduce(tf, layer, maps):
    convolution = nn.Convolution(layer.kernel, layer.bias, (*layer.padding, 0, 0), relu=False)
    return tf.reduce_max(_convolve(tf, convolution, maps), axis=2, keepdims=True)


def _multiply(tf, layer, rows):
    rows = tf.matmul(rows, layer.kernel) + layer.bias
    return tf.nn.relu(rows) if layer.relu else rows


# Each kind of layer, on (n, height, width, channels) or (n, channels).
_RUN: dict = {
    nn.Convolution: _convolve,
    nn.ConvolutionMax: _convolve_and_reduce,
    nn.MaxPool: lambda tf, layer, maps: tf.nn.max_pool2d(maps, layer.size, layer.size, "VALID"),
    nn.GlobalPool: lambda tf, layer, maps: getattr(tf, f"reduce_{layer.statistic}")(maps, (1, 2)),
    nn.Dense: _multiply,
    nn.Affine: lambda tf, layer, values: values * layer.scale + layer.offset,
    nn.Activation: lambda tf, layer, values: getattr(tf.nn, layer.function)(values),
    nn.Add: lambda tf, layer, one, other: one + other,
    nn.Concat: lambda tf, layer, *values: tf.concat(values, axis=-1),
}

"""TensorFlow: plain operations in one traced function of fixed shape; the engine for a GPU."""

import os
from functools import cache

import numpy as np

from skmer.embeddings.engines._base import Engine
from skmer.utils import quiet_tensorflow

_GPU_ROWS = 32


@cache
def import_tensorflow():
    """Import TensorFlow without its messages, unless the user's environment asks for them."""
    # No more of a GPU's memory than is needed.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    with quiet_tensorflow():
        import tensorflow

    return tensorflow


class TensorFlowEngine(Engine):
    """The reference. TensorFlow takes `n_threads` only until its first use in the process."""

    name = "tensorflow"

    def __init__(self, network, *, n_threads):
        super().__init__(network)
        tf = import_tensorflow()
        _limit_threads(tf, n_threads)
        if tf.config.list_physical_devices("GPU"):
            self.convolution_rows = _GPU_ROWS
            # A GPU would round to ten bits; the switch is for the whole process.
            tf.config.experimental.enable_tensor_float_32_execution(False)
        self._traced_convolutions = self._trace_convolutions(tf, network)
        if network.dense:
            self._traced_dense = self._trace_dense(tf, network)

    def _trace_convolutions(self, tf, network):
        layers = [
            (tf.constant(layer.kernel), tf.constant(layer.bias), layer.relu, layer.pool)
            for layer in network.convolutions
        ]
        shape = (self.convolution_rows, *network.input_shape, 1)

        @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32)])
        def run(maps):
            for kernel, bias, relu, pool in layers:
                maps = tf.nn.bias_add(tf.nn.conv2d(maps, kernel, strides=1, padding="SAME"), bias)
                if relu:
                    maps = tf.nn.relu(maps)
                if pool is not None:
                    maps = tf.nn.max_pool2d(maps, pool, strides=pool, padding="VALID")
            return tf.reshape(maps, (shape[0], -1))

        return run

    def _trace_dense(self, tf, network):
        layers = [
            (tf.constant(layer.kernel), tf.constant(layer.bias), layer.relu)
            for layer in network.dense
        ]
        shape = (self.dense_rows, layers[0][0].shape[0])

        @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32)])
        def run(rows):
            for kernel, bias, relu in layers:
                rows = tf.matmul(rows, kernel) + bias
                if relu:
                    rows = tf.nn.relu(rows)
            return rows

        return run

    def _convolve(self, block):
        return self._traced_convolutions(block[..., np.newaxis]).numpy()

    def _densify(self, block):
        return self._traced_dense(block).numpy()


def _limit_threads(tf, n_threads):
    try:
        tf.config.threading.set_intra_op_parallelism_threads(n_threads)
    except RuntimeError:
        # Fixed once TensorFlow has run; an engine changes speed by it, never numbers.
        return

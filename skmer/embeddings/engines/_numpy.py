"""numpy: matrix products alone, for networks whose kernels are larger than frameworks like them.

Nothing has to be started or installed, and a forked process may go on using it.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from skmer.embeddings.engines._base import Engine, run_elementwise
from skmer.embeddings.engines._layers import (
    Add,
    Concat,
    Convolution,
    GlobalPool,
    MaxPool,
    run_layers,
)
from skmer.embeddings.engines._pooled_convolution import TallConvolution, WideConvolution
from skmer.utils import one_blas_thread


class NumpyEngine(Engine):
    """Frames side by side in `n_threads` threads, each with matrix products of one thread."""

    name = "numpy"

    def __init__(self, network, *, n_threads):
        super().__init__(network)
        self._n_threads = n_threads
        self._pooled = _find_pooled_convolutions(network)

    def _fill_features(self, batch, features):
        def fill(row):
            features[row] = self._scale_and_run_body(batch[row])

        # Made for this call alone, so that there are no threads that a fork could lose.
        with one_blas_thread(), ThreadPoolExecutor(self._n_threads) as pool:
            list(pool.map(fill, range(len(batch))))

    def _run_body(self, block):
        return run_layers(self._network.body, block[..., np.newaxis], self._run)[-1].ravel()

    def _run(self, operation, *given):
        # A convolution that its pooling computes as well hands on what it was given.
        if id(operation) in self._pooled:
            return self._pooled[id(operation)](*given)
        if type(operation) in _RUN:
            return _RUN[type(operation)](operation, *given)
        return run_elementwise(operation, *given)


def _find_pooled_convolutions(network):
    """How to compute convolutions of one channel whose maximum over the width alone is wanted."""
    found = {}
    shapes = run_layers(
        network.body, (*network.input_shape, 1), lambda operation, *given: operation.shape(*given)
    )
    takers = [number for layer in network.body for number in layer.inputs]
    for operation, (number,) in (layer for layer in network.body if len(layer.inputs) == 1):
        if number == 0 or not isinstance(operation, MaxPool):
            continue
        before, (given,) = network.body[number - 1].operation, network.body[number - 1].inputs[:1]
        if (
            isinstance(before, Convolution)
            and before.kernel.shape[2] == 1
            and before.padding[2:] == (0, 0)
            and not before.relu
            and operation.size == (1, shapes[number][1])
            and takers.count(number) == 1
        ):
            kind = TallConvolution if before.kernel.shape[1] == 1 else WideConvolution
            found[id(before)] = lambda maps: maps
            found[id(operation)] = kind(before, shapes[given])
    return found


def _convolve(layer, maps):
    height, width, n_in, n_out = layer.kernel.shape
    top, bottom, left, right = layer.padding
    n_rows, n_columns, _ = layer.shape(maps.shape)
    maps = np.pad(maps, ((top, bottom), (left, right), (0, 0)))
    total = np.zeros((n_rows * n_columns, n_out), np.float32)
    # A product for each place of the kernel needs no copy of windows.
    for row in range(height):
        for column in range(width):
            part = maps[row : row + n_rows, column : column + n_columns]
            total += part.reshape(-1, n_in) @ layer.kernel[row, column]
    total += layer.bias
    if layer.relu:
        np.maximum(total, 0, out=total)
    return total.reshape(n_rows, n_columns, n_out)


def _pool(layer, maps):
    height, width = layer.size
    rows, columns = maps.shape[0] // height, maps.shape[1] // width
    cells = maps[: rows * height, : columns * width].reshape(rows, height, columns, width, -1)
    return cells.max(axis=(1, 3))


def _pool_globally(layer, maps):
    return getattr(maps, layer.statistic)(axis=(0, 1))


_RUN: dict[type, Callable] = {
    Convolution: _convolve,
    MaxPool: _pool,
    GlobalPool: _pool_globally,
    Add: lambda layer, one, other: one + other,
    Concat: lambda layer, *maps: np.concatenate(maps, axis=-1),
}

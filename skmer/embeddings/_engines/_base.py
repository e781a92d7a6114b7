"""What every engine is: frames in, embeddings out, one block of fixed size after the other."""

import threading
from abc import ABC, abstractmethod

import numpy as np

_DENSE_ROWS = 16


class Engine(ABC):
    """A network ready to run: ``engine(batch)`` maps (n, bins, columns) to (n, output size).

    Blocks have a fixed number of rows, whatever the size of the batch, so a row's value depends
    neither on its neighbours nor on its position, and memory does not grow with the batch.
    """

    name = None
    # One frame at a time costs a CPU next to nothing and saves a gigabyte.
    convolution_rows = 1

    def __init__(self, network):
        self._shape = network.input_shape
        self._scale, self._offset = network.scale, network.offset
        self._map_size = int(np.prod(network.map_shape))
        self._dense = network.dense
        # One call at a time: each call already uses all the threads it was given.
        self._lock = threading.Lock()

    def __call__(self, batch):
        batch = np.ascontiguousarray(batch, dtype=np.float32)
        if batch.ndim != 3 or batch.shape[1:] != self._shape:
            raise ValueError(
                f"The engine {self.name!r} needs frames of shape (n, {self._shape[0]}, "
                f"{self._shape[1]}). Got {batch.shape} instead."
            )
        with self._lock:
            features = np.empty((len(batch), self._map_size), dtype=np.float32)
            for rows, block in _blocks(batch, self.convolution_rows):
                features[rows] = self._convolve(block * self._scale + self._offset)[
                    : rows.stop - rows.start
                ]
            if not self._dense:
                return features
            output = np.empty((len(batch), self._dense[-1].bias.size), dtype=np.float32)
            for rows, block in _blocks(features, _DENSE_ROWS):
                output[rows] = self._densify(block)[: rows.stop - rows.start]
            return output

    @abstractmethod
    def _convolve(self, block):
        """Run a block of scaled frames through the convolutions; flatten height, width, channel."""

    def _densify(self, block):
        """Run a block of flattened maps through the dense layers."""
        for layer in self._dense:
            block = block @ layer.kernel + layer.bias
            if layer.relu:
                np.maximum(block, 0, out=block)
        return block


def _blocks(array, size):
    """Slices of `array` and their rows, the last one filled up with zero rows to `size`."""
    for start in range(0, len(array), size):
        block = array[start : start + size]
        rows = slice(start, start + len(block))
        if len(block) < size:
            block = np.concatenate(
                [block, np.zeros((size - len(block), *array.shape[1:]), np.float32)]
            )
        yield rows, block

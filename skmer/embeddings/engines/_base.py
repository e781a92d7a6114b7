"""What every engine is: frames in, embeddings out, one block of fixed size after the other."""

from abc import ABC, abstractmethod

import numpy as np

from skmer.exceptions import InputError


class Engine(ABC):
    """A network ready to run: ``engine(batch)`` maps (n, bins, columns) to (n, output size).

    Blocks have a fixed number of rows, whatever the size of the batch, so a row's value depends
    neither on its neighbours nor on its position, and memory does not grow with the batch.
    Several threads may call one engine at once.
    """

    name: str
    # One frame at a time costs a CPU next to nothing and saves a gigabyte.
    convolution_rows = 1
    # The dense layers are bound by reading their matrices: once for as many frames as a clip has.
    dense_rows = 16

    def __init__(self, network):
        self._shape = network.input_shape
        self._scale, self._offset = network.scale, network.offset
        self._map_size = int(np.prod(network.map_shape))
        self._dense = network.dense

    def __call__(self, batch):
        batch = np.ascontiguousarray(batch, dtype=np.float32)
        if batch.ndim != 3 or batch.shape[1:] != self._shape:
            raise InputError(
                f"The engine {self.name!r} needs frames of shape (n, {self._shape[0]}, "
                f"{self._shape[1]}). Got {batch.shape} instead."
            )
        features = _in_blocks(self._run_convolutions, batch, self.convolution_rows, self._map_size)
        if not self._dense:
            return features
        return _in_blocks(self._densify, features, self.dense_rows, self._dense[-1].bias.size)

    def _run_convolutions(self, block):
        return self._convolve(block * self._scale + self._offset)

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


def _in_blocks(function, array, n_rows, width):
    """Rows of `function`, fed blocks of `n_rows` rows, the last one filled up with zeros."""
    output = np.empty((len(array), width), dtype=np.float32)
    for start in range(0, len(array), n_rows):
        block = array[start : start + n_rows]
        n_given = len(block)
        if n_given < n_rows:
            block = np.pad(block, [(0, n_rows - n_given)] + [(0, 0)] * (block.ndim - 1))
        output[start : start + n_given] = function(block)[:n_given]
    return output

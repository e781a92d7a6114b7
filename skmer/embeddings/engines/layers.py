"""The layers of networks, which every engine runs.

Maps are (height, width, channels), vectors (channels,). A network is a list of layers, made in its
own file; a new kind of layer is a class here and a function in each engine.
"""

from typing import Any, NamedTuple

import numpy as np


class Convolution(NamedTuple):
    """Kernel [height, width, in, out] and bias on a map with zeros around it, then ReLU or not.

    `padding` is (top, bottom, left, right); the stride is 1.
    """

    kernel: np.ndarray
    bias: np.ndarray
    padding: tuple[int, int, int, int]
    relu: bool


class ConvolutionMax(NamedTuple):
    """Kernel [height, width, 1, out] and bias on a map of one channel, then the maximum over width.

    `padding` is (top, bottom). A layer of its own, since the maximum needs only half of the work.
    """

    kernel: np.ndarray
    bias: np.ndarray
    padding: tuple[int, int]


class MaxPool(NamedTuple):
    """Maximum over cells of `size` (height, width) side by side; what fills no cell is dropped."""

    size: tuple[int, int]


class GlobalPool(NamedTuple):
    """ "max" or "mean" over the whole map: a vector."""

    statistic: str


class Affine(NamedTuple):
    """Scale and offset of each channel: what batch normalisation is when nothing is trained."""

    scale: np.ndarray
    offset: np.ndarray


class Activation(NamedTuple):
    """ "relu" or "sigmoid" of every number."""

    function: str


class Add(NamedTuple):
    """The sum of its two inputs."""


class Concat(NamedTuple):
    """Its inputs side by side along the channels."""


class Dense(NamedTuple):
    """Matrix [in, out] and bias on a vector, then ReLU or not."""

    kernel: np.ndarray
    bias: np.ndarray
    relu: bool


class Layer(NamedTuple):
    """An operation, and which values it takes: 0 is the input, n what the n-th layer gives."""

    operation: Any
    inputs: tuple[int, ...]


class LayerList(list[Layer]):
    """Layers in the making, each given the number of its value."""

    def add(self, operation, *inputs: int) -> int:
        """Append a layer, by default after the last one; return the number of its value."""
        self.append(Layer(operation, inputs or (len(self),)))
        return len(self)


class Network(NamedTuple):
    """Scale and offset of the input, `body` on maps, flattening, `head` on vectors.

    The frames of (height, width) have one channel. The output is the values of the head that
    `outputs` numbers, side by side.
    """

    name: str
    input_shape: tuple[int, int]
    scale: np.float32
    offset: np.float32
    body: LayerList
    head: LayerList = LayerList()
    outputs: tuple[int, ...] = (0,)

    def in_a_row(self, engine: str) -> list[tuple[Convolution, MaxPool | None]]:
        """Return the body as convolutions, each with its pooling, one after the other."""
        pairs: list = []
        for number, (operation, inputs) in enumerate(self.body):
            if inputs != (number,) or not isinstance(operation, Convolution | MaxPool):
                raise NotImplementedError(
                    f"The network {self.name!r} holds {type(operation).__name__}, which is not "
                    f"written for the engine {engine!r}."
                )
            if isinstance(operation, Convolution):
                pairs.append((operation, None))
            else:
                pairs[-1] = (pairs[-1][0], operation)
        return pairs


def run_layers(layers, given, run) -> list:
    """The input and the value of every layer, each computed by ``run(operation, *inputs)``."""
    values = [given]
    for operation, inputs in layers:
        values.append(run(operation, *(values[number] for number in inputs)))
    return values


_BATCH_NORM_EPSILON = 1e-3


def as_float32(array) -> np.ndarray:
    """Return an array as engines take it."""
    return np.ascontiguousarray(array, dtype=np.float32)


def batch_norm(gamma, beta, mean, variance) -> tuple[np.ndarray, np.ndarray]:
    """Return factor and shift (float64) of a batch normalisation."""
    gamma, beta, mean, variance = (a.astype(np.float64) for a in (gamma, beta, mean, variance))
    factor = gamma / np.sqrt(variance + _BATCH_NORM_EPSILON)
    return factor, beta - mean * factor

"""What networks are made of, as every engine understands it: a list of layers.

Maps are (height, width, channels), vectors (channels,). A new network is a new list in `_networks`;
a new kind of layer is a class here and a function in each engine.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from skmer.exceptions import InputError

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Convolution:
    """Kernel [height, width, in, out] and bias on a map with zeros around it, then ReLU or not.

    `padding` is (top, bottom, left, right); the stride is 1.
    """

    kernel: np.ndarray
    bias: np.ndarray
    padding: tuple[int, int, int, int]
    relu: bool

    def shape(self, given: Shape) -> Shape:
        top, bottom, left, right = self.padding
        height, width = self.kernel.shape[:2]
        return (
            given[0] + top + bottom - height + 1,
            given[1] + left + right - width + 1,
            self.bias.size,
        )


@dataclass(frozen=True)
class MaxPool:
    """Maximum over cells of `size` (height, width) side by side; what fills no cell is dropped."""

    size: tuple[int, int]

    def shape(self, given: Shape) -> Shape:
        return given[0] // self.size[0], given[1] // self.size[1], given[2]


@dataclass(frozen=True)
class GlobalPool:
    """ "max" or "mean" over the whole map: a vector."""

    statistic: str

    def shape(self, given: Shape) -> Shape:
        return given[-1:]


@dataclass(frozen=True)
class Affine:
    """Scale and offset of each channel: what batch normalisation is when nothing is trained."""

    scale: np.ndarray
    offset: np.ndarray

    def shape(self, given: Shape) -> Shape:
        return given


@dataclass(frozen=True)
class Activation:
    """ "relu" or "sigmoid" of every number."""

    function: str

    def shape(self, given: Shape) -> Shape:
        return given


@dataclass(frozen=True)
class Add:
    """The sum of its two inputs."""

    def shape(self, given: Shape, other: Shape) -> Shape:
        return given


@dataclass(frozen=True)
class Concat:
    """Its inputs side by side along the channels."""

    def shape(self, *given: Shape) -> Shape:
        return (*given[0][:-1], sum(shape[-1] for shape in given))


@dataclass(frozen=True)
class Dense:
    """Matrix [in, out] and bias on a vector, then ReLU or not."""

    kernel: np.ndarray
    bias: np.ndarray
    relu: bool

    def shape(self, given: Shape) -> Shape:
        return (self.bias.size,)


Operation = Convolution | MaxPool | GlobalPool | Affine | Activation | Add | Concat | Dense


class Layer(NamedTuple):
    """An operation, and which values it takes: 0 is the input, n what the n-th layer gives."""

    operation: Operation
    inputs: tuple[int, ...]


@dataclass
class LayerList:
    """Layers in the making, each given the number of its value."""

    layers: list[Layer] = field(default_factory=list)

    def add(self, operation: Operation, *inputs: int) -> int:
        """Append a layer, by default after the last one; return the number of its value."""
        self.layers.append(Layer(operation, inputs or (len(self.layers),)))
        return len(self.layers)

    def done(self) -> tuple[Layer, ...]:
        return tuple(self.layers)


@dataclass(frozen=True)
class Network:
    """Scale and offset of the input, `body` on maps, flattening, `head` on vectors.

    The frames of (height, width) have one channel. The output is the values of the head that
    `outputs` numbers, side by side.
    """

    name: str
    input_shape: tuple[int, int]
    scale: np.float32
    offset: np.float32
    body: tuple[Layer, ...]
    head: tuple[Layer, ...] = ()
    outputs: tuple[int, ...] = (0,)

    @property
    def body_size(self) -> int:
        """How many numbers the body leaves of a frame."""
        return int(np.prod(_shapes(self.body, (*self.input_shape, 1))[-1]))

    @property
    def output_size(self) -> int:
        """How many numbers the whole network leaves of a frame."""
        shapes = _shapes(self.head, (self.body_size,))
        return sum(shapes[number][0] for number in self.outputs)


def run_layers(layers: Sequence[Layer], given: Any, run: Callable[..., Any]) -> list[Any]:
    """The input and the value of every layer, each computed by ``run(operation, *inputs)``."""
    values = [given]
    for operation, inputs in layers:
        values.append(run(operation, *(values[number] for number in inputs)))
    return values


def _shapes(layers, given):
    return run_layers(layers, given, lambda operation, *shapes: operation.shape(*shapes))


_BATCH_NORM_EPSILON = 1e-3
_SAME_3X3 = (1, 1, 1, 1)
_L3_CELLS = (4, 3)
_N_L3_CONVOLUTIONS = 8
_N_VGGISH_CONVOLUTIONS = 6
_VGGISH_POOLED = (0, 1, 3, 5)
_N_TIMBRAL, _N_FRONT = 2, 5
INPUT_SHAPES = {
    "l3": ((257, 197), (128, 199), (256, 199)),
    "vggish": ((96, 64),),
    "musicnn": ((187, 96),),
}


def build_network(name, arrays, input_shape):
    """Describe network `name` with the weights `arrays`: in stored order, or by name."""
    if tuple(input_shape) not in INPUT_SHAPES[name]:
        raise InputError(
            f"The input of network {name!r} must have shape (height, width) in "
            f"{INPUT_SHAPES[name]}. Got {tuple(input_shape)} instead."
        )
    if isinstance(arrays, Mapping):
        arrays = {key: np.asarray(array, dtype=np.float32) for key, array in arrays.items()}
    else:
        arrays = [np.asarray(array, dtype=np.float32) for array in arrays]
    build = {"l3": _build_l3, "vggish": _build_vggish, "musicnn": _build_musicnn}[name]
    return build(arrays, tuple(input_shape))


def _build_l3(arrays, input_shape):
    # Zero padding follows the first batch normalisation, so it cannot move into a kernel.
    scale, offset = (value.item() for value in _affine(*arrays[:4]))
    pooled_thrice = tuple(size // 8 for size in input_shape)
    last_pool = tuple(size // cell for size, cell in zip(pooled_thrice, _L3_CELLS, strict=True))
    body, rest = LayerList(), arrays[4:]
    for index in range(_N_L3_CONVOLUTIONS):
        kernel, bias, *rest = rest
        is_last = index == _N_L3_CONVOLUTIONS - 1
        if not is_last:
            factor, shift = _affine(*rest[:4])
            kernel = kernel.astype(np.float64) * factor
            bias = bias.astype(np.float64) * factor + shift
            rest = rest[4:]
        body.add(Convolution(_float32(kernel), _float32(bias), _SAME_3X3, relu=not is_last))
        if is_last or index % 2:
            body.add(MaxPool(last_pool if is_last else (2, 2)))
    return Network("l3", input_shape, np.float32(scale), np.float32(offset), body.done())


def _build_vggish(arrays, input_shape):
    pairs = list(zip(arrays[::2], arrays[1::2], strict=True))
    body, head = LayerList(), LayerList()
    for index, (kernel, bias) in enumerate(pairs[:_N_VGGISH_CONVOLUTIONS]):
        body.add(Convolution(kernel, bias, _SAME_3X3, relu=True))
        if index in _VGGISH_POOLED:
            body.add(MaxPool((2, 2)))
    for index, (kernel, bias) in enumerate(pairs[_N_VGGISH_CONVOLUTIONS:]):
        head.add(Dense(kernel, bias, relu=index < 2))
    return Network(
        "vggish",
        input_shape,
        np.float32(1),
        np.float32(0),
        body.done(),
        head.done(),
        (len(head.layers),),
    )


def _build_musicnn(arrays, input_shape):
    """MusiCNN; its outputs are mean pool (753), max pool (753), penultimate (200), tags (50)."""

    def numbered(layer, index, *roles):
        name = f"{layer}_{index}" if index else layer
        return [arrays[f"{name}/{role}"] for role in roles]

    def norm(index):
        roles = ("gamma", "beta", "moving_mean", "moving_variance")
        return _affine(*numbered("batch_normalization", index, *roles))

    # Zero padding follows the first batch normalisation, so it cannot move into a kernel.
    scale, offset = (value.item() for value in norm(0))
    body = LayerList()
    front = []
    for index in range(_N_FRONT):
        kernel, bias = numbered("conv2d", index, "kernel", "bias")
        # As much silence before and after as leaves the length as it is.
        top, bottom = (len(kernel) - 1) // 2, len(kernel) // 2
        factor, shift = norm(index + 1)
        # The maximum over all frequencies comes before ReLU and normalisation, so that these have
        # a hundredth of the work. Where the factor is negative it is a minimum, by changed signs.
        sign = np.where(factor < 0, -1.0, 1.0)
        convolution = Convolution(
            _float32(kernel * sign), _float32(bias * sign), (top, bottom, 0, 0), relu=False
        )
        body.add(convolution, 0)
        body.add(MaxPool((1, convolution.shape((*input_shape, 1))[1])))
        body.add(Affine(_float32(sign), np.zeros_like(bias)))
        body.add(Activation("relu"))
        front.append(body.add(Affine(_float32(factor), _float32(shift))))
    middle = [body.add(Concat(), *front)]
    for index in range(_N_FRONT, 8):
        kernel, bias = numbered("conv2d", index, "kernel", "bias")
        # (time, channels, 1) there, (time, 1, channels) here.
        kernel = _float32(kernel.transpose(0, 2, 1, 3))
        body.add(Convolution(kernel, bias, (3, 3, 0, 0), relu=True), middle[-1])
        normalised = body.add(Affine(*map(_float32, norm(index + 1))))
        residual = len(middle) > 1
        middle.append(body.add(Add(), normalised, middle[-1]) if residual else normalised)
    together = body.add(Concat(), *middle)
    pools = [body.add(GlobalPool(statistic), together) for statistic in ("mean", "max")]
    body.add(Concat(), *pools)

    # The published network takes maximum and mean of a channel in turns.
    factor, shift = norm(9)
    kernel, bias = numbered("dense", 0, "kernel", "bias")
    in_turns = np.arange(len(kernel)).reshape(-1, 2)
    order = np.concatenate([in_turns[:, 1], in_turns[:, 0]])
    kernel = kernel.astype(np.float64)
    head = LayerList()
    head.add(
        Dense(
            _float32((kernel * factor[:, np.newaxis])[order]),
            _float32(bias + shift @ kernel),
            relu=True,
        )
    )
    penultimate = head.add(Affine(*map(_float32, norm(10))))
    kernel, bias = numbered("dense", 1, "kernel", "bias")
    head.add(Dense(kernel, bias, relu=False))
    tags = head.add(Activation("sigmoid"))
    return Network(
        "musicnn",
        input_shape,
        np.float32(scale),
        np.float32(offset),
        body.done(),
        head.done(),
        (0, penultimate, tags),
    )


def _float32(array):
    return np.ascontiguousarray(array, dtype=np.float32)


def _affine(gamma, beta, mean, variance):
    """Factor and shift (float64) of a batch normalisation."""
    gamma, beta, mean, variance = (a.astype(np.float64) for a in (gamma, beta, mean, variance))
    factor = gamma / np.sqrt(variance + _BATCH_NORM_EPSILON)
    return factor, beta - mean * factor

"""The two networks as lists of layers, batch normalisation folded away."""

from dataclasses import dataclass

import numpy as np

from skmer.exceptions import InputError

_BATCH_NORM_EPSILON = 1e-3
_L3_CELLS = (4, 3)
_N_L3_CONVOLUTIONS = 8
_N_VGGISH_CONVOLUTIONS = 6
_VGGISH_POOLED = (0, 1, 3, 5)
INPUT_SHAPES = {
    "l3": ((257, 197), (128, 199), (256, 199)),
    "vggish": ((96, 64),),
}


@dataclass(frozen=True)
class Convolution:
    """A 3x3 'same' convolution, then ReLU, then max-pooling with stride = size."""

    kernel: np.ndarray
    bias: np.ndarray
    relu: bool
    pool: tuple[int, int] | None


@dataclass(frozen=True)
class Dense:
    """A matrix [in, out] and a bias, then ReLU."""

    kernel: np.ndarray
    bias: np.ndarray
    relu: bool


@dataclass(frozen=True)
class Network:
    """Affine map of the input, convolutions, flattening (height, width, channel), dense layers."""

    name: str
    input_shape: tuple[int, int]
    scale: np.float32
    offset: np.float32
    convolutions: tuple[Convolution, ...]
    dense: tuple[Dense, ...]

    @property
    def map_shape(self):
        """Height, width and channels of what the convolutions leave."""
        height, width = self.input_shape
        for layer in self.convolutions:
            if layer.pool is not None:
                height, width = height // layer.pool[0], width // layer.pool[1]
        return height, width, self.convolutions[-1].bias.size

    @property
    def output_size(self):
        return self.dense[-1].bias.size if self.dense else int(np.prod(self.map_shape))


def build_network(name, arrays, input_shape):
    """Describe network `name` with the weights `arrays` in stored order."""
    if tuple(input_shape) not in INPUT_SHAPES[name]:
        raise InputError(
            f"The input of network {name!r} must have shape (bins, columns) in "
            f"{INPUT_SHAPES[name]}. Got {tuple(input_shape)} instead."
        )
    build = {"l3": _build_l3, "vggish": _build_vggish}[name]
    return build([np.asarray(array, dtype=np.float32) for array in arrays], tuple(input_shape))


def _build_l3(arrays, input_shape):
    # Zero padding follows the first batch normalisation, so it cannot move into a kernel.
    scale, offset = (value.item() for value in _affine(*arrays[:4]))
    pooled_thrice = tuple(size // 8 for size in input_shape)
    last_pool = tuple(size // cell for size, cell in zip(pooled_thrice, _L3_CELLS, strict=True))
    layers, rest = [], arrays[4:]
    for index in range(_N_L3_CONVOLUTIONS):
        kernel, bias, *rest = rest
        is_last = index == _N_L3_CONVOLUTIONS - 1
        if not is_last:
            factor, shift = _affine(*rest[:4])
            kernel = kernel.astype(np.float64) * factor
            bias = bias.astype(np.float64) * factor + shift
            rest = rest[4:]
        layers.append(
            Convolution(
                kernel=np.ascontiguousarray(kernel, dtype=np.float32),
                bias=np.ascontiguousarray(bias, dtype=np.float32),
                relu=not is_last,
                pool=last_pool if is_last else (2, 2) if index % 2 else None,
            )
        )
    return Network("l3", input_shape, np.float32(scale), np.float32(offset), tuple(layers), ())


def _build_vggish(arrays, input_shape):
    pairs = list(zip(arrays[::2], arrays[1::2], strict=True))
    layers = tuple(
        Convolution(kernel, bias, relu=True, pool=(2, 2) if index in _VGGISH_POOLED else None)
        for index, (kernel, bias) in enumerate(pairs[:_N_VGGISH_CONVOLUTIONS])
    )
    dense = tuple(
        Dense(kernel, bias, relu=index < 2)
        for index, (kernel, bias) in enumerate(pairs[_N_VGGISH_CONVOLUTIONS:])
    )
    return Network("vggish", input_shape, np.float32(1), np.float32(0), layers, dense)


def _affine(gamma, beta, mean, variance):
    """Factor and shift (float64) of a batch normalisation."""
    gamma, beta, mean, variance = (a.astype(np.float64) for a in (gamma, beta, mean, variance))
    factor = gamma / np.sqrt(variance + _BATCH_NORM_EPSILON)
    return factor, beta - mean * factor

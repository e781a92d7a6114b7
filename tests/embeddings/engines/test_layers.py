"""A new network is a list of layers, and every exact engine runs it."""

from importlib import import_module

import numpy as np
import pytest

from skmer.embeddings.engines.layers import (
    Activation,
    Add,
    Affine,
    Concat,
    Convolution,
    Dense,
    GlobalPool,
    LayerList,
    MaxPool,
    Network,
    run_layers,
)

ENGINES = {"tensorflow": "TensorFlowEngine", "numpy": "NumpyEngine", "ncnn": "NcnnEngine"}
SHAPE = (23, 16)


def normal(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


@pytest.fixture(scope="module")
def network():
    """Every kind of layer: kernels that are wide, tall, even, odd; values that two layers take."""
    rng = np.random.default_rng(0)
    body = LayerList()
    fronts = []
    for kernel, padding in [
        ((7, 6, 1, 5), (3, 3, 0, 0)),
        ((3, 11, 1, 4), (1, 1, 0, 0)),
        ((8, 1, 1, 3), (3, 4, 0, 0)),
    ]:
        layer = Convolution(normal(rng, *kernel), normal(rng, kernel[-1]), padding, relu=False)
        body.add(layer, 0)
        front = body.add(MaxPool((1, layer.shape((*SHAPE, 1))[1])))
        fronts.append(front)
    together = body.add(Concat(), *fronts)
    body.add(Affine(normal(rng, 12), normal(rng, 12)))
    body.add(Activation("relu"))
    residual = body.add(Add(), body.add(Activation("sigmoid")), together)
    pools = [body.add(GlobalPool(statistic), residual) for statistic in ("mean", "max")]
    # An ordinary convolution, whose maximum is over cells.
    body.add(Convolution(normal(rng, 3, 2, 1, 6), normal(rng, 6), (2, 0, 1, 3), relu=True), 0)
    body.add(MaxPool((2, 3)))
    body.add(Convolution(normal(rng, 2, 3, 6, 4), normal(rng, 4), (0, 1, 1, 1), relu=False))
    pools.append(body.add(GlobalPool("mean")))
    body.add(Concat(), *pools)
    head = LayerList()
    hidden = head.add(Dense(normal(rng, 28, 9), normal(rng, 9), relu=True))
    head.add(Affine(normal(rng, 9), normal(rng, 9)))
    head.add(Dense(normal(rng, 9, 7), normal(rng, 7), relu=False))
    last = head.add(Activation("sigmoid"))
    outputs = (0, hidden, last)
    return Network("new", SHAPE, np.float32(0.5), np.float32(-1), body.done(), head.done(), outputs)


def by_definition(layer, *given):
    """A layer in float64, as it is defined."""
    if isinstance(layer, Convolution):
        top, bottom, left, right = layer.padding
        maps = np.pad(given[0], ((top, bottom), (left, right), (0, 0)))
        height, width = layer.kernel.shape[:2]
        shape = layer.shape(given[0].shape)
        output = np.empty(shape)
        for row, column in np.ndindex(*shape[:2]):
            window = maps[row : row + height, column : column + width]
            output[row, column] = np.tensordot(window, layer.kernel.astype(float), 3) + layer.bias
        return np.maximum(output, 0) if layer.relu else output
    if isinstance(layer, MaxPool):
        (height, width), output = layer.size, np.empty(layer.shape(given[0].shape))
        for row, column in np.ndindex(*output.shape[:2]):
            cell = given[0][row * height :, column * width :][:height, :width]
            output[row, column] = cell.max(axis=(0, 1))
        return output
    if isinstance(layer, Dense):
        output = given[0] @ layer.kernel.astype(float) + layer.bias
        return np.maximum(output, 0) if layer.relu else output
    return {
        GlobalPool: lambda: getattr(np, layer.statistic)(given[0], axis=(0, 1)),
        Affine: lambda: given[0] * layer.scale + layer.offset,
        Activation: lambda: (
            np.maximum(given[0], 0) if layer.function == "relu" else 1 / (1 + np.exp(-given[0]))
        ),
        Add: lambda: given[0] + given[1],
        Concat: lambda: np.concatenate(given, axis=-1),
    }[type(layer)]()


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_runs_a_new_network(name, network):
    pytest.importorskip(name)
    engine_class = getattr(import_module(f"skmer.embeddings.engines.{name}"), ENGINES[name])
    frames = normal(np.random.default_rng(1), 3, *SHAPE)
    expected = []
    for frame in frames:
        maps = (frame.astype(float) * network.scale + network.offset)[..., np.newaxis]
        features = run_layers(network.body, maps, by_definition)[-1]
        values = run_layers(network.head, features, by_definition)
        expected.append(np.concatenate([values[number] for number in network.outputs]))
    rows = engine_class(network, n_threads=2)(frames)
    assert rows.shape == (3, network.output_size) == (3, 28 + 9 + 7)
    np.testing.assert_allclose(rows, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_numpy_takes_the_short_ways(network):
    from skmer.embeddings.engines.numpy import (
        TallConvolution,
        WideConvolution,
        _find_pooled_convolutions,
    )

    kinds = [type(way) for way in _find_pooled_convolutions(network).values()]
    assert (kinds.count(WideConvolution), kinds.count(TallConvolution)) == (2, 1)


def test_int8_says_what_it_does_not_know(network):
    pytest.importorskip("onnxruntime")
    from skmer.embeddings.engines.onnxruntime import OnnxRuntimeEngine

    with pytest.raises(NotImplementedError, match="which is not written for 8-bit integers"):
        OnnxRuntimeEngine(network, n_threads=1)

"""onnxruntime: static int8, for those who take speed over the last digits.

Activations are unsigned 8-bit per layer, weights signed 7-bit per channel: 8-bit weights overflow
on processors without VNNI instructions, and then numbers would depend on the machine.
"""

import warnings

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from skmer.embeddings.engines.base import Engine

_N_FRAMES = 2
_N_SCENES = 3
_SEED = 20211
_FLOOR = -80.0


def calibration_frames(shape):
    """Frames [dB below their maximum], each a row of scenes: partials, noise, decay, silence."""
    random = np.random.default_rng(_SEED).random
    frequency = np.linspace(0, 1, shape[0])[:, np.newaxis]
    frames = []
    for _ in range(_N_FRAMES):
        scenes = []
        # Few long scenes, for every frame costs start-up time.
        for time in np.array_split(np.linspace(0, 1, shape[1]), _N_SCENES):
            vibrato = random() * np.sin(2 * np.pi * 5 * time)
            partials = 20 * random() * np.cos(2 * np.pi * frequency * (8 + 24 * random()) + vibrato)
            noise = -25 * random() * random(partials.shape)
            decay = -60 * random() * (3 * time % 1)
            scenes.append(partials + noise + decay - 60 * random() * frequency)
        scenes[-1][:, ::2] = _FLOOR
        frame = np.concatenate(scenes, axis=1)
        frames.append(np.maximum(frame - frame.max(), _FLOOR))
    return np.asarray(frames, dtype=np.float32)


_LEVELS = 255
_WEIGHT_LEVELS = 63
# Activations beyond the calibrated range are cut off, which costs more than coarser steps.
_HEADROOM = 1.3
_MIN_COSINE = 0.999
# Frames of L3-Net span 80 dB below their own maximum, by definition.
_INPUT_RANGE = (-80.0, 0.0)


class OnnxRuntimeEngine(Engine):
    """Int8 convolutions. `cosine` is the lowest one to float32 over the calibration frames."""

    def __init__(self, network, *, n_threads):
        super().__init__(network)
        frames = calibration_frames(network.input_shape)
        # Each as an image of one channel.
        frames = (frames * network.scale + network.offset)[:, np.newaxis, np.newaxis]
        exact = _session(_float_graph(network), n_threads)
        outcomes = [exact.run(None, {"x": frame}) for frame in frames]
        lows, highs = np.reshape([outcome[1:] for outcome in outcomes], (len(frames), -1, 2)).T
        lows, highs = lows.min(axis=1) * _HEADROOM, highs.max(axis=1) * _HEADROOM
        edges = np.array(_INPUT_RANGE, np.float32) * network.scale + network.offset
        graph = _int8_graph(network, [(edges.min(), edges.max()), *zip(lows, highs)])
        self._session = _session(graph, n_threads)
        found = [self._session.run(None, {"x": frame})[0] for frame in frames]
        self.cosine = min(_cosine(outcome[0], maps) for outcome, maps in zip(outcomes, found))
        if self.cosine < _MIN_COSINE:
            warnings.warn(
                f"precision='int8' keeps a cosine of only {self.cosine:.4f} to float32 with these "
                f"weights ({_MIN_COSINE} is expected). Use precision='float32' instead.",
                stacklevel=4,
            )

    def _run_body(self, block):
        maps = self._session.run(None, {"x": block[:, np.newaxis]})[0]
        return maps.transpose(0, 2, 3, 1).reshape(1, -1)


def _cosine(a, b):
    a, b = a.ravel().astype(np.float64), b.ravel().astype(np.float64)
    return a @ b / np.sqrt((a @ a) * (b @ b))


def _session(graph, n_threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    # Threads that spin take the processor from the rest of the work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _float_graph(network):
    """The exact network; its outputs are the map, then minimum and maximum after each layer."""
    nodes, constants, extremes, current = [], [], [], "x"
    for index, (layer, pool) in enumerate(network.in_a_row("onnxruntime")):
        for name, array in (("kernel", _kernel(layer)), ("bias", layer.bias)):
            constants.append(numpy_helper.from_array(array, f"{name}{index}"))
        inputs, current = [current, f"kernel{index}", f"bias{index}"], f"sum{index}"
        nodes.append(helper.make_node("Conv", inputs, [current], pads=_pads(layer)))
        if layer.relu:
            nodes.append(helper.make_node("Relu", [current], [f"relu{index}"]))
            current = f"relu{index}"
        current = _append_pool(nodes, pool, current, f"pool{index}")
        for operation in ("ReduceMin", "ReduceMax"):
            extremes.append(f"{operation}{index}")
            nodes.append(helper.make_node(operation, [current], extremes[-1:], keepdims=0))
    return _model(network, nodes, constants, [current, *extremes])


def _int8_graph(network, ranges):
    """The network in 8-bit integers; `ranges` are (low, high) of the input and of each layer."""
    constants = []

    def constant(name, value):
        constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def quantization(name, low, high):
        # Zero must be exact, for it is what the padding holds.
        low, high = min(float(low), 0.0), max(float(high), 0.0)
        # Three digits, so that another machine's rounding of the ranges changes nothing.
        scale = np.float32(f"{(high - low) / _LEVELS:.3g}")
        zero = np.uint8(np.rint(-low / scale))
        return scale, [constant(f"scale_{name}", scale), constant(f"zero_{name}", zero)]

    scale, names = quantization("input", *ranges[0])
    nodes, current = [helper.make_node("QuantizeLinear", ["x", *names], ["input"])], "input"
    layers = zip(network.in_a_row("onnxruntime"), ranges[1:], strict=True)
    for index, ((layer, pool), limits) in enumerate(layers):
        kernel = _kernel(layer)
        steps = np.abs(kernel).max(axis=(1, 2, 3)) / np.float32(_WEIGHT_LEVELS)
        # A channel of zeros may have any step but 0.
        steps[steps == 0] = 1
        levels = np.rint(kernel / steps[:, np.newaxis, np.newaxis, np.newaxis]).astype(np.int8)
        bias = np.rint(layer.bias / (np.float64(scale) * steps)).astype(np.int32)
        zeros = np.zeros(len(steps), dtype=np.int8)
        inputs = [current, *names, constant(f"kernel{index}", levels)]
        inputs += [constant(f"steps{index}", steps), constant(f"zeros{index}", zeros)]
        # Rounding to unsigned levels from 0 up is the ReLU.
        scale, names = quantization(f"layer{index}", 0 if layer.relu else limits[0], limits[1])
        inputs += [*names, constant(f"bias{index}", bias)]
        current = f"sum{index}"
        nodes.append(helper.make_node("QLinearConv", inputs, [current], pads=_pads(layer)))
        current = _append_pool(nodes, pool, current, f"pool{index}")
    nodes.append(helper.make_node("DequantizeLinear", [current, *names], ["map"]))
    return _model(network, nodes, constants, ["map"])


def _kernel(layer):
    """The kernel as (out, in, height, width)."""
    return np.ascontiguousarray(layer.kernel.transpose(3, 2, 0, 1))


def _pads(layer):
    top, bottom, left, right = layer.padding
    return [top, left, bottom, right]


def _append_pool(nodes, pool, current, name):
    if pool is None:
        return current
    sizes = {"kernel_shape": pool.size, "strides": pool.size}
    nodes.append(helper.make_node("MaxPool", [current], [name], **sizes))
    return name


def _model(network, nodes, constants, outputs):
    graph = helper.make_graph(
        nodes,
        network.name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, *network.input_shape])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        constants,
    )
    # Old numbers on purpose: every onnxruntime that skmer admits reads them.
    opsets = [helper.make_opsetid("", 13)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()

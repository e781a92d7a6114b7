"""ncnn: the fastest exact engine on a CPU, by Winograd's convolution."""

import os
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np

from skmer.embeddings.engines.base import Engine
from skmer.embeddings.engines.layers import (
    Activation,
    Add,
    Affine,
    Concat,
    Convolution,
    GlobalPool,
    MaxPool,
)

_MAGIC = 7767517


@cache
def _import_ncnn():
    """Import ncnn so that its threads sleep, not spin, where other work wants the processor."""
    # Its OpenMP reads this once, as it loads; on a busy machine spinning made it 2.5 times slower.
    is_free = "OMP_WAIT_POLICY" not in os.environ
    if is_free:
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    try:
        import ncnn
    finally:
        # Children and other libraries keep their own choice.
        if is_free:
            del os.environ["OMP_WAIT_POLICY"]
    return ncnn


class NcnnEngine(Engine):
    """Convolutions by ncnn, dense layers by numpy: ncnn would copy their matrices for nothing."""

    name = "ncnn"

    def __init__(self, network, *, n_threads):
        super().__init__(network)
        ncnn = _import_ncnn()
        self._as_mat = ncnn.Mat
        self._net = net = ncnn.Net()
        net.opt.num_threads = n_threads
        net.opt.use_vulkan_compute = False
        # ncnn computes in half precision unless told not to.
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        net.opt.use_bf16_packed = net.opt.use_bf16_storage = False
        description, self._output = _describe(network.body)
        # The binding reads weights from files only.
        with tempfile.TemporaryDirectory(prefix="skmer-") as folder:
            path = Path(folder) / "body.bin"
            path.write_bytes(_serialize(network.body))
            if net.load_param_mem(description) or net.load_model(str(path)):
                raise RuntimeError(f"ncnn could not load the network {network.name!r}.")

    def _run_body(self, block):
        extractor = self._net.create_extractor()
        # ncnn reads the memory of `frame` in place: keep it alive until extract is done.
        frame = np.ascontiguousarray(block[0])
        extractor.input("v0", self._as_mat(frame))
        status, values = extractor.extract(self._output)
        if status:
            raise RuntimeError(f"ncnn failed to run the network (status {status}).")
        values = np.array(values)
        # A map is (channels, height, width) here, a vector (channels,).
        return np.moveaxis(values, 0, -1).reshape(1, -1)


def _describe(layers):
    """ncnn's text of the layers, and the name of their last value."""
    takers = Counter(number for layer in layers for number in layer.inputs)
    lines: list[str] = []
    n_taken: Counter = Counter()

    def name(number):
        # A value that several layers take is split into one for each.
        if takers[number] < 2:
            return f"v{number}"
        n_taken[number] += 1
        return f"v{number}_{n_taken[number]}"

    def split(number):
        names = [f"v{number}_{taker + 1}" for taker in range(takers[number])]
        lines.append(f"Split split{number} 1 {len(names)} v{number} {' '.join(names)}")

    lines.append("Input input 0 1 v0")
    for number, (operation, inputs) in enumerate(layers, start=1):
        if takers[number - 1] > 1:
            split(number - 1)
        kind, parameters = _PARAMETERS[type(operation)](operation)
        given = " ".join(map(name, inputs))
        lines.append(f"{kind} layer{number} {len(inputs)} 1 {given} v{number} {parameters}")
    n_values = 1 + len(layers) + sum(count for count in takers.values() if count > 1)
    return "\n".join([str(_MAGIC), f"{len(lines)} {n_values}", *lines, ""]), f"v{len(layers)}"


def _convolution(layer):
    (height, width), (top, bottom, left, right) = layer.kernel.shape[:2], layer.padding
    return "Convolution", (
        f"0={layer.bias.size} 1={width} 11={height} 4={left} 15={right} 14={top} 16={bottom} 5=1 "
        f"6={layer.kernel.size} 9={int(layer.relu)}"
    )


def _max_pool(layer):
    height, width = layer.size
    return "Pooling", f"0=0 1={width} 11={height} 2={width} 12={height} 5=1"


_PARAMETERS = {
    Convolution: _convolution,
    MaxPool: _max_pool,
    GlobalPool: lambda layer: ("Pooling", f"0={['max', 'mean'].index(layer.statistic)} 4=1"),
    Affine: lambda layer: ("Scale", f"0={layer.scale.size} 1=1"),
    Activation: lambda layer: ({"relu": "ReLU", "sigmoid": "Sigmoid"}[layer.function], ""),
    Add: lambda layer: ("BinaryOp", "0=0"),
    Concat: lambda layer: ("Concat", "0=0"),
}


def _serialize(layers):
    """The weights as ncnn stores them: a flag 0 for float32, kernel (out, in, h, w), bias."""
    parts = []
    for layer, _ in layers:
        if isinstance(layer, Convolution):
            parts += [bytes(4), layer.kernel.transpose(3, 2, 0, 1).tobytes(), layer.bias.tobytes()]
        elif isinstance(layer, Affine):
            parts += [layer.scale.tobytes(), layer.offset.tobytes()]
    return b"".join(parts)

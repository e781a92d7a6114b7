"""ncnn: the fastest exact engine on a CPU, by Winograd's convolution."""

import os
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from skmer.embeddings.engines.base import Engine

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

    def __init__(self, network, *, n_threads):
        super().__init__(network)
        ncnn = _import_ncnn()
        self._as_mat = ncnn.Mat
        self._net = net = ncnn.Net()
        net.opt.num_threads = n_threads
        net.opt.use_vulkan_compute = False
        # ncnn computes in half precision unless it is switched off.
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        net.opt.use_bf16_packed = net.opt.use_bf16_storage = False
        pairs = network.in_a_row("ncnn")
        description, self._output = _describe(pairs)
        # The binding reads weights from files only.
        with tempfile.TemporaryDirectory(prefix="skmer-") as folder:
            path = Path(folder) / "body.bin"
            path.write_bytes(b"".join(_serialize(layer) for layer, _ in pairs))
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
        # A map is (channels, height, width) here.
        return np.moveaxis(np.array(values), 0, -1).reshape(1, -1)


def _describe(pairs):
    """Return ncnn's text of the layers, and the name of their last value."""
    lines = ["Input input 0 1 v0"]

    def add(kind, parameters):
        n = len(lines)
        lines.append(f"{kind} layer{n} 1 1 v{n - 1} v{n} {parameters}")

    for layer, pool in pairs:
        (height, width), (top, bottom, left, right) = layer.kernel.shape[:2], layer.padding
        add(
            "Convolution",
            f"0={layer.bias.size} 1={width} 11={height} 4={left} 15={right} 14={top} 16={bottom} "
            f"5=1 6={layer.kernel.size} 9={int(layer.relu)}",
        )
        if pool is not None:
            height, width = pool.size
            add("Pooling", f"0=0 1={width} 11={height} 2={width} 12={height} 5=1")
    text = "\n".join([str(_MAGIC), f"{len(lines)} {len(lines)}", *lines, ""])
    return text, f"v{len(lines) - 1}"


def _serialize(layer):
    """Return the weights as ncnn stores them: 0 for float32, kernel (out, in, h, w), bias."""
    return bytes(4) + layer.kernel.transpose(3, 2, 0, 1).tobytes() + layer.bias.tobytes()

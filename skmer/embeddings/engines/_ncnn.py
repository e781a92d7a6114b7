"""ncnn: the fastest exact engine on a CPU, by Winograd's convolution."""

import os
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from skmer.embeddings.engines._base import Engine

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
        layers, self._output = _describe(network.convolutions)
        # The binding reads weights from files only.
        with tempfile.TemporaryDirectory(prefix="skmer-") as folder:
            path = Path(folder) / "convolutions.bin"
            path.write_bytes(_serialize(network.convolutions))
            if net.load_param_mem(layers) or net.load_model(str(path)):
                raise RuntimeError(f"ncnn could not load the network {network.name!r}.")

    def _convolve(self, block):
        extractor = self._net.create_extractor()
        # ncnn reads the memory of `frame` in place: keep it alive until extract is done.
        frame = np.ascontiguousarray(block[0])
        extractor.input("b0", self._as_mat(frame))
        status, maps = extractor.extract(self._output)
        if status:
            raise RuntimeError(f"ncnn failed to run the network (status {status}).")
        return np.array(maps).transpose(1, 2, 0).reshape(1, -1)


def _describe(convolutions):
    """ncnn's text of the network, and the name of its last blob."""
    lines, n_blobs = ["Input input 0 1 b0"], 1
    for layer in convolutions:
        lines.append(
            f"Convolution layer{n_blobs} 1 1 b{n_blobs - 1} b{n_blobs} 0={layer.bias.size} "
            f"1=3 4=1 5=1 6={layer.kernel.size} 9={int(layer.relu)}"
        )
        n_blobs += 1
        if layer.pool is not None:
            height, width = layer.pool
            lines.append(
                f"Pooling layer{n_blobs} 1 1 b{n_blobs - 1} b{n_blobs} "
                f"0=0 1={width} 11={height} 2={width} 12={height} 5=1"
            )
            n_blobs += 1
    head = [str(_MAGIC), f"{len(lines)} {n_blobs}"]
    return "\n".join([*head, *lines, ""]), f"b{n_blobs - 1}"


def _serialize(convolutions):
    """The weights as ncnn stores them: a flag 0 for float32, kernel (out, in, 3, 3), bias."""
    parts = []
    for layer in convolutions:
        parts += [bytes(4), layer.kernel.transpose(3, 2, 0, 1).tobytes(), layer.bias.tobytes()]
    return b"".join(parts)

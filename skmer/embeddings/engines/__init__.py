"""Inference engines: one interface, one file per framework, each network loaded once a process."""

import os
import threading
from collections import OrderedDict
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import joblib

from skmer.embeddings.engines.base import Engine
from skmer.embeddings.engines.layers import build_network
from skmer.exceptions import EngineNotAvailableError, InputError
from skmer.utils.processes import (
    call_in_forked_child,
    import_tensorflow,
    on_release,
    release_networks,
)

__all__ = ["get_engine", "release_networks", "resolve_engine"]


class _Entry(NamedTuple):
    """One engine: where it is, what it needs, and which networks gain by each of its precisions."""

    module: str
    class_name: str
    packages: tuple[str, ...]
    extra: str
    networks: dict[str, tuple[str, ...]]


# In the order of speed.
_ENGINES = {
    "numpy": _Entry("numpy", "NumpyEngine", (), "skmer", {"float32": ("musicnn",)}),
    "ncnn": _Entry("ncnn", "NcnnEngine", ("ncnn",), "skmer[fast]", {"float32": ("l3", "vggish")}),
    "tensorflow": _Entry(
        "tensorflow",
        "TensorFlowEngine",
        ("tensorflow",),
        "skmer",
        {"float32": ("l3", "vggish", "musicnn")},
    ),
    "onnxruntime": _Entry(
        "onnxruntime",
        "OnnxRuntimeEngine",
        ("onnx", "onnxruntime"),
        "skmer[fast]",
        {"int8": ("l3",)},
    ),
}
_N_KEPT = 4
_engines: OrderedDict[tuple, Engine] = OrderedDict()
_engines_lock = threading.Lock()
_is_forked = False
# Engines of the process that this one was forked from: to close them would be to wait for threads
# that are not here.
_left_behind: list = []


def resolve_engine(network, engine="auto", precision="float32"):
    """Name the engine that will run `network`, without loading it."""
    able = [
        name for name, entry in _ENGINES.items() if network in entry.networks.get(precision, ())
    ]
    if not able or engine not in ("auto", *able):
        offers = "; ".join(
            f"{name}: {', '.join(p for p, able in entry.networks.items() if network in able)}"
            for name, entry in _ENGINES.items()
        )
        raise InputError(
            f"No engine {engine!r} runs the network {network!r} with precision={precision!r}. "
            f"Possible are engine='auto' or one of these with its precisions: {offers}."
        )
    if engine == "auto":
        installed = [name for name in able if not _missing(name)]
        if "tensorflow" in installed and len(installed) > 1 and _tensorflow_sees_gpu():
            return "tensorflow"
        engine = installed[0] if installed else able[0]
    missing = _missing(engine)
    if missing:
        raise EngineNotAvailableError(
            f"The engine {engine!r} with precision={precision!r} needs {' and '.join(missing)}, "
            f'which is not installed. Install it by: pip install "{_ENGINES[engine].extra}"'
        )
    return engine


def get_engine(
    network, *, engine="auto", precision="float32", weights, input_shape, n_threads=None
):
    """Return the loaded engine of `network`; the same object for the same arguments."""
    name = resolve_engine(network, engine, precision)
    # The pools of threads do not come along into a forked process, and libraries would wait for
    # them for ever.
    n_threads = 1 if _is_forked else n_threads or _default_threads()
    key = (network, name, precision, weights.digest, tuple(input_shape), n_threads)
    with _engines_lock:
        if key not in _engines:
            module, class_name = _ENGINES[name].module, _ENGINES[name].class_name
            build = getattr(import_module(f"{__name__}.{module}"), class_name)
            described = build_network(network, weights.arrays, input_shape)
            _engines[key] = build(described, n_threads=n_threads)
            while len(_engines) > _N_KEPT:
                _engines.popitem(last=False)
        _engines.move_to_end(key)
        return _engines[key]


@on_release
def _forget_engines():
    with _engines_lock:
        _engines.clear()


def _start_anew():
    global _engines, _engines_lock, _is_forked
    _left_behind.append(_engines)
    _engines, _engines_lock, _is_forked = OrderedDict(), threading.Lock(), True


call_in_forked_child(_start_anew)


def _missing(name):
    return [package for package in _ENGINES[name].packages if find_spec(package) is None]


def _default_threads():
    """As many threads as the surroundings grant: joblib and Dask set OMP_NUM_THREADS in workers."""
    granted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(granted) if granted.isdecimal() and int(granted) else joblib.cpu_count()


def _tensorflow_sees_gpu():
    # TensorFlow takes seconds to import, so ask the system first.
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    if hidden or not any(Path("/dev").glob("nvidia[0-9]*")):
        return False
    return bool(import_tensorflow().config.list_physical_devices("GPU"))

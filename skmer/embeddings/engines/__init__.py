"""Inference engines: one interface, one file per framework, each network loaded once a process."""

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import joblib

from skmer.embeddings.engines.base import Engine, LoadedNetworks
from skmer.exceptions import EngineNotAvailableError
from skmer.utils import messages, processes

__all__ = ["get_engine", "resolve_engine"]

# The class in the module of its name, the packages that it needs, and the extra that brings them.
_ENGINES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "numpy": ("NumpyEngine", (), "skmer"),
    "ncnn": ("NcnnEngine", ("ncnn",), "skmer[fast]"),
    "tensorflow": ("TensorFlowEngine", ("tensorflow",), "skmer"),
    "onnxruntime": ("OnnxRuntimeEngine", ("onnx", "onnxruntime"), "skmer[fast]"),
}
_engines = LoadedNetworks(4)
release_networks = processes.release_networks


def resolve_engine(engine: str, able: tuple[str, ...], precision: str = "float32") -> str:
    """Return the name of the engine that will run a network, without loading it.

    `able` names those that run it, the fastest first.
    """
    if engine not in ("auto", *able):
        names = ", ".join(map(repr, ("auto", *able)))
        allowed = f"one of {names} with precision={precision!r}"
        raise messages.wrong_parameter("", "engine", allowed, engine)
    if engine == "auto":
        installed = [name for name in able if not _missing(name)]
        if "tensorflow" in installed and len(installed) > 1 and _tensorflow_sees_gpu():
            return "tensorflow"
        engine = installed[0] if installed else able[0]
    if missing := _missing(engine):
        raise EngineNotAvailableError(
            f"The engine {engine!r} with precision={precision!r} needs {' and '.join(missing)}, "
            f'which is not installed. Install it by: pip install "{_ENGINES[engine][2]}"'
        )
    return engine


def get_engine(name: str, key, describe, *, n_threads: int | None = None) -> Engine:
    """Return the loaded engine of a network; the same object for the same arguments.

    `key` identifies the network with its weights; `describe`, which returns the `Network`, is
    called where it is not loaded.
    """
    # The pools of threads do not come along into a forked process, and libraries would wait for
    # them for ever.
    n_threads = 1 if _engines.is_forked else n_threads or _default_threads()

    def build():
        module = import_module(f"{__name__}.{name}")
        return getattr(module, _ENGINES[name][0])(describe(), n_threads=n_threads)

    return _engines.load((name, key, n_threads), build)


def packages_of(engine: str | None) -> tuple[str, ...]:
    """Return the packages that an engine needs; none of no engine."""
    return () if engine is None else _ENGINES[engine][1]


def _missing(name):
    return [package for package in _ENGINES[name][1] if find_spec(package) is None]


def _default_threads():
    """Return as many threads as are granted: joblib and Dask set OMP_NUM_THREADS in workers."""
    granted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(granted) if granted.isdecimal() and int(granted) else joblib.cpu_count()


def _tensorflow_sees_gpu():
    # TensorFlow takes seconds to import, so the system is asked first.
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    if hidden or not any(Path("/dev").glob("nvidia[0-9]*")):
        return False
    return bool(processes.import_tensorflow().config.list_physical_devices("GPU"))

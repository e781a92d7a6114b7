"""Choosing, loading once, and what is said when it cannot be."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from skmer.embeddings import engines as _engines
from skmer.embeddings.engines import get_engine, resolve_engine
from skmer.exceptions import EngineNotAvailableError


@pytest.fixture
def installed(monkeypatch):
    """Say which packages are there; no GPU."""

    def say(*packages):
        monkeypatch.setattr(
            _engines, "find_spec", lambda name: object() if name in packages else None
        )

    monkeypatch.setattr(_engines, "_tensorflow_sees_gpu", lambda: False)
    return say


@pytest.mark.parametrize("network", ["l3", "vggish"])
def test_auto_takes_the_fastest_installed(installed, network):
    installed("tensorflow", "ncnn", "onnx", "onnxruntime")
    assert resolve_engine(network) == "ncnn"
    installed("tensorflow")
    assert resolve_engine(network) == "tensorflow"


def test_auto_takes_a_gpu(installed, monkeypatch):
    installed("tensorflow", "ncnn")
    monkeypatch.setattr(_engines, "_tensorflow_sees_gpu", lambda: True)
    assert resolve_engine("l3") == "tensorflow"
    assert resolve_engine("l3", "ncnn") == "ncnn"


def test_auto_follows_precision(installed):
    installed("tensorflow", "ncnn", "onnx", "onnxruntime")
    assert resolve_engine("l3", "auto", "int8") == "onnxruntime"


@pytest.mark.parametrize(
    ("engine", "precision", "missing"),
    [
        ("ncnn", "float32", "ncnn"),
        ("auto", "int8", "onnx and onnxruntime"),
        ("onnxruntime", "int8", "onnx and onnxruntime"),
    ],
)
def test_missing_engine_names_the_extra(installed, engine, precision, missing):
    installed("tensorflow")
    with pytest.raises(EngineNotAvailableError) as caught:
        resolve_engine("l3", engine, precision)
    assert f"needs {missing}, which is not installed" in str(caught.value)
    assert 'pip install "skmer[fast]"' in str(caught.value)


@pytest.mark.parametrize(
    ("network", "engine", "precision"),
    [
        ("l3", "ncnn", "int8"),
        ("l3", "onnxruntime", "float32"),
        ("l3", "auto", "float16"),
        ("l3", "mxnet", "float32"),
        ("vggish", "auto", "int8"),
    ],
)
def test_impossible_pairs(network, engine, precision):
    with pytest.raises(ValueError, match=f"No engine '{engine}' runs the network '{network}'"):
        resolve_engine(network, engine, precision)


def test_gpu_is_not_looked_for_where_there_is_none(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert _engines._tensorflow_sees_gpu() is False


@pytest.mark.parametrize(
    ("granted", "expected"), [("1", 1), ("3", 3), ("4,2", 4), ("", 7), ("many", 7), ("0", 7)]
)
def test_threads_follow_the_surroundings(monkeypatch, granted, expected):
    monkeypatch.setenv("OMP_NUM_THREADS", granted)
    monkeypatch.setattr(_engines.joblib, "cpu_count", lambda: 7)
    assert _engines._default_threads() == expected


@pytest.fixture
def no_engines(monkeypatch):
    """An empty cache, and nothing left behind."""
    monkeypatch.setattr(_engines, "_engines", type(_engines._engines)())


def _get(weights, **other):
    pytest.importorskip("ncnn")
    given = {"engine": "ncnn", "weights": weights, "input_shape": (128, 199), **other}
    return get_engine("l3", **given)


def test_loaded_once_by_many_threads(no_engines, l3_weights, monkeypatch):
    pytest.importorskip("ncnn")
    from skmer.embeddings.engines import ncnn as _ncnn

    built = []

    class CountingEngine(_ncnn.NcnnEngine):
        def __init__(self, *args, **kwargs):
            built.append(self)
            super().__init__(*args, **kwargs)

    monkeypatch.setattr(_ncnn, "NcnnEngine", CountingEngine)
    with ThreadPoolExecutor(4) as pool:
        engines = list(pool.map(lambda _: _get(l3_weights), range(8)))
    assert len(built) == 1
    assert all(engine is built[0] for engine in engines)


def test_key_tells_weights_shapes_and_threads_apart(no_engines, l3_weights):
    other = SimpleNamespace(arrays=l3_weights.arrays, digest="another")
    engines = {
        id(_get(l3_weights)),
        id(_get(other)),
        id(_get(l3_weights, input_shape=(256, 199))),
        id(_get(l3_weights, n_threads=5)),
    }
    assert len(engines) == 4


def test_few_are_kept(no_engines, l3_weights):
    for index in range(_engines._N_KEPT + 2):
        _get(SimpleNamespace(arrays=l3_weights.arrays, digest=f"weights {index}"))
    assert len(_engines._engines) == _engines._N_KEPT


def test_threads_may_share_an_engine(l3_weights, tools):
    engine, frames = _get(l3_weights), tools.l3_frames(2, (128, 199))
    expected = engine(frames)
    with ThreadPoolExecutor(3) as pool:
        for rows in pool.map(engine, [frames] * 3):
            np.testing.assert_array_equal(rows, expected)


def test_wrong_input_shape(l3_weights):
    with pytest.raises(ValueError, match=r"must have shape \(height, width\) in .* \(199, 256\)"):
        _get(l3_weights, input_shape=(199, 256))


def test_ncnn_needs_no_tensorflow():
    pytest.importorskip("ncnn")
    code = (
        "import sys, os\n"
        "os.environ['CUDA_VISIBLE_DEVICES'] = '-1'\n"
        "from skmer.embeddings.engines import resolve_engine\n"
        "assert resolve_engine('l3') == 'ncnn'\n"
        "heavy = {'tensorflow', 'keras', 'ncnn', 'onnx', 'onnxruntime'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "import skmer.embeddings.engines.ncnn\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

"""Engines: chosen, loaded once; the numbers of the published networks and of a new one."""

import itertools
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import numpy as np
import pytest

from skmer.embeddings import MusiCNNTransformer, l3, release_networks, vggish
from skmer.embeddings import engines as _engines
from skmer.embeddings.engines import get_engine, resolve_engine
from skmer.embeddings.engines.base import Engine, _rows_alike
from skmer.embeddings.engines.layers import (
    Activation,
    Add,
    Affine,
    Concat,
    Convolution,
    ConvolutionMax,
    Dense,
    GlobalPool,
    LayerList,
    Network,
    run_layers,
)
from skmer.exceptions import EngineNotAvailableError

L3_WIDTHS = (1, 64, 64, 128, 128, 256, 256, 512, 512)
VGGISH_SHAPES = (
    (3, 3, 1, 64),
    (3, 3, 64, 128),
    (3, 3, 128, 256),
    (3, 3, 256, 256),
    (3, 3, 256, 512),
    (3, 3, 512, 512),
    (12288, 4096),
    (4096, 4096),
    (4096, 128),
)
INPUT_SHAPES = {"linear": (257, 197), "mel128": (128, 199), "mel256": (256, 199)}


def _kernel(rng, shape):
    limit = np.float32(np.sqrt(6 / np.prod(shape[:-1])))
    # A prime number of draws, repeated: quicker than 72 million.
    draws = (rng.random(1_000_003, dtype=np.float32) * 2 - 1) * limit
    return np.resize(draws, shape)


def _norm(rng, size, mean, variance):
    gamma, beta = rng.uniform(0.7, 1.3, size), rng.normal(0, 0.2, size)
    moments = rng.normal(mean, 0.1, size), variance * rng.uniform(0.7, 1.3, size)
    return [array.astype(np.float32) for array in (gamma, beta, *moments)]


@pytest.fixture(scope="module")
def l3_weights():
    rng = np.random.default_rng(1)
    arrays = _norm(rng, 1, -40, 400)
    for index, pair in enumerate(itertools.pairwise(L3_WIDTHS)):
        arrays += [_kernel(rng, (3, 3, *pair)), rng.normal(0, 0.1, pair[1]).astype(np.float32)]
        if index < 7:
            arrays += _norm(rng, pair[1], 0, 1)
    return tuple(arrays)


@pytest.fixture(scope="module")
def vggish_weights():
    rng = np.random.default_rng(2)
    arrays = []
    for shape in VGGISH_SHAPES:
        arrays += [_kernel(rng, shape), rng.normal(0, 0.1, shape[-1]).astype(np.float32)]
    return tuple(arrays)


def l3_frames(n, shape, seed=0):
    """Frames in decibels: a tone, its partials and noise."""
    rng = np.random.default_rng(seed)
    frames = -60 * rng.random((n, *shape))
    frames[:, :: rng.integers(7, 15)] += 30
    frames -= frames.max(axis=(1, 2), keepdims=True)
    return np.maximum(frames, -80).astype(np.float32)


def vggish_frames(n, seed=0):
    return np.random.default_rng(seed).uniform(-4.6, 2, (n, 96, 64)).astype(np.float32)


def _convolve(maps, kernel, bias):
    """3x3 'same' convolution as nine matrix products, float64."""
    height, width, _ = maps.shape
    padded = np.pad(maps, ((1, 1), (1, 1), (0, 0)))
    total = np.zeros((height, width, bias.size)) + bias
    for row in range(3):
        for column in range(3):
            total += padded[row : row + height, column : column + width] @ kernel[row, column]
    return total


def _pool(maps, height, width):
    """Maximum over cells, what does not fill a cell dropped."""
    rows, columns = maps.shape[0] // height, maps.shape[1] // width
    cells = maps[: rows * height, : columns * width]
    return cells.reshape(rows, height, columns, width, -1).max(axis=(1, 3))


def _normalize(maps, gamma, beta, mean, variance):
    return (maps - mean) / np.sqrt(variance + 1e-3) * gamma + beta


def l3_reference(frame, arrays):
    """L3-Net on one mel128 frame, layer by layer as published, nothing folded, float64."""
    arrays = [array.astype(np.float64) for array in arrays]
    maps = _normalize(frame[..., np.newaxis].astype(np.float64), *arrays[:4])
    for index in range(8):
        start = 4 + 6 * index
        maps = _convolve(maps, *arrays[start : start + 2])
        if index < 7:
            maps = np.maximum(_normalize(maps, *arrays[start + 2 : start + 6]), 0)
        if index in (1, 3, 5):
            maps = _pool(maps, 2, 2)
    assert maps.shape == (16, 24, 512)
    return _pool(maps, 4, 8).ravel()


def vggish_reference(frame, arrays):
    """VGGish on one example, float64."""
    maps = frame[..., np.newaxis].astype(np.float64)
    for index in range(6):
        kernel, bias = (array.astype(np.float64) for array in arrays[2 * index : 2 * index + 2])
        maps = np.maximum(_convolve(maps, kernel, bias), 0)
        if index in (0, 1, 3, 5):
            maps = _pool(maps, 2, 2)
    row = maps.ravel()
    assert row.size == 12288
    for kernel, bias in zip(arrays[12::2], arrays[13::2]):
        row = row @ kernel + bias
        if bias.size == 4096:
            row = np.maximum(row, 0)
    return row


def largest_difference(a, b):
    """Largest difference in units of the largest value."""
    return np.abs(a - b).max() / np.abs(b).max()


def lowest_cosine(a, b):
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return ((a * b).sum(axis=1) / norms).min()


EXACT = ("tensorflow", "ncnn")
ABLE = ("ncnn", "tensorflow")


@pytest.fixture
def installed(monkeypatch):
    """Make some packages look installed, and no GPU there."""

    def set_packages(*packages):
        monkeypatch.setattr(
            _engines, "find_spec", lambda name: object() if name in packages else None
        )

    monkeypatch.setattr(_engines, "_tensorflow_sees_gpu", lambda: False)
    return set_packages


def test_auto_takes_the_fastest_installed(installed, monkeypatch):
    installed("tensorflow", "ncnn")
    assert resolve_engine("auto", ABLE) == "ncnn"
    installed("tensorflow")
    assert resolve_engine("auto", ABLE) == "tensorflow"
    installed("tensorflow", "ncnn")
    monkeypatch.setattr(_engines, "_tensorflow_sees_gpu", lambda: True)
    assert resolve_engine("auto", ABLE) == "tensorflow"
    assert resolve_engine("ncnn", ABLE) == "ncnn"


@pytest.mark.parametrize(
    ("engine", "able", "missing"),
    [
        ("ncnn", ABLE, "ncnn"),
        ("auto", ("onnxruntime",), "onnx and onnxruntime"),
        ("onnxruntime", ("onnxruntime",), "onnx and onnxruntime"),
    ],
)
def test_missing_engine_names_the_extra(installed, engine, able, missing):
    installed("tensorflow")
    with pytest.raises(EngineNotAvailableError) as caught:
        resolve_engine(engine, able, "int8")
    assert f"needs {missing}, which is not installed" in str(caught.value)
    assert 'pip install "skmer[fast]"' in str(caught.value)


def test_an_engine_that_does_not_run_the_network():
    with pytest.raises(
        ValueError, match=r"'engine' .*'onnxruntime' with precision='int8'. Got 'nc"
    ):
        resolve_engine("ncnn", ("onnxruntime",), "int8")


def test_gpu_is_not_looked_for_where_there_is_none(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert _engines._tensorflow_sees_gpu() is False


@pytest.mark.parametrize(
    ("granted", "expected"), [("1", 1), ("4,2", 4), ("", 7), ("many", 7), ("0", 7)]
)
def test_threads_follow_the_surroundings(monkeypatch, granted, expected):
    monkeypatch.setenv("OMP_NUM_THREADS", granted)
    monkeypatch.setattr(_engines.joblib, "cpu_count", lambda: 7)
    assert _engines._default_threads() == expected


def engine_of(name, module, arrays, *shape, key="test", n_threads=None):
    pytest.importorskip(name)
    named = {role: array for (role, _), array in zip(module.SHAPES, arrays, strict=True)}
    key = (module.__name__, key, shape)
    return get_engine(name, key, lambda: module.describe(named, *shape), n_threads=n_threads)


@pytest.fixture
def no_engines(monkeypatch):
    """An empty cache, and nothing left behind."""
    monkeypatch.setattr(_engines, "_engines", type(_engines._engines)(4))


def test_loaded_once_by_many_threads_and_few_are_kept(no_engines, network, monkeypatch):
    from skmer.embeddings.engines import numpy as _numpy

    built = []

    class CountingEngine(_numpy.NumpyEngine):
        def __init__(self, *args, **kwargs):
            built.append(self)
            super().__init__(*args, **kwargs)

    monkeypatch.setattr(_numpy, "NumpyEngine", CountingEngine)
    frames = normal(np.random.default_rng(1), 2, *SHAPE)

    def run(_):
        engine = get_engine("numpy", "new", lambda: network)
        return engine, engine(frames)

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(run, range(4)))
    assert len(built) == 1
    for engine, rows in done:
        assert engine is built[0]
        np.testing.assert_array_equal(rows, done[0][1])
    for key in range(_engines._engines.n_kept + 1):
        get_engine("numpy", key, lambda: network)
    assert len(built) == _engines._engines.n_kept + 2
    assert len(_engines._engines) == _engines._engines.n_kept


def test_released_networks_are_loaded_again():
    X = [np.random.default_rng(0).standard_normal(48000)]
    musicnn = MusiCNNTransformer(weights=None, random_state=0, engine="numpy").fit(X)
    before = musicnn.transform(X)
    kept = weakref.ref(next(reversed(_engines._engines.values())))
    release_networks()
    assert not _engines._engines
    assert kept() is None
    np.testing.assert_array_equal(musicnn.transform(X), before)


@pytest.fixture(scope="module")
def l3_expected(l3_weights):
    frames = l3_frames(1, (128, 199))
    return frames, np.array([l3_reference(frame, l3_weights) for frame in frames])


@pytest.fixture(scope="module")
def vggish_expected(vggish_weights):
    frames = vggish_frames(1)
    return frames, np.array([vggish_reference(frame, vggish_weights) for frame in frames])


@pytest.mark.parametrize("name", EXACT)
def test_l3_equals_reference(name, l3_weights, l3_expected):
    frames, expected = l3_expected
    rows = engine_of(name, l3, l3_weights, "mel128")(frames)
    assert rows.dtype == np.float32
    assert rows.shape == (1, 6144)
    assert largest_difference(rows, expected) < 1e-5
    empty = np.empty((0, 128, 199), np.float32)
    assert engine_of(name, l3, l3_weights, "mel128")(empty).shape == (0, 6144)


@pytest.mark.parametrize("name", EXACT)
def test_vggish_equals_reference(name, vggish_weights, vggish_expected):
    frames, expected = vggish_expected
    rows = engine_of(name, vggish, vggish_weights)(frames)
    assert rows.dtype == np.float32
    assert rows.shape == (1, 128)
    # A linear layer is last: negative values must survive.
    assert rows.min() < 0
    assert largest_difference(rows, expected) < 1e-5


@pytest.mark.parametrize(
    "input_repr",
    ["linear", *(pytest.param(one, marks=pytest.mark.slow) for one in ("mel128", "mel256"))],
)
def test_engines_agree_and_int8_keeps_cosine(input_repr, l3_weights):
    frames = l3_frames(2, INPUT_SHAPES[input_repr], seed=4)
    exact, other = (engine_of(name, l3, l3_weights, input_repr)(frames) for name in EXACT)
    assert largest_difference(other, exact) < 1e-5
    engine = engine_of("onnxruntime", l3, l3_weights, input_repr)
    rows = engine(frames)
    assert engine.cosine >= 0.999
    assert lowest_cosine(rows, exact) >= 0.999
    # Were they equal, the engine would not be the fast one.
    assert not np.allclose(rows, exact, rtol=0, atol=1e-3 * np.abs(exact).max())


def test_int8_warns_where_it_fails(l3_weights):
    pytest.importorskip("onnxruntime")
    # One value of each channel dwarfs the others, which all round to nothing.
    arrays = [array.copy() for array in l3_weights]
    for kernel in arrays[10::6]:
        kernel[0, 0, 0] = 40 * np.abs(kernel).max()
    with pytest.warns(UserWarning, match="precision='int8' keeps a cosine of only"):
        engine_of("onnxruntime", l3, arrays, "mel128", key="lopsided")


@pytest.mark.parametrize("name", [*EXACT, "onnxruntime"])
def test_l3_rows_depend_on_nothing_else(name, l3_weights):
    frames = l3_frames(2, (128, 199), seed=5)
    engine = engine_of(name, l3, l3_weights, "mel128", n_threads=2)
    together = engine(frames)
    np.testing.assert_array_equal(engine(frames[:1]), together[:1])
    np.testing.assert_array_equal(engine(frames[::-1])[::-1], together)
    single = engine_of(name, l3, l3_weights, "mel128", n_threads=1)
    np.testing.assert_array_equal(single(frames), together)


@pytest.mark.parametrize("name", ["ncnn", pytest.param("tensorflow", marks=pytest.mark.slow)])
def test_vggish_rows_depend_on_nothing_else(name, vggish_weights):
    # More than one block of the dense layers, the last one not full.
    frames = vggish_frames(19, seed=6)
    engine = engine_of(name, vggish, vggish_weights)
    together = engine(frames)
    np.testing.assert_array_equal(engine(frames[7:8]), together[7:8])
    np.testing.assert_array_equal(engine(frames[::-1])[::-1], together)


def test_the_rows_of_a_block_are_multiplied_alike():
    def by_position(n_alike):
        # As a kernel does that takes so many rows at a time, and rounds those left over otherwise.
        return lambda rows, matrix: rows @ matrix + (np.arange(len(rows)) >= n_alike)[:, np.newaxis]

    for n_alike, expected in ((16, 16), (12, 8), (8, 8), (5, 4), (2, 2), (1, 1)):
        assert _rows_alike(by_position(n_alike)) == expected
    row = np.random.default_rng(1).standard_normal((1, 12288), np.float32)
    matrix = np.random.default_rng(2).standard_normal((12288, 200), np.float32)
    product = Engine._multiply(np.repeat(row, _rows_alike(Engine._multiply), axis=0), matrix)
    np.testing.assert_array_equal(product, np.broadcast_to(product[0], product.shape))


@pytest.mark.slow
@pytest.mark.parametrize("frontend", ["kapre", "librosa", "trained"])
@pytest.mark.parametrize("input_repr", ["linear", "mel128", "mel256"])
def test_int8_on_real_audio(input_repr, frontend, shared):
    """The cosine that is promised, on the golden clips and on singers from end to end."""
    from skmer.audio import l3_spectrogram, read_audio

    paths = sorted((shared / "golden/l3").glob("*_48k.wav"))
    paths += sorted((shared / "data/ravdess_song").glob("Actor_*/*.flac"))[::40]
    assert len(paths) > 10
    clips = [read_audio(path, sr=48000)[0] for path in paths]
    starts = [max(0, len(clip) // 2 - 24000) for clip in clips]
    frames = np.stack(
        [np.resize(clip[start:], 48000) for clip, start in zip(clips, starts)]
    ).astype(np.float32)
    spectrograms = l3_spectrogram(frames, input_repr=input_repr, frontend=frontend)
    file = l3.WEIGHTS["mel256", "music"]
    arrays = file.parse(shared / "golden/l3/openl3_audio_synthetic.h5.gz")[0].values()
    exact, fast = (
        engine_of(name, l3, arrays, input_repr, key="golden")(spectrograms)
        for name in ("ncnn", "onnxruntime")
    )
    assert lowest_cosine(fast, exact) >= 0.999
    small, reference = (rows.reshape(-1, 12, 512).max(axis=1) for rows in (fast, exact))
    assert lowest_cosine(small, reference) >= 0.999


FORK = """
import multiprocessing, warnings
import numpy as np

def answer(queue, function, given):
    try:
        queue.put(function(given))
    except Exception as error:
        queue.put(f"{type(error).__name__}: {error}")

def in_a_child(function, given):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=answer, args=(queue, function, given))
    with warnings.catch_warnings():
        # Of forking a process that has threads.
        warnings.simplefilter("ignore")
        child.start()
    try:
        return queue.get(timeout=60)
    finally:
        child.kill()

clips = [np.random.default_rng(i).standard_normal(48000).astype("f4") for i in range(2)]
"""
EMBED = """
from skmer import {name}
network = {name}(weights=None, random_state=0, engine="{engine}", n_jobs=1).fit(clips)
expected = network.transform(clips)
found = in_a_child(network.transform, clips)
"""
KERAS = """
from skmer.classifiers import KerasMLPClassifier
X = np.eye(20, 8)
network = KerasMLPClassifier(hidden_layer_sizes=(4,), epochs=1).fit(X, np.arange(20) % 2)
found = in_a_child(network.predict, X)
"""
SAME = "np.testing.assert_array_equal(found, expected)"
REFUSED = "assert 'EngineNotAvailableError: TensorFlow ran before this process was forked' in found"


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "engine"),
    [
        pytest.param("VGGishTransformer", "ncnn", marks=pytest.mark.slow),
        ("MusiCNNTransformer", "numpy"),
    ],
)
def test_forked_engines_start_anew(name, engine):
    pytest.importorskip(engine)
    run(FORK + EMBED.format(name=name, engine=engine) + SAME)


@pytest.mark.slow
@pytest.mark.parametrize(
    "use", [EMBED.format(name="MusiCNNTransformer", engine="tensorflow"), KERAS]
)
def test_forked_tensorflow_is_refused_in_one_sentence(use):
    run(FORK + use + REFUSED)


ENGINES = {"tensorflow": "TensorFlowEngine", "numpy": "NumpyEngine"}
SHAPE = (23, 16)


def normal(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


@pytest.fixture(scope="module")
def network():
    """Every kind of layer but pooling of cells; values that two layers take."""
    rng = np.random.default_rng(0)
    body = LayerList()
    fronts = []
    # Wide, tall, even and odd.
    for kernel, padding in [
        ((7, 6, 1, 5), (3, 3)),
        ((3, 11, 1, 4), (1, 1)),
        ((8, 1, 1, 3), (3, 4)),
    ]:
        layer = ConvolutionMax(normal(rng, *kernel), normal(rng, kernel[-1]), padding)
        fronts.append(body.add(layer, 0))
    together = body.add(Concat(), *fronts)
    body.add(Affine(normal(rng, 12), normal(rng, 12)))
    body.add(Activation("relu"))
    residual = body.add(Add(), body.add(Activation("sigmoid")), together)
    pools = [body.add(GlobalPool(statistic), residual) for statistic in ("mean", "max")]
    body.add(Convolution(normal(rng, 3, 2, 1, 6), normal(rng, 6), (2, 0, 1, 3), relu=True), 0)
    body.add(Convolution(normal(rng, 2, 3, 6, 4), normal(rng, 4), (0, 1, 1, 1), relu=False))
    pools.append(body.add(GlobalPool("mean")))
    body.add(Concat(), *pools)
    head = LayerList()
    hidden = head.add(Dense(normal(rng, 28, 9), normal(rng, 9), relu=True))
    head.add(Affine(normal(rng, 9), normal(rng, 9)))
    head.add(Dense(normal(rng, 9, 7), normal(rng, 7), relu=False))
    last = head.add(Activation("sigmoid"))
    outputs = (0, hidden, last)
    return Network("new", SHAPE, np.float32(0.5), np.float32(-1), body, head, outputs)


def by_definition(layer, *given):
    """A layer in float64, as it is defined."""
    if isinstance(layer, Convolution):
        top, bottom, left, right = layer.padding
        maps = np.pad(given[0], ((top, bottom), (left, right), (0, 0)))
        height, width = layer.kernel.shape[:2]
        shape = maps.shape[0] - height + 1, maps.shape[1] - width + 1
        output = np.empty((*shape, layer.bias.size))
        for row, column in np.ndindex(*shape):
            window = maps[row : row + height, column : column + width]
            output[row, column] = np.tensordot(window, layer.kernel.astype(float), 3) + layer.bias
        return np.maximum(output, 0) if layer.relu else output
    if isinstance(layer, ConvolutionMax):
        plain = Convolution(layer.kernel, layer.bias, (*layer.padding, 0, 0), relu=False)
        return by_definition(plain, *given).max(axis=1, keepdims=True)
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
    assert rows.shape == (3, 28 + 9 + 7)
    np.testing.assert_allclose(rows, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("hop", [1, 5, 17, 23, 40])
def test_what_frames_share_is_computed_once_and_alike_everywhere(hop, network):
    engine = get_engine("numpy", "shared", lambda: network)
    rows = normal(np.random.default_rng(1), SHAPE[0] + 6 * hop, SHAPE[1])
    frames = np.stack([rows[i * hop :][: SHAPE[0]] for i in range(7)])
    whole = engine(frames, hop=hop)
    np.testing.assert_allclose(whole, engine(frames), rtol=0, atol=1e-6 * np.abs(whole).max())
    parts = [engine(frames[place], hop=hop) for place in (slice(1), slice(1, 5), slice(5, 7))]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


@pytest.mark.parametrize(
    ("name", "kind"), [("ncnn", "NcnnEngine"), ("onnxruntime", "OnnxRuntimeEngine")]
)
def test_engines_name_the_layers_that_they_do_not_run(name, kind, network):
    pytest.importorskip(name)
    engine_class = getattr(import_module(f"skmer.embeddings.engines.{name}"), kind)
    with pytest.raises(NotImplementedError, match=f"which is not written for the engine '{name}'"):
        engine_class(network, n_threads=1)

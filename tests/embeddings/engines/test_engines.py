"""Choosing an engine, loading it once, and the numbers of the published networks."""

import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from skmer.embeddings import MusiCNNTransformer, l3, release_networks, vggish
from skmer.embeddings import engines as _engines
from skmer.embeddings.engines import get_engine, resolve_engine
from skmer.embeddings.engines.base import Engine, _rows_alike
from skmer.exceptions import EngineNotAvailableError

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
    monkeypatch.setattr(_engines, "_engines", type(_engines._engines)())


def test_loaded_once_by_many_threads_and_few_are_kept(no_engines, l3_weights, tools, monkeypatch):
    pytest.importorskip("ncnn")
    from skmer.embeddings.engines import ncnn as _ncnn

    built = []

    class CountingEngine(_ncnn.NcnnEngine):
        def __init__(self, *args, **kwargs):
            built.append(self)
            super().__init__(*args, **kwargs)

    monkeypatch.setattr(_ncnn, "NcnnEngine", CountingEngine)
    frames = tools.l3_frames(1, (128, 199))

    def run(_):
        engine = engine_of("ncnn", l3, l3_weights, "mel128")
        return engine, engine(frames)

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(run, range(4)))
    assert len(built) == 1
    for engine, rows in done:
        assert engine is built[0]
        np.testing.assert_array_equal(rows, done[0][1])
    for key in range(_engines._N_KEPT + 1):
        engine_of("ncnn", l3, l3_weights, "mel128", key=key)
    assert len(built) == _engines._N_KEPT + 2
    assert len(_engines._engines) == _engines._N_KEPT


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
def l3_expected(l3_weights, tools):
    frames = tools.l3_frames(1, (128, 199))
    return frames, np.array([tools.l3_reference(frame, l3_weights) for frame in frames])


@pytest.fixture(scope="module")
def vggish_expected(vggish_weights, tools):
    frames = tools.vggish_frames(1)
    return frames, np.array([tools.vggish_reference(frame, vggish_weights) for frame in frames])


@pytest.mark.parametrize("name", EXACT)
def test_l3_equals_reference(name, l3_weights, l3_expected, tools):
    frames, expected = l3_expected
    rows = engine_of(name, l3, l3_weights, "mel128")(frames)
    assert rows.dtype == np.float32
    assert rows.shape == (1, 6144)
    assert tools.largest_difference(rows, expected) < 1e-5
    empty = np.empty((0, 128, 199), np.float32)
    assert engine_of(name, l3, l3_weights, "mel128")(empty).shape == (0, 6144)


@pytest.mark.parametrize("name", EXACT)
def test_vggish_equals_reference(name, vggish_weights, vggish_expected, tools):
    frames, expected = vggish_expected
    rows = engine_of(name, vggish, vggish_weights)(frames)
    assert rows.dtype == np.float32
    assert rows.shape == (1, 128)
    # A linear layer is last: negative values must survive.
    assert rows.min() < 0
    assert tools.largest_difference(rows, expected) < 1e-5


@pytest.mark.parametrize(
    "input_repr",
    ["linear", *(pytest.param(one, marks=pytest.mark.slow) for one in ("mel128", "mel256"))],
)
def test_engines_agree_and_int8_keeps_cosine(input_repr, l3_weights, tools):
    frames = tools.l3_frames(2, tools.input_shapes[input_repr], seed=4)
    exact, other = (engine_of(name, l3, l3_weights, input_repr)(frames) for name in EXACT)
    assert tools.largest_difference(other, exact) < 1e-5
    engine = engine_of("onnxruntime", l3, l3_weights, input_repr)
    rows = engine(frames)
    assert engine.cosine >= 0.999
    assert tools.lowest_cosine(rows, exact) >= 0.999
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
def test_l3_rows_depend_on_nothing_else(name, l3_weights, tools):
    frames = tools.l3_frames(2, (128, 199), seed=5)
    engine = engine_of(name, l3, l3_weights, "mel128", n_threads=2)
    together = engine(frames)
    np.testing.assert_array_equal(engine(frames[:1]), together[:1])
    np.testing.assert_array_equal(engine(frames[::-1])[::-1], together)
    single = engine_of(name, l3, l3_weights, "mel128", n_threads=1)
    np.testing.assert_array_equal(single(frames), together)


@pytest.mark.parametrize("name", ["ncnn", pytest.param("tensorflow", marks=pytest.mark.slow)])
def test_vggish_rows_depend_on_nothing_else(name, vggish_weights, tools):
    # More than one block of the dense layers, the last one not full.
    frames = tools.vggish_frames(19, seed=6)
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
def test_int8_on_real_audio(input_repr, frontend, shared, tools):
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
    arrays = l3.read(shared / "golden/l3/openl3_audio_synthetic.h5.gz")
    exact, fast = (
        engine_of(name, l3, arrays, input_repr, key="golden")(spectrograms)
        for name in ("ncnn", "onnxruntime")
    )
    assert tools.lowest_cosine(fast, exact) >= 0.999
    small, reference = (rows.reshape(-1, 12, 512).max(axis=1) for rows in (fast, exact))
    assert tools.lowest_cosine(small, reference) >= 0.999


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

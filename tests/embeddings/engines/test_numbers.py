"""Every engine gives the numbers of the published network."""

import gzip
import io

import numpy as np
import pytest

from skmer.embeddings.engines import get_engine
from skmer.embeddings.engines.base import Engine, _rows_alike

EXACT = ("tensorflow", "ncnn")
REPRESENTATIONS = ("linear", "mel128", "mel256")


def _engine(name, network, weights, shape, n_threads=None):
    pytest.importorskip(name)
    precision = "int8" if name == "onnxruntime" else "float32"
    return get_engine(
        network,
        engine=name,
        precision=precision,
        weights=weights,
        input_shape=shape,
        n_threads=n_threads,
    )


@pytest.fixture(scope="module")
def l3_expected(l3_weights, tools):
    frames = tools.l3_frames(2, (128, 199))
    return frames, np.array([tools.l3_reference(frame, l3_weights.arrays) for frame in frames])


@pytest.fixture(scope="module")
def vggish_expected(vggish_weights, tools):
    frames = tools.vggish_frames(1)
    arrays = vggish_weights.arrays
    return frames, np.array([tools.vggish_reference(frame, arrays) for frame in frames])


@pytest.mark.parametrize("name", EXACT)
def test_l3_equals_reference(name, l3_weights, l3_expected, tools):
    frames, expected = l3_expected
    rows = _engine(name, "l3", l3_weights, (128, 199))(frames)
    assert rows.dtype == np.float32
    assert rows.shape == (2, 6144)
    assert tools.largest_difference(rows, expected) < 1e-5


@pytest.mark.parametrize("name", EXACT)
def test_vggish_equals_reference(name, vggish_weights, vggish_expected, tools):
    frames, expected = vggish_expected
    rows = _engine(name, "vggish", vggish_weights, (96, 64))(frames)
    assert rows.dtype == np.float32
    assert rows.shape == (1, 128)
    # A linear layer is last: negative values must survive.
    assert rows.min() < 0
    assert tools.largest_difference(rows, expected) < 1e-5


@pytest.mark.parametrize("input_repr", REPRESENTATIONS)
def test_engines_agree(input_repr, l3_weights, tools):
    shape = tools.input_shapes[input_repr]
    frames = tools.l3_frames(2, shape, seed=3)
    one, other = (_engine(name, "l3", l3_weights, shape)(frames) for name in EXACT)
    assert tools.largest_difference(other, one) < 1e-5


@pytest.mark.parametrize("input_repr", REPRESENTATIONS)
def test_int8_keeps_cosine(input_repr, l3_weights, tools):
    shape = tools.input_shapes[input_repr]
    frames = tools.l3_frames(2, shape, seed=4)
    engine = _engine("onnxruntime", "l3", l3_weights, shape)
    exact = _engine("ncnn", "l3", l3_weights, shape)(frames)
    rows = engine(frames)
    assert engine.cosine >= 0.999
    assert tools.lowest_cosine(rows, exact) >= 0.999
    # Were they equal, the engine would not be the fast one.
    assert not np.allclose(rows, exact, rtol=0, atol=1e-3 * np.abs(exact).max())


def test_int8_warns_where_it_fails(l3_weights, tools):
    pytest.importorskip("onnxruntime")
    # One value of each channel dwarfs the others, which all round to nothing.
    arrays = [array.copy() for array in l3_weights.arrays]
    for kernel in arrays[10::6]:
        kernel[0, 0, 0] = 40 * np.abs(kernel).max()
    weights = type(l3_weights)(arrays=tuple(arrays), digest="test-lopsided")
    with pytest.warns(UserWarning, match="precision='int8' keeps a cosine of only"):
        _engine("onnxruntime", "l3", weights, (128, 199))


@pytest.mark.parametrize("name", [*EXACT, "onnxruntime"])
def test_l3_rows_depend_on_nothing_else(name, l3_weights, tools):
    frames = tools.l3_frames(3, (128, 199), seed=5)
    engine = _engine(name, "l3", l3_weights, (128, 199), n_threads=2)
    together = engine(frames)
    alone = np.concatenate([engine(frame[np.newaxis]) for frame in frames])
    np.testing.assert_array_equal(alone, together)
    np.testing.assert_array_equal(engine(frames[::-1])[::-1], together)
    single = _engine(name, "l3", l3_weights, (128, 199), n_threads=1)
    np.testing.assert_array_equal(single(frames), together)


@pytest.mark.parametrize("name", EXACT)
def test_vggish_rows_depend_on_nothing_else(name, vggish_weights, tools):
    # More than one block of the dense layers, the last one not full.
    frames = tools.vggish_frames(19, seed=6)
    engine = _engine(name, "vggish", vggish_weights, (96, 64))
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


@pytest.mark.parametrize("name", [*EXACT, "onnxruntime"])
def test_shapes(name, l3_weights, tools):
    engine = _engine(name, "l3", l3_weights, (128, 199))
    assert engine(np.empty((0, 128, 199), np.float32)).shape == (0, 6144)
    with pytest.raises(ValueError, match=r"needs frames of shape \(n, 128, 199\). Got \(2, 256"):
        engine(np.zeros((2, 256, 199), np.float32))


def _golden_l3(shared):
    h5py = pytest.importorskip("h5py")
    raw = gzip.decompress((shared / "golden/l3/openl3_audio_synthetic.h5.gz").read_bytes())
    with h5py.File(io.BytesIO(raw)) as file:
        layers = [file[name] for name in file.attrs["layer_names"]]
        return tuple(layer[name][()] for layer in layers for name in layer.attrs["weight_names"])


@pytest.mark.slow
@pytest.mark.parametrize("frontend", ["kapre", "librosa", "trained"])
@pytest.mark.parametrize("input_repr", REPRESENTATIONS)
def test_int8_on_real_audio(input_repr, frontend, shared, l3_weights, tools):
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
    weights = type(l3_weights)(arrays=_golden_l3(shared), digest="golden-l3")
    shape = tools.input_shapes[input_repr]
    exact = _engine("ncnn", "l3", weights, shape)(spectrograms)
    fast = _engine("onnxruntime", "l3", weights, shape)(spectrograms)
    assert tools.lowest_cosine(fast, exact) >= 0.999
    small, reference = (rows.reshape(-1, 12, 512).max(axis=1) for rows in (fast, exact))
    assert tools.lowest_cosine(small, reference) >= 0.999

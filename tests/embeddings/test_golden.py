"""The embeddings against values made a second way, and against the reference implementations."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
import resampy
import soundfile
from scipy.signal import get_window

from skmer import L3Transformer, VGGishTransformer
from skmer.embeddings import vggish as _vggish

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
# Every 16th number was kept (tests/golden/make_embeddings.py).
STEP = 16


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN / "embeddings.npz", allow_pickle=False) as file:
        return dict(file)


def clip(sr, seconds):
    """The clip of tests/golden/make_embeddings.py."""
    t = np.arange(int(seconds * sr)) / sr
    noise = np.sin(12.9898 * np.arange(len(t)) ** 1.37)
    chord = sum(np.sin(2 * np.pi * f * t) for f in (220.0, 277.2, 329.6, 1760.0))
    return 0.1 * chord + 0.1 * np.sin(2 * np.pi * (100 + 1500 * t) * t) + 0.02 * noise


def relative_error(ours, expected):
    assert ours.shape == expected.shape
    return np.abs(ours - expected).max() / np.abs(expected).max()


def lowest_cosine(ours, expected):
    norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(expected, axis=1)
    return ((ours * expected).sum(axis=1) / norms).min()


def test_the_golden_set_is_not_empty(golden):
    assert len(golden) == 9
    assert sum(value.size for value in golden.values()) > 1000


@pytest.mark.parametrize("engine", ["ncnn", pytest.param("tensorflow", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("input_repr", "frontend", "size"),
    [
        ("mel256", "kapre", 512),
        ("mel256", "librosa", 512),
        ("mel256", "trained", 512),
        ("mel256", "kapre", 6144),
        ("mel128", "kapre", 512),
        ("mel128", "trained", 6144),
        ("linear", "trained", 512),
        ("linear", "librosa", 6144),
    ],
)
def test_l3_against_librosa_and_plain_keras(golden, input_repr, frontend, size, engine):
    l3 = L3Transformer(
        weights=None,
        random_state=0,
        input_repr=input_repr,
        frontend=frontend,
        embedding_size=size,
        engine=engine,
    )
    X = [(clip(48000, 1.3), 48000)]
    frames = l3.fit(X).transform_frames(X)[0]
    expected = golden[f"l3|{input_repr}|{frontend}|{size}"]
    assert relative_error(frames[:, ::STEP], expected) < 1e-4


@pytest.mark.parametrize("engine", ["tensorflow", "ncnn"])
def test_vggish_against_loops_and_plain_keras(golden, engine):
    vggish = VGGishTransformer(weights=None, random_state=0, engine=engine)
    X = [(clip(16000, 2.1), 16000)]
    frames = vggish.fit(X).transform_frames(X)[0]
    assert relative_error(frames[:, ::STEP], golden["vggish"]) < 1e-4


def l3_frames(case, folder, X, **parameters):
    l3 = L3Transformer(
        weights=folder / "openl3_audio_synthetic.h5.gz",
        **{name: case[name] for name in ("input_repr", "embedding_size", "frontend", "hop_size")},
        center=case["center"],
        **parameters,
    )
    (frames,) = l3.fit(X).transform_frames(X)
    assert len(frames) == case["n_frames"]
    return frames if case["rows"] == "all" else frames[[0, -1]]


def read(path):
    audio, sr = soundfile.read(path)
    return (audio.mean(axis=1) if audio.ndim == 2 else audio), sr


def resampy_0_2_2(audio, sr):
    """Resample by the kernel that kaiser_best was in resampy 0.2.2, which openl3 pins."""
    return resampy.resample(
        audio,
        sr,
        48000,
        filter="sinc_window",
        num_zeros=64,
        precision=9,
        window=lambda length: get_window(("kaiser", 14.769656459379492), length),
        rolloff=0.9475937167399596,
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::skmer.exceptions.ShortClipWarning")
@pytest.mark.parametrize("rate", [22050, 44100, 48000])
def test_l3_against_openl3(shared, rate):
    folder = shared / "golden" / "l3"
    cases = json.loads((folder / "cases.json").read_text())["cases"]
    assert len(cases) > 40
    cases = [case for case in cases if case["sr"] == rate]
    assert len(cases) >= 12
    expected = np.load(folder / "expected.npz")
    for case in cases:
        path = folder / case["audio"]
        frames = l3_frames(case, folder, [path])
        if case["sr"] == 48000:
            assert relative_error(frames, expected[case["key"]]) < 1e-4, case["key"]
            continue
        audio, sr = read(path)
        pinned = l3_frames(case, folder, [(resampy_0_2_2(audio, sr), 48000)])
        assert lowest_cosine(frames, pinned) > 0.999, case["key"]
        if (case["input_repr"], case["embedding_size"]) != ("linear", 6144):
            # There the golden values, made with resampy 0.4.3, miss those of 0.2.2 by more.
            assert lowest_cosine(frames, expected[case["key"]]) > 0.999, case["key"]
        frames = l3_frames(case, folder, [path], resampler="kaiser_best")
        assert relative_error(frames, expected[case["key"]]) < 1e-4, case["key"]


@pytest.mark.slow
def test_vggish_against_the_published_code(shared, tmp_path):
    folder = shared / "golden" / "vggish"
    weights = runpy.run_path(str(folder / "weights.py"))
    eigen_vectors, means = weights["pca"]()
    np.savez(tmp_path / "vggish_pca_params.npz", pca_eigen_vectors=eigen_vectors, pca_means=means)
    checkpoint = write_checkpoint(tmp_path / "vggish_model.ckpt", weights["variables"]())
    arrays, _ = _vggish.NETWORK_FILE.parse(Path(checkpoint))
    assert arrays["vggish/conv1/weights"].shape == (3, 3, 1, 64)
    expected = np.load(folder / "expected.npz")
    cases = json.loads((folder / "cases.json").read_text())
    assert len(cases) == 5
    for case in cases:
        name = case["audio"]
        if name == "sine_1k":
            X = [(np.sin(2 * np.pi * 1000 * np.arange(0, 3, 1 / 16000)), 16000)]
        else:
            X = [folder / f"{name}.wav"]
        for postprocess, key in [
            (None, "embedding"),
            ("pca", "pca_clipped"),
            ("quantize", "quantized"),
        ]:
            vggish = VGGishTransformer(
                weights=checkpoint, postprocess=postprocess, resampler="kaiser_best"
            ).fit(X)
            (frames,) = vggish.transform_frames(X)
            wanted = expected[f"{name}|{key}"].astype(np.float32)
            assert len(frames) == case["n_frames"]
            if postprocess == "quantize":
                # A value on the edge of a step may fall to either side.
                assert np.abs(frames - wanted).max() <= 1
                assert (frames == wanted).mean() > 0.98
            else:
                assert relative_error(frames, wanted) < 1e-4, (name, key)


def write_checkpoint(path, variables):
    """Write variables as the TF V1 checkpoint that VGGish is published as."""
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        made = [v1.Variable(value, name=name) for name, value in variables]
        session.run(v1.global_variables_initializer())
        saver = v1.train.Saver(made, write_version=v1.train.SaverDef.V1)
        return saver.save(session, str(path), write_meta_graph=False, write_state=False)

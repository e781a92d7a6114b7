"""MusiCNN with its trained weights, which the package client fetches, and with random ones."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skmer import MusiCNNTransformer
from skmer.embeddings import fetch_weights
from skmer.embeddings.engines.numpy import NumpyEngine
from skmer.embeddings.musicnn import TAGS
from skmer.exceptions import ShortClipWarning

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "musicnn.npz"
LAYERS = ("mean_pool", "max_pool", "penultimate", "tags")
SIZES = dict(zip(LAYERS, (753, 753, 200, 50)))
COLUMN = 0.016
# Every 16th number was kept, and all tags (tests/golden/make_musicnn.py).
STEPS = dict(zip(LAYERS, (16, 16, 16, 1)))


@pytest.fixture(scope="session")
def trained():
    """The published weights in the user's folder; the package client is a process of its own."""
    for name in ("musicnn-msd", "musicnn-mtt"):
        fetch_weights(name)


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN, allow_pickle=False) as file:
        return dict(file)


def clip(seconds):
    """The clip of tests/golden/make_musicnn.py."""
    t = np.arange(int(seconds * 16000)) / 16000
    noise = np.sin(12.9898 * np.arange(len(t)) ** 1.37)
    beat = (t % 0.5 < 0.05) * noise
    voice = sum(
        np.sin(2 * np.pi * 220 * k * t + 3 * np.sin(2 * np.pi * 5 * t)) / k for k in range(1, 9)
    )
    return 0.3 * voice + 0.3 * beat + 0.1 * np.sin(2 * np.pi * (100 + 300 * t) * t)


def split(frames):
    """{layer: its columns} of frames with all layers."""
    edges = np.cumsum([SIZES[layer] for layer in LAYERS])[:-1]
    return dict(zip(LAYERS, np.split(frames, edges, axis=1)))


def relative_error(ours, expected):
    assert ours.shape == expected.shape
    return np.abs(ours - expected).max() / np.abs(expected).max()


def lowest_cosine(ours, expected):
    norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(expected, axis=1)
    return ((ours * expected).sum(axis=1) / norms).min()


@pytest.mark.parametrize("engine", ["numpy", "tensorflow"])
@pytest.mark.parametrize("trained_on", ["msd", "mtt"])
@pytest.mark.parametrize(("seconds", "hop"), [(7.3, 93), (7.3, 40), (2.0, 93)])
@pytest.mark.filterwarnings("ignore::skmer.exceptions.ShortClipWarning")
def test_against_librosa_and_plain_tensorflow(trained, golden, engine, trained_on, seconds, hop):
    musicnn = MusiCNNTransformer(
        trained_on=trained_on, layer=LAYERS, hop_size=hop * COLUMN, engine=engine
    )
    X = [clip(seconds)]
    (frames,) = musicnn.fit(X).transform_frames(X)
    for layer, rows in split(frames).items():
        expected = golden[f"{trained_on}|{seconds}|{hop}|{layer}"]
        assert relative_error(rows[:, :: STEPS[layer]], expected) < 1e-4, layer


def test_the_golden_set_is_not_empty(golden):
    assert len(golden) == 24
    assert sum(value.size for value in golden.values()) > 1000


@pytest.mark.parametrize("engine", ["numpy", "tensorflow"])
def test_against_the_package(shared, trained, engine):
    folder = shared / "golden" / "musicnn"
    expected = np.load(folder / "expected.npz")
    cases = json.loads((folder / "cases.json").read_text())
    assert len(cases) == 12
    for case in cases:
        musicnn = MusiCNNTransformer(
            trained_on=case["model"][:3].lower(),
            layer=LAYERS,
            hop_size=case["hop_columns"] * COLUMN,
            engine=engine,
        )
        X = [folder / f"{case['audio']}.wav"]
        (frames,) = musicnn.fit(X).transform_frames(X)
        assert len(frames) == case["n_patches"]
        for layer, rows in split(frames).items():
            key = f"{case['audio']}|{case['model']}|hop{case['hop_columns']}|{layer}"
            assert lowest_cosine(rows, expected[key]) > 0.9999, key
            # Resampled by the same resampler, so nothing is looser there.
            assert relative_error(rows, expected[key]) < 1e-4, key


def test_loud_music_is_finite(trained):
    loud = np.sign(clip(4.0))
    tags = MusiCNNTransformer(layer="tags").fit_transform([loud])
    assert np.isfinite(tags).all()
    assert 0 < tags.min() < tags.max() < 1


@pytest.mark.parametrize("layer", [*LAYERS, ("tags", "max_pool"), ["penultimate"]])
def test_layers_are_columns_of_one_pass(layer):
    settings = {"weights": None, "random_state": 0}
    X = [clip(5.0)]
    everything = MusiCNNTransformer(layer=LAYERS, **settings).fit(X)
    chosen = MusiCNNTransformer(layer=layer, **settings).fit(X)
    named = dict(zip(everything.get_feature_names_out(), everything.transform(X)[0]))
    names = chosen.get_feature_names_out()
    np.testing.assert_array_equal(chosen.transform(X)[0], [named[name] for name in names])
    assert chosen.embedding_size_ == len(names)


@pytest.mark.parametrize("trained_on", ["msd", "mtt"])
def test_tags_have_names(trained_on):
    musicnn = MusiCNNTransformer(
        weights=None, trained_on=trained_on, layer="tags", pooling=("mean", "max")
    ).fit([clip(3.0)])
    names = list(musicnn.get_feature_names_out())
    tags = TAGS[trained_on]
    assert names == [f"musicnn_{which}_{tag}" for which in ("mean", "max") for tag in tags]
    assert len(set(names)) == 100
    assert ("musicnn_mean_happy" in names) == (trained_on == "msd")


def test_a_search_over_layers_embeds_every_clip_once(tmp_path, monkeypatch):
    seen = []
    engine_class = NumpyEngine
    run = engine_class._run_body

    def counting(self, *block):
        seen.append(1)
        return run(self, *block)

    monkeypatch.setattr(engine_class, "_run_body", counting)
    X = [np.roll(clip(3.2), 1000 * i) for i in range(6)]
    musicnn = MusiCNNTransformer(weights=None, random_state=0, memory=tmp_path, engine="numpy")
    grid = {"musicnntransformer__layer": [*LAYERS, ("mean_pool", "max_pool")]}
    search = GridSearchCV(make_pipeline(musicnn, KNeighborsClassifier(1)), grid, cv=2)
    search.fit(X, [0, 1] * 3)
    assert len(seen) == len(X)


@pytest.mark.parametrize("engine", ["numpy", "tensorflow"])
def test_the_same_bits_whatever_batch_order_jobs_and_cache(engine, tmp_path):
    X = [clip(3.0 + i) for i in range(3)]
    settings = {"weights": None, "random_state": 0, "layer": LAYERS, "engine": engine}
    musicnn = MusiCNNTransformer(**settings)
    frames = musicnn.fit(X).transform_frames(X)
    changes = [{"batch_size": 1}, {"memory": tmp_path}, {"memory": tmp_path}]
    if engine == "numpy":
        # Worker processes would import TensorFlow anew.
        changes.append({"n_jobs": 2})
    for change in changes:
        other = MusiCNNTransformer(**settings, **change).fit(X)
        for one, two in zip(frames, other.transform_frames(X)):
            np.testing.assert_array_equal(one, two)
    for one, two in zip(frames[::-1], musicnn.transform_frames(X[::-1])):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("hop_size", "columns"), [(1.5, 93), (2.992, 187), (0.016, 1), (0.0319, 1), (3, 187)]
)
def test_hops_are_whole_columns(hop_size, columns):
    musicnn = MusiCNNTransformer(weights=None, hop_size=hop_size).fit([clip(3.0)])
    times = musicnn.frame_times(3)
    np.testing.assert_allclose(np.diff(times), columns * COLUMN)
    # The middle one of the 187 columns, of which the first is centred on the first sample.
    assert times[0] == pytest.approx(93 * COLUMN)


@pytest.mark.parametrize(
    ("n_samples", "n_frames"),
    [(1, 1), (47615, 1), (47616, 1), (47616 + 93 * 256 - 1, 1), (47616 + 93 * 256, 2)],
)
def test_no_clip_is_without_a_frame(n_samples, n_frames):
    # Not from the very start, which is a zero: one sample of it would be a silent clip.
    X = [np.resize(clip(3.0)[100:], n_samples)]
    musicnn = MusiCNNTransformer(weights=None, random_state=0).fit(X)
    if n_samples < 47616:
        with pytest.warns(ShortClipWarning):
            (frames,) = musicnn.transform_frames(X)
        # As if the silence had been there before.
        padded = [np.pad(X[0], (0, 47616 - n_samples))]
        np.testing.assert_array_equal(frames, musicnn.transform_frames(padded)[0])
    else:
        (frames,) = musicnn.transform_frames(X)
    assert frames.shape == (n_frames, 753)


@pytest.mark.parametrize(
    "wrong",
    [{"layer": "mean"}, {"layer": ()}, {"layer": ("tags", "tags")}, {"layer": ["tags", 3]}]
    + [{"hop_size": 0.015}, {"hop_size": 0}, {"engine": "ncnn"}, {"trained_on": "MSD"}],
)
def test_wrong_parameters_are_named(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"The '{name}' parameter of MusiCNNTransformer"):
        MusiCNNTransformer(weights=None, **wrong).fit([clip(3.0)])


def test_a_failed_clip_is_a_row_of_nan_of_the_layer(tmp_path):
    good = tmp_path / "good.wav"
    soundfile.write(good, clip(3.0), 16000)
    musicnn = MusiCNNTransformer(weights=None, layer="tags", on_error="nan")
    with pytest.warns(UserWarning, match="1 of 2 clips could not be read"):
        rows = musicnn.fit_transform([tmp_path / "missing.wav", good])
    assert rows.shape == (2, 50)
    assert np.isnan(rows[0]).all()
    assert np.isfinite(rows[1]).all()

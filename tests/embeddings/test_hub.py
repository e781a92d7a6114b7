"""Numbers of the hub's models against plain programs of transformers."""

import os
import shutil
import subprocess
import sys
import threading
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skmer import HubTransformer
from skmer.embeddings import release_networks
from skmer.embeddings.engines import torch as module
from skmer.exceptions import InputError, ShortClipWarning
from skmer.models import read_card, save_model
from skmer.utils import ClipCache
from tests.embeddings.hub_models import (
    CONV,
    GIVEN,
    SMALL,
    WINDOWS,
    difference,
    make_clips,
    save_models,
    tf,
    torch,
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return save_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def clips():
    return make_clips()


@cache
def loaded(folder):
    return tf.AutoFeatureExtractor.from_pretrained(folder), tf.AutoModel.from_pretrained(
        folder
    ).eval()


def plain(folder, family, waveform, window):
    """Return one array (n_windows, d) for each layer, as a program without skmer computes it."""
    extractor, model = loaded(folder)
    size, rows = round(window * 16000), []
    for start in range(0, len(waveform), size):
        sound = waveform[start : start + size]
        inputs = extractor(sound, sampling_rate=16000, return_tensors="pt")
        inputs = {
            key: value.float() if value.is_floating_point() else value
            for key, value in inputs.items()
        }
        with torch.no_grad():
            if family.startswith("clap"):
                states = list(model.audio_model(**inputs, output_hidden_states=True).hidden_states)
                row = [state.mean(dim=(2, 3)) for state in states]
                row.append(model.get_audio_features(**inputs).pooler_output)
            elif family == "whisper":
                states = model.encoder(
                    inputs["input_features"], output_hidden_states=True
                ).hidden_states
                row = [state[:, : int(np.ceil(len(sound) / 320))].mean(1) for state in states]
            elif family == "ast":
                states = model(**inputs, output_hidden_states=True).hidden_states
                columns = 1 + (len(sound) - 400) // 160
                n_times, n_bands = (128 - 16) // 10 + 1, (32 - 16) // 10 + 1
                times = [t for t in range(n_times) if t * 10 + 16 <= columns]
                tokens = [2 + band * n_times + t for band in range(n_bands) for t in times]
                row = [state[:, tokens].mean(1) for state in states]
            elif family == "wav2vec2-bert":
                states = model(**inputs, output_hidden_states=True).hidden_states
                mask = inputs["attention_mask"][..., None].bool()
                row = [(state * mask).sum(1) / mask.sum(1) for state in states]
            else:
                states = model(**inputs, output_hidden_states=True).hidden_states
                row = [state.mean(1) for state in states]
        rows.append([one.numpy()[0] for one in row])
    return [np.stack(layer) for layer in zip(*rows)]


@pytest.mark.parametrize("family", WINDOWS)
def test_all_layers_are_those_of_a_plain_program(family, folders, clips):
    folder, window = folders(family), WINDOWS[family]
    hub = HubTransformer(folder, layer="all", frame_size=GIVEN.get(family), batch_size=2)
    rows, frames = hub.fit_transform(clips), hub.transform_frames(clips)
    for clip, row, frame in zip(clips, rows, frames):
        expected = np.concatenate(plain(folder, family, clip, window)[: hub._n_states()], axis=1)
        assert difference(frame, expected) < 1e-5
        assert difference(row, expected.mean(axis=0)) < 1e-5
    # The layers differ, or the comparison would show nothing.
    first, last = (hub.set_params(layer=layer).transform(clips[:1]) for layer in (0, -1))
    assert first.shape != last.shape or difference(first, last) > 0.01


@pytest.mark.parametrize("family", ["clap", "clap-fusion"])
def test_the_embedding_of_clap_is_what_is_compared_with_text(family, folders, clips):
    hub = HubTransformer(folders(family), layer=("embedding", 1)).fit(clips)
    for clip, frame in zip(clips, hub.transform_frames(clips)):
        layers = plain(folders(family), family, clip, 2.0)
        assert difference(frame, np.concatenate([layers[-1], layers[1]], axis=1)) < 1e-5
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    hub.transform(clips)
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
    assert hub.get_feature_names_out()[[0, 12]].tolist() == [
        "clap_embedding_mean_0",
        "clap_layer1_mean_0",
    ]


@pytest.mark.parametrize("family", ["wav2vec2", "ast", "whisper"])
def test_files_of_another_rate_and_two_channels(family, folders, tmp_path):
    import librosa

    rng = np.random.default_rng(2)
    stereo = (0.1 * rng.standard_normal((int(44100 * 2.3), 2))).astype(np.float32)
    soundfile.write(tmp_path / "clip.wav", stereo, 44100, subtype="FLOAT")
    waveform = librosa.resample(
        stereo.mean(axis=1), orig_sr=44100, target_sr=16000, res_type="soxr_hq"
    )
    expected = plain(folders(family), family, waveform, WINDOWS[family])[-1]
    hub = HubTransformer(folders(family), frame_size=GIVEN.get(family))
    (frames,) = hub.fit([tmp_path / "clip.wav"]).transform_frames([tmp_path / "clip.wav"])
    assert difference(frames, expected) < 1e-5
    assert difference(hub.transform([(stereo, 44100)]), expected.mean(axis=0)) < 1e-5


@pytest.mark.parametrize("family", ["wav2vec2", "wav2vec2-stable", "ast", "whisper", "clap-fusion"])
def test_a_row_is_what_its_clip_gives_alone(family, folders, clips, tmp_path):
    hub = HubTransformer(folders(family), layer=1, frame_size=GIVEN.get(family)).fit(clips)
    rows = hub.transform(clips)
    assert np.array_equal(rows, np.concatenate([hub.transform([clip]) for clip in clips]))
    assert np.array_equal(rows, hub.transform(clips[::-1])[::-1])
    assert np.array_equal(
        rows, clone(hub).set_params(n_jobs=2, memory=tmp_path).fit_transform(clips)
    )
    assert np.array_equal(rows, clone(hub).set_params(memory=tmp_path).fit_transform(clips))
    release_networks()
    assert not module._networks
    assert np.array_equal(rows, hub.transform(clips))


def test_pooling_of_steps(folders, clips):
    folder, clip = folders("wav2vec2"), clips[-1]
    extractor, model = loaded(folder)
    steps = []
    for start in range(0, len(clip), 16000):
        inputs = extractor(clip[start : start + 16000], sampling_rate=16000, return_tensors="pt")
        with torch.no_grad():
            steps.append(model(**inputs, output_hidden_states=True).hidden_states[1][0].numpy())
    hub = HubTransformer(folder, layer=1, frame_size=1.0).fit([clip])
    expected = {
        "max": [one.max(0) for one in steps],
        "first": [one[0] for one in steps],
        None: np.concatenate(steps),
    }
    for pooling, frames in expected.items():
        hub.set_params(time_pooling=pooling)
        (got,) = hub.transform_frames([clip])
        assert difference(got, frames) < 1e-5
    times = hub.frame_times(len(got))
    # The second window begins at 1 s, and a step looks at 60 samples.
    assert times[[0, 1, len(steps[0])]] == pytest.approx([30 / 16000, 110 / 16000, 1 + 30 / 16000])
    assert hub.set_params(pooling=None).transform([clip]).shape == (1, len(got), 16)
    extractor, model = loaded(folders("ast"))
    (first,) = HubTransformer(folders("ast"), time_pooling="first").fit_transform(clips[:1])
    with torch.no_grad():
        inputs = extractor(clips[0], sampling_rate=16000, return_tensors="pt")
        states = model(**inputs, output_hidden_states=True).hidden_states
    assert difference(first, states[-1][0, 0].numpy()) < 1e-5


def test_a_search_over_layers_runs_the_network_once_a_clip(folders, clips, tmp_path, monkeypatch):
    passes = []
    real = module.Network._pass
    monkeypatch.setattr(
        module.Network, "_pass", lambda self, *args: passes.append(1) or real(self, *args)
    )
    X, y = [*clips, *(0.5 * clip[::-1] for clip in clips)], [0, 1] * 5
    hub = HubTransformer(folders("hubert"), frame_size=4.0, memory=tmp_path)
    pipeline = make_pipeline(hub, LogisticRegression())
    grid = {
        "hubtransformer__layer": [0, 1, 2, -1, (0, 2), "all"],
        "hubtransformer__time_pooling": ["mean", "max"],
    }
    GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert len(passes) == len(X) == len(ClipCache(tmp_path))


def test_a_search_over_thirteen_layers_and_forty_clips(tmp_path, monkeypatch):
    torch.manual_seed(0)
    tf.HubertModel(tf.HubertConfig(**SMALL | {"num_hidden_layers": 12}, **CONV)).save_pretrained(
        tmp_path / "net"
    )
    tf.Wav2Vec2FeatureExtractor().save_pretrained(tmp_path / "net")
    passes = []
    real = module.Network._pass
    monkeypatch.setattr(
        module.Network, "_pass", lambda self, *args: passes.append(1) or real(self, *args)
    )
    X = list(np.random.default_rng(0).standard_normal((40, 1600)).astype(np.float32))
    hub = HubTransformer(str(tmp_path / "net"), memory=tmp_path / "cache", n_jobs=2)
    pipeline = make_pipeline(hub, LogisticRegression())
    grid = {"hubtransformer__layer": [*range(13)]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, [0, 1] * 20)
    assert len(passes) == len(X) == len(ClipCache(tmp_path / "cache"))
    assert len(np.unique(search.cv_results_["param_hubtransformer__layer"])) == 13


@pytest.mark.parametrize("family", ["wavlm", "clap"])
def test_a_saved_model_predicts_the_same_in_a_new_process(family, folders, clips, tmp_path):
    folder = Path(shutil.copytree(folders(family), tmp_path / family))
    (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    hub = HubTransformer(str(folder), layer=1, frame_size=GIVEN.get(family))
    rows = hub.fit_transform(clips)
    np.save(tmp_path / "rows.npy", rows)
    np.savez(tmp_path / "clips.npz", *clips)
    model = make_pipeline(hub, LogisticRegression()).fit(clips, [0, 1, 0, 1, 0])
    save_model(model, tmp_path / "m.skmer")
    (feature,) = read_card(tmp_path / "m.skmer")["features"]
    assert feature["weights_digest"] == hub.weights_digest_
    assert (feature["weights_licence"], feature["weights"]) == ("cc-by-nc-4.0", str(folder))
    (folder / "README.md").unlink()
    code = """if True:
        import pickle, sys, numpy as np
        from skmer.models import load_model
        clips = list(np.load("clips.npz").values())
        model = load_model("m.skmer")
        again = pickle.loads(pickle.dumps(model[0]))
        for one in (model[0], again):
            assert np.array_equal(one.transform(clips), np.load("rows.npy"))
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"layer": 3}, "'layer'.*-3 to 2"),
        ({"layer": (0, -3)}, "each once"),
        ({"layer": "embedding"}, "'layer'"),
        ({"frame_size": 0.001}, "'frame_size'"),
        ({"frame_size": 1.0, "hop_size": 2.0}, "'hop_size' at most"),
        ({"time_pooling": "mode"}, "'time_pooling'"),
        ({"dtype": "int8"}, "'dtype'"),
    ],
)
def test_wrong_parameters(options, said, folders, clips):
    with pytest.raises(ValueError, match=said):
        HubTransformer(folders("wav2vec2"), **options).fit(clips)


def test_windows_that_the_extractor_would_cut(folders, clips):
    for family in ("ast", "whisper", "clap"):
        with pytest.raises(InputError, match="'frame_size'"):
            HubTransformer(folders(family), frame_size=4.0).fit(clips)
    with pytest.raises(InputError, match="'time_pooling'"):
        HubTransformer(folders("clap"), time_pooling=None).fit(clips)


def test_clips_and_tails_shorter_than_a_step(folders):
    hub = HubTransformer(folders("wav2vec2"), frame_size=1.0)
    noise = np.random.default_rng(0).standard_normal(16040).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # 40 samples make no step, and are left out.
        assert np.array_equal(hub.fit_transform([noise]), hub.transform([noise[:16000]]))
    with pytest.warns(ShortClipWarning):
        assert np.isfinite(hub.transform([noise[:40]])).all()


def test_half_precision_is_close(folders, clips):
    exact = HubTransformer(folders("hubert"), frame_size=1.0).fit_transform(clips)
    half = HubTransformer(folders("hubert"), frame_size=1.0, dtype="bfloat16").fit_transform(clips)
    assert half.dtype == np.float32
    assert 0 < difference(half, exact) < 0.1


def test_windows_of_several_clips_share_a_pass(folders, clips):
    """As on a GPU, here on torch's other name for the processor."""
    model = module.read_model(Path(folders("hubert")), trusted=False)
    network = module.Network(model, "cpu", "float32")
    alone = [network.layers(clip[None, :6000]) for clip in clips]

    class Accelerator:
        type = "cuda"

    place, network.device = network._pass, Accelerator()
    passes = []

    def counted(inputs, n_samples):
        network.device = torch.device("cpu")
        passes.append(len(inputs["input_values"]))
        try:
            return place(inputs, n_samples)
        finally:
            network.device = Accelerator()

    network._pass = counted
    got = {}
    with network._lock:
        threads = [
            threading.Thread(
                target=lambda i=i: got.update({i: network.layers(clips[i][None, :6000], 3)})
            )
            for i in range(5)
        ]
        for thread in threads:
            thread.start()
        while len(network._waiting) < 5:
            pass
    for thread in threads:
        thread.join()
    assert sorted(passes) == [2, 3]
    assert not network._waiting
    for i, layers in enumerate(alone):
        for (first, steps), (own_first, own_steps) in zip(got[i], layers):
            assert difference(steps.numpy(), own_steps.numpy()) < 1e-5
            assert difference(first.numpy(), own_first.numpy()) < 1e-5

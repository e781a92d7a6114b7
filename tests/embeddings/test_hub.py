"""Models of the hub against plain programs of transformers, on true classes with random weights."""

import json
import os
import shutil
import subprocess
import sys
import warnings
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skmer import HubTransformer
from skmer.embeddings import extract, list_weights, make_transformer, release_networks
from skmer.embeddings.engines import torch as module
from skmer.embeddings.registry import feature_of, find_feature
from skmer.exceptions import (
    InputError,
    ShortClipWarning,
    WeightsIntegrityError,
    WeightsNotFoundError,
)
from skmer.models import load_model, read_card, save_model
from skmer.utils import ClipCache

MISSING = [name for name in ("torch", "transformers", "safetensors") if find_spec(name) is None]
if MISSING and os.environ.get("SKMER_HUB") != "1":
    pytest.skip(f"needs {', '.join(MISSING)}, of skmer[hub]", allow_module_level=True)

import torch  # noqa: E402
import transformers as tf  # noqa: E402

SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
}
CONV = {
    "conv_dim": (8, 8, 8),
    "conv_kernel": (10, 3, 3),
    "conv_stride": (5, 4, 4),
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "num_feat_extract_layers": 3,
}
STABLE = {"do_stable_layer_norm": True, "feat_extract_norm": "layer"}
CLAP = {
    "patch_embeds_hidden_size": 8,
    "depths": [1, 1, 1],
    "num_attention_heads": [2, 2, 2],
    "spec_size": 128,
    "num_mel_bins": 32,
    "window_size": 4,
    "projection_dim": 12,
    "hidden_size": 32,
}
TEXT = {
    "vocab_size": 20,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "projection_dim": 12,
}


def _clap(fusion):
    audio = CLAP | {"enable_fusion": fusion}
    config = tf.ClapConfig(audio_config=audio, text_config=TEXT, projection_dim=12, hidden_size=32)
    mode = "fusion" if fusion else "rand_trunc"
    return tf.ClapModel(config), tf.ClapFeatureExtractor(
        feature_size=32,
        sampling_rate=16000,
        hop_length=160,
        max_length_s=2,
        truncation=mode,
        frequency_max=8000,
    )


def _make(family):
    """Return a small model of a family and its extractor; windows of `WINDOW` seconds."""
    waves = tf.Wav2Vec2FeatureExtractor()
    masked = tf.Wav2Vec2FeatureExtractor(return_attention_mask=True)
    match family:
        case "wav2vec2":
            return tf.Wav2Vec2Model(tf.Wav2Vec2Config(**SMALL, **CONV)), waves
        case "wav2vec2-stable":
            return tf.Wav2Vec2Model(tf.Wav2Vec2Config(**SMALL, **CONV, **STABLE)), masked
        case "hubert":
            return tf.HubertModel(tf.HubertConfig(**SMALL, **CONV)), waves
        case "wavlm":
            return tf.WavLMModel(tf.WavLMConfig(**SMALL, **CONV)), waves
        case "data2vec":
            conv = {
                name: value for name, value in CONV.items() if name != "num_conv_pos_embeddings"
            }
            return tf.Data2VecAudioModel(tf.Data2VecAudioConfig(**SMALL, **conv)), waves
        case "ast":
            config = tf.ASTConfig(**SMALL, num_mel_bins=32, max_length=128)
            return tf.ASTModel(config), tf.ASTFeatureExtractor(num_mel_bins=32, max_length=128)
        case "whisper":
            sizes = {
                "d_model": 16,
                "encoder_attention_heads": 2,
                "decoder_attention_heads": 2,
                "encoder_ffn_dim": 24,
                "decoder_ffn_dim": 24,
            }
            config = tf.WhisperConfig(
                **sizes,
                encoder_layers=2,
                decoder_layers=1,
                num_mel_bins=20,
                max_source_positions=100,
                vocab_size=50,
                pad_token_id=0,
                bos_token_id=1,
                eos_token_id=2,
                decoder_start_token_id=1,
            )
            return tf.WhisperModel(config), tf.WhisperFeatureExtractor(
                feature_size=20, chunk_length=2
            )
        case "clap" | "clap-fusion":
            return _clap(family == "clap-fusion")
        case "wav2vec2-bert":
            config = tf.Wav2Vec2BertConfig(
                **SMALL, feature_projection_input_dim=40, conv_depthwise_kernel_size=3
            )
            return tf.Wav2Vec2BertModel(config), tf.SeamlessM4TFeatureExtractor(
                feature_size=20, num_mel_bins=20, stride=2
            )


# The window of each small model [s].
WINDOWS = {
    "wav2vec2": 1.0, "wav2vec2-stable": 1.0, "hubert": 1.0, "wavlm": 1.0, "data2vec": 1.0, "ast": 1.28,
    "whisper": 2.0, "clap": 2.0, "clap-fusion": 2.0, "wav2vec2-bert": 1.0,
}  # fmt: skip
GIVEN = {name: 1.0 for name, window in WINDOWS.items() if window == 1.0}
SECONDS = (0.4, 1.0, 1.28, 2.0, 3.1)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A function from a family to the folder of its model."""
    root = tmp_path_factory.mktemp("models")

    @cache
    def folder(family):
        torch.manual_seed(0)
        model, extractor = _make(family)
        # Weights as they are drawn are so small that layers hardly differ.
        with torch.no_grad():
            for one in model.parameters():
                if one.ndim > 1:
                    one.mul_(3)
        path = root / family
        model.save_pretrained(path)
        extractor.save_pretrained(path)
        return str(path)

    return folder


@pytest.fixture(scope="module")
def clips():
    """Waveforms at 16 kHz, shorter than, equal to and longer than the windows."""
    rng = np.random.default_rng(1)
    return [
        (
            0.1
            * rng.standard_normal(int(16000 * seconds))
            * np.linspace(0.2, 1, int(16000 * seconds))
        ).astype(np.float32)
        for seconds in SECONDS
    ]


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


def difference(got, expected):
    return np.abs(got - expected).max() / np.abs(expected).max()


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


def test_weights_that_changed(folders, clips, tmp_path):
    model, extractor = _make("wav2vec2")
    model.save_pretrained(tmp_path / "net")
    extractor.save_pretrained(tmp_path / "net")
    hub = HubTransformer(str(tmp_path / "net"), layer=1).fit(clips)
    save_model(
        make_pipeline(hub, LogisticRegression()).fit(clips, [0, 1, 0, 1, 0]), tmp_path / "m.skmer"
    )
    torch.manual_seed(5)
    _make("wav2vec2")[0].save_pretrained(tmp_path / "net")
    with pytest.raises(WeightsIntegrityError, match="changed since fit"):
        hub.transform(clips)
    with pytest.raises(WeightsIntegrityError, match="trained on weights"):
        load_model(tmp_path / "m.skmer")
    digest = hub.weights_digest_
    assert hub.fit(clips).weights_digest_ != digest


def test_weights_that_lack_arrays(folders, tmp_path):
    from safetensors.torch import load_file, save_file

    model, extractor = _make("wav2vec2")
    model.save_pretrained(tmp_path)
    extractor.save_pretrained(tmp_path)
    arrays = load_file(tmp_path / "model.safetensors")
    del arrays["masked_spec_embed"]
    save_file(arrays, tmp_path / "model.safetensors", metadata={"format": "pt"})
    clip = [np.ones(16000, np.float32)]
    HubTransformer(str(tmp_path)).fit_transform(clip)
    del arrays[next(name for name in arrays if "layers.1" in name)]
    save_file(arrays, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsIntegrityError, match=r"lack 1 arrays .*layers\.1"):
        HubTransformer(str(tmp_path)).fit_transform(clip)


def test_no_pickle_and_no_code_of_others(folders, tmp_path):
    clip = [np.ones(16000, np.float32)]
    model, extractor = _make("wav2vec2")
    model.save_pretrained(tmp_path)
    extractor.save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(WeightsNotFoundError, match="pickle"):
        HubTransformer(str(tmp_path)).fit(clip)
    (tmp_path / "pytorch_model.bin").rename(tmp_path / "model.safetensors")
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {
        "model_type": "own",
        "auto_map": {"AutoConfig": "own.OwnConfig", "AutoModel": "own.OwnModel"},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "own.py").write_text(
        "from transformers import Wav2Vec2Config, Wav2Vec2Model\n\n\n"
        "class OwnConfig(Wav2Vec2Config):\n    model_type = 'own'\n\n\n"
        "class OwnModel(Wav2Vec2Model):\n    config_class = OwnConfig\n"
    )
    with pytest.raises(InputError, match=r"code of its own.*trust_remote_code=True, and revision"):
        HubTransformer(str(tmp_path)).fit(clip)
    trusted = HubTransformer(str(tmp_path), trust_remote_code=True).fit(clip)
    assert trusted.transform(clip).shape == (1, 16)
    digest = trusted.weights_digest_
    (tmp_path / "own.py").write_text((tmp_path / "own.py").read_text() + "\n# another\n")
    assert trusted.fit(clip).weights_digest_ != digest


def test_what_is_no_audio_encoder(folders, tmp_path):
    clip = [np.ones(16000, np.float32)]
    bert = tf.BertModel(
        tf.BertConfig(
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            vocab_size=20,
        )
    )
    bert.save_pretrained(tmp_path / "bert")
    codec = {
        "upsampling_ratios": [4, 2],
        "num_filters": 4,
        "hidden_size": 8,
        "codebook_size": 16,
        "num_lstm_layers": 1,
    }
    tf.EncodecModel(tf.EncodecConfig(**codec, codebook_dim=8)).save_pretrained(tmp_path / "codec")
    tf.EncodecFeatureExtractor().save_pretrained(tmp_path / "codec")
    for name in ("bert", "codec"):
        with pytest.raises(InputError, match="no audio encoder") as raised:
            HubTransformer(str(tmp_path / name)).fit(clip)
        assert raised.value.param == "model_name"


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "nobody/no-such-model", "a b"])
def test_a_model_that_is_not_there(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WeightsNotFoundError) as raised:
        HubTransformer(name).fit([np.ones(16000, np.float32)])
    assert name in str(raised.value)


def test_a_model_in_the_cache_of_the_hub(folders, clips, tmp_path, monkeypatch):
    import huggingface_hub as client

    commit, asked = "a" * 40, []
    folder = tmp_path / "snapshots" / commit
    folder.parent.mkdir()
    folder.symlink_to(folders("hubert"))

    def download(name, *, revision, allow_patterns):
        asked.append((name, revision))
        assert not any(".bin" in pattern or pattern == "*" for pattern in allow_patterns)
        return str(folder)

    monkeypatch.setattr(client, "snapshot_download", download)
    monkeypatch.setattr(module, "_downloaded", {})
    hub = HubTransformer("some/Hubert-tiny", frame_size=1.0).fit(clips)
    rows = hub.transform(clips)
    assert asked == [("some/Hubert-tiny", None)]
    assert (hub.revision_, hub.weights_label_) == (commit, f"some/Hubert-tiny@{commit}")
    assert np.array_equal(
        rows, HubTransformer(folders("hubert"), frame_size=1.0).fit_transform(clips)
    )
    assert hub.get_feature_names_out()[0] == "hubert_layer2_mean_0"


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
    import threading

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


def test_by_name(folders, clips, tmp_path):
    for text, layer in {"": -1, "#1": 1, "#-2": -2, "#all": "all", "#0+2": (0, 2)}.items():
        hub = make_transformer(f"hub:{folders('hubert')}{text}", memory=tmp_path / "cache")
        assert (hub.model_name, hub.layer, hub.memory) == (
            folders("hubert"),
            layer,
            tmp_path / "cache",
        )
        assert hub.fit(clips).get_feature_names_out()[0].startswith("hubert_layer")
    mine = make_transformer(f"mine=hub:{folders('hubert')}#1")
    assert (mine.model_name, mine.layer) == (folders("hubert"), 1)
    for name, model in {"mert": "m-a-p/MERT-v1-95M", "clap": "laion/larger_clap_music"}.items():
        feature = find_feature(name)
        hub = make_transformer(name)
        assert (hub.model_name, hub.trust_remote_code, len(hub.revision)) == (model, False, 40)
        assert feature_of(hub) is feature
        assert feature.licence in {row.name: row.licence for row in list_weights()}[name]
    assert find_feature("mert").licence == "CC BY-NC 4.0 (MERT)"
    assert feature_of(HubTransformer("another/model")) is None
    with pytest.raises(ValueError, match="'layer'"):
        make_transformer(f"hub:{folders('hubert')}#last").fit(clips)


def test_the_command_and_tables(folders, clips, tmp_path, monkeypatch):
    from skmer.cli import main

    for i, clip in enumerate(clips):
        soundfile.write(tmp_path / f"{i}.wav", clip, 16000, subtype="FLOAT")
    monkeypatch.chdir(tmp_path)
    Path("net").symlink_to(folders("hubert"))
    code = main(
        ["extract", *(f"{i}.wav" for i in range(5)), "--features", "hub:./net#1", "--out", "t.csv"]
    )
    assert code == 0
    import pandas as pd

    table = pd.read_csv("t.csv")
    expected = HubTransformer("./net", layer=1).fit_transform(clips)
    assert difference(table.filter(like="layer1_mean").to_numpy(), expected) < 1e-5
    paths = [f"{i}.wav" for i in range(5)]
    steps = HubTransformer("./net", layer=1, time_pooling=None)
    done = extract(paths, steps, "frames.parquet", frames=True)
    assert done.n_rows == sum(map(len, steps.fit(paths).transform_frames(paths)))

"""Files, code and names of the hub's models."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skmer import HubTransformer
from skmer.embeddings import extract, list_weights, make_transformer
from skmer.embeddings.engines import torch as module
from skmer.embeddings.registry import feature_of, find_feature
from skmer.exceptions import InputError, WeightsIntegrityError, WeightsNotFoundError
from skmer.models import load_model, save_model
from tests.embeddings.hub_models import difference, make_clips, make_model, save_models, tf, torch


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return save_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def clips():
    return make_clips()


def test_weights_that_changed(folders, clips, tmp_path):
    model, extractor = make_model("wav2vec2")
    model.save_pretrained(tmp_path / "net")
    extractor.save_pretrained(tmp_path / "net")
    hub = HubTransformer(str(tmp_path / "net"), layer=1).fit(clips)
    save_model(
        make_pipeline(hub, LogisticRegression()).fit(clips, [0, 1, 0, 1, 0]), tmp_path / "m.skmer"
    )
    torch.manual_seed(5)
    make_model("wav2vec2")[0].save_pretrained(tmp_path / "net")
    with pytest.raises(WeightsIntegrityError, match="changed since fit"):
        hub.transform(clips)
    with pytest.raises(WeightsIntegrityError, match="trained on weights"):
        load_model(tmp_path / "m.skmer")
    digest = hub.weights_digest_
    assert hub.fit(clips).weights_digest_ != digest


def test_weights_that_lack_arrays(folders, tmp_path):
    from safetensors.torch import load_file, save_file

    model, extractor = make_model("wav2vec2")
    model.save_pretrained(tmp_path)
    extractor.save_pretrained(tmp_path)
    arrays = load_file(tmp_path / "model.safetensors")
    del arrays["masked_spec_embed"]
    save_file(arrays, tmp_path / "model.safetensors", metadata={"format": "pt"})
    clip = [np.ones(16000, np.float32)]
    HubTransformer(str(tmp_path)).fit_transform(clip)
    del arrays[next(name for name in arrays if "layers.1" in name)]
    save_file(arrays, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsIntegrityError, match=r"lack 1 array .*layers\.1"):
        HubTransformer(str(tmp_path)).fit_transform(clip)


def test_no_pickle_and_no_code_of_others(folders, tmp_path):
    clip = [np.ones(16000, np.float32)]
    model, extractor = make_model("wav2vec2")
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
    # A saved model does not run it elsewhere unless it is allowed there too.
    save_model(
        make_pipeline(trusted, LogisticRegression()).fit(clip * 2, [0, 1]), tmp_path / "m.skmer"
    )
    with pytest.raises(InputError, match=r"code of its own.*trust_remote_code=True"):
        load_model(tmp_path / "m.skmer")
    assert load_model(tmp_path / "m.skmer", trust_remote_code=True).predict(clip).shape == (1,)
    hub = make_transformer(f"hub:{tmp_path}", trust_remote_code=True)
    assert hub.trust_remote_code
    assert not make_transformer(f"hub:{tmp_path}").trust_remote_code
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


def test_by_name(folders, clips, tmp_path):
    for text, layer in {"": -1, "#1": 1, "#-2": -2, "#all": "all", "#0+2": (0, 2)}.items():
        hub = make_transformer(f"hub:{folders('hubert')}{text}", memory=tmp_path / "cache")
        assert (hub.model_name, hub.layer, hub.memory) == (
            folders("hubert"),
            layer,
            tmp_path / "cache",
        )
        assert hub.fit(clips).get_feature_names_out()[0].startswith("hubert_layer")
    pinned = make_transformer("hub:some/model@v1.0#3")
    assert (pinned.model_name, pinned.revision, pinned.layer) == ("some/model", "v1.0", 3)
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
    table = pd.read_csv("t.csv")
    expected = HubTransformer("./net", layer=1).fit_transform(clips)
    assert difference(table.filter(like="layer1_mean").to_numpy(), expected) < 1e-5
    paths = [f"{i}.wav" for i in range(5)]
    steps = HubTransformer("./net", layer=1, time_pooling=None)
    done = extract(paths, steps, "frames.parquet", frames=True)
    assert done.n_rows == sum(map(len, steps.fit(paths).transform_frames(paths)))


def test_the_command_and_code_of_others(folders, clips, tmp_path, monkeypatch, capsys):
    from skmer.cli import main

    monkeypatch.chdir(tmp_path)
    shutil.copytree(folders("hubert"), "net")
    config = json.loads(Path("net/config.json").read_text())
    config |= {
        "model_type": "own",
        "auto_map": {"AutoConfig": "own.OwnConfig", "AutoModel": "own.OwnModel"},
    }
    Path("net/config.json").write_text(json.dumps(config))
    Path("net/own.py").write_text(
        "from transformers import HubertConfig, HubertModel\n\n\n"
        "class OwnConfig(HubertConfig):\n    model_type = 'own'\n\n\n"
        "class OwnModel(HubertModel):\n    config_class = OwnConfig\n"
    )
    rows = ["path,label,group"]
    for i in range(24):
        soundfile.write(f"{i}.wav", clips[i % 5], 16000, subtype="FLOAT")
        rows.append(f"{i}.wav,{'ab'[i % 2]},{i % 12}")
    Path("clips.csv").write_text("\n".join(rows))
    train = ["train", "clips.csv", "--features", "hub:./net#1", "--classifiers", "nb"]
    train += ["--folds", "2", "--out", "m.skmer", "--jobs", "1"]
    assert main(train) == 2
    message = capsys.readouterr().err
    assert "--trust-remote-code" in message
    assert "trust_remote_code" not in message
    trust = "--trust-remote-code"
    assert main([*train, trust]) == 0
    assert main(["predict", "m.skmer", "0.wav"]) == 2
    assert main(["predict", "m.skmer", "0.wav", trust]) == 0
    extract_one = ["extract", "0.wav", "--features", "hub:./net#1", "--out", "t.csv"]
    assert main(extract_one) == 2
    assert main([*extract_one, trust]) == 0
    evaluate = ["evaluate", *train[1:6], "--folds", "2", "--repeats", "1", "--out", "results"]
    assert main([*evaluate, "--jobs", "1", trust]) == 0


def test_offline_is_one_sentence_and_files_have_a_place(tmp_path, monkeypatch, caplog):
    import huggingface_hub as client

    monkeypatch.setattr(client.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(client.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsNotFoundError, match=r"nor on this machine.*\); connect, or name"):
        HubTransformer("nobody/no-such-model").fit([np.ones(16000, np.float32)])
    # What is not fetched is not announced.
    assert "Fetching" not in caplog.text
    (found,) = [one for one in list_weights() if one.name == "mert"]
    assert (found.state, found.path.parent.parent) == ("missing", tmp_path)

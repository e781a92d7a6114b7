"""The pieces of a reproduction: what is printed, stored, limited, left out, and found."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

from skmer.embeddings import make_transformer
from skmer.exceptions import DatasetNotFoundError
from skmer.studies import Reproduction, reproduce_koh2021
from skmer.studies.koh2021.data import (
    DATASETS,
    FAITHFUL,
    FULL,
    QUICK,
    StudyDatasets,
    _add_digests,
    _without_rare,
    describe_reductions,
    feature_of,
    make_features,
    published,
)
from skmer.studies.koh2021.pieces import (
    PieceStore,
    RunContext,
    _check_reports,
    find_published_features,
    make_model,
    regress,
)


def test_published_counts_add_up():
    counts = published()["clips"]["counts"]
    assert [sum(counts[name].values()) for name in DATASETS] == [900, 162, 744, 848]


def test_printed_reports_are_not_of_a_tenth():
    found = _check_reports()
    assert found["4q"]["tenth_possible"] == []
    assert 180 in found["4q"]["sizes"]
    assert found["bimodal"]["tenth_possible"] == []
    assert found["bimodal"]["sizes"][0] == 25
    assert found["bimodal"]["supports"] == [8, 9, 3, 5]


def test_what_quick_changes_is_described_from_the_numbers_themselves():
    assert describe_reductions(FULL) == []
    reductions = describe_reductions(QUICK)
    assert "3 instead of 20 random 80/10/10 splits of every cell" in reductions
    assert "30 instead of 1000 epochs at most of MLP, CNN and LSTM" in reductions
    assert len(reductions) == 8


@pytest.mark.parametrize(
    ("preset", "patience", "full_epochs"), [("koh2021", None, 1000), ("tuned", 10, 200)]
)
def test_quick_trains_no_longer_than_it_says(preset, patience, full_epochs):
    parameters = make_model("mlp", preset, QUICK).get_params()
    epochs = [value for name, value in parameters.items() if name.endswith("epochs")]
    waits = [value for name, value in parameters.items() if name.endswith("patience")]
    assert (epochs, waits) == ([30], [patience])
    full = make_model("mlp", preset, FULL).get_params()
    assert [value for name, value in full.items() if name.endswith("epochs")] == [full_epochs]


def test_the_matrix_is_the_studys_or_coarser_over_the_same_time():
    mfcc = make_transformer("mfcc")
    full, quick = (feature_of(mfcc, "cnn", FAITHFUL, budget) for budget in (FULL, QUICK))
    assert (full.statistics, full.n_frames, full.hop_length) == (None, 1500, 441)
    assert quick.n_frames * quick.hop_length == full.n_frames * full.hop_length
    assert feature_of(mfcc, "svm", FAITHFUL, QUICK).n_frames is None


def test_a_piece_is_computed_once_for_its_settings(tmp_path):
    store, calls = PieceStore(tmp_path), []

    def compute():
        calls.append(1)
        return {"n": len(calls), "names": ("a", "b")}

    assert store.facts("a", {"seed": 0}, compute) == {"n": 1, "names": ["a", "b"]}
    assert PieceStore(tmp_path).facts("a", {"seed": 0}, compute)["n"] == 1
    assert store.facts("a", {"seed": 1}, compute)["n"] == 2
    assert store.computed == ["a", "a"]


def _cut(path):
    path.write_bytes(path.read_bytes()[:20])


def _change_one_bit(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [_cut, _change_one_bit, Path.unlink])
def test_a_damaged_piece_is_computed_again(tmp_path, damage):
    store = PieceStore(tmp_path)
    for n in (1, 2):
        assert store.facts("a", {}, lambda n=n: {"n": n}) == {"n": n}
        (file,) = tmp_path.rglob("*.clip")
        damage(file)
    assert store.computed == ["a", "a"]


def test_clips_are_known_by_their_content(tmp_path):
    frame = pd.DataFrame({"path": ["x/1.wav"], "label": ["calm"]})

    def digest(folder, content, frame=frame):
        (tmp_path / folder / "x").mkdir(parents=True, exist_ok=True)
        path = tmp_path / folder / "x" / "1.wav"
        path.write_bytes(content)
        clips = Bunch(frame=frame.assign(path=str(path)), data=[str(path)])
        datasets = StudyDatasets({("4q", "faithful"): clips})
        _add_digests(datasets, verbose=False)
        return clips.digest

    first = digest("here", b"one")
    assert digest("there", b"one") == first
    assert digest("here", b"two") != first
    assert digest("here", b"one", frame.assign(label="sad")) != first


def test_a_piece_that_fails_leaves_nothing(tmp_path):
    store = PieceStore(tmp_path)
    with pytest.raises(ZeroDivisionError):
        store.facts("a", {}, lambda: {"n": 1 // 0})
    with pytest.raises(TypeError):
        store.facts("b", {}, lambda: {"n": object()})
    assert not list(tmp_path.rglob("*.clip"))


def test_classes_too_rare_to_split_are_left_out_by_name():
    target = np.array(["calm"] * 6 + ["sad"] * 2 + ["angry"] * 4)
    groups = np.array([1, 1, 1, 2, 2, 2, 1, 2, 3, 3, 3, 3])
    frame = pd.DataFrame({"label": target})
    clips = Bunch(data=np.arange(12), target=target, groups=groups, frame=frame)
    kept, rare = _without_rare(clips)
    assert rare == {"sad": 2, "angry": 4}
    assert kept.target.tolist() == ["calm"] * 6
    assert len(kept.data) == len(kept.groups) == len(kept.frame) == 6
    assert len(clips.data) == 12


@pytest.fixture
def options(tmp_path, monkeypatch):
    monkeypatch.setenv("SKMER_WEIGHTS", str(tmp_path / "weights"))
    shared = {"random_state": 0, "memory": None, "n_jobs": None, "verbose": False}
    return shared | {"edition": FAITHFUL, "budget": FULL}


def test_networks_without_weights_are_left_out(options):
    features, left_out = make_features(["l3", "mfcc"], weights="pretrained", **options)
    assert list(features) == ["mfcc"]
    assert "openl3-mel256-music" in left_out["l3"]


def test_random_weights_are_marked(options):
    features, left_out = make_features(["l3", "vggish", "mfcc"], weights=None, **options)
    assert left_out == {}
    found = Reproduction(StudyDatasets(), FULL, 0, features=features)
    assert list(found.random_features) == ["l3", "vggish", "l3-6144"]
    assert features["l3"].hop_size == 0.1
    assert features["l3-6144"].embedding_size == 6144


def test_musicnn_may_be_asked_for_beside_the_studys_features(tmp_path):
    with pytest.raises(DatasetNotFoundError):
        reproduce_koh2021(tmp_path / "out", data_home=tmp_path, features=("mfcc", "musicnn"))


def test_without_any_dataset_it_says_where_to_get_them(tmp_path):
    with pytest.raises(DatasetNotFoundError, match="None of the study's datasets is in place"):
        reproduce_koh2021(tmp_path / "out", data_home=tmp_path)


N_SONGS = 40


@pytest.fixture
def songs():
    rng = np.random.default_rng(0)
    static = 5 + rng.normal(size=(N_SONGS, 2))
    frame = pd.DataFrame(
        {
            "song_id": rng.permutation(N_SONGS),
            "split": np.where(np.arange(N_SONGS) < 30, "train", "test"),
            "static_arousal": static[:, 0],
            "static_valence": static[:, 1],
            "dynamic_arousal": (static[:, 0] - 5) / 4,
            "dynamic_valence": (static[:, 1] - 5) / 4,
        }
    )
    artists = np.arange(N_SONGS) // 2
    return SimpleNamespace(
        frame=frame,
        data=[f"{song}.mp3" for song in frame["song_id"]],
        target=np.repeat(["Q1", "Q2"], N_SONGS // 2),
        groups=artists,
        digest="of the songs",
    )


def test_published_features_go_to_their_songs(tmp_path, songs):
    folder = tmp_path / "choi2017"
    folder.mkdir()
    ids = np.arange(N_SONGS)
    pd.DataFrame({"id": ids}).to_csv(folder / "emoMusic.csv")
    assert find_published_features(tmp_path, songs) is None
    for layer in range(5):
        np.save(folder / f"emoMusic_layer_{layer}.npy", np.stack([ids, ids + layer], axis=1))
    features = find_published_features(tmp_path, songs)
    assert features.shape == (N_SONGS, 10)
    assert (features[:, 0] == songs.frame["song_id"]).all()
    pd.DataFrame({"id": ids[1:]}).to_csv(folder / "emoMusic.csv")
    with pytest.raises(ValueError, match="a row for each of the 40 songs"):
        find_published_features(tmp_path, songs)


def test_regression_under_three_protocols(tmp_path, songs, monkeypatch):
    from sklearn.svm import SVR

    from skmer.evaluation import tasks as _regression

    monkeypatch.setitem(_regression.GRIDS, "svr", (SVR(), {"C": [10]}))
    context = RunContext(PieceStore(tmp_path), QUICK, 0, None, False)
    values = songs.frame[["static_arousal", "static_valence"]].to_numpy()
    result = regress("known", values, songs, context)
    assert set(result.scores["protocol"]) == {"shuffled", "grouped", "fixed"}
    assert set(result.scores["target"]) == {
        "static arousal", "static valence", "dynamic arousal", "dynamic valence"
    }  # fmt: skip
    r2 = result.intervals().set_index(["protocol", "target"])["r2"]
    assert r2["shuffled"].min() > 0.8
    # The dynamic targets here are the static ones in another unit.
    assert r2["grouped", "dynamic valence"] == pytest.approx(
        r2["grouped", "static valence"], abs=0.01
    )
    regress("known", values, songs, context)
    assert context.store.computed == ["emomusic-r2-known"]

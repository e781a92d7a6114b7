"""Emotion over time by the command: evaluated, trained, saved, and predicted."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from skmer.models import load_model, predict_clips, read_card

TIMES = np.arange(0.5, 4, 0.5)


@pytest.fixture
def folder(tmp_path):
    """Twelve clips whose loudness is their arousal, in both published forms."""
    rng, sr, rows, wide = np.random.default_rng(0), 8000, [], []
    t = np.arange(4 * sr) / sr
    for i in range(12):
        level = np.interp(t, [0, 2, 4], rng.uniform(-1, 1, 3))
        sound = 0.5 * 10**level * rng.standard_normal(t.size)
        soundfile.write(tmp_path / f"{i}.wav", sound / 20, sr, subtype="FLOAT")
        arousal = np.interp(TIMES, t, level)
        wide.append([i, *arousal])
        rows += [(f"{i}.wav", i % 6, time, value) for time, value in zip(TIMES, arousal)]
    columns = ["path", "group", "time", "arousal"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "long.csv", index=False)
    names = ["song_id", *(f"sample_{1000 * time:.0f}ms" for time in TIMES)]
    pd.DataFrame(wide, columns=names).to_csv(tmp_path / "arousal.csv", index=False)
    clips = pd.DataFrame({"path": [f"{i}.wav" for i in range(12)], "group": np.arange(12) % 6})
    clips.to_csv(tmp_path / "clips.csv", index=False)
    return tmp_path


def test_a_published_file_of_the_target(skmer, folder, monkeypatch):
    """It is found from the current folder; of six groups there are six folds."""
    (folder / "here").mkdir()
    monkeypatch.chdir(folder / "here")
    run = ["--frames", "--features", "mfcc", "--jobs", 1, "--out", "results"]
    outcome = skmer("evaluate", folder / "clips.csv", "--target", "arousal=../arousal.csv", *run)
    assert outcome.status == 0
    assert pd.read_csv("results/scores.csv")["fold"].nunique() == 6
    assert "84 moments" in outcome.err
    scores = pd.read_csv("results/scores.csv")
    assert (scores["r2"] > 0.8).all()
    assert {"pearson", "spearman", "ccc_song"} <= set(scores)


def test_a_model_that_is_saved_predicts_curves(skmer, folder):
    train = ["train", folder / "long.csv", "--target", "arousal", "--frames", "--features", "mfcc"]
    assert skmer(*train, "--folds", 3, "--out", "m.skmer").status == 0
    assert read_card("m.skmer")["data"]["step"] == 0.5
    clip = folder / "3.wav"
    out = skmer("predict", "m.skmer", clip, "--out", "curve.csv")
    assert out.status == 0
    curve = pd.read_csv("curve.csv")
    assert curve["time"].tolist() == np.arange(0, 4.5, 0.5).tolist()
    truth = pd.read_csv(folder / "long.csv").query("path == '3.wav'").set_index("time")["arousal"]
    predicted = curve.set_index("time").loc[truth.index, "arousal"]
    assert np.corrcoef(truth, predicted)[0, 1] > 0.95
    # Every frame for itself, and the clip as a whole.
    model = load_model("m.skmer")
    assert len(predict_clips(model, [clip], frames=True)) > 100
    assert len(predict_clips(model, [clip])) == 1


def test_from_the_curves_of_one_dataset_to_those_of_another(skmer, folder):
    table = pd.read_csv(folder / "long.csv")
    is_second = table["path"].isin([f"{i}.wav" for i in range(6, 12)])
    table[~is_second].to_csv(folder / "one.csv", index=False)
    # Annotated at other moments, and on another scale.
    other = table[is_second & (table["time"] > 1)]
    other.assign(arousal=5 + 4 * other["arousal"]).to_csv(folder / "two.csv", index=False)
    run = ["evaluate", folder / "one.csv", "--test-on", folder / "two.csv", "--target", "arousal"]
    run += ["--frames", "--features", "mfcc", "--folds", 3, "--jobs", 1, "--out", "results"]
    assert skmer(*run, "--scales=-1:1,1:9").status == 0
    scores = pd.read_csv("results/scores.csv").set_index("protocol")
    assert scores.loc["across", "r2"] > 0.5
    predictions = pd.read_csv("results/predictions.csv").query("protocol == 'across'")
    assert sorted(predictions["time"].unique()) == [1.5, 2.0, 2.5, 3.0, 3.5]
    assert predictions["y_true"].abs().max() <= 1


def test_mistakes(one_sentence, folder):
    table = folder / "long.csv"
    assert "--frames needs numbers" in one_sentence("evaluate", table, "--frames")
    assert "--frames" in one_sentence("evaluate", table, "--target", "arousal")
    said = one_sentence("evaluate", "toy", "--target", "arousal", "--frames")
    assert "toy has no arousal over time" in said

"""`skmer train`: from clips to a model that is kept."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skmer.embeddings import mfcc
from skmer.models import load_model, predict_clips, read_card

WORDS = ("--features", "mfcc", "--classifiers", "nb", "--out")


def test_from_clips_to_the_emotion_of_a_new_one(skmer, clips):
    outcome = skmer("train", clips / "clips.csv", *WORDS, "m.skmer")
    assert outcome.status == 0
    assert "The model is in m.skmer, and its card in m.md" in outcome.err
    card = read_card("m.skmer")
    assert card["protocol"] == "grouped"
    assert card["classes"] == ["calm", "tense"]
    assert 0.5 < card["scores"][0]["accuracy"] <= 1
    assert card["command"].startswith("skmer train ")
    assert card["data"]["n_groups"] == 5
    assert card["interval"].startswith("low to high: 95 %, by bootstrap over 5 groups, of")
    assert "groups" not in card
    assert "## Interval" in Path("m.md").read_text()
    table = pd.read_csv(clips / "clips.csv")
    paths = [str(clips / name) for name in table["path"]]
    assert (load_model("m.skmer").predict(paths) == table["label"]).mean() > 0.9
    assert skmer("predict", "m.skmer", paths[0]).out.splitlines()[1].split(",")[1] == "calm"


def test_a_part_of_each_clip_is_what_is_learnt_from_and_predicted(skmer, clips, monkeypatch):
    seconds = set()
    compute = mfcc.MFCCRecipe.compute

    def note(recipe, waveform, n_threads):
        blocks = list(waveform)
        seconds.add(round(sum(map(len, blocks)) / recipe.sr, 3))
        return compute(recipe, iter(blocks), n_threads)

    monkeypatch.setattr(mfcc.MFCCRecipe, "compute", note)
    part = ("--offset", 0.05, "--duration", 0.1, "--pooling", "mean,max", "--no-cache")
    words = ("--features", "mfcc", "--classifiers", "nb", *part)
    assert skmer("train", clips / "clips.csv", *words, "--jobs", 1, "--out", "m.skmer").status == 0
    assert skmer("predict", "m.skmer", clips / "01.wav").status == 0
    assert seconds == {0.1}
    (used,) = read_card("m.skmer")["features"]
    assert (used["parameters"]["offset"], used["parameters"]["duration"]) == (0.05, 0.1)
    assert load_model("m.skmer")[0].statistics == ("mean", "max")


def test_numbers(skmer, clips):
    table = pd.read_csv(clips / "clips.csv")
    table["arousal"] = (table["label"] == "tense") + np.linspace(0, 0.1, 20)
    table["valence"] = -table["arousal"]
    table.drop(columns="group", errors="ignore").to_csv(clips / "clips.csv", index=False)
    words = (
        "--features",
        "mfcc",
        "--classifiers",
        "ridge",
        "--target",
        "arousal,valence",
        "--folds",
        5,
    )
    assert skmer("train", clips / "clips.csv", *words, "--out", "m.skmer").status == 0
    assert [row["target"] for row in read_card("m.skmer")["scores"]] == ["arousal", "valence"]
    assert "none could be determined" in Path("m.md").read_text()
    out = skmer("predict", "m.skmer", clips / "01.wav").out.splitlines()
    assert out[0] == "path,arousal,valence,error,notes"
    arousal, valence = map(float, out[1].split(",")[1:3])
    assert arousal > 0.5
    assert valence < -0.5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["clips/clips.csv", "--features", "l4", "--out", "m.skmer"],
            "must be one or several of musicnn",
        ),
        (
            ["clips/clips.csv", "--classifiers", "svm,nb", "--out", "m.skmer"],
            "--classifiers must be one name",
        ),
        (["nowhere", "--features", "mfcc", "--out", "m.skmer"], "Got 'nowhere'"),
        (["clips/clips.csv"], "Missing option '--out'"),
        (["clips/clips.csv", "--out", "m.md"], "--out must not end in .md"),
    ],
)
def test_mistakes(one_sentence, clips, tmp_path, words, said):
    assert said in one_sentence("train", *words)
    assert not (tmp_path / "m.skmer").exists()


def test_tags(skmer, clips):
    table = pd.read_csv(clips / "clips.csv")
    table["tags"] = table["label"].map({"calm": "calm;soft", "tense": "tense"})
    table.drop(columns="label").to_csv(clips / "clips.csv", index=False)
    assert skmer("train", clips / "clips.csv", *WORDS, "m.skmer", "--target", "tags").status == 0
    assert read_card("m.skmer")["scores"][0]["average_precision"] > 0.8
    paths = [str(clips / name) for name in table["path"]]
    predicted = predict_clips(load_model("m.skmer"), paths)
    assert (predicted["tags"] == table["tags"]).mean() > 0.9
    assert list(predicted)[1:] == [
        "tags",
        "proba_calm",
        "proba_soft",
        "proba_tense",
        "error",
        "notes",
    ]

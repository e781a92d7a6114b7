"""`skmer predict`: rows for people and for programs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skmer import MFCCStatsTransformer
from skmer.models import predict_clips, save_model
from skmer.utils import ClipCache
from tests.models.songs import LoudnessTransformer


@pytest.fixture
def model(clips, tmp_path):
    """A fitted model, and where it was saved."""
    table = pd.read_csv(clips / "clips.csv")
    paths = [str(clips / name) for name in table["path"]]
    made = make_pipeline(MFCCStatsTransformer(), GaussianNB()).fit(paths, table["label"])
    return made, save_model(made, tmp_path / "m.skmer")


def test_csv_to_the_screen_and_progress_beside_it(skmer, clips, model):
    outcome = skmer("predict", model[1], clips / "01.wav", clips / "02.wav")
    assert outcome.status == 0
    lines = outcome.out.splitlines()
    assert lines[0] == "path,label,proba_calm,proba_tense,error,notes"
    assert [line.split(",")[1] for line in lines[1:]] == ["tense", "calm"]
    assert outcome.err == ""


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
def test_files(skmer, clips, model, suffix):
    made, path = model
    (clips / "07.wav").write_text("no audio")
    outcome = skmer("predict", path, clips / "clips.csv", "--out", f"p{suffix}")
    assert outcome.status == 0
    assert "could not be read, see the column 'error': 1." in outcome.err
    read = {".csv": pd.read_csv, ".json": pd.read_json, ".parquet": pd.read_parquet}[suffix]
    table = read(f"p{suffix}")
    expected = predict_clips(made, table["path"].tolist())
    assert table["label"].tolist()[:7] == expected["label"].tolist()[:7]
    assert table["error"].notna().tolist() == [i == 7 for i in range(20)]
    if suffix == ".json":
        with open("p.json", encoding="utf-8") as stream:
            assert json.load(stream)[7]["label"] is None


def test_no_cell_of_a_csv_is_run_by_a_spreadsheet(skmer, clips):
    paths = [str(clips / f"{i:02}.wav") for i in range(20)]
    labels = ["=cmd|' /C calc'!A0", "-1"] * 10
    save_model(make_pipeline(MFCCStatsTransformer(), GaussianNB()).fit(paths, labels), "m.skmer")
    shutil.copy(paths[0], "@SUM(A1).wav")
    outcome = skmer("predict", "m.skmer", "@SUM(A1).wav", paths[1])
    assert skmer("predict", "m.skmer", "@SUM(A1).wav", paths[1], "--out", "p.csv").status == 0
    assert Path("p.csv").read_text() == outcome.out
    lines = outcome.out.splitlines()
    assert lines[1].startswith("'@SUM(A1).wav,'=cmd|")
    assert lines[2].split(",")[1] == "-1"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are always text")
@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
def test_a_name_in_another_encoding_is_escaped(skmer, clips, model, suffix):
    shutil.copy(clips / "01.wav", os.fsdecode(os.fsencode(clips) + b"/\xdf.wav"))
    assert skmer("predict", model[1], clips, "--out", f"p{suffix}").status == 0
    read = {".csv": pd.read_csv, ".json": pd.read_json, ".parquet": pd.read_parquet}[suffix]
    table = read(f"p{suffix}")
    assert len(table) == 21
    assert table["path"].str.endswith(r"\udcdf.wav").sum() == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.skmer", "01.wav"], "There is no model"),
        (["clips/clips.csv", "clips"], "is not a model that skmer train wrote"),
        (["m.skmer", "clips", "--out", "t.txt"], "--out must end in .csv, .json, .parquet"),
        (["m.skmer", "missing.wav"], "There is no file, folder or match"),
        (["m.skmer", "clips", "--frames"], "whose pooling a single frame has"),
    ],
)
def test_mistakes(one_sentence, model, words, said):
    assert said in one_sentence("predict", *words)


def test_nothing_read_is_status_1(skmer, clips, model):
    (clips / "01.wav").write_text("no audio")
    assert skmer("predict", model[1], clips / "01.wav").status == 1


def test_silence_has_a_note_and_is_an_error_where_it_is_asked_for(skmer, clips, model):
    soundfile.write("silent.wav", np.zeros(22050), 22050)
    clips = [model[1], clips / "01.wav", "silent.wav"]
    outcome = skmer("predict", *clips)
    assert outcome.status == 0
    assert outcome.out.splitlines()[-1].endswith(",silent")
    assert "see the column 'notes': 1." in outcome.err
    outcome = skmer("predict", *clips, "--strict")
    assert outcome.status == 1
    assert 'silent.wav,,,,"the clip is silent, which' in outcome.out


def test_resumed_and_never_shrunk(skmer, one_sentence, clips, model):
    outcome = skmer("predict", model[1], clips, "--out", "p.csv", "--cache", "cache")
    assert outcome.status == 0
    assert len(ClipCache("cache")) == 20
    message = one_sentence("predict", model[1], clips / "01.wav", "--out", "p.csv")
    assert "has 20 clips, and would be replaced by one of 1; pass --force to replace" in message
    assert skmer("predict", model[1], clips / "01.wav", "--out", "p.csv", "--force").status == 0
    assert len(pd.read_csv("p.csv")) == 1


@pytest.mark.parametrize("table", ["t.parquet", "t.csv", "folder"])
def test_from_the_table_of_extract(skmer, one_sentence, clips, model, table):
    assert skmer("extract", clips, "--features", "mfcc", "--out", table).status == 0
    from_clips = skmer("predict", model[1], clips)
    assert skmer("predict", model[1], table).out == from_clips.out
    assert "must be the only INPUT" in one_sentence("predict", model[1], table, clips)
    skmer("extract", clips, "--features", "mfcc", "--duration", "0.1", "--out", f"other{table}")
    message = one_sentence("predict", model[1], f"other{table}")
    assert "was made with duration 0.1, and the model with None" in message


def test_columns_are_there_when_every_clip_fails(skmer, clips, model):
    (clips / "01.wav").write_text("no audio")
    outcome = skmer("predict", model[1], clips / "01.wav")
    assert outcome.out.splitlines()[0] == "path,label,proba_calm,proba_tense,error,notes"


def test_a_model_of_ones_own_class_is_trusted_by_its_name(skmer, clips):
    paths = [str(clips / f"{i:02}.wav") for i in range(6)]
    own = make_pipeline(LoudnessTransformer(), GaussianNB()).fit(paths, ["calm", "tense"] * 3)
    save_model(own, "own.skmer", trusted=[LoudnessTransformer])
    refused = skmer("predict", "own.skmer", paths[0])
    assert refused.status == 2
    assert "LoudnessTransformer. Name those that you trust" in refused.err
    name = "tests.models.songs.LoudnessTransformer"
    assert skmer("predict", "own.skmer", paths[0], "--trusted", name).status == 0


LEFT_OUT = {
    "pandas", "pytest", "matplotlib", "librosa", "tensorflow", "keras", "polars", "fsspec", "pooch",
    "sklearn.datasets", "skmer.evaluation", "skmer.studies",
}  # fmt: skip


def test_the_program_imports_what_it_needs_alone(clips, model):
    """scikit-learn imports pandas, and skops all of scikit-learn, and pytest, without a use of it."""
    code = (
        "import gc, sys; from skmer.cli import main; sys.argv[0] = 'skmer'; status = main(); "
        "import sklearn.utils; assert gc.isenabled(); assert sklearn.utils.all_estimators is not list; "
        f"sys.exit(status or ' '.join({LEFT_OUT} & set(sys.modules)) or None)"
    )
    words = [sys.executable, "-c", code, "predict", model[1], clips / "01.wav"]
    ended = subprocess.run(words, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "01.wav" in ended.stdout

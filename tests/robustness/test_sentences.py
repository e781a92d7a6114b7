"""What is said stays short, and words that are no path or no number are not taken for one."""

import os

import numpy as np
import pandas as pd
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skmer import L3Transformer, MFCCStatsTransformer, exceptions
from skmer.classifiers import KerasMLPClassifier
from skmer.cli import main
from skmer.datasets import find_clips, get_data_home, load_csv, load_folder, load_toy_emotions
from skmer.embeddings import extract
from skmer.evaluation import evaluate_regression
from skmer.models import load_model, save_model
from skmer.studies import reproduce_koh2021
from skmer.utils import ClipCache
from skmer.utils.estimators import InvalidParameterError
from skmer.utils.files import check_output_file, check_output_folder, expand_path

NOISE = 0.1 * np.random.default_rng(0).standard_normal(4000)
CLASSES = [getattr(exceptions, name) for name in exceptions.__all__]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_message_is_one_short_line_that_keeps_the_end_of_a_path(kind):
    start, end = "/home" * 900, "/song.wav"
    said = str(kind(f"There is no file {start}{end}\n and none\n {start}.txt: say another one."))
    assert len(said) <= 500
    assert "\n" not in said
    assert "There is no file /home" in said
    assert end in said
    assert said.endswith(".txt: say another one.")


def test_any_text_is_bounded():
    for text in ("a " * 10**5, "a" * 10**6, f"{'b' * 99} " * 9, "\n" * 1000, ""):
        assert len(exceptions.bounded(text)) <= 500
    assert exceptions.bounded("short  text\n here ") == "short  text here"


@pytest.fixture
def deep(tmp_path):
    """A path that a file system can have, and no sentence."""
    return os.path.join(tmp_path, *["a" * 200] * 8)


@pytest.mark.parametrize(
    "call",
    [
        lambda path: check_output_folder(f"{path}/x"),
        lambda path: check_output_file(f"{path}/x/t.csv"),
        lambda path: check_output_file(os.path.dirname(path)),
        lambda path: load_model(f"{path}.skmer"),
        lambda path: load_csv(f"{path}/t.csv"),
        lambda path: load_folder(f"{path}/none"),
        lambda path: load_toy_emotions(data_home=f"{path}/x"),
        lambda path: find_clips([f"{path}/none"]),
        lambda path: extract(["a.wav"], MFCCStatsTransformer(), f"{path}/t.txt"),
        lambda path: extract(["a.wav"], MFCCStatsTransformer(), f"{path}/x/t.csv"),
        lambda path: reproduce_koh2021(os.path.dirname(path), data_home=f"{path}-none"),
        lambda path: L3Transformer(weights=f"{path}.h5").fit([NOISE]),
        lambda path: MFCCStatsTransformer().fit_transform([f"{path}.wav"]),
    ],
)
def test_messages_with_long_paths(call, deep):
    os.makedirs(os.path.dirname(deep))
    # A file where folders have to be.
    open(deep, "w").close()
    with pytest.raises((ValueError, OSError)) as caught:
        call(deep)
    assert len(str(caught.value)) <= 500


@pytest.mark.parametrize(
    "call",
    [
        lambda text: L3Transformer(hop_size=text).fit([NOISE]),
        lambda text: KerasMLPClassifier(epochs=text).fit(np.eye(4), list("abab")),
        lambda text: load_toy_emotions(as_frame=text),
        lambda text: load_csv("t.csv", target_columns=3, path_column=[text]),
    ],
)
def test_scikit_learns_messages_are_bounded_and_keep_their_class(call):
    with pytest.raises(InvalidParameterError) as caught:
        call("x\n" * 10**6)
    assert len(str(caught.value)) <= 500
    assert "parameter of" in str(caught.value)


@pytest.mark.parametrize(
    "call",
    [
        expand_path,
        ClipCache,
        get_data_home,
        load_csv,
        load_folder,
        load_model,
        lambda path: find_clips([path]),
        lambda path: extract(["a.wav"], MFCCStatsTransformer(), path),
        lambda path: L3Transformer(weights=path).fit([NOISE]),
        lambda path: MFCCStatsTransformer(memory=path).fit_transform([NOISE]),
        lambda path: save_model(
            make_pipeline(MFCCStatsTransformer(), GaussianNB()).fit([NOISE, -NOISE], [0, 1]), path
        ),
    ],
)
def test_an_empty_path_is_not_the_current_folder(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(exceptions.InputError, match="path is empty"):
        call("")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ["extract", "", "--out", "t.csv", "--features", "mfcc"],
        ["extract", "a.wav", "--out", "", "--features", "mfcc"],
        ["extract", "a.wav", "--out=", "--features", "mfcc"],
        ["evaluate", ""],
        ["evaluate", "toy", "--cache", ""],
        ["evaluate", "toy", "--out", ""],
        ["train", "toy", "--out", ""],
        ["predict", "", "a.wav"],
        ["reproduce", "koh2021", "--data-home", ""],
        ["cache", "prune", ""],
    ],
)
def test_an_empty_path_in_a_command(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert "path is empty" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ["evaluate", "toy", "--folds", "1_0"],
        ["evaluate", "toy", "--repeats", "1_0"],
        ["evaluate", "toy", "--jobs", "1_0"],
        ["train", "toy", "--out", "m.skmer", "--folds", "1"],
        ["extract", "a.wav", "--out", "t.csv", "--seed", "1_0"],
        ["extract", "a.wav", "--out", "t.csv", "--seed", "-1"],
        ["extract", "a.wav", "--out", "t.csv", "--hop-size", "0_1"],
        ["extract", "a.wav", "--out", "t.csv", "--hop-size", "nan"],
        ["extract", "a.wav", "--out", "t.csv", "--embedding-size", "51_2"],
        ["cache", "prune", "cache", "--max-bytes", "1_0"],
    ],
)
def test_words_that_are_no_number(words, capsys):
    assert main(words) == 2
    assert "number" in capsys.readouterr().err


@pytest.mark.parametrize("cell", ["1_0", "_1", "1_000.5", "0x10"])
def test_cells_that_are_no_number(cell, tmp_path):
    (tmp_path / "a.wav").touch()
    table = tmp_path / "t.csv"
    table.write_text(f"path,valence\na.wav,{cell}\n")
    with pytest.raises(exceptions.InputError, match=f"must be a number.*'{cell}' in line 2"):
        load_csv(table, target_columns="valence")
    for y in ([cell] * 12, np.array([cell] * 12), pd.Series([cell] * 12, dtype="string")):
        with pytest.raises(exceptions.InputError, match="must be numbers"):
            evaluate_regression({"x": np.eye(12)}, ["ridge"], None, y, groups=range(12))

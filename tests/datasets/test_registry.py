"""The datasets by name, and where they are looked for."""

import re
from pathlib import Path

import pytest

from skmer.datasets import (
    get_data_home,
    list_datasets,
    load_dataset,
    load_toy_emotions,
    validate_dataset,
)
from skmer.datasets.registry import DATASETS, describe
from skmer.exceptions import DatasetNotFoundError

NAMES = [
    "toy",
    "toy-tags",
    "ravdess-song",
    "emomusic",
    "deam",
    "4q",
    "bimodal",
    "merge",
    "pmemo",
    "mtg-jamendo-moodtheme",
]


def test_list():
    table = list_datasets().set_index("name")
    assert table.index.tolist() == NAMES
    assert table["clips"].tolist() == [80, 80, 1012, 744, 1802, 900, 162, 3554, 767, 18486]
    assert table["downloadable"].tolist() == [
        False,
        False,
        True,
        True,
        True,
        False,
        False,
        True,
        False,
        False,
    ]
    assert table.loc["bimodal", "classes"] == {"Q1": 52, "Q2": 45, "Q3": 31, "Q4": 34}
    assert (table["licence"] != "").all()
    assert table.loc["deam", "contains"] == ("emomusic",)
    assert table.loc["merge", "contains"] == ("4q", "bimodal")
    assert table["citation"].str.startswith("@").tolist() == [False, False] + [True] * 8


@pytest.mark.parametrize("name", NAMES)
def test_descriptions_state_counts_and_origin(name):
    info = DATASETS[name].info
    text = describe(info)
    for label, count in info.class_counts.items():
        assert f"{label} {count}" in text
    assert text.startswith(f"{info.title}\n---")
    assert re.search(rf":Clips: {info.n_clips} (tracks )?of", text)
    assert info.url in text
    assert info.licence.split(" ")[0].strip(":;") in text
    assert info.citation in text.replace("\n    ", "\n")
    assert not info.class_counts or sum(info.class_counts.values()) == info.n_clips


NEW_DATASET = '''\
"""Three clips.

:Clips: 3

.. code-block:: bibtex

    @misc{new}
"""
from typing import Literal

from skmer.datasets.registry import DatasetInfo, make_bunch, register_dataset
from skmer.datasets.validate import Finding

INFO = DatasetInfo(
    name="new", title="New", n_clips=3, class_counts={"x": 3}, groups="none", licence="any", url="",
    downloadable=False, folder="new", layout="``new/*.wav``", checked="names", description=__doc__,
)

def validate(folder, verbose):
    return [Finding(f"{i}.wav", "ok" if (folder / f"{i}.wav").is_file() else "missing") for i in range(3)]

@register_dataset(INFO, validate=validate)
def fetch_new(*, part: Literal["a", "b"] = "a", data_home=None, return_X_y=False, as_frame=False):
    """Load three clips.

    Parameters
    ----------
    part : {"a", "b"}, default="a"
        Which.

    Returns
    -------
    dataset : Bunch
        The clips.
    """
    import pandas as pd

    frame = pd.DataFrame({"path": [str(INFO.place(data_home) / f"{i}.wav") for i in range(3)]})
    return make_bunch(frame.assign(label="x"), INFO, target_names=["x"], part=part)
'''


def test_a_dataset_is_one_file(tmp_path, capsys):
    from skmer.cli.app import main

    module = {"__name__": "new", "__doc__": None}
    exec(compile(NEW_DATASET, "new.py", "exec"), module)
    try:
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / "0.wav").touch()
        row = list_datasets().set_index("name").loc["new"]
        assert (row["clips"], row["citation"]) == (3, "@misc{new}")
        dataset = load_dataset("new", data_home=tmp_path, part="b")
        assert (dataset.part, dataset.DESCR.split("\n")[0]) == ("b", "New")
        data, target = module["fetch_new"](data_home=tmp_path, return_X_y=True)
        assert data[0] == str(tmp_path / "new" / "0.wav")
        assert target.tolist() == ["x"] * 3
        frame = module["fetch_new"](data_home=tmp_path, as_frame=True)
        assert (frame.data.name, frame.target.name) == ("path", "label")
        assert "``new/*.wav``" in module["fetch_new"].__doc__
        with pytest.raises(ValueError, match="'part' parameter of fetch_new must be"):
            module["fetch_new"](part="c")
        report = validate_dataset("new", data_home=tmp_path)
        assert report.files("missing") == ["1.wav", "2.wav"]
        assert main(["datasets", "list"]) == 0
        assert "new" in capsys.readouterr().out
        assert main(["datasets", "validate", "new", "--data-home", str(tmp_path)]) == 1
    finally:
        del DATASETS["new"]


@pytest.mark.parametrize(
    ("name", "home"),
    [("ravdess-song", "ravdess_home"), ("emomusic", "emomusic_home"), ("4q", "fourq_home")],
)
def test_load_by_name(name, home, request):
    home = request.getfixturevalue(home)
    dataset = load_dataset(name, data_home=home, download_if_missing=False)
    clips = list_datasets().set_index("name")["clips"]
    assert len(dataset.data) == clips[name]
    assert dataset.frame.columns[:3].tolist() == ["path", "label", "group"]


def test_paths_of_folders_and_tables(tmp_path, monkeypatch):
    for name in ("sad/ann/1.wav", "sad/bob/2.wav", "toy/x/3.wav"):
        (tmp_path / "songs" / name).parent.mkdir(parents=True)
        (tmp_path / "songs" / name).touch()
    (tmp_path / "t.tsv").write_text("file\tmood\ttempo\nsongs/sad/ann/1.wav\tlow\t3.5\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_dataset("~/songs").groups.tolist() == ["ann", "bob", "x"]
    own = load_dataset(tmp_path / "t.tsv", path_column="file", target_columns="tempo")
    assert own.target.tolist() == [[3.5]]
    with pytest.raises(ValueError, match="must have a csv file with the columns 'path', 'mood'"):
        load_dataset("~/songs", label_column="mood")
    with pytest.raises(ValueError, match="'group_from' of load_dataset is not for a csv file"):
        load_dataset(tmp_path / "t.tsv", group_from="{group}")
    with pytest.raises(ValueError, match="'group_from' of load_dataset is not for the dataset toy"):
        load_dataset("toy", group_from="{group}")


def test_load_toy_by_name(toy_home):
    assert len(load_dataset("toy", data_home=toy_home).data) == 80


@pytest.mark.parametrize("function", [load_dataset, validate_dataset])
def test_unknown_name(function):
    with pytest.raises(ValueError, match=r"one of toy, toy-tags, ravdess-song, .* Got 'ravdes'"):
        function("ravdes")


def test_validate_nothing(tmp_path):
    with pytest.raises(DatasetNotFoundError, match="There is no folder"):
        validate_dataset("4q", data_home=tmp_path)


def test_report_as_a_frame(ravdess_home):
    frame = validate_dataset("ravdess-song", data_home=ravdess_home).frame
    assert frame.columns.tolist() == ["file", "status", "detail"]
    assert frame["status"].unique().tolist() == ["wrong"]  # the files are empty


def test_data_home(tmp_path, monkeypatch):
    monkeypatch.setenv("SKMER_DATA", str(tmp_path / "env"))
    assert get_data_home() == tmp_path / "env"
    assert get_data_home(tmp_path) == tmp_path
    assert get_data_home("~/x") == Path.home() / "x"
    monkeypatch.setenv("SKMER_DATA", "")
    assert get_data_home().name == "skmer"
    assert get_data_home().is_absolute()


def test_data_home_from_the_environment(toy_home, monkeypatch):
    monkeypatch.setenv("SKMER_DATA", str(toy_home))
    assert load_toy_emotions().data[0].startswith(str(toy_home))


def test_a_notebook_shows_what_was_checked(ravdess_home):
    report = validate_dataset("ravdess-song", data_home=ravdess_home)
    shown = report._repr_html_()
    assert shown.count("<li>") == len(str(report).splitlines())
    assert "not complete." in shown

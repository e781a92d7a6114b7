"""The datasets by name, and where they are looked for."""

from pathlib import Path

import pytest

from skmer.datasets import (
    get_data_home,
    list_datasets,
    load_dataset,
    load_toy_emotions,
    validate_dataset,
)
from skmer.datasets import registry as _registry
from skmer.datasets.info import describe
from skmer.exceptions import DatasetNotFoundError

NAMES = ["toy", "ravdess-song", "emomusic", "deam", "4q", "bimodal", "merge"]


def test_list():
    table = list_datasets().set_index("name")
    assert table.index.tolist() == NAMES
    assert table["clips"].tolist() == [80, 1012, 744, 1802, 900, 162, 3554]
    assert table["downloadable"].tolist() == [False, True, True, True, False, False, True]
    assert table.loc["bimodal", "classes"] == {"Q1": 52, "Q2": 45, "Q3": 31, "Q4": 34}
    assert (table["licence"] != "").all()
    assert table.loc["deam", "contains"] == ("emomusic",)
    assert table.loc["merge", "contains"] == ("4q", "bimodal")
    assert table["citation"].str.startswith("@").tolist() == [False] + [True] * 6


@pytest.mark.parametrize("name", NAMES)
def test_descriptions_state_counts_and_origin(name):
    module = _registry._MODULES[name]
    text = describe(module.INFO)
    for label, count in module.INFO.class_counts.items():
        assert f"{label} {count}" in text
    assert f":Clips: {module.INFO.n_clips} of" in text
    assert module.INFO.url in module.__doc__
    assert module.INFO.url in text
    assert module.INFO.licence.split(" ")[0].strip(":;") in text
    assert (
        not module.INFO.class_counts
        or sum(module.INFO.class_counts.values()) == module.INFO.n_clips
    )


@pytest.mark.parametrize(
    ("name", "home"),
    [("ravdess-song", "ravdess_home"), ("emomusic", "emomusic_home"), ("4q", "fourq_home")],
)
def test_load_by_name(name, home, request):
    home = request.getfixturevalue(home)
    name = {"ravdess_song": "ravdess-song"}.get(
        next(home.iterdir()).name, next(home.iterdir()).name
    )
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
    with pytest.raises(ValueError, match="'label_column' of load_dataset is not for a folder"):
        load_dataset("~/songs", label_column="mood")
    with pytest.raises(ValueError, match="'group_from' of load_dataset is not for a csv file"):
        load_dataset(tmp_path / "t.tsv", group_from="{group}")
    with pytest.raises(ValueError, match="'group_from' of load_dataset is not for the dataset toy"):
        load_dataset("toy", group_from="{group}")


def test_load_toy_by_name(toy_home):
    assert len(load_dataset("toy", data_home=toy_home).data) == 80


@pytest.mark.parametrize("function", [load_dataset, validate_dataset])
def test_unknown_name(function):
    with pytest.raises(ValueError, match=r"one of toy, ravdess-song, .* Got 'ravdes'"):
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


def test_a_notebook_shows_what_was_checked(tmp_path):
    load_dataset("toy", data_home=tmp_path)
    report = validate_dataset("toy", data_home=tmp_path)
    shown = report._repr_html_()
    assert shown.count("<li>") == len(str(report).splitlines())
    assert "complete." in shown

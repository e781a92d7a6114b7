"""4Q: Table 1 from a replica of the distributed layout."""

import pytest

from skmer.datasets import fetch_4q, validate_dataset
from skmer.exceptions import DatasetNotFoundError, IncompleteDatasetWarning


def test_the_classes_are_table_1(fourq_home):
    dataset = fetch_4q(data_home=fourq_home)
    assert dataset.data.shape == (900,)
    assert dataset.frame["label"].value_counts().to_dict() == {f"Q{i}": 225 for i in (1, 2, 3, 4)}
    assert all(label in path for label, path in zip(dataset.target, dataset.data))
    assert dataset.groups[:6].tolist() == ["beyoncé 0"] * 3 + ["beyoncé 1"] * 2 + ["MT0000000005"]
    assert dataset.frame.iloc[3].drop("path").to_dict() == {
        "label": "Q1",
        "group": "beyoncé 1",
        "song": "MT0000000003",
        "artist": "Beyoncé 1",
        "title": "A, B",
    }
    assert "@article{panda2020novel" in dataset.DESCR


def test_validate(fourq_home, change):
    assert validate_dataset("4q", data_home=fourq_home).ok
    folder = fourq_home / "4q" / "MER_audio_taffc_dataset"
    change(folder / "Q1" / "MT0000000000.mp3", None)
    change(folder / "Q2" / "MT0000000000.mp3", "")
    change(folder / "Q1" / "MT0000000001.mp3", None)
    change(folder / "Q1" / "other.mp3", "")
    report = validate_dataset("4q", data_home=fourq_home)
    assert report.files("wrong") == ["MER_audio_taffc_dataset/Q2/MT0000000000.mp3"]
    assert "folder Q2, its annotation is Q1" in str(report)
    assert report.files("missing") == ["MT0000000001"]
    assert report.files("extra") == ["MER_audio_taffc_dataset/Q1/other.mp3"]
    path = folder / "panda_dataset_taffc_annotations.csv"
    change(path, path.read_text().replace('"Q2"', '"Q3"', 1))
    report = validate_dataset("4q", data_home=fourq_home)
    assert "'Q2': 224, 'Q3': 226" in str(report)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"Quadrant"', '"Label"', "must have the columns"),
        ('"Q3"', '"Q5"', "must hold Q1, Q2, Q3, Q4.*Got 'Q5'"),
    ],
)
def test_annotations_that_are_not_the_published(fourq_home, change, old, new, message):
    folder = fourq_home / "4q" / "MER_audio_taffc_dataset"
    path = folder / "panda_dataset_taffc_annotations.csv"
    change(path, path.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        fetch_4q(data_home=fourq_home)
    assert not validate_dataset("4q", data_home=fourq_home).ok


def test_annotations_cut_to_300_songs(fourq_home, change):
    folder = fourq_home / "4q" / "MER_audio_taffc_dataset"
    path = folder / "panda_dataset_taffc_annotations.csv"
    change(path, "\n".join(path.read_text().splitlines()[:301]))
    with pytest.warns(IncompleteDatasetWarning, match="list 300 songs, .* has 900") as record:
        assert len(fetch_4q(data_home=fourq_home).data) == 300
    assert record[0].filename == __file__


def test_annotations_without_songs(fourq_home, change):
    folder = fourq_home / "4q" / "MER_audio_taffc_dataset"
    change(folder / "panda_dataset_taffc_annotations.csv", "Song,Quadrant\n")
    with pytest.raises(ValueError, match=r"must list songs\. Got none"):
        fetch_4q(data_home=fourq_home)


def test_nothing_in_place(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"Get it from http://mir\.dei\.uc\.pt.* unpack"):
        fetch_4q(data_home=tmp_path)
    folder = tmp_path / "4q"
    folder.mkdir()
    (folder / "panda_dataset_taffc_annotations.csv").write_text("Song,Quadrant\nMT1,Q1\n")
    (folder / "panda_dataset_taffc_metadata.csv").write_text("Song,Artist,Title\nMT1,A,B\n")
    with (
        pytest.warns(IncompleteDatasetWarning, match="list 1 song,"),
        pytest.raises(DatasetNotFoundError, match="There is no clip of 4Q"),
    ):
        fetch_4q(data_home=tmp_path)


def test_annotations_of_ones_own_are_not_taken_for_the_published_ones(fourq_home, change):
    before = fetch_4q(data_home=fourq_home).frame
    own = fourq_home / "4q" / "panda_dataset_taffc_annotations.csv"
    for text in ("Song,Mood\nMT0000000000,happy\n", "Song,Quadrant\nMT0000000000,Q4\n"):
        change(own, text)
        assert fetch_4q(data_home=fourq_home).frame.equals(before)

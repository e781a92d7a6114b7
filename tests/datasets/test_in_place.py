"""4Q and Bi-modal: Table 1 from replicas of the distributed layouts."""

import openpyxl
import pytest

from skmer.datasets import fetch_4q, fetch_bimodal, validate_dataset
from skmer.exceptions import DatasetNotFoundError, IncompleteDatasetWarning

from .conftest import BIMODAL_COUNTS, bimodal_rows, touch_bimodal_clips, write_xls


def test_4q_is_table_1(fourq_home):
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


def test_4q_validate(fourq_home):
    assert validate_dataset("4q", data_home=fourq_home).ok
    folder = fourq_home / "4q" / "MER_audio_taffc_dataset"
    (folder / "Q1" / "MT0000000000.mp3").rename(folder / "Q2" / "MT0000000000.mp3")
    (folder / "Q1" / "MT0000000001.mp3").rename(folder / "Q1" / "other.mp3")
    report = validate_dataset("4q", data_home=fourq_home)
    assert report.files("wrong") == ["MER_audio_taffc_dataset/Q2/MT0000000000.mp3"]
    assert "folder Q2, its annotation is Q1" in str(report)
    assert report.files("missing") == ["MT0000000001"]
    assert report.files("extra") == ["MER_audio_taffc_dataset/Q1/other.mp3"]
    path = folder / "panda_dataset_taffc_annotations.csv"
    path.write_text(path.read_text().replace('"Q2"', '"Q3"', 1))
    report = validate_dataset("4q", data_home=fourq_home)
    assert "'Q2': 224, 'Q3': 226" in str(report)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"Quadrant"', '"Label"', "must have the columns"),
        ('"Q3"', '"Q5"', "must hold Q1, Q2, Q3, Q4.*Got 'Q5'"),
    ],
)
def test_4q_annotations_that_are_not_the_published(fourq_home, old, new, message):
    folder = fourq_home / "4q" / "MER_audio_taffc_dataset"
    path = folder / "panda_dataset_taffc_annotations.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        fetch_4q(data_home=fourq_home)
    assert not validate_dataset("4q", data_home=fourq_home).ok


def test_4q_cut_to_300_songs_is_told(fourq_home):
    folder = fourq_home / "4q" / "MER_audio_taffc_dataset"
    path = folder / "panda_dataset_taffc_annotations.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:301]))
    with pytest.warns(IncompleteDatasetWarning, match="lists 300 songs, .* has 900") as record:
        assert len(fetch_4q(data_home=fourq_home).data) == 300
    assert record[0].filename == __file__


def test_4q_without_songs(fourq_home):
    folder = fourq_home / "4q" / "MER_audio_taffc_dataset"
    (folder / "panda_dataset_taffc_annotations.csv").write_text("Song,Quadrant\n")
    with pytest.raises(ValueError, match=r"must list songs\. Got none"):
        fetch_4q(data_home=fourq_home)


@pytest.fixture(params=["xlsx", "xls"])
def bimodal_home(request, tmp_path):
    """The Bi-modal dataset as distributed, in either of Excel's formats."""
    folder = tmp_path / "bimodal"
    touch_bimodal_clips(folder)
    rows = bimodal_rows(artists=request.param == "xlsx")
    path = folder / "MER_bimodal_dataset" / f"MER-Audio-dataset.{request.param}"
    if request.param == "xls":
        write_xls(path, rows)
    else:
        workbook = openpyxl.Workbook()
        for row in rows:
            workbook.active.append(row)
        workbook.save(path)
    return tmp_path


def test_bimodal_is_table_1(bimodal_home, request):
    dataset = fetch_bimodal(data_home=bimodal_home)
    assert dataset.data.shape == (162,)
    assert dataset.frame["label"].value_counts().to_dict() == BIMODAL_COUNTS
    assert dataset.data[0].endswith("A000 - title 0.mp3")
    assert dataset.data[1].endswith("A001.mp3")
    if "xlsx" in request.node.callspec.id:
        assert dataset.groups[:4].tolist() == ["artist 0", "artist 0", "artist 1", "artist 1"]
    else:
        assert dataset.groups is None
    last = dataset.frame.iloc[-1]
    assert (last["label"], last["arousal"], last["valence"]) == ("Q4", -2.5, 1.5)
    assert str(dataset.scale) == "annotated, -4 to 4"
    assert validate_dataset("bimodal", data_home=bimodal_home).ok


def test_bimodal_missing_clips(bimodal_home):
    corpus = bimodal_home / "bimodal" / "MER_bimodal_dataset" / "Corpus-Audio-162"
    (corpus / "A001.mp3").unlink()
    (corpus / "A0011.mp3").touch()  # another code that begins with the same letters
    with pytest.warns(IncompleteDatasetWarning, match=r"1 of 162 clips .* A001; the 161") as record:
        dataset = fetch_bimodal(data_home=bimodal_home)
    assert record[0].filename == __file__
    assert len(dataset.data) == 161
    report = validate_dataset("bimodal", data_home=bimodal_home)
    assert report.files("missing") == ["A001"]
    assert [name.rsplit("/", 1)[1] for name in report.files("extra")] == ["A0011.mp3"]


def test_bimodal_workbooks_that_are_not_the_published(tmp_path):
    touch_bimodal_clips(tmp_path / "bimodal")
    path = tmp_path / "bimodal" / "MER-Audio-dataset.xls"
    write_xls(path, [["Song Code", "Quadrant"], ["A000", "Q1"]])
    with pytest.raises(ValueError, match="a line with the headings"):
        fetch_bimodal(data_home=tmp_path)
    path.write_text("no workbook")
    with pytest.raises(ValueError, match="must be an Excel workbook"):
        fetch_bimodal(data_home=tmp_path)
    assert validate_dataset("bimodal", data_home=tmp_path).files("wrong") == ["MER-Audio-dataset"]


@pytest.mark.parametrize("fetch", [fetch_4q, fetch_bimodal])
def test_nothing_in_place(tmp_path, fetch):
    with pytest.raises(DatasetNotFoundError, match=r"get it from http://mir\.dei\.uc\.pt.* unpack"):
        fetch(data_home=tmp_path)


def test_annotations_without_audio(fourq_home, bimodal_home):
    for home, fetch in ((fourq_home, fetch_4q), (bimodal_home, fetch_bimodal)):
        for path in home.rglob("*.mp3"):
            path.unlink()
        with pytest.raises(DatasetNotFoundError, match="There is no clip of the"):
            fetch(data_home=home)

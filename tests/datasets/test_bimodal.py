"""Bi-modal: Table 1 from replicas of the distributed layout."""

import openpyxl
import pytest

from skmer.datasets import fetch_bimodal, validate_dataset
from skmer.exceptions import DatasetNotFoundError, IncompleteDatasetWarning

from .conftest import BIMODAL_COUNTS, bimodal_rows, touch_bimodal_clips, write_xls


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


def test_nothing_in_place(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"Get it from http://mir\.dei\.uc\.pt.* unpack"):
        fetch_bimodal(data_home=tmp_path)

"""PMEmo: the published tables exactly, and the static ones on a small replica."""

import numpy as np
import pytest

from skmer.datasets import fetch_pmemo, validate_dataset
from skmer.evaluation import audit
from skmer.exceptions import DatasetNotFoundError, IncompleteDatasetWarning, InputError

TABLES = {
    "metadata.csv": "musicId,fileName,title,artist,album,duration,chorus_start_time,chorus_end_time\n"
    '1,1.mp3,One,Ann,"A, B",16.5,00:10,00:26\n7,7.mp3,Two,ANN ,,20,00:10,00:30\n9,9.mp3,No,Bob,C,20,0,0\n',
    "annotations/static_annotations.csv": "musicId,Valence(mean),Arousal(mean)\n7,.2,.3\n1,.4,.9\n",
    "annotations/static_annotations_std.csv": "musicId,Arousal(std),Valence(std)\n1,.1,.2\n7,.1,.1\n",
    "annotations/dynamic_annotations.csv": "musicId,frameTime,Arousal(mean),Valence(mean)\n"
    "1,15.5,.6,.4\n1,16.0,.8,.4\n7,15.5,.5,.6\n",
    "annotations/dynamic_annotations_std.csv": "musicId,frameTime,Arousal(std),Valence(std)\n"
    "1,15.5,.1,.1\n1,16.0,.2,.1\n7,15.5,.1,.1\n",
}


@pytest.fixture
def home(tmp_path):
    """Three songs, two of which have labels."""
    for name, text in TABLES.items():
        path = tmp_path / "pmemo" / "PMEmo2019" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for song in (1, 7, 9):
        path = tmp_path / "pmemo" / "PMEmo2019" / "chorus" / f"{song}.mp3"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


fewer = pytest.mark.filterwarnings("ignore:The tables in:skmer.exceptions.IncompleteDatasetWarning")


def test_the_published_tables(shared):
    dataset = fetch_pmemo(
        annotations_only=True, data_home=shared / "data", download_if_missing=False
    )
    assert dataset.data.shape == dataset.groups.shape == (767,)
    counts = dataset.frame["label"].value_counts().to_dict()
    assert counts == {"Q1": 520, "Q2": 72, "Q3": 115, "Q4": 60}
    assert len(set(dataset.groups)) == 395
    arousal, valence = dataset.dynamic["arousal"], dataset.dynamic["valence"]
    n_rows = arousal.notna().sum(axis=1)
    assert (n_rows.sum(), n_rows.min(), n_rows.median(), n_rows.max()) == (36434, 2, 42, 146)
    assert arousal.columns[0] == 15.5
    assert arousal[15.5].notna().all()
    np.testing.assert_allclose(
        [arousal.min().min(), arousal.max().max()], [0.095, 0.971], atol=5e-4
    )
    np.testing.assert_allclose(
        [valence.min().min(), valence.max().max()], [0.107, 0.930], atol=5e-4
    )
    numbers = fetch_pmemo(target="dynamic", annotations_only=True, data_home=shared / "data")
    assert round(np.corrcoef(numbers.target.T)[0, 1], 2) == 0.72
    assert round((numbers.target[:, 0] > 0.5).mean(), 2) == 0.77
    assert str(numbers.scale) == "dynamic, 0 to 1"
    items = (dataset.frame["artist"] + " - " + dataset.frame["title"]).tolist()
    (found,) = audit(items=items).findings
    assert (found.kind, len(found.row_sets)) == ("duplicate_items", 12)
    with pytest.raises(DatasetNotFoundError, match=r"no static_annotations\.csv"):
        fetch_pmemo(target="static", annotations_only=True, data_home=shared / "data")
    report = validate_dataset("pmemo", data_home=shared / "data")
    assert report.files("ok") == ["*.csv"]
    assert len(report.files("missing")) == 2 + 767


@fewer
def test_static_labels_by_the_names_of_their_columns(home):
    static = fetch_pmemo(data_home=home, target="static")
    assert static.target.tolist() == [[0.9, 0.4], [0.3, 0.2]]
    assert str(static.scale) == "static, 0 to 1"
    assert fetch_pmemo(data_home=home).target.tolist() == ["Q2", "Q4"]
    by_static = fetch_pmemo(data_home=home, quadrants="static", as_frame=True)
    assert by_static.target.tolist() == ["Q2", "Q3"]
    assert by_static.frame.columns.tolist() == [
        "path", "label", "group", "song_id", "title", "artist", "album", "duration",
        "static_arousal", "static_valence", "static_arousal_std", "static_valence_std",
        "dynamic_arousal", "dynamic_valence",
    ]  # fmt: skip
    assert by_static.frame.iloc[1][["group", "album", "duration"]].tolist() == ["ann", "", 20.0]
    assert by_static.data[0].endswith("PMEmo2019/chorus/1.mp3")
    spread = static.dynamic["arousal_std"]
    assert spread.loc[1].tolist() == [0.1, 0.2]
    assert np.isnan(spread.loc[7, 16.0])


@fewer
def test_missing_clips(home):
    (home / "pmemo" / "PMEmo2019" / "chorus" / "7.mp3").unlink()
    with pytest.warns(IncompleteDatasetWarning, match="1 of 2 clips of PMEmo .* 7; the 1"):
        dataset = fetch_pmemo(data_home=home)
    assert dataset.dynamic["arousal"].index.tolist() == dataset.frame["song_id"].tolist() == [1]


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("annotations/static_annotations.csv", "7,.2,.3", "7,2,3", "static, 0 to 1"),
        ("annotations/static_annotations.csv", "\n7,", "\n9,", "lacks the songs 7"),
        (
            "annotations/dynamic_annotations.csv",
            "1,16.0",
            "1,15.5",
            "every time of a 'musicId' once",
        ),
        ("annotations/dynamic_annotations.csv", ".6,.4", "6,.4", "dynamic, 0 to 1"),
        (
            "metadata.csv",
            "\n7,",
            "\n8,",
            "metadata.csv must hold every song of .* It lacks the songs 7",
        ),
    ],
)
def test_tables_that_are_not_the_published(home, name, old, new, message):
    path = home / "pmemo" / "PMEmo2019" / name
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError, match=message):
        fetch_pmemo(data_home=home)


def test_nothing_in_place(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"no metadata\.csv, dynamic_annotations\.csv"):
        fetch_pmemo(data_home=tmp_path)

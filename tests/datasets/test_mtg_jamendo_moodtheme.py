"""MTG-Jamendo: the published tables exactly, and the layouts of the audio on a small replica."""

import hashlib

import numpy as np
import pytest

from skmer.datasets import fetch_mtg_jamendo_moodtheme, load_dataset, validate_dataset
from skmer.datasets import mtg_jamendo_moodtheme as _jamendo
from skmer.evaluation import FixedSplit
from skmer.exceptions import DatasetNotFoundError, IncompleteDatasetWarning, InputError

ROWS = {
    "train": ("0000948 1 48/948.mp3 212.7 background", "0000950 1 50/950.mp3 248.0 film happy"),
    "validation": ("0001007 2 07/1007.mp3 30.0 epic dark film action",),
    "test": ("1376003 3 03/1376003.mp3 3931.1 sad",),
}


def table(rows):
    lines = ["TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS"]
    for row in rows:
        number, artist, path, duration, *tags = row.split()
        cells = [f"track_{number}", f"artist_{artist}", "album_1", path, duration]
        lines.append("\t".join(cells + [_jamendo.PREFIX + tag for tag in tags]))
    return "\r\n".join(lines) + "\r\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Four tracks in their split, one as full audio and two as smaller files."""
    monkeypatch.setattr(_jamendo, "N_IN_SPLITS", 4)
    folder = tmp_path / "mtg_jamendo" / "data" / "splits" / "split-0"
    folder.mkdir(parents=True)
    digests = {}
    for part, rows in ROWS.items():
        path = folder / f"autotagging_moodtheme-{part}.tsv"
        path.write_bytes(table(rows).encode())
        name = f"splits/split-0/{path.name}"
        digests[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(_jamendo, "checksums", lambda: digests)
    for name in ("audio/48/948.mp3", "audio-low/50/950.low.mp3", "audio-low/07/1007.low.mp3"):
        path = tmp_path / "mtg_jamendo" / "songs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


@pytest.mark.parametrize(("split", "sizes"), [(0, (9949, 3802, 4231)), (1, (10190, 3594, 4198))])
def test_the_published_splits(shared, split, sizes):
    dataset = fetch_mtg_jamendo_moodtheme(
        split, annotations_only=True, data_home=shared / "data", download_if_missing=False
    )
    assert dataset.target.shape == (17982, 56)
    assert dataset.target_names == list(_jamendo.TAGS)
    assert [int((dataset.split == part).sum()) for part in _jamendo.PARTS] == list(sizes)
    by_part = [set(dataset.groups[dataset.split == part]) for part in _jamendo.PARTS]
    assert sum(map(len, by_part)) == len(set().union(*by_part))
    assert "0 are by an artist who is also in the rest" in dataset.DESCR
    test = dataset.target[dataset.split == "test"]
    train = dataset.target[dataset.split == "train"]
    assert test.sum(axis=0).min() == (25, 20)[split]
    assert round(test.mean(axis=0).mean(), 5) == (0.03192, 0.03191)[split]
    if split == 0:
        assert train.sum(axis=0).min() == 59
        assert dataset.target_names[train.sum(axis=0).argmin()] == "sexy"
        assert round(test[:, dataset.target_names.index("film")].mean(), 2) == 0.13
    ((_, tested),) = FixedSplit(dataset.split).split(dataset.data)
    assert len(tested) == sizes[2]
    assert dataset.data[0].endswith("audio/48/948.mp3")


def test_all_tracks(shared):
    dataset = fetch_mtg_jamendo_moodtheme(
        None, annotations_only=True, data_home=shared / "data", as_frame=True
    )
    assert dataset.target.shape == (18486, 59)
    n_tags = dataset.target.sum(axis=1).value_counts()
    assert n_tags[[1, 2, 3]].tolist() == [9947, 5118, 1996]
    assert (n_tags.sum(), n_tags.index.max(), dataset.target.sum().sum()) == (18486, 8, 32527)
    frame = dataset.frame
    assert (frame["group"].nunique(), frame["album_id"].nunique()) == (1533, 4506)
    assert (frame["duration"].min(), frame["duration"].max()) == pytest.approx((30, 3931), abs=1)
    assert dataset.split is None
    assert set(dataset.target) - set(_jamendo.TAGS) == {"ambiental", "horror", "mellow"}
    report = validate_dataset("mtg-jamendo-moodtheme", data_home=shared / "data")
    assert len(report.files("ok")) == 7
    assert len(report.files("missing")) == 18486


def test_half_an_archive_is_used_as_it_lies(home):
    with pytest.warns(IncompleteDatasetWarning, match="1 of 4 clips .* 1376003; the 3") as record:
        dataset = fetch_mtg_jamendo_moodtheme(data_home=home)
    assert record[0].filename == __file__
    assert [path.split("songs/")[1] for path in dataset.data] == [
        "audio/48/948.mp3", "audio-low/50/950.low.mp3", "audio-low/07/1007.low.mp3",
    ]  # fmt: skip
    assert dataset.split.tolist() == ["train", "train", "validation"]
    assert dataset.frame["tags"].tolist() == ["background", "film;happy", "epic;dark;film;action"]
    tags = [[dataset.target_names[i] for i in np.flatnonzero(row)] for row in dataset.target]
    assert tags == [["background"], ["film", "happy"], ["action", "dark", "epic", "film"]]
    assert dataset.frame.columns.tolist() == [
        "path", "group", "track", "track_id", "album_id", "duration", "tags", "split",
    ]  # fmt: skip
    with pytest.warns(IncompleteDatasetWarning):
        data, target = load_dataset("mtg-jamendo-moodtheme", data_home=home, return_X_y=True)
    assert (data.shape, target.shape, target.dtype.kind) == ((3,), (3, 56), "i")


def test_validate(home, monkeypatch):
    report = validate_dataset("mtg-jamendo-moodtheme", data_home=home)
    assert (len(report.files("ok")), len(report.files("unverified"))) == (3, 3)
    assert report.files("missing") == ["audio/03/1376003.mp3"]
    folder = home / "mtg_jamendo"
    right = hashlib.sha256((folder / "songs/audio/48/948.mp3").read_bytes()).hexdigest()
    listed = folder / "autotagging_moodtheme_audio_sha256_tracks.txt"
    listed.write_text(f"{right} 48/948.mp3\n")
    low = folder / "autotagging_moodtheme_audio-low_sha256_tracks.txt"
    low.write_text(f"{right} 50/950.low.mp3\n")
    digests = _jamendo.checksums()
    for path in (listed, low):
        digests[f"download/{path.name}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    report = validate_dataset("mtg-jamendo-moodtheme", data_home=home)
    assert "songs/audio/48/948.mp3" in report.files("ok")
    assert report.files("wrong") == ["songs/audio-low/50/950.low.mp3"]
    assert report.files("unverified") == ["songs/audio-low/07/1007.low.mp3"]
    (path,) = folder.rglob("*-test.tsv")
    path.write_bytes(path.read_bytes().replace(b"sad", b"dark"))
    report = validate_dataset("mtg-jamendo-moodtheme", data_home=home)
    assert report.files("wrong") == ["data/splits/split-0/autotagging_moodtheme-test.tsv"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("theme---sad", "theme---sadd", r"among those that are published\. Got 'sadd'"),
        ("mood/theme---sad", "genre---rock", "must begin with 'mood/theme---'"),
        ("track_1376003", "track_0000948", "must share no track"),
        ("3931.1", "long", "must hold numbers"),
        ("\tTAGS", "\tTAG", "lacks TAGS"),
    ],
)
def test_tables_that_are_not_the_published(home, old, new, message):
    (path,) = (home / "mtg_jamendo").rglob("*-test.tsv")
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError, match=message):
        fetch_mtg_jamendo_moodtheme(data_home=home, annotations_only=True)


def test_download_of_the_annotations(home, server, tmp_path, monkeypatch):
    monkeypatch.setattr(_jamendo, "_RAW", server.url)
    for path in (home / "mtg_jamendo").rglob("*.tsv"):
        name = f"splits/split-0/{path.name}"
        server.files[f"/{_jamendo._COMMIT}/data/{name}"] = path.read_bytes()
    with pytest.raises(DatasetNotFoundError, match="There is no splits/split-0"):
        fetch_mtg_jamendo_moodtheme(data_home=tmp_path / "new", download_if_missing=False)
    with pytest.raises(DatasetNotFoundError, match="There is no clip of MTG-Jamendo"):
        fetch_mtg_jamendo_moodtheme(data_home=tmp_path / "new")
    dataset = fetch_mtg_jamendo_moodtheme(data_home=tmp_path / "new", annotations_only=True)
    assert dataset.target.sum() == 8
    assert server.n_requests == 3
    (tmp_path / "other").mkdir()
    server.files = {path: content + b"x" for path, content in server.files.items()}
    with pytest.raises(InputError, match="is not the published file"):
        fetch_mtg_jamendo_moodtheme(data_home=tmp_path / "other")


def test_of_two_tables_of_one_name_the_published_one_is_read(home):
    name = "split-0/autotagging_moodtheme-test.tsv"
    published = home / "mtg_jamendo" / "data" / "splits" / name
    own = home / "mtg_jamendo" / "a" / name
    own.parent.mkdir(parents=True)
    own.write_bytes(published.read_bytes().replace(b"sad", b"happy"))
    dataset = fetch_mtg_jamendo_moodtheme(data_home=home, annotations_only=True)
    assert dataset.frame["tags"].tolist()[-1] == "sad"
    published.write_bytes(own.read_bytes() + b"\r\n")
    with pytest.raises(InputError, match=r"2 files autotagging_moodtheme-test\.tsv .* and none is"):
        fetch_mtg_jamendo_moodtheme(data_home=home, annotations_only=True)

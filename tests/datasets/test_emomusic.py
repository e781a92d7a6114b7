"""Emotion in Music: Table 1, the split in common use, units, files read by their headings."""

import io
import tarfile

import numpy as np
import pytest

from skmer.datasets import AffectScale, fetch_emomusic, validate_dataset
from skmer.datasets import emomusic as _emomusic
from skmer.datasets.fetch import Archive
from skmer.exceptions import DatasetNotFoundError, IncompleteDatasetWarning, InputError
from skmer.utils.digest import file_digest

from .conftest import EMOMUSIC_COUNTS, write_emomusic_annotations


def test_quadrants_are_table_1(emomusic_home):
    dataset = fetch_emomusic(data_home=emomusic_home)
    assert dataset.frame["label"].value_counts().to_dict() == EMOMUSIC_COUNTS
    assert dataset.target_names == list(EMOMUSIC_COUNTS)
    assert dataset.target.tolist() == dataset.frame["label"].tolist()
    assert dataset.scale is None
    assert "Q1 305, Q2 87, Q3 241, Q4 111" in dataset.DESCR
    assert "@inproceedings{soleymani2013songs" in dataset.DESCR


def test_columns_are_found_by_name_and_tabs_stripped(emomusic_home):
    dataset = fetch_emomusic(data_home=emomusic_home, target="static")
    row = dataset.frame.iloc[4]
    assert (row["song_id"], row["artist"], row["title"]) == (6, "Artist  1", "Song 6")
    assert (row["group"], row["split"], row["genre"]) == ("artist 1", "test", "Rock")
    assert row["path"].endswith("6.mp3")
    # mean_arousal is the last column there, and means fall as the song's number rises.
    assert dataset.target[4].tolist() == [3, 7]
    assert (row["static_arousal"], row["static_valence"]) == (3, 7)


def test_units_go_with_the_targets(emomusic_home):
    static = fetch_emomusic(data_home=emomusic_home, target="static")
    dynamic = fetch_emomusic(data_home=emomusic_home, target="dynamic")
    assert (static.scale.low, static.scale.high) == (1, 9)
    assert (dynamic.scale.low, dynamic.scale.high) == (-1, 1)
    assert static.target_names == dynamic.target_names == ["arousal", "valence"]
    assert static.target.shape == dynamic.target.shape == (744, 2)
    np.testing.assert_allclose(dynamic.target[0], (0.5 * 2 - 0.01 * 59) / 61)
    with pytest.raises(ValueError, match="another scale"):
        dynamic.scale.check(static.target)
    with pytest.raises(ValueError, match="another scale"):
        static.scale.check(dynamic.target)
    frame = fetch_emomusic(data_home=emomusic_home, target="static", as_frame=True)
    assert frame.target.columns.tolist() == ["static_arousal", "static_valence"]


def test_labels_over_time(emomusic_home):
    dataset = fetch_emomusic(data_home=emomusic_home)
    arousal = dataset.dynamic["arousal"]
    assert arousal.shape == (744, 61)
    assert arousal.index.tolist() == dataset.frame["song_id"].tolist()
    assert arousal.columns.tolist() == [15 + i / 2 for i in range(61)]
    # The file's columns run backwards in time: its last two are the first.
    assert arousal.iloc[0, :3].tolist() == [0.5, 0.5, -0.01]


def test_missing_clips_are_left_out(emomusic_home, change):
    clips = emomusic_home / "emomusic" / "clips_45seconds"
    change(clips / "2.mp3", None)
    change(clips / "9.mp3", None)
    with pytest.warns(IncompleteDatasetWarning, match=r"2 of 744 clips .* 2, 9; the 742") as record:
        dataset = fetch_emomusic(data_home=emomusic_home)
    assert record[0].filename == __file__
    assert len(dataset.data) == len(dataset.dynamic["valence"]) == len(dataset.split) == 742
    assert dataset.dynamic["valence"].index.tolist() == dataset.frame["song_id"].tolist()
    annotations = fetch_emomusic(data_home=emomusic_home, annotations_only=True)
    assert len(annotations.data) == 744
    assert annotations.data[0] == str(clips / "2.mp3")


def edit(change, home, name, old, new):
    path = home / "emomusic" / name
    text = path.read_text()
    assert old in text
    change(path, text.replace(old, new))


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("static_annotations.csv", "mean_arousal", "arousal", "lacks mean_arousal"),
        ("songs_info.csv", "Mediaeval 2013 set", "set", "It lacks Mediaeval 2013 set"),
        ("valence_cont_average.csv", "sample_15000ms", "first", "61 columns .* Got 60"),
        ("valence_cont_average.csv", "\n9,", "\n9000,", "It lacks the songs 9"),
        ("static_annotations.csv", "\n9,", "\n8,", "hold every song once"),
        (
            "static_annotations.csv",
            "\n9,2,",
            "\n9,2,900",
            "static_valence labels in .* must lie on",
        ),
        ("static_annotations.csv", "\n9,2,1", "\n9,2,x", "must hold numbers"),
        ("arousal_cont_average.csv", "0.5", "5", "'dynamic, -1 to 1'"),
    ],
)
def test_annotations_that_are_not_the_published(emomusic_home, change, name, old, new, message):
    edit(change, emomusic_home, name, old, new)
    with pytest.raises(ValueError, match=message):
        fetch_emomusic(data_home=emomusic_home)
    report = validate_dataset("emomusic", data_home=emomusic_home)
    assert report.files("wrong") == ["*.csv"]


def cut(change, home, name, n_songs):
    path = home / "emomusic" / name
    lines = path.read_text().splitlines()
    songs = {str(song) for song in range(2, 2 + n_songs)}
    kept = [line for line in lines if line.split(",")[0].strip() in songs | {"song_id"}]
    change(path, "\n".join(kept) + "\n")


def test_tables_cut_to_300_songs(emomusic_home, change):
    cut(change, emomusic_home, "songs_info.csv", 300)
    message = r"songs_info\.csv must hold every song of static_annotations\.csv.*444 of 744"
    with pytest.raises(InputError, match=message):
        fetch_emomusic(data_home=emomusic_home)
    for name in ("static_annotations.csv", "arousal_cont_average.csv", "valence_cont_average.csv"):
        cut(change, emomusic_home, name, 300)
    message = r"list 300 songs, and Emotion in Music as published has 744"
    with pytest.warns(IncompleteDatasetWarning, match=message) as record:
        dataset = fetch_emomusic(data_home=emomusic_home)
    assert record[0].filename == __file__
    assert len(dataset.data) == 300
    assert not validate_dataset("emomusic", data_home=emomusic_home).ok


def test_a_table_cut_in_the_middle_of_a_row(emomusic_home, change):
    path = emomusic_home / "emomusic" / "arousal_cont_average.csv"
    change(path, path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=r"must have 62 values.*Line \d+ has|must hold every song"):
        fetch_emomusic(data_home=emomusic_home)


def test_annotations_in_another_encoding(emomusic_home, change):
    path = emomusic_home / "emomusic" / "songs_info.csv"
    change(path, path.read_bytes() + b"9000,x.mp3,\xe9,,,\n")
    with pytest.raises(ValueError, match=r"songs_info.csv must be a csv file in UTF-8"):
        fetch_emomusic(data_home=emomusic_home)


def test_validate(emomusic_home, change):
    report = validate_dataset("emomusic", data_home=emomusic_home)
    assert report.ok
    assert report.files("ok") == ["*.csv"]
    assert len(report.files("unverified")) == 744
    clips = emomusic_home / "emomusic" / "clips_45seconds"
    change(clips / "2.mp3", None)
    change(clips / "9999.mp3", "")
    report = validate_dataset("emomusic", data_home=emomusic_home)
    assert report.files("missing") == ["2"]
    assert report.files("extra") == ["clips_45seconds/9999.mp3"]
    edit(change, emomusic_home, "songs_info.csv", "\n9\t,", "\n9000\t,")
    assert not validate_dataset("emomusic", data_home=emomusic_home).ok


def test_nothing_in_place(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"no songs_info.csv.*annotations.tar.gz"):
        fetch_emomusic(data_home=tmp_path, download_if_missing=False)
    write_emomusic_annotations(tmp_path / "emomusic")
    with pytest.raises(DatasetNotFoundError, match=r"no clips_45seconds.*clips_45sec.tar.gz"):
        fetch_emomusic(data_home=tmp_path, download_if_missing=False)


def pack(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def test_download_of_both_archives(tmp_path, server, monkeypatch):
    monkeypatch.setattr("skmer.utils.download.PAUSES", ())
    ids = write_emomusic_annotations(tmp_path / "source")
    tables = {path.name: path.read_bytes() for path in (tmp_path / "source").iterdir()}
    clips = {f"./clips_45seconds/{song}.mp3": b"mp3" for song in ids}
    contents = {
        "ANNOTATIONS_ARCHIVE": pack(tables | {"readme.txt": b"", "._songs_info.csv": b"junk"}),
        "CLIPS_ARCHIVE": pack(clips | {"clips_45seconds/._2.mp3": b"junk"}),
    }
    for name, content in contents.items():
        server.files[f"/{name}.tar.gz"] = content
        (tmp_path / "archive").write_bytes(content)
        sha256 = file_digest(tmp_path / "archive")
        url = f"{server.url}/{name}.tar.gz"
        monkeypatch.setattr(_emomusic, name, Archive(f"{name}.tar.gz", url, sha256))
    home = tmp_path / "home"
    assert len(fetch_emomusic(data_home=home, annotations_only=True).data) == 744
    assert server.n_requests == 1
    assert len(fetch_emomusic(data_home=home).data) == 744
    assert server.n_requests == 2
    files = {path.name for path in (home / "emomusic").iterdir() if path.suffix != ".lock"}
    assert files == {*tables, "clips_45seconds"}
    assert len(list((home / "emomusic" / "clips_45seconds").iterdir())) == 744


def test_scale():
    static, dynamic = AffectScale("static", 1, 9), AffectScale("dynamic", -1, 1)
    values = np.array([[1.0, 9.0], [4.0, 2.0]])
    np.testing.assert_allclose(dynamic.convert(static.convert(values, dynamic), static), values)
    with pytest.raises(ValueError, match=r"Got nan and 1 other "):
        static.check([np.nan, 3, 10])


def test_the_published_annotations(shared):
    dataset = fetch_emomusic(data_home=shared / "data", annotations_only=True)
    assert dataset.frame["label"].value_counts().to_dict() == EMOMUSIC_COUNTS
    sizes = {name: int((dataset.split == name).sum()) for name in ("train", "valid", "test")}
    assert sizes == {"train": 504, "valid": 115, "test": 125}
    test = dataset.split == "test"
    known = set(dataset.groups[~test])
    assert sum(artist in known for artist in dataset.groups[test]) == 65
    assert len(set(dataset.groups)) == 411
    assert not (dataset.frame["artist"] != dataset.frame["artist"].str.strip()).any()
    # The same labels as an independent reading of the same annotations.
    other = np.loadtxt(
        shared / "data" / "choi2017" / "emoMusic.csv", delimiter=",", skiprows=1, usecols=(1, 3, 4)
    )
    assert dataset.frame["song_id"].tolist() == other[:, 0].astype(int).tolist()
    static = fetch_emomusic(data_home=shared / "data", annotations_only=True, target="static")
    np.testing.assert_allclose(static.target, 9 * other[:, 1:], atol=1e-5)

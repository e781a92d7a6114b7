"""RAVDESS song: Table 1 from the names, any subset of singers, checksums."""

import hashlib
import io
import zipfile

import pytest

from skmer.datasets import fetch_ravdess_song, validate_dataset
from skmer.datasets import ravdess_song as _ravdess_song
from skmer.datasets.fetch import Archive
from skmer.exceptions import DatasetNotFoundError, IncompleteDatasetWarning

TABLE_1 = {"neutral": 92, "calm": 184, "happy": 184, "sad": 184, "angry": 184, "fearful": 20}


def test_all_clips(ravdess_home):
    dataset = fetch_ravdess_song(data_home=ravdess_home)
    assert dataset.data.shape == (1012,)
    assert dataset.frame["label"].value_counts().to_dict() == TABLE_1 | {"fearful": 184}
    assert sorted(set(dataset.groups.tolist())) == [i for i in range(1, 25) if i != 18]
    assert dataset.frame.groupby("actor").size().unique().tolist() == [44]
    assert dataset.target_names == list(TABLE_1)
    assert "CC BY-NC-SA" in dataset.DESCR
    assert "@article{livingstone2018ravdess" in dataset.DESCR


def test_a_name_in_words(ravdess_home):
    frame = fetch_ravdess_song(data_home=ravdess_home).frame
    row = frame[frame["path"].str.endswith("03-02-05-02-01-02-12.wav")].iloc[0]
    assert row.drop("path").to_dict() == {
        "label": "angry",
        "group": 12,
        "emotion": "angry",
        "intensity": "strong",
        "statement": "kids",
        "repetition": 2,
        "actor": 12,
        "sex": "female",
    }


def test_koh2021_is_table_1(ravdess_home):
    dataset = fetch_ravdess_song(data_home=ravdess_home, subset="koh2021")
    assert dataset.data.shape == (848,)
    assert dataset.frame["label"].value_counts().to_dict() == TABLE_1


def fearful(home, seed):
    frame = fetch_ravdess_song(data_home=home, subset="koh2021", subset_seed=seed).frame
    return set(frame["path"][frame["label"] == "fearful"])


def test_koh2021_draw_depends_on_the_seed_alone(ravdess_home, change):
    drawn = fearful(ravdess_home, 0)
    assert fearful(ravdess_home, 0) == drawn
    assert fearful(ravdess_home, 1) != drawn
    for path in list((ravdess_home / "ravdess_song" / "Actor_01").iterdir()):
        change(path, None)
    with pytest.warns(IncompleteDatasetWarning):
        kept = fearful(ravdess_home, 0)
    assert kept == {path for path in drawn if "Actor_01" not in path}


def test_any_subset_of_singers_and_suffixes(tmp_path):
    folder = tmp_path / "ravdess_song"
    for name in ("Actor_02/03-02-01-01-01-01-02.flac", "Actor_01/03-02-06-01-01-01-01.flac"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).touch()
    (folder / "Actor_01" / "03-02-06-01-01-01-01.wav").touch()
    (folder / "Actor_01" / "03-01-06-01-01-01-01.wav").touch()  # speech
    (folder / "Actor_01" / "03-02-06-01-01-01-02.wav").touch()  # of another singer
    with pytest.warns(
        IncompleteDatasetWarning, match="1010 of 1012 clips .* the 2 others"
    ) as record:
        dataset = fetch_ravdess_song(data_home=tmp_path)
    assert record[0].filename == __file__
    assert [path.rsplit("/", 1)[1] for path in dataset.data] == [
        "03-02-06-01-01-01-01.wav",
        "03-02-01-01-01-01-02.flac",
    ]


def test_nothing_in_place(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"no clip of RAVDESS, song in .*zenodo"):
        fetch_ravdess_song(data_home=tmp_path, download_if_missing=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"subset": "848"}, "'subset' parameter of fetch_ravdess_song must be"),
        ({"subset_seed": -1}, "'subset_seed' parameter of fetch_ravdess_song must be"),
        ({"data_home": 3}, "'data_home' parameter of fetch_ravdess_song must be"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        fetch_ravdess_song(**parameters)


CLIPS = {
    "03-02-01-01-01-01-01": b"first",
    "03-02-06-02-02-02-24": b"second",
    "03-02-03-01-01-01-24": b"third",
}


@pytest.fixture
def published(monkeypatch, server):
    """Zenodo on loopback, with three clips."""
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in CLIPS.items()}
    monkeypatch.setattr(_ravdess_song, "checksums", lambda: checksums)
    monkeypatch.setattr("skmer.utils.download.PAUSES", ())
    url = f"{server.url}/songs.zip"
    monkeypatch.setattr(_ravdess_song, "ARCHIVE", Archive("songs.zip", url, None))

    def publish(clips):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("readme.txt", "hello")
            for name, content in clips.items():
                archive.writestr(f"Actor_{name[-2:]}/{name}.wav", content)
        server.files["/songs.zip"] = buffer.getvalue()

    return publish


def test_download(published, server, tmp_path):
    published(CLIPS)
    assert len(fetch_ravdess_song(data_home=tmp_path).data) == 3
    assert len(fetch_ravdess_song(data_home=tmp_path).data) == 3
    assert server.n_requests == 1
    folders = {path.name for path in (tmp_path / "ravdess_song").iterdir() if path.is_dir()}
    assert folders == {"Actor_01", "Actor_24"}
    assert validate_dataset("ravdess-song", data_home=tmp_path).ok


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"03-02-03-01-01-01-24": b"other"}, "holds other bytes for 1 of 3 clips"),
        ({"03-02-03-01-01-01-24": None}, "lacks 1 of 3 clips, Actor_24/03-02-03-01-01-01-24"),
    ],
)
def test_download_of_another_archive_leaves_nothing(published, tmp_path, change, message):
    published({name: content for name, content in (CLIPS | change).items() if content})
    with pytest.raises(ValueError, match=message):
        fetch_ravdess_song(data_home=tmp_path)
    assert [path.suffix for path in (tmp_path / "ravdess_song").iterdir()] == [".lock"]


def test_validate(published, tmp_path):
    for name, content in CLIPS.items():
        path = tmp_path / "ravdess_song" / f"Actor_{name[-2:]}" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    folder = tmp_path / "ravdess_song" / "Actor_24"
    (folder / "03-02-03-01-01-01-24.wav").rename(folder / "03-02-03-01-01-01-24.flac")
    (folder / "03-02-06-02-02-02-24.wav").write_bytes(b"bitten")
    (folder / "03-01-06-02-02-02-24.wav").touch()
    report = validate_dataset("ravdess-song", data_home=tmp_path)
    assert report.files("ok") == ["Actor_01/03-02-01-01-01-01-01.wav"]
    assert report.files("unverified") == ["Actor_24/03-02-03-01-01-01-24.flac"]
    assert report.files("wrong") == ["Actor_24/03-02-06-02-02-02-24.wav"]
    assert report.files("extra") == ["Actor_24/03-01-06-02-02-02-24.wav"]
    assert not report.ok
    assert "1 file wrong" in str(report)


def test_the_shared_half(shared):
    with pytest.warns(IncompleteDatasetWarning, match="484 of 1012"):
        dataset = fetch_ravdess_song(data_home=shared / "data")
    assert dataset.frame["label"].value_counts().to_dict() == {
        name: 48 if name == "neutral" else 96 for name in TABLE_1
    }
    listed = (shared / "data" / "ravdess_song" / "SHA256SUMS").read_text().split()
    assert set(listed[::2]) == set(_ravdess_song.checksums().values())

"""DEAM: counts, units, quadrants by either rule, ragged and dirty tables, the published split."""

import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from skmer.datasets import deam as _deam
from skmer.datasets import fetch_deam, fetch_emomusic, list_datasets, validate_dataset
from skmer.datasets.fetch import Archive
from skmer.evaluation import FixedSplit, audit
from skmer.exceptions import DatasetNotFoundError, IncompleteDatasetWarning, InputError

from .replicas import deam

N_SONGS = len(deam.EXCERPTS + deam.FULL_SONGS)


@pytest.fixture(autouse=True)
def fewer_songs(monkeypatch):
    """The replica is as small as is published."""
    monkeypatch.setattr(_deam, "INFO", replace(_deam.INFO, n_clips=N_SONGS))


@pytest.fixture(scope="module")
def deam_home(tmp_path_factory):
    """DEAM as distributed, the clips empty."""
    home = tmp_path_factory.mktemp("deam")
    deam.write_deam(home / "deam")
    return home


def test_the_published_number_of_songs():
    assert list_datasets().set_index("name").loc["deam", "clips"] == 1744 + 58


def test_counts_columns_and_units(deam_home):
    dataset = fetch_deam(data_home=deam_home)
    assert dataset.data.shape == dataset.groups.shape == (N_SONGS,)
    assert dataset.frame.columns.tolist() == [
        "path", "label", "group", "song_id", "artist", "title", "genre", "split",
        "static_arousal", "static_valence", "dynamic_arousal", "dynamic_valence",
    ]  # fmt: skip
    songs = dataset.frame["song_id"].tolist()
    assert songs == deam.EXCERPTS + deam.FULL_SONGS
    assert [path.rsplit("/", 1)[1] for path in dataset.data] == [f"{song}.mp3" for song in songs]
    static = fetch_deam(data_home=deam_home, target="static")
    np.testing.assert_array_equal(static.target, [deam.ratings(song)[::-1] for song in songs])
    assert (str(static.scale), static.target_names) == ("static, 1 to 9", ["arousal", "valence"])
    dynamic = fetch_deam(data_home=deam_home, target="dynamic", as_frame=True)
    np.testing.assert_allclose(dynamic.target, [deam.means(song)[::-1] for song in songs])
    assert dynamic.target.columns.tolist() == ["dynamic_arousal", "dynamic_valence"]


def test_quadrants_by_either_rule(deam_home):
    def expected(numbers, middle):
        names = {(True, True): "Q1", (True, False): "Q2", (False, False): "Q3", (False, True): "Q4"}
        pairs = (numbers(song) for song in deam.EXCERPTS + deam.FULL_SONGS)
        return [names[arousal > middle, valence > middle] for valence, arousal in pairs]

    assert fetch_deam(data_home=deam_home).target.tolist() == expected(deam.means, 0)
    static = fetch_deam(data_home=deam_home, quadrants="static")
    assert static.target.tolist() == expected(deam.ratings, 5)


def test_labels_over_time_end_with_the_song(deam_home):
    arousal = fetch_deam(data_home=deam_home).dynamic["arousal"]
    assert arousal.shape == (N_SONGS, 90)
    assert arousal.columns[:3].tolist() == [15.0, 15.5, 16.0]
    there = arousal.notna().sum(axis=1)
    assert there[2] == 59  # 60, of which one is not there
    assert there[3] == 58
    assert there[2001] == 89
    assert np.isnan(arousal.loc[2, 18.5])


def test_dirty_metadata(deam_home):
    frame = fetch_deam(data_home=deam_home).frame.set_index("song_id")
    assert frame.loc[2, ["artist", "title", "genre"]].tolist() == ["Artist 1", "Title 2", "Rock"]
    assert frame.loc[1002, ["artist", "title", "genre"]].tolist() == [
        "Artist 501",
        "Track, 1002",
        "Pop",
    ]
    assert frame.loc[1501, ["artist", "title", "genre"]].tolist() == [
        "Artist 750",
        "Say 1501",
        "Folk, Blues",
    ]
    assert frame.loc[1502, ["artist", "title"]].tolist() == ["Artist 751", "12 mix 1502"]
    assert (frame["group"] == frame["artist"].str.lower()).all()
    assert [frame.loc[song, "artist"] for song in frame.index] == [deam.artist(song) for song in frame.index]  # fmt: skip


def test_the_full_songs_are_the_test_part_and_shared_artists_are_told(deam_home):
    dataset = fetch_deam(data_home=deam_home)
    test = dataset.split == "test"
    assert test.sum() == 58
    assert (dataset.frame["song_id"][test] > 2000).all()
    shared = np.isin(dataset.groups[test], dataset.groups[~test]).sum()
    assert 0 < shared < 58
    assert f"Of the 58 test songs, {shared} are by an artist" in dataset.DESCR
    (found,) = audit(groups=dataset.groups, cv=FixedSplit(dataset.split)).findings
    assert found.kind == "shared_groups"
    assert found.message.startswith(
        f"{len(set(dataset.groups[test]) & set(dataset.groups[~test]))} of"
    )


def test_the_audit_finds_emomusic_in_deam(deam_home, emomusic_home):
    old = fetch_emomusic(data_home=emomusic_home, annotations_only=True)
    new = fetch_deam(data_home=deam_home)
    shared = len(set(old.frame["song_id"]) & set(new.frame["song_id"]))
    assert shared == 100
    rows = np.arange(len(old.data) + len(new.data))
    found = audit(
        paths=None,
        items=[*old.frame["song_id"], *new.frame["song_id"]],
        datasets=["emomusic"] * len(old.data) + ["deam"] * len(new.data),
        cv=[(rows[len(old.data) :], rows[: len(old.data)])],
    ).findings
    assert [(one.kind, one.severity) for one in found] == [("contained_dataset", "error")]
    assert "100 clips" in found[0].message


def edit(change, home, name, old, new):
    path = home / "deam" / name
    text = path.read_bytes()
    assert old.encode() in text
    change(path, text.replace(old.encode(), new.encode(), 1))


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (f"{deam.STATIC}/static_annotations_averaged_songs_1_2000.csv", "arousal_mean", "arousal", "lacks arousal_mean"),
        (f"{deam.STATIC}/static_annotations_averaged_songs_1_2000.csv", "\n9, ", "\n2, ", "hold every song once. Got 2"),
        (f"{deam.STATIC}/static_annotations_averaged_songs_1_2000.csv", "\n9, 1,", "\n9, 10,", "must lie on the scale"),
        (f"{deam.STATIC}/static_annotations_averaged_songs_1_2000.csv", "\n9, ", "\nx, ", "must hold numbers"),
        (f"{deam.STATIC}/static_annotations_averaged_songs_2000_2058.csv", "\n2001, ", "\n2, ", "must share no song"),
        (f"{deam.DYNAMIC}/arousal.csv", "\n9,", "\n8,", "hold every song once"),
        (f"{deam.DYNAMIC}/valence.csv", "\n9,", "\n1999,", "lacks the songs 9, 1 of 233"),
        (f"{deam.DYNAMIC}/valence.csv", "sample_15000ms", "first", None),
        ("metadata/metadata_2014.csv", "Artist,", "Band,", "lacks Artist"),
    ],
)  # fmt: skip
def test_tables_that_are_not_the_published(deam_home, change, name, old, new, message):
    edit(change, deam_home, name, old, new)
    if message is None:
        assert fetch_deam(data_home=deam_home).dynamic["valence"].shape == (N_SONGS, 89)
        return
    with pytest.raises(InputError, match=message) as caught:
        fetch_deam(data_home=deam_home)
    assert len(str(caught.value)) <= 500
    assert validate_dataset("deam", data_home=deam_home).files("wrong") == ["*.csv"]


def test_cut_tables(deam_home, change):
    path = deam_home / "deam" / deam.STATIC / "static_annotations_averaged_songs_1_2000.csv"
    change(path, "\n".join(path.read_text().splitlines()[:31]))
    with pytest.raises(InputError, match=r"must hold every song of arousal\.csv.*145 of 233"):
        fetch_deam(data_home=deam_home)
    kept = {line.split(",")[0] for line in path.read_text().splitlines()}
    kept |= {str(song) for song in deam.FULL_SONGS}
    for axis in ("arousal", "valence"):
        table = deam_home / "deam" / deam.DYNAMIC / f"{axis}.csv"
        lines = table.read_text().splitlines()
        change(table, "\n".join(line for line in lines if line.split(",")[0] in kept))
    with pytest.warns(IncompleteDatasetWarning, match="list 88 songs, and DEAM.* 233") as record:
        fetch_deam(data_home=deam_home)
    assert record[0].filename == __file__


def test_validate_and_missing_clips(deam_home, change):
    report = validate_dataset("deam", data_home=deam_home)
    assert report.ok
    assert len(report.files("unverified")) == N_SONGS
    clips = deam_home / "deam" / "DEAM_audio" / "MEMD_audio"
    change(clips / "2.mp3", None)
    change(clips / "5000.mp3", "")
    report = validate_dataset("deam", data_home=deam_home)
    assert report.files("missing") == ["2"]
    assert report.files("extra") == ["DEAM_audio/MEMD_audio/5000.mp3"]
    with pytest.warns(IncompleteDatasetWarning, match=r"1 of 233 clips .* missing .* 2; the 232"):
        assert len(fetch_deam(data_home=deam_home).data) == N_SONGS - 1
    assert len(fetch_deam(data_home=deam_home, annotations_only=True).data) == N_SONGS


def test_nothing_in_place(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"static_annot.*DEAM_Annotations\.zip"):
        fetch_deam(data_home=tmp_path, download_if_missing=False)
    deam.write_deam(tmp_path / "deam", audio=False)
    with pytest.raises(DatasetNotFoundError, match=r"<song_id>\.mp3 of DEAM.*DEAM_audio\.zip"):
        fetch_deam(data_home=tmp_path, download_if_missing=False)


def test_download(tmp_path, server, monkeypatch):
    deam.write_deam(tmp_path / "source")

    def publish(name, place):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for path in sorted((tmp_path / "source" / place).rglob("*.*")):
                archive.write(path, path.relative_to(tmp_path / "source"))
        server.files[f"/{name}"] = buffer.getvalue()
        return Archive(name, f"{server.url}/{name}")

    tables = list(_deam.ARCHIVES.values())
    archives = {publish("a.zip", "annotations"): tables[0], publish("m.zip", "metadata"): tables[1]}
    monkeypatch.setattr(_deam, "ARCHIVES", archives)
    monkeypatch.setattr(_deam, "CLIPS_ARCHIVE", publish("c.zip", "DEAM_audio"))
    assert len(fetch_deam(data_home=tmp_path / "home").data) == N_SONGS
    n_requests = server.n_requests
    assert len(fetch_deam(data_home=tmp_path / "home").data) == N_SONGS
    assert server.n_requests == n_requests
    (table,) = (tmp_path / "home" / "deam").rglob("valence.csv")
    table.unlink()
    with pytest.raises(DatasetNotFoundError, match=r"no valence\.csv of DEAM"):
        fetch_deam(data_home=tmp_path / "home", download_if_missing=False)
    assert len(fetch_deam(data_home=tmp_path / "home").data) == N_SONGS


def with_rows(songs):
    """Text of a table of arousal over time, of these songs."""
    times = [f"sample_{time}ms" for time in range(15000, 17000, 500)]
    return deam.lines(",".join(["song_id", *times]), [f"{song},.5,.5,.5,.5" for song in songs])


def test_a_table_of_ones_own_is_not_taken_for_the_published_one(deam_home, change):
    folder = deam_home / "deam"
    before = fetch_deam(data_home=deam_home).frame
    (folder / "annotations" / "z" / "deeper" / "still").mkdir(parents=True, exist_ok=True)
    for own in (
        "song_id,arousal\n2,0.3\n",
        "my notes; not a table",
        with_rows(deam.FULL_SONGS),
        with_rows([5, 6, 90001]),
        with_rows([*deam.EXCERPTS, *deam.FULL_SONGS, 90001]),
        with_rows(deam.EXCERPTS).replace(".5", "5"),
    ):
        change(folder / "arousal.csv", own)
        np.testing.assert_array_equal(fetch_deam(data_home=deam_home).frame, before)
    change(folder / "annotations" / "z" / "deeper" / "still" / "AROUSAL.CSV", own)
    assert validate_dataset("deam", data_home=deam_home).ok


def test_two_tables_that_may_be_the_published_one_are_both_named(deam_home, change):
    path = deam_home / "deam" / "mine" / "arousal.csv"
    path.parent.mkdir(exist_ok=True)
    published = deam_home / "deam" / deam.DYNAMIC / "arousal.csv"
    change(path, published.read_text())
    assert len(fetch_deam(data_home=deam_home).data) == N_SONGS
    change(path, None)
    path = path.with_name("Arousal.csv")
    change(path, with_rows([*deam.EXCERPTS, *deam.FULL_SONGS]))
    named = r"two different files Arousal\.csv in .*'mine.Arousal\.csv' and 'annotations.*move"
    with pytest.raises(InputError, match=named):
        fetch_deam(data_home=deam_home)

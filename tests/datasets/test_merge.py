"""MERGE: counts of every version, splits that partition, mood-word pairs, dirty tables, a record."""

import hashlib
import io
import json
import zipfile

import numpy as np
import pooch.downloaders
import pytest

from skmer.datasets import fetch_4q, fetch_bimodal, fetch_merge, validate_dataset
from skmer.datasets import merge as _merge
from skmer.evaluation import FixedSplit, audit
from skmer.exceptions import DatasetNotFoundError, IncompleteDatasetWarning, InputError

from .conftest import bimodal_rows, touch_bimodal_clips, write_xls
from .replicas import merge


@pytest.fixture(autouse=True)
def fewer_songs(monkeypatch):
    """The replica is as small as is published."""
    monkeypatch.setattr(_merge, "VERSIONS", merge.N_SONGS)


@pytest.fixture(scope="module")
def merge_home(tmp_path_factory):
    """The complete audio of MERGE as distributed, the clips empty."""
    home = tmp_path_factory.mktemp("merge")
    merge.write_merge(home / "merge")
    return home


def test_the_published_numbers_of_songs(monkeypatch):
    monkeypatch.undo()
    assert list(_merge.VERSIONS.values()) == [3554, 3232, 2216, 2000]
    assert _merge.INFO.n_clips == 3554


@pytest.mark.parametrize("version", list(merge.N_SONGS))
def test_counts_of_every_version(tmp_path, version):
    merge.write_merge(tmp_path / "merge", version)
    dataset = fetch_merge(version, data_home=tmp_path)
    songs = merge.song_ids(version)
    assert len(dataset.data) == merge.N_SONGS[version]
    assert dataset.frame["song"].tolist() == songs
    assert dataset.frame.columns.tolist() == [
        "path", "label", "group", "song", "artist", "title", "split", "arousal", "valence",
    ]  # fmt: skip
    assert [path.split("/")[-2:] for path in dataset.data] == [
        [label, f"{song}.mp3"] for label, song in zip(dataset.target, songs)
    ]
    counts = dataset.frame["label"].value_counts()
    assert counts.nunique() == 1 or "complete" in version
    assert validate_dataset("merge", data_home=tmp_path).ok


@pytest.mark.parametrize("splits", list(merge.SHARES))
def test_the_published_splits_partition_the_songs(merge_home, splits):
    dataset = fetch_merge(data_home=merge_home, splits=splits)
    expected = [merge.part(row, splits).replace("validate", "validation") for row in range(355)]
    assert dataset.split.tolist() == expected
    sizes = [(dataset.split == part).mean() for part in ("train", "validation", "test")]
    np.testing.assert_allclose(sizes, [int(n) / 100 for n in splits.split("_")], atol=0.02)
    cv = FixedSplit(dataset.split)
    (found,) = audit(groups=dataset.groups, cv=cv).findings
    assert found.kind == "shared_groups"
    test = dataset.split == "test"
    shared = np.isin(dataset.groups[test], dataset.groups[~test])
    assert 0 < shared.sum() < test.sum()
    assert f"Of the {test.sum()} test songs, {shared.sum()} are by an artist" in dataset.DESCR
    assert f"({len(set(dataset.groups[test][shared]))} artists)" in dataset.DESCR
    assert found.message.startswith(f"{len(set(dataset.groups[test][shared]))} of ")


def test_cells_are_in_their_columns(merge_home):
    frame = fetch_merge(data_home=merge_home).frame
    assert frame["artist"][3] == "Louis Armstrong 1"
    assert frame["group"][[3, 7]].tolist() == ["louis armstrong 1", "MT0000000007"]
    assert frame["title"][5] == "Title, 5"
    assert frame["valence"].tolist() == [0.22625] * 354 + [0.9]


def test_arousal_and_valence_come_from_words(merge_home):
    message = "mood words.* 354 of the 355 songs share"
    with pytest.warns(UserWarning, match=message) as record:
        dataset = fetch_merge(data_home=merge_home, target="arousal_valence")
    assert record[0].filename == __file__
    assert dataset.target[:2].tolist() == [[0.25, 0.22625], [0.75, 0.22625]]
    assert (str(dataset.scale), dataset.target_names) == ("from mood words, 0 to 1", ["arousal", "valence"])  # fmt: skip
    assert "354 of the 355 songs share" in dataset.DESCR
    assert "learns tags" in " ".join(dataset.DESCR.split())


def test_the_audit_finds_4q_and_bimodal_in_merge(merge_home, fourq_home, tmp_path):
    touch_bimodal_clips(tmp_path / "bimodal")
    write_xls(tmp_path / "bimodal" / "MER-Audio-dataset.xls", bimodal_rows(artists=False))
    new = fetch_merge(data_home=merge_home)
    for name, old, n_shared in (
        ("4q", fetch_4q(data_home=fourq_home), merge.N_4Q),
        ("bimodal", fetch_bimodal(data_home=tmp_path), merge.N_BIMODAL),
    ):
        n_old = len(old.data)
        rows = np.arange(n_old + len(new.data))
        given = {
            "items": [*old.frame["song"], *new.frame["song"]],
            "datasets": [name] * n_old + ["merge"] * len(new.data),
        }
        for cv, severity in (([(rows[:n_old], rows[n_old:])], "error"), (None, "warning")):
            found = audit(**given, cv=cv).findings
            assert [(one.kind, one.severity) for one in found] == [("contained_dataset", severity)]
            assert f"{n_shared} clips" in found[0].message
            assert len(found[0].row_sets) == n_shared


@pytest.mark.parametrize(
    ("name", "edit", "message"),
    [
        ("*metadata.csv", lambda text: text.replace("Artist,", "Band,", 1), "lacks Artist"),
        ("*metadata.csv", lambda text: text.replace("Q1", "Q7", 1), "Got 'Q7'"),
        ("*metadata.csv", lambda text: text.replace('"Title, 3"', "Title, 3"), "Line 5 has 12"),
        ("*metadata.csv", lambda text: text.replace("\nMT0000000002,", "\nMT0000000001,"), "once. Got MT0000000001"),
        ("*av_values.csv", lambda text: text.replace("MT0000000002,", "X,"), "lacks the songs MT0000000002"),
        ("*av_values.csv", lambda text: text.replace("0.9", "9"), "must lie on the scale"),
        ("tvt_70*_test_*", lambda text: "\n".join(text.splitlines()[:-5]), "the split must hold every song .* 5 of 355"),
        ("tvt_70*_test_*", lambda text: text + "MT0000000000,Q1\n", "in one part of the split"),
        ("tvt_70*_test_*", lambda text: text + "NEW,Q1\n", "csv must hold every song of the split. It lacks the songs NEW"),
        ("tvt_70*_train_*", lambda text: text.replace("0,Q1", "0,Q2", 1), "the same quadrant.*for 1 song,"),
    ],
)  # fmt: skip
def test_tables_that_are_not_the_published(merge_home, change, name, edit, message):
    (path,) = (merge_home / "merge").rglob(name)
    change(path, edit(path.read_text(encoding="utf-8")))
    with pytest.raises(InputError, match=message) as caught:
        fetch_merge(data_home=merge_home)
    assert len(str(caught.value)) <= 500
    report = validate_dataset("merge", data_home=merge_home)
    assert report.files("wrong")


def test_validate_and_missing_clips(merge_home, change):
    folder = merge_home / "merge" / "MERGE_Audio_Complete"
    change(folder / "Q1" / "MT0000000000.mp3", None)
    change(folder / "Q2" / "MT0000000000.mp3", "")
    change(folder / "Q2" / "MT0000000001.mp3", None)
    report = validate_dataset("merge", data_home=merge_home)
    assert report.files("missing") == ["MT0000000001"]
    assert report.files("wrong") == ["MERGE_Audio_Complete/Q2/MT0000000000.mp3"]
    with pytest.warns(IncompleteDatasetWarning, match="1 of 355 clips of MERGE"):
        assert len(fetch_merge(data_home=merge_home).data) == 354


def test_nothing_in_place(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"Get MERGE_Audio_Balanced\.zip from https"):
        fetch_merge("audio_balanced", data_home=tmp_path, download_if_missing=False)


@pytest.fixture
def record(server, monkeypatch):
    """The record on loopback, as Zenodo lists it."""
    monkeypatch.setattr(
        pooch.downloaders, "doi_to_url", lambda doi, **_: "https://zenodo.org/records/13939205"
    )
    monkeypatch.setattr(pooch.downloaders.ZenodoRepository, "base_api_url", f"{server.url}/api")

    def publish(content, *, filename="MERGE_Bimodal_Balanced.zip", md5=None):
        md5 = md5 or hashlib.md5(content).hexdigest()
        entry = {
            "key": filename,
            "checksum": f"md5:{md5}",
            "links": {"self": f"{server.url}/{filename}"},
        }
        server.files["/api/13939205"] = json.dumps({"id": 13939205, "files": [entry]}).encode()
        server.files[f"/{filename}"] = content

    return publish


def test_download_from_the_record(tmp_path, record):
    merge.write_merge(tmp_path / "source", "bimodal_balanced")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted((tmp_path / "source").rglob("*.*")):
            archive.write(path, path.relative_to(tmp_path / "source"))
        archive.writestr("__MACOSX/Q1/._MT0000000000.mp3", "junk")
    record(buffer.getvalue())
    dataset = fetch_merge("bimodal_balanced", data_home=tmp_path)
    assert len(dataset.data) == 200
    assert not (tmp_path / "merge" / "__MACOSX").exists()
    record(buffer.getvalue(), md5="0" * 32)
    with pytest.raises(InputError, match=r"is not the published file"):
        fetch_merge("bimodal_balanced", data_home=tmp_path / "other")
    record(b"", filename="MERGE_Lyrics.zip")
    with pytest.raises(InputError, match=r"must list MERGE_Bimodal_Balanced\.zip"):
        fetch_merge("bimodal_balanced", data_home=tmp_path / "other")


def test_no_record(tmp_path, record):
    with pytest.raises(
        (DatasetNotFoundError, InputError), match=r"The record https://doi.org/10.5281"
    ):
        fetch_merge(data_home=tmp_path)
    assert not list(tmp_path.iterdir())

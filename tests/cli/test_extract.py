"""`skmer extract` on files, folders, patterns and tables."""

import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from skmer import MFCCStatsTransformer

MFCC = ("--features", "mfcc", "--out")


def test_a_folder_to_the_bottom(skmer, clips, tmp_path):
    (clips / "deep" / "er").mkdir(parents=True)
    shutil.move(clips / "07.wav", clips / "deep" / "er" / "07.WAV")
    shutil.copy(clips / "01.wav", clips / "._01.wav")
    (clips / "notes.txt").write_text("no clip")
    outcome = skmer("extract", clips, *MFCC, "sub/t.parquet")
    assert outcome.status == 0
    # No bar, since standard error is no terminal here.
    assert outcome.err.splitlines() == [
        f"{clips}: Left out: files that are not audio 2, resource forks (._*) 1.",
        "sub/t.parquet has 20 rows of 20 clips",
    ]

    table = pd.read_parquet(tmp_path / "sub" / "t.parquet")
    assert table["path"].tolist()[-1] == str(clips / "deep" / "er" / "07.WAV")
    expected = MFCCStatsTransformer().fit_transform(table["path"].tolist())
    np.testing.assert_array_equal(table.filter(like="mfcc_").to_numpy(), expected)
    assert set(table["sr"]) == {16000}
    assert set(table["duration"]) == {0.25}
    settings = json.loads(pq.read_schema(tmp_path / "sub" / "t.parquet").metadata[b"skmer"])
    assert settings["features"][0]["transformer"] == "MFCCStatsTransformer"
    assert settings["features"][0]["parameters"]["n_mfcc"] == 20


def test_a_table_keeps_labels_groups_order_and_missing_files(skmer, clips):
    frame = pd.read_csv(clips / "clips.csv")[::-1]
    frame.loc[3, "path"] = "missing.wav"
    frame.to_csv(clips / "clips.csv", index=False)
    outcome = skmer("extract", clips / "clips.csv", *MFCC, "t.parquet")
    assert outcome.status == 0
    assert outcome.err.endswith("20 clips; 1 could not be read, see its column 'error'\n")
    table = pd.read_parquet("t.parquet")
    assert table["label"].tolist() == frame["label"].tolist()
    assert table["group"].tolist() == frame["group"].tolist()
    assert table["error"].notna().sum() == 1
    assert table["error"].iloc[16] == "the file does not exist."
    assert table.filter(like="mfcc_").iloc[16].isna().all()


def test_patterns_and_files_once_each(skmer, clips):
    outcome = skmer("extract", clips / "0[12].wav", clips / "01.wav", *MFCC, "t.npz", "--frames")
    assert outcome.status == 0
    with np.load("t.npz") as file:
        table = dict(file)
    assert np.unique(table["path"]).size == 2
    assert table["embeddings"].shape == (len(table["time"]), 20)


def test_weights_that_are_not_there(one_sentence, clips):
    message = one_sentence(
        "extract", clips, "--weights", "vggish=nowhere", "--features", "vggish",
        "--out", "t.npz",
    )  # fmt: skip
    assert "nowhere does not exist" in message


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing.wav", "--out", "t.npz"], "There is no file, folder or match"),
        (["*.wav", "--out", "t.npz"], "There is no file, folder or match"),
        (["empty", "--out", "t.npz"], "holds no audio file"),
        (["missing.csv", "--out", "t.npz"], "no csv file"),
        (["bad.csv", "--out", "t.npz"], "must have a column 'path'"),
        (["clips", "--out", "t.txt"], "must end in .parquet, .npz, .csv"),
        (["clips", "--out", "file/t.npz"], "cannot be written into the folder"),
        (
            ["clips", "--out", "t.npz", "--features", "l3,mfc"],
            "must be one or several of musicnn, l3, vggish, mfcc",
        ),
        (["clips", "--out", "t.npz", "--features", "l3"], "pass --weights random"),
        (["clips", "--out", "t.npz", "--layer", "tags"], "--layer is not an option of mfcc"),
        (["clips", "--out", "t.npz", "--no-center"], "--no-center is not an option of mfcc"),
        (["clips", "--out", "t.npz", "--offset", "-1"], "The --offset option must be"),
        (["clips", "--out", "t.npz", "--pooling", "mode"], "The --pooling option must be"),
        (["clips"], "either --out FILE"),
        (["clips", "--out", "t.npz", "--per-file", "d"], "either --out FILE"),
    ],
)
def test_mistakes(one_sentence, clips, tmp_path, words, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "bad.csv").write_text("file\na.wav\n")
    features = [] if "--features" in words else ["--features", "mfcc"]
    assert said in one_sentence("extract", *words, *features)
    assert not list(tmp_path.glob("t.*"))


def test_every_column_of_a_csv_is_kept(skmer, clips):
    frame = pd.read_csv(clips / "clips.csv").assign(year=1999, duration="long", album="=A1")
    frame.to_csv(clips / "clips.csv", index=False)
    assert skmer("extract", clips / "clips.csv", *MFCC, "t.csv").status == 0
    table = pd.read_csv("t.csv")
    assert set(table["year"]) == {1999}
    assert set(table["input_duration"]) == {"long"}
    assert set(table["album"]) == {"'=A1"}
    assert table["label"].tolist() == frame["label"].tolist()


def test_settings_of_the_networks(skmer, clips):
    words = ["--weights", "random", "--embedding-size", "6144", "--hop-size", "0.1", "--no-center"]
    outcome = skmer(
        *("extract", clips / "01.wav", "--features", "l3,mfcc", "--input-repr", "mel128"),
        *(*words, "--frontend", "librosa", "--out", "t.parquet"),
    )
    assert outcome.status == 0
    settings = json.loads(pq.read_schema("t.parquet").metadata[b"skmer"])
    l3, mfcc = (one["parameters"] for one in settings["features"])
    assert (l3["input_repr"], l3["embedding_size"], l3["hop_size"]) == ("mel128", 6144, 0.1)
    assert (l3["center"], l3["frontend"]) == (False, "librosa")
    assert "center" not in mfcc
    assert pd.read_parquet("t.parquet").shape == (1, 6 + 6144 + 120)


def test_segment_and_pooling(skmer, clips):
    words = ["--offset", "0.05", "--duration", "0.1", "--pooling", "max,mean"]
    outcome = skmer("extract", clips / "01.wav", *words, *MFCC, "t.parquet")
    assert outcome.status == 0
    transformer = MFCCStatsTransformer(offset=0.05, duration=0.1, statistics=("max", "mean"))
    numbers = pd.read_parquet("t.parquet").filter(like="mfcc_")
    expected = transformer.fit_transform([clips / "01.wav"])
    np.testing.assert_array_equal(numbers.to_numpy(), expected)
    assert list(numbers) == list(transformer.get_feature_names_out())


def test_segments_of_files(skmer, clips):
    """Rows are of the parts, also after a kill, in tables and in a file each."""
    rows = [("01.wav", 0, 0.1), ("01.wav", 0.1, 0.2), ("02.wav", 0.05, "")]
    lines = [f"clips/{name},{start},{end},word" for name, start, end in rows]
    Path("parts.csv").write_text("\n".join(["path,start,end,said", *lines]))
    parts = [(str(clips / name), start, end or None) for name, start, end in rows]
    expected = MFCCStatsTransformer().fit_transform(parts)
    for _ in range(2):
        assert skmer("extract", "parts.csv", *MFCC, "t.parquet").status == 0
        table = pd.read_parquet("t.parquet")
        np.testing.assert_array_equal(table.filter(like="mfcc_").to_numpy(), expected)
        assert table[["start", "said"]].to_numpy().tolist() == [
            [0, "word"], [0.1, "word"], [0.05, "word"],
        ]  # fmt: skip
        assert table["duration"].round(3).tolist() == [0.1, 0.1, 0.2]
    assert skmer("extract", "parts.csv", *MFCC[:2], "--per-file", "d").status == 0
    assert len(list(Path("d").rglob("*.npz"))) == 3


def test_a_file_for_each_clip(skmer, clips):
    outcome = skmer("extract", clips / "01.wav", clips / "02.wav", *MFCC[:2], "--per-file", "d")
    assert outcome.status == 0
    assert np.load("d/01.npz")["embedding"].shape[1] == 20


def test_append_shards_and_archives(skmer, one_sentence, clips):
    assert skmer("extract", clips, *MFCC, "t.parquet").status == 0
    message = one_sentence("extract", clips / "01.wav", *MFCC, "t.parquet")
    assert "has 20 clips, and would be replaced by one of 1; pass --append to add" in message
    with tarfile.open("more.tar", "w") as archive:
        archive.add(clips / "03.wav", "other/03.wav")
    outcome = skmer("extract", "more.tar", clips / "clips.csv", *MFCC, "t.parquet", "--append")
    assert outcome.status == 2
    assert skmer("extract", "more.tar", *MFCC, "t.parquet", "--append").status == 0
    table = pd.read_parquet("t.parquet")
    assert table["path"].tolist()[20:] == ["more.tar/other/03.wav"]
    words = ["--shard-size", "15", "--layout", "list"]
    assert skmer("extract", clips, *MFCC, "folder", *words).status == 0
    embeddings = np.stack(pd.read_parquet("folder")["embedding"])
    np.testing.assert_array_equal(embeddings, table.filter(like="mfcc_").to_numpy()[:20])
    assert skmer("extract", clips / "01.wav", *MFCC, "t.parquet", "--force").status == 0
    assert len(pd.read_parquet("t.parquet")) == 1


def test_nothing_read_is_status_1(skmer, clips):
    (clips / "01.wav").write_text("no audio")
    assert skmer("extract", clips / "01.wav", *MFCC, "t.csv").status == 1

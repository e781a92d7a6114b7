"""A second run: over a grown folder, after damage, beside another process."""

import hashlib
import io
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from skmer import MFCCStatsTransformer, VGGishTransformer
from skmer.embeddings import extract, extract_files
from skmer.embeddings import extraction as _extract
from skmer.exceptions import IgnoredCacheWarning

SUFFIXES = (".parquet", ".npz", ".csv")


@pytest.fixture
def paths(tmp_path):
    """Nine short clips."""
    rng = np.random.default_rng(0)
    for i in range(9):
        soundfile.write(tmp_path / f"{i}.wav", 0.1 * rng.standard_normal(3000 + 700 * i), 8000)
    return [str(tmp_path / f"{i}.wav") for i in range(9)]


def numbers(path):
    """The embeddings of a table."""
    if path.suffix == ".npz":
        return np.load(path)["embeddings"]
    table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    return table.filter(regex="^(mfcc|vggish)_").to_numpy(np.float32)


@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_grown_folder_costs_the_new_clips_only(paths, tmp_path, suffix, frames, monkeypatch):
    monkeypatch.setattr("skmer.embeddings.shards._BATCH_ROWS", 5)
    out, whole = tmp_path / f"table{suffix}", tmp_path / f"whole{suffix}"
    extract(paths[:6], MFCCStatsTransformer(), out, frames=frames)
    grown = [paths[8], *paths[2:8], paths[0]]
    done = extract(grown, MFCCStatsTransformer(), out, frames=frames)
    assert (done.n_clips, done.n_computed) == (8, 3)
    assert extract(grown, MFCCStatsTransformer(), out, frames=frames).n_computed == 0
    extract(grown, MFCCStatsTransformer(), whole, frames=frames)
    np.testing.assert_array_equal(numbers(out), numbers(whole))
    assert out.read_bytes() == whole.read_bytes()
    assert extract(grown, MFCCStatsTransformer(n_mfcc=9), out, frames=frames).n_computed == 8


def test_failed_clips_are_tried_once_more(paths, tmp_path):
    (tmp_path / "1.wav").rename(tmp_path / "away")
    for suffix in SUFFIXES:
        assert extract(paths, MFCCStatsTransformer(), tmp_path / f"table{suffix}").n_failed == 1
    (tmp_path / "away").rename(tmp_path / "1.wav")
    for suffix in SUFFIXES:
        done = extract(paths, MFCCStatsTransformer(), tmp_path / f"table{suffix}")
        assert (done.n_failed, done.n_computed) == (0, 1)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_flipped_bit_in_a_table_is_never_taken_over(paths, tmp_path, suffix):
    out = tmp_path / f"table{suffix}"
    extract(paths, MFCCStatsTransformer(), out)
    right, whole = numbers(out), out.read_bytes()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        damaged = bytearray(whole)
        damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        out.write_bytes(damaged)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", IgnoredCacheWarning)
            extract(paths, MFCCStatsTransformer(), out)
        np.testing.assert_array_equal(numbers(out), right)


def test_a_flipped_bit_in_a_part_is_never_taken_over(paths, tmp_path, monkeypatch):
    out = tmp_path / "table.parquet"
    extract(paths, MFCCStatsTransformer(), tmp_path / "right.parquet")
    right = numbers(tmp_path / "right.parquet")

    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    for seed in range(20):
        with monkeypatch.context() as patch:
            patch.setitem(_extract._WRITERS, ".parquet", stop)
            with pytest.raises(KeyboardInterrupt):
                extract(paths, MFCCStatsTransformer(), out)
        (part,) = (tmp_path / "table.parquet.parts").glob("*.parquet")
        damaged, rng = bytearray(part.read_bytes()), np.random.default_rng(seed)
        damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        part.write_bytes(damaged)
        with pytest.warns(IgnoredCacheWarning, match="is damaged"):
            extract(paths, MFCCStatsTransformer(), out)
        np.testing.assert_array_equal(numbers(out), right)
        out.unlink()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), Path.mkdir])
@pytest.mark.parametrize(
    "name", ["t.parquet", "t.npz", "t.csv", "t.csv.json", "t.parquet.parts", "frames"]
)
def test_what_is_no_file_is_not_waited_for(paths, tmp_path, monkeypatch, name, make):
    def run():
        if name == "frames":
            return extract_files(paths[:1], MFCCStatsTransformer(), tmp_path / name)
        return extract(
            paths[:1],
            MFCCStatsTransformer(),
            tmp_path / name.removesuffix(".parts").removesuffix(".json"),
        )

    if name == "t.parquet.parts":
        with monkeypatch.context() as patch:
            patch.setitem(_extract._WRITERS, ".parquet", lambda *args, **kwargs: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                run()
    else:
        run()
    place = tmp_path / name
    if place.is_dir():
        (place,) = place.glob("*.[np]*")
    place.unlink()
    make(place)
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        if make is Path.mkdir and not name.endswith("parts"):
            with pytest.raises(IsADirectoryError):
                run()
        else:
            assert run().n_computed == 1
            assert run().n_computed == 0


def test_damage_to_either_array_of_a_clip_is_seen(paths, tmp_path):
    extract_files(paths[:1], MFCCStatsTransformer(), tmp_path / "frames")
    (file,) = (tmp_path / "frames").glob("*.npz")
    whole = file.read_bytes()
    for at in range(0, len(whole), 97):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        extract_files(paths[:1], MFCCStatsTransformer(), tmp_path / "frames")
        with np.load(file) as found, np.load(io.BytesIO(whole)) as right:
            for name in right:
                np.testing.assert_array_equal(found[name], right[name])


def parquet(**columns):
    """The bytes of a Parquet file."""
    stream = io.BytesIO()
    pd.DataFrame(columns).to_parquet(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"", b"PAR1 and no more", parquet(digest=["x"]), parquet(rows=[3.0]), parquet(rows=[[1, 2]])],
)
def test_a_part_that_is_none_of_ours_is_not_taken_over(paths, tmp_path, monkeypatch, content):
    out = tmp_path / "table.parquet"
    monkeypatch.setitem(_extract._WRITERS, ".parquet", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        extract(paths, MFCCStatsTransformer(), out)
    monkeypatch.undo()
    (part,) = (tmp_path / "table.parquet.parts").glob("*.parquet")
    part.unlink()
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    part.with_stem(f"{part.stem.split('-')[0]}-{digest}").write_bytes(content)
    with pytest.warns(IgnoredCacheWarning, match="is damaged"):
        assert extract(paths, MFCCStatsTransformer(), out).n_computed == len(paths)


@pytest.mark.parametrize("frames", [False, True])
def test_rows_of_another_width_are_not_taken_over(paths, tmp_path, monkeypatch, frames):
    """As of a table that somebody changed, whose key still says that it is this one."""
    out, clips = tmp_path / "table.npz", paths[:2]
    extract(clips, MFCCStatsTransformer(), tmp_path / "right.npz")
    with np.load(tmp_path / "right.npz") as arrays:
        changed = {**arrays, "embeddings": np.repeat(arrays["embeddings"], 2, axis=1)}
    if frames:
        changed["frame"] = np.array([0, 1])
        changed["embeddings"] = changed["embeddings"][:, :120]
    np.savez(out, **changed)
    assert extract(clips, MFCCStatsTransformer(), out).n_computed == len(clips)
    np.testing.assert_array_equal(numbers(out), numbers(tmp_path / "right.npz"))


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".npz", b"0"),
        (".npz", b"PK\3\4"),
        (".parquet", b"PAR1PAR1"),
        (".parquet", parquet(path=["x"])),
        (".csv", b"digest,sr\n1,x\n"),
    ],
)
def test_a_table_that_is_none_of_ours_is_replaced(paths, tmp_path, suffix, content):
    out = tmp_path / f"table{suffix}"
    extract(paths[:1], MFCCStatsTransformer(), out)
    out.write_bytes(content)
    if suffix == ".csv":
        settings = json.loads((tmp_path / "table.csv.json").read_text())
        settings["sha256"] = hashlib.sha256(content).hexdigest()
        (tmp_path / "table.csv.json").write_text(json.dumps(settings))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IgnoredCacheWarning)
        done = extract(paths[:1], MFCCStatsTransformer(), out)
    assert (done.n_rows, done.n_failed, done.n_computed) == (1, 0, 1)


def test_several_transformers_fill_one_table(paths, tmp_path):
    both = [MFCCStatsTransformer(), VGGishTransformer(weights=None, random_state=0)]
    with pytest.warns(UserWarning, match="shorter than one frame"):
        expected = np.hstack([one.fit_transform(paths[:3]) for one in both])
    extract(paths[:3], both, tmp_path / "both.parquet")
    np.testing.assert_array_equal(numbers(tmp_path / "both.parquet"), expected)
    for wrong, said in (
        ([MFCCStatsTransformer(), MFCCStatsTransformer()], "give a column 'mfcc_mean_0'"),
        ([], "must be a transformer of clips"),
    ):
        with pytest.raises((ValueError, TypeError), match=said):
            extract(paths, wrong, tmp_path / "both.parquet")
    with pytest.raises(ValueError, match="one transformer fills a table"):
        extract(paths, both, tmp_path / "both.parquet", frames=True)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_columns_of_every_kind(paths, tmp_path, suffix):
    out = tmp_path / f"table{suffix}"
    columns = {
        "label": ["a", None, "=1+1"],
        "take": np.array([3, 1, 2]),
        "share": [0.5, np.nan, 1],
        "sung": [True, False, True],
        "text": pd.Series(["NA", "01", ""]),
    }
    extract(paths[:3], MFCCStatsTransformer(), out, columns=columns)
    if suffix == ".npz":
        table = dict(np.load(out))
        assert table["label"].tolist() == ["a", "", "=1+1"]
    else:
        table = pd.read_parquet(out) if suffix == ".parquet" else pd.read_csv(out)
        spreadsheet = "'" if suffix == ".csv" else ""
        assert table["label"].tolist()[2] == f"{spreadsheet}=1+1"
    assert list(table["take"]) == [3, 1, 2]
    assert list(table["sung"]) == [True, False, True]
    np.testing.assert_array_equal(table["share"], [0.5, np.nan, 1])


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"mfcc_mean_0": ["x"]}, "called 'mfcc_mean_0' already"),
        ({"embeddings": ["x"]}, "called 'embeddings' already"),
        ({"settings": ["x"]}, "called 'settings' already"),
        ({"path": ["x"]}, "called 'path' already"),
        ({3: ["x"]}, "must be texts of at least one letter. Got 3"),
        ({"mixed": [object()]}, "must hold texts"),
        ({"long": ["x", "y"]}, "one entry for each of the 1 paths. Got 2"),
    ],
)
def test_columns_are_checked_before_the_work(paths, tmp_path, columns, said, monkeypatch):
    def refuse(*args):
        raise AssertionError("a clip was computed")

    monkeypatch.setattr(_extract, "embed_clip", refuse)
    for suffix in SUFFIXES:
        with pytest.raises((ValueError, TypeError), match=said):
            extract(paths[:1], MFCCStatsTransformer(), tmp_path / f"t{suffix}", columns=columns)


def test_a_file_for_each_clip(paths, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "0.wav").rename(tmp_path / "sub" / "1.wav")
    (tmp_path / "2.wav").write_text("no audio")
    given = [str(tmp_path / "sub" / "1.wav"), *paths[1:4]]
    embed = MFCCStatsTransformer().fit(given)
    done = extract_files(given, embed, tmp_path / "frames")
    assert (done.n_clips, done.n_computed, done.n_failed) == (4, 4, 1)
    files = sorted(path.relative_to(done.path) for path in done.path.rglob("*.*"))
    assert [str(file) for file in files] == ["1.npz", "3.npz", "errors.csv", "sub/1.npz"]
    first = np.load(done.path / "sub" / "1.npz")
    (frames,) = embed.transform_frames(given[:1])
    np.testing.assert_array_equal(first["embedding"], frames)
    np.testing.assert_array_equal(first["timestamps"], embed.frame_times(len(frames)))
    again = extract_files([*given, paths[5]], embed, done.path)
    assert again.n_computed == 2
    soundfile.write(given[0], np.full(4000, 0.1), 8000)
    assert extract_files([*given[:2], *paths[3:4]], embed, done.path).n_computed == 1
    assert not (done.path / "errors.csv").exists()


def test_two_clips_of_one_name_are_refused(paths, tmp_path):
    soundfile.write(tmp_path / "0.flac", np.full(4000, 0.1), 8000)
    with pytest.raises(ValueError, match="would both be written to"):
        extract_files([paths[0], str(tmp_path / "0.flac")], MFCCStatsTransformer(), tmp_path / "f")


RACE = """
import sys, time
from skmer import MFCCStatsTransformer
from skmer.embeddings import extract

until, met = time.monotonic() + 6, set()
while time.monotonic() < until:
    try:
        extract(sys.argv[1:], MFCCStatsTransformer(), "race.parquet")
        met.add("done")
    except OSError as error:
        met.add("waited" if "Another process is writing" in str(error) else repr(error))
print(sorted(met))
"""


@pytest.mark.slow
def test_processes_that_take_turns_never_meet(paths, tmp_path):
    command = [sys.executable, "-c", RACE, *paths]
    started = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for process in started:
        said, _ = process.communicate(timeout=120)
        assert set(said.strip()[1:-1].replace("'", "").split(", ")) <= {"done", "waited"}
        assert process.returncode == 0
    extract(paths, MFCCStatsTransformer(), tmp_path / "whole.parquet")
    np.testing.assert_array_equal(
        numbers(tmp_path / "race.parquet"), numbers(tmp_path / "whole.parquet")
    )

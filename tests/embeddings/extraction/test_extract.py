"""Clips to one table: the rows, the resuming, what cannot be read."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import soundfile

from skmer import L3Transformer, MFCCStatsTransformer, VGGishTransformer
from skmer.embeddings import Extraction, extract, extract_files
from skmer.embeddings import extraction as _extract
from skmer.embeddings.shards import lock_output
from skmer.exceptions import IgnoredCacheWarning, WeightsNotFoundError

N_CLIPS = 12


@pytest.fixture
def paths(tmp_path):
    """Clips of different lengths and contents."""
    folder = tmp_path / "clips"
    folder.mkdir()
    rng = np.random.default_rng(0)
    paths = [folder / f"{i:02}.wav" for i in range(N_CLIPS)]
    for i, path in enumerate(paths):
        soundfile.write(path, 0.1 * rng.standard_normal(2000 + 500 * i), 8000)
    return [str(path) for path in paths]


@pytest.fixture
def computed(monkeypatch):
    """The paths of the clips that were computed, in order; raises at the one in `stop_at`."""
    seen = Computed()
    real = _extract.embed_clip

    def embed_clip(recipe, clip, cache, n_threads):
        if clip.source == seen.stop_at:
            raise KeyboardInterrupt
        seen.append(clip.source)
        return real(recipe, clip, cache, n_threads)

    monkeypatch.setattr(_extract, "embed_clip", embed_clip)
    return seen


class Computed(list):
    stop_at = None


def interrupt(computed, paths, out, at, **options):
    """Extract until the clip at `at`; forget what was computed."""
    computed.stop_at = paths[at]
    with pytest.raises(KeyboardInterrupt):
        extract(paths, MFCCStatsTransformer(), out, **options)
    computed.stop_at = None
    computed.clear()


@pytest.mark.parametrize("suffix", [".parquet", ".npz"])
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_row_a_clip(paths, tmp_path, suffix, n_jobs):
    transformer = MFCCStatsTransformer(statistics=("max",), deltas=0)
    out = tmp_path / f"table{suffix}"
    done = extract(
        paths, transformer, out, columns={"label": ["a", "b"] * 6}, n_jobs=n_jobs, chunk_size=5
    )
    assert done == Extraction(out, N_CLIPS, N_CLIPS, N_CLIPS, 0)
    assert not out.with_name(out.name + ".parts").exists()
    expected = transformer.fit_transform(paths)
    names = list(transformer.get_feature_names_out())
    if suffix == ".npz":
        table = np.load(out)
        np.testing.assert_array_equal(table["embeddings"], expected)
        assert table["columns"].tolist() == names
        settings = json.loads(str(table["settings"]))
    else:
        table = pd.read_parquet(out)
        assert list(table.columns) == [
            *("path", "label", "digest", "duration", "sr", "error", "notes"),
            *names,
        ]
        np.testing.assert_array_equal(table[names].to_numpy(), expected)
        settings = json.loads(pq.read_schema(out).metadata[b"skmer"])
    assert list(table["path"]) == paths
    assert list(table["label"]) == ["a", "b"] * 6
    assert list(table["duration"]) == [(2000 + 500 * i) / 8000 for i in range(N_CLIPS)]
    assert set(table["sr"]) == {8000}
    assert settings["features"][0]["parameters"]["n_mfcc"] == 20
    assert settings["rows"] == "clips"


@pytest.mark.parametrize("suffix", [".parquet", ".npz"])
def test_a_row_a_frame(paths, tmp_path, suffix):
    transformer = MFCCStatsTransformer(offset=0.1).fit(paths)
    out = tmp_path / f"table{suffix}"
    done = extract(paths, transformer, out, frames=True)
    expected = transformer.transform_frames(paths)
    assert done.n_rows == sum(map(len, expected))
    if suffix == ".npz":
        table = np.load(out)
        numbers = table["embeddings"]
    else:
        table = pd.read_parquet(out)
        numbers = table[[f"mfcc_{i}" for i in range(20)]].to_numpy()
    np.testing.assert_array_equal(numbers, np.concatenate(expected))
    assert list(table["path"]) == np.repeat(paths, list(map(len, expected))).tolist()
    second = slice(len(expected[0]), len(expected[0]) + len(expected[1]))
    assert list(table["frame"][second]) == list(range(len(expected[1])))
    np.testing.assert_allclose(table["time"][second], transformer.frame_times(len(expected[1])))


def test_many_small_batches_are_the_same_table(paths, tmp_path, monkeypatch):
    extract(paths, MFCCStatsTransformer(), tmp_path / "one.parquet")
    monkeypatch.setattr("skmer.embeddings.shards._BATCH_BYTES", 1000)
    monkeypatch.setattr(_extract, "_PART_BYTES", 1000)
    extract(paths, MFCCStatsTransformer(), tmp_path / "many.parquet")
    assert pq.ParquetFile(tmp_path / "many.parquet").num_row_groups == 4
    one, many = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("one", "many"))
    pd.testing.assert_frame_equal(one, many)


@pytest.mark.parametrize("suffix", [".parquet", ".npz"])
def test_resumed_after_an_interrupt(paths, tmp_path, computed, suffix):
    out, whole = tmp_path / f"table{suffix}", tmp_path / f"whole{suffix}"
    interrupt(computed, paths, out, 7, chunk_size=3)
    assert not out.exists()
    done = extract(paths, MFCCStatsTransformer(), out, chunk_size=3)
    assert computed == paths[7:]
    assert (done.n_computed, done.n_clips) == (5, N_CLIPS)
    extract(paths, MFCCStatsTransformer(), whole)
    assert out.read_bytes() == whole.read_bytes()
    locks = {f".{out.name}.lock", f".{whole.name}.lock"}
    assert {path.name for path in tmp_path.iterdir()} == {"clips", out.name, whole.name} | locks


def test_resumed_by_content_not_by_name_or_order(paths, tmp_path, computed):
    out = tmp_path / "table.parquet"
    interrupt(computed, paths, out, 4)
    moved = str(tmp_path / "moved.wav")
    shutil.move(paths[0], moved)
    shutil.copy(paths[9], paths[1])
    order = [paths[9], moved, *paths[1:4], paths[5]]
    extract(order, MFCCStatsTransformer(), out)
    assert computed == [paths[9], paths[1], paths[5]]
    expected = MFCCStatsTransformer().fit_transform(order)
    np.testing.assert_array_equal(pd.read_parquet(out).filter(like="mfcc_"), expected)


def test_parts_of_other_settings_are_told_of_and_kept(paths, tmp_path, computed):
    out = tmp_path / "table.parquet"
    interrupt(computed, paths, out, 5)
    other = MFCCStatsTransformer(n_mfcc=13)
    with pytest.warns(IgnoredCacheWarning, match="1 parts in .* were made with other settings"):
        extract(paths, other, out)
    assert computed == paths
    expected = other.fit_transform(paths)
    np.testing.assert_array_equal(pd.read_parquet(out).filter(like="mfcc_"), expected)
    computed.clear()
    extract(paths, MFCCStatsTransformer(), out)
    assert computed == paths[5:]
    assert not (tmp_path / "table.parquet.parts").exists()


def test_rows_a_clip_and_rows_a_frame_do_not_share_parts(paths, tmp_path, computed):
    out = tmp_path / "table.parquet"
    interrupt(computed, paths, out, 5)
    with pytest.warns(IgnoredCacheWarning, match="other settings"):
        extract(paths, MFCCStatsTransformer(), out, frames=True)
    assert computed == paths


def test_a_damaged_part_is_computed_again(paths, tmp_path, computed):
    out = tmp_path / "table.parquet"
    interrupt(computed, paths, out, 5, chunk_size=2)
    part = next((tmp_path / "table.parquet.parts").glob("*.parquet"))
    part.write_bytes(part.read_bytes()[:200])
    with pytest.warns(IgnoredCacheWarning, match="is damaged"):
        extract(paths, MFCCStatsTransformer(), out)
    assert 7 < len(computed) <= 9
    expected = MFCCStatsTransformer().fit_transform(paths)
    np.testing.assert_array_equal(pd.read_parquet(out).filter(like="mfcc_"), expected)


@pytest.mark.parametrize("frames", [False, True])
def test_errors_are_listed_and_move_no_row(paths, tmp_path, frames):
    text, gone = str(tmp_path / "text.wav"), str(tmp_path / "gone.wav")
    (tmp_path / "text.wav").write_text("no audio")
    mixed = [paths[0], text, paths[1], gone, paths[2]]
    done = extract(mixed, MFCCStatsTransformer(), tmp_path / "table.parquet", frames=frames)
    assert (done.n_clips, done.n_failed) == (5, 2)
    table = pd.read_parquet(tmp_path / "table.parquet")
    assert table["path"].drop_duplicates().tolist() == mixed
    failed = table[table["error"].notna()]
    assert failed["path"].tolist() == [text, gone]
    assert failed["error"].iloc[0].startswith("the file is not in a format that can be read")
    assert failed["error"].iloc[1] == "the file does not exist."
    assert failed["digest"].isna().tolist() == [False, True]
    assert failed.filter(like="mfcc_").isna().all(axis=None)
    assert table[table["error"].isna()].filter(like="mfcc_").notna().all(axis=None)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are always text")
@pytest.mark.parametrize("suffix", [".parquet", ".npz", ".csv"])
def test_names_in_another_encoding_are_escaped(paths, tmp_path, suffix):
    odd, missing = (os.fsdecode(f"{tmp_path}/".encode() + name) for name in (b"\xdf.wav", b"\xe9"))
    shutil.copy(paths[0], odd)
    given = [paths[0], odd, missing]
    table = tmp_path / f"table{suffix}"
    done = extract(given, MFCCStatsTransformer(), table, columns={"name": given})
    assert (done.n_clips, done.n_failed) == (3, 1)
    if suffix == ".npz":
        with np.load(table) as arrays:
            columns = {"mfcc_mean_0": arrays["embeddings"][:, 0], **arrays}
    else:
        columns = pd.read_parquet(table) if suffix == ".parquet" else pd.read_csv(table)
    escaped = [path.encode("utf-8", "backslashreplace").decode() for path in given]
    assert escaped[1].endswith(r"\udcdf.wav")
    assert list(columns["path"]) == list(columns["name"]) == escaped
    assert columns["mfcc_mean_0"][0] == columns["mfcc_mean_0"][1]
    assert np.isnan(columns["mfcc_mean_0"][2])


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are always text")
def test_names_in_another_encoding_are_listed_as_errors(paths, tmp_path):
    missing = os.fsdecode(f"{tmp_path}/clips/".encode() + b"\xe9.wav")
    done = extract_files([paths[0], missing], MFCCStatsTransformer(), tmp_path / "frames")
    assert done.n_failed == 1
    assert r"\udce9.wav" in (tmp_path / "frames" / "errors.csv").read_text(encoding="utf-8")


def test_failed_clips_are_tried_again(paths, tmp_path, computed):
    file = Path(paths[1])
    sound = file.read_bytes()
    file.write_bytes(b"not yet, but soon, it will be audio")
    interrupt(computed, paths, tmp_path / "table.parquet", 3)
    file.write_bytes(sound)
    done = extract(paths, MFCCStatsTransformer(), tmp_path / "table.parquet")
    assert done.n_failed == 0
    assert computed == [paths[1], *paths[3:]]


def test_notes_say_what_is_odd(tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(4000), 16000)
    extract([tmp_path / "silent.wav"], MFCCStatsTransformer(), tmp_path / "table.parquet")
    assert pd.read_parquet(tmp_path / "table.parquet")["notes"].tolist() == ["silent"]


def test_a_second_process_is_kept_out(paths, tmp_path):
    with (
        lock_output(tmp_path / "table.npz"),
        pytest.raises(OSError, match="Another process is writing"),
    ):
        extract(paths, MFCCStatsTransformer(), tmp_path / "table.npz")


def test_weights_are_wanted_before_any_work(paths, tmp_path, monkeypatch):
    monkeypatch.setenv("SKMER_WEIGHTS", str(tmp_path / "weights"))
    with pytest.raises(WeightsNotFoundError):
        extract(paths, L3Transformer(), tmp_path / "table.npz")
    assert not (tmp_path / "table.npz.parts").exists()


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"paths": "clip.wav"}, ValueError, "a lone one, 'clip.wav'"),
        ({"paths": []}, ValueError, "at least one path"),
        ({"paths": [1]}, TypeError, "Entry 0 of 'paths' must be a path, got 1"),
        ({"transformer": "mfcc"}, TypeError, "must be a transformer of clips"),
        ({"transformer": VGGishTransformer(pooling=None)}, ValueError, "pooling=None .* frames"),
        ({"transformer": MFCCStatsTransformer(statistics=None)}, ValueError, "statistics=None"),
        ({"transformer": MFCCStatsTransformer(n_fft=0)}, ValueError, "'n_fft' parameter"),
        ({"out": "table.txt"}, ValueError, "must end in .parquet, .npz, .csv"),
        ({"out": "folder.npz"}, IsADirectoryError, "which is a folder"),
        ({"out": "settings.csv"}, IsADirectoryError, r"settings.csv.json', which is a folder"),
        ({"columns": {"label": ["a"]}}, ValueError, "for each of the 12 paths. Got 1"),
        ({"columns": {"sr": ["a"] * 12}}, ValueError, "called 'sr' already"),
        ({"chunk_size": 0}, ValueError, "'chunk_size' parameter"),
    ],
)
def test_mistakes(paths, tmp_path, monkeypatch, change, error, said):
    monkeypatch.chdir(tmp_path)
    for name in ("folder.npz", "settings.csv.json"):
        (tmp_path / name).mkdir()
    arguments = {"paths": paths, "transformer": MFCCStatsTransformer(), "out": "table.npz"}
    with pytest.raises(error, match=said):
        extract(**(arguments | change))


RUN = """
import sys, time
from skmer import MFCCStatsTransformer
from skmer.embeddings.extraction import _extract

real = _extract.embed_clip

def slowly(recipe, clip, cache, n_threads):
    time.sleep(0.05)
    done = real(recipe, clip, cache, n_threads)
    with open(sys.argv[1], "a") as log:
        log.write(clip.source + "\\n")
    return done

if __name__ == "__main__":
    _extract.embed_clip = slowly
    _extract.extract(sys.argv[3:], MFCCStatsTransformer(), sys.argv[2], chunk_size=4)
"""


@pytest.mark.slow
def test_killed_and_started_again(paths, tmp_path):
    many = []
    for i in range(48):
        many.append(str(tmp_path / "clips" / f"{i:02}-of-many.wav"))
        soundfile.write(many[-1], np.random.default_rng(i).uniform(-1, 1, 3000), 8000)
    script, log, out = tmp_path / "run.py", tmp_path / "log", tmp_path / "table.parquet"
    script.write_text(RUN)
    command = [sys.executable, script, log, out, *many]
    process = subprocess.Popen(command)
    try:
        deadline = time.monotonic() + 120
        while not (log.exists() and log.read_text().count("\n") >= 20):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    before = log.read_text().splitlines()
    assert 20 <= len(before) < len(many)
    parts = list((tmp_path / "table.parquet.parts").glob("*.parquet"))
    finished = sum(pq.read_metadata(part).num_rows for part in parts)
    # At most one part was under way, and one clip was not yet handed over.
    assert len(before) - finished <= 5

    subprocess.run(command, check=True)
    again = log.read_text().splitlines()[len(before) :]
    assert again == many[finished:]
    extract(many, MFCCStatsTransformer(), tmp_path / "undisturbed.parquet")
    assert out.read_bytes() == (tmp_path / "undisturbed.parquet").read_bytes()
    assert not (tmp_path / "table.parquet.parts").exists()


TENSORFLOW = """
import sys
from skmer import L3Transformer
from skmer.embeddings import extract

out, *paths = sys.argv[1:]
l3 = L3Transformer(weights=None, random_state=0, engine="tensorflow")
assert extract(paths, l3, out, n_jobs=2).n_computed == len(paths)
"""


@pytest.mark.slow
def test_workers_are_silent_when_tensorflow_starts(paths, tmp_path):
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("TF_CPP")}
    done = subprocess.run(
        [sys.executable, "-c", TENSORFLOW, tmp_path / "table.parquet", *paths[:2]],
        capture_output=True,
        text=True,
        env=quiet,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

"""Clips to one table, or a file each: the rows, the resuming, what is damaged or cannot be read."""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import soundfile
from filelock import FileLock
from sklearn.base import clone

from skmer import ClipFunctionTransformer, L3Transformer, MFCCStatsTransformer, VGGishTransformer
from skmer.audio import Segment
from skmer.embeddings import Extraction, extract, extract_files, mfcc, settings, sources, tables
from skmer.exceptions import IgnoredCacheWarning, InputError, WeightsNotFoundError
from skmer.utils import digest

SUFFIXES = (".parquet", ".npz", ".csv")
N_CLIPS = 9
MFCC = MFCCStatsTransformer(n_mfcc=5, deltas=0)
COLUMNS = [f"mfcc_{statistic}_{i}" for statistic in ("mean", "std") for i in range(5)]


@pytest.fixture
def paths(noise_files):
    return noise_files


def interrupt(computed, paths, out, at, **options):
    """Extract until the clip at `at`; forget what was computed."""
    computed.stop_at = paths[at]
    with pytest.raises(KeyboardInterrupt):
        extract(paths, MFCC, out, **options)
    computed.stop_at = None
    computed.clear()


def read(path):
    """Read the columns of a table, its numbers, and its settings."""
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            facts = set(arrays) - {"columns", "embeddings", "settings"}
            table = pd.DataFrame({name: arrays[name].tolist() for name in facts})
            return table, arrays["embeddings"], str(arrays["settings"])
    if path.suffix == ".csv":
        table, settings = pd.read_csv(path), Path(f"{path}.json").read_text()
    else:
        table, settings = pd.read_parquet(path), pq.read_schema(path).metadata[b"skmer"]
    return table, table.filter(regex="^(mfcc|vggish|n)_").to_numpy(np.float32), settings


def left(folder):
    """The names of all that is in a folder but clips and locks."""
    return {path.name for path in folder.iterdir() if path.suffix != ".lock"} - {"clips"}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_row_a_clip(paths, tmp_path, suffix, n_jobs):
    out = tmp_path / f"table{suffix}"
    labels = ["a", "b", "c"] * 3
    done = extract(paths, MFCC, out, columns={"label": labels}, n_jobs=n_jobs)
    assert done == Extraction(out, N_CLIPS, N_CLIPS, N_CLIPS, 0)
    assert left(tmp_path) == {out.name} | ({f"{out.name}.json"} if suffix == ".csv" else set())
    table, numbers, settings = read(out)
    np.testing.assert_array_equal(numbers, MFCC.fit_transform(paths))
    if suffix == ".npz":
        assert np.load(out)["columns"].tolist() == COLUMNS
    else:
        facts = ["path", "label", "digest", "duration", "sr", "error", "notes"]
        assert list(table.columns) == facts + COLUMNS
    assert list(table["path"]) == paths
    assert list(table["label"]) == labels
    assert list(table["duration"]) == [(3000 + 700 * i) / 8000 for i in range(N_CLIPS)]
    assert set(table["sr"]) == {8000}
    settings = json.loads(settings)
    assert settings["features"][0]["parameters"]["n_mfcc"] == 5
    assert settings["rows"] == "clips"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_row_a_frame(paths, tmp_path, suffix):
    transformer = MFCCStatsTransformer(offset=0.1).fit(paths)
    out = tmp_path / f"table{suffix}"
    done = extract(paths, transformer, out, frames=True)
    expected = transformer.transform_frames(paths)
    assert done.n_rows == sum(map(len, expected))
    table, numbers, _ = read(out)
    np.testing.assert_array_equal(numbers, np.concatenate(expected))
    assert list(table["path"]) == np.repeat(paths, list(map(len, expected))).tolist()
    second = slice(len(expected[0]), len(expected[0]) + len(expected[1]))
    assert list(table["frame"][second]) == list(range(len(expected[1])))
    np.testing.assert_allclose(table["time"][second], transformer.frame_times(len(expected[1])))


def test_a_file_is_opened_once(paths, tmp_path, monkeypatch):
    """Duration and rate come from the pass that decodes, whatever part of the clip is used."""
    whole = [(3000 + 700 * i) / 8000 for i in range(N_CLIPS)]
    used = MFCCStatsTransformer(n_mfcc=5, deltas=0, offset=0.1, duration=0.5)
    extract(paths, used, tmp_path / "used.parquet")
    assert read(tmp_path / "used.parquet")[0]["duration"].tolist() == whole
    monkeypatch.setattr(sources, "SoundSource", None)
    extract(paths, MFCCStatsTransformer(offset=0.1), tmp_path / "table.parquet")
    assert read(tmp_path / "table.parquet")[0]["duration"].tolist() == whole


def test_several_transformers_fill_one_table(paths, tmp_path):
    both = [MFCC, VGGishTransformer(weights=None, random_state=0)]
    with pytest.warns(UserWarning, match="shorter than one frame"):
        expected = np.hstack([one.fit_transform(paths[:3]) for one in both])
    extract(paths[:3], both, tmp_path / "both.parquet")
    np.testing.assert_array_equal(read(tmp_path / "both.parquet")[1], expected)


def test_many_small_batches_are_the_same_table(paths, tmp_path, monkeypatch):
    extract(paths, MFCC, tmp_path / "one.parquet")
    monkeypatch.setattr(tables, "_BATCH_BYTES", 100)
    extract(paths, MFCC, tmp_path / "many.parquet")
    assert pq.ParquetFile(tmp_path / "many.parquet").num_row_groups == 3
    one, many = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("one", "many"))
    pd.testing.assert_frame_equal(one, many)


def test_a_parquet_table_is_no_larger_than_its_numbers(tmp_path):
    rng = np.random.default_rng(0)
    paths = [str(tmp_path / f"{i}.wav") for i in range(100)]
    for path in paths:
        soundfile.write(path, rng.uniform(-0.5, 0.5, 512), 16000, subtype="FLOAT")
    samples = ClipFunctionTransformer(lambda audio: audio, target_sr=16000, name="n", version="1")
    extract(paths, samples, tmp_path / "table.parquet")
    about = pq.read_metadata(tmp_path / "table.parquet").row_group(0)
    columns = [about.column(i) for i in range(about.num_columns)]
    floats = [column for column in columns if column.physical_type == "FLOAT"]
    assert len(floats) == 512
    assert sum(column.total_compressed_size for column in floats) < 1.2 * 4 * 512 * 100


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("with_memory", [False, True])
def test_resumed_after_an_interrupt(paths, tmp_path, computed, suffix, with_memory):
    out, whole = tmp_path / f"table{suffix}", tmp_path / f"whole{suffix}"
    memory = tmp_path / "memory" if with_memory else None
    transformer = MFCCStatsTransformer(n_mfcc=5, deltas=0, memory=memory)
    computed.stop_at = paths[6]
    with pytest.raises(KeyboardInterrupt):
        extract(paths, transformer, out)
    computed.stop_at = None
    assert not out.exists()
    computed.clear()
    done = extract(paths, transformer, out)
    assert with_memory or computed == paths[6:]
    assert (done.n_computed, done.n_clips) == (3, N_CLIPS)
    extract(paths, MFCC, whole)
    assert out.read_bytes() == whole.read_bytes()
    names = {out.name, whole.name} | ({"memory"} if with_memory else set())
    assert {name.removesuffix(".json") for name in left(tmp_path)} == names


def test_resumed_by_content_not_by_name_or_order(paths, tmp_path, computed):
    out = tmp_path / "table.parquet"
    interrupt(computed, paths, out, 4)
    moved = str(tmp_path / "moved.wav")
    shutil.move(paths[0], moved)
    shutil.copy(paths[8], paths[1])
    order = [paths[8], moved, *paths[2:4], paths[5], paths[1]]
    extract(order, MFCC, out)
    assert computed == [paths[8], paths[5]]
    np.testing.assert_array_equal(read(out)[1], MFCC.fit_transform(order))


def test_the_numbers_have_a_version_of_their_own(paths, tmp_path, computed, monkeypatch):
    """A table of another skmer counts, unless that computed the numbers in another way."""
    out, folder = tmp_path / "table.parquet", tmp_path / "shards"
    cached = clone(MFCC).set_params(memory=tmp_path / "memory")
    extract(paths[:2], MFCC, out)
    extract(paths[:2], cached, folder)
    computed.clear()
    for module in (settings, digest):
        monkeypatch.setattr(module, "__version__", "99.0")
    assert extract(paths[:2], MFCC, out).n_computed == 0
    assert extract(paths[:2], MFCC, folder).n_computed == 0
    cached.fit_transform(paths[:2])
    assert computed == []
    monkeypatch.setattr(mfcc.MFCCRecipe, "numbers_version", 99)
    with pytest.warns(IgnoredCacheWarning, match="made with other settings"):
        assert extract(paths[:2], MFCC, out).n_computed == 2


def test_other_settings_are_kept_apart(paths, tmp_path, computed):
    out = tmp_path / "table.parquet"
    interrupt(computed, paths, out, 5)
    other = MFCCStatsTransformer(n_mfcc=4, deltas=0)
    with pytest.warns(IgnoredCacheWarning, match="An unfinished run with other settings left"):
        extract(paths, other, out)
    assert computed == paths
    np.testing.assert_array_equal(read(out)[1], other.fit_transform(paths))
    computed.clear()
    with pytest.warns(IgnoredCacheWarning, match=r"table.parquet' was made with other settings"):
        extract(paths, MFCC, out)
    assert computed == paths[5:]
    assert left(tmp_path) == {out.name}
    computed.clear()
    with pytest.warns(IgnoredCacheWarning, match=r"table.parquet' was made with other settings"):
        extract(paths, MFCC, out, frames=True)
    assert computed == paths


@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_grown_folder_costs_the_new_clips_only(paths, tmp_path, suffix, frames, monkeypatch):
    monkeypatch.setattr(tables, "_BATCH_ROWS", 5)
    out, whole = tmp_path / f"table{suffix}", tmp_path / f"whole{suffix}"
    text = tmp_path / "text.wav"
    text.write_text("no audio")
    extract([*paths[:3], text, *paths[3:6]], MFCC, out, frames=frames)
    grown = [paths[8], *paths[2:8], paths[0]]
    done = extract(grown, MFCC, out, frames=frames)
    assert (done.n_clips, done.n_computed) == (8, 3)
    assert extract(grown, MFCC, out, frames=frames).n_computed == 0
    extract(grown, MFCC, whole, frames=frames)
    np.testing.assert_array_equal(read(out)[1], read(whole)[1])
    assert out.read_bytes() == whole.read_bytes()


def test_failed_clips_are_tried_again(paths, tmp_path, computed):
    sound = Path(paths[1]).read_bytes()
    Path(paths[1]).write_bytes(b"not yet, but soon, it will be audio")
    interrupt(computed, paths, tmp_path / "t.parquet", 3)
    for suffix in SUFFIXES:
        assert extract(paths, MFCC, tmp_path / f"t{suffix}").n_failed == 1
    Path(paths[1]).write_bytes(sound)
    for suffix in SUFFIXES:
        done = extract(paths, MFCC, tmp_path / f"t{suffix}")
        assert (done.n_failed, done.n_computed) == (0, 1)


@pytest.mark.parametrize("frames", [False, True])
def test_errors_are_listed_and_move_no_row(paths, tmp_path, frames):
    text, gone = str(tmp_path / "text.wav"), str(tmp_path / "gone.wav")
    (tmp_path / "text.wav").write_text("no audio")
    mixed = [paths[0], text, paths[1], gone, paths[2]]
    done = extract(mixed, MFCC, tmp_path / "table.parquet", frames=frames)
    table, numbers, _ = read(tmp_path / "table.parquet")
    assert (done.n_clips, done.n_failed, done.n_rows) == (5, 2, len(table))
    assert table["path"].drop_duplicates().tolist() == mixed
    failed = table["error"].notna()
    assert table["path"][failed].tolist() == [text, gone]
    reasons = table["error"][failed].tolist()
    assert reasons[0].startswith("the file is not in a format that can be read")
    assert reasons[1] == "the file does not exist."
    assert table["digest"][failed].isna().tolist() == [False, True]
    assert np.isnan(numbers[failed]).all()
    assert np.isfinite(numbers[~failed]).all()


def test_a_file_that_changes_while_it_is_read_is_an_error(paths, tmp_path, monkeypatch):
    real = sources.embed_clip

    def embed_clip(recipe, clip, *args):
        done = real(recipe, clip, *args)
        if clip.source == paths[1]:
            shutil.copy(paths[2], paths[1])
        return done

    monkeypatch.setattr(sources, "embed_clip", embed_clip)
    assert extract(paths[:3], MFCC, tmp_path / "table.parquet").n_failed == 1
    assert "changed while it was read" in read(tmp_path / "table.parquet")[0]["error"][1]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are always text")
def test_names_in_another_encoding_are_escaped(paths, tmp_path):
    odd, missing = (os.fsdecode(f"{tmp_path}/".encode() + name) for name in (b"\xdf.wav", b"\xe9"))
    shutil.copy(paths[0], odd)
    given = [paths[0], odd, missing]
    escaped = [path.encode("utf-8", "backslashreplace").decode() for path in given]
    assert escaped[1].endswith(r"\udcdf.wav")
    for suffix in SUFFIXES:
        done = extract(given, MFCC, tmp_path / f"table{suffix}", columns={"name": given})
        assert (done.n_clips, done.n_failed) == (3, 1)
        table, numbers, _ = read(tmp_path / f"table{suffix}")
        assert list(table["path"]) == list(table["name"]) == escaped
        np.testing.assert_array_equal(numbers[0], numbers[1])
    assert extract_files([paths[0], missing], MFCC, tmp_path / "frames").n_failed == 1
    assert r"\udce9" in (tmp_path / "frames" / "errors.csv").read_text(encoding="utf-8")


def test_notes_name_what_is_odd(tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(4000), 16000)
    extract([tmp_path / "silent.wav"], MFCC, tmp_path / "table.parquet")
    assert read(tmp_path / "table.parquet")[0]["notes"].tolist() == ["silent"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_columns_of_every_kind(paths, tmp_path, suffix):
    columns = {
        "label": ["a", None, "=1+1"],
        "take": np.array([3, 1, 2]),
        "bars": [4, None, 8],
        "share": [0.5, np.nan, 1],
        "sung": [True, False, True],
        "text": pd.Series(["NA", "01", ""]),
    }
    extract(paths[:3], MFCC, tmp_path / f"table{suffix}", columns=columns)
    table, _, _ = read(tmp_path / f"table{suffix}")
    assert table["label"].tolist()[2] == ("'=1+1" if suffix == ".csv" else "=1+1")
    assert list(table["take"]) == [3, 1, 2]
    assert list(table["sung"]) == [True, False, True]
    np.testing.assert_array_equal(table["share"], [0.5, np.nan, 1])
    np.testing.assert_array_equal(table["bars"], [4, np.nan, 8])


# Damage -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_flipped_bit_in_a_table_is_never_taken_over(paths, tmp_path, suffix):
    out = tmp_path / f"table{suffix}"
    extract(paths, MFCC, out)
    right, whole = read(out)[1], out.read_bytes()
    for seed in range(8):
        rng = np.random.default_rng(seed)
        damaged = bytearray(whole)
        damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        out.write_bytes(damaged)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", IgnoredCacheWarning)
            extract(paths, MFCC, out)
        np.testing.assert_array_equal(read(out)[1], right)


def test_a_damaged_clip_of_an_unfinished_run_is_computed_again(paths, tmp_path, computed):
    out = tmp_path / "table.parquet"
    interrupt(computed, paths, out, 5)
    entry = next(tmp_path.glob(".table.parquet.*.cache/*/*/*.clip"))
    entry.write_bytes(entry.read_bytes()[:-3])
    with pytest.warns(IgnoredCacheWarning, match="is damaged"):
        assert extract(paths, MFCC, out).n_computed == 5
    np.testing.assert_array_equal(read(out)[1], MFCC.fit_transform(paths))


def parquet(**columns):
    """The bytes of a Parquet file."""
    stream = io.BytesIO()
    pd.DataFrame(columns).to_parquet(stream)
    return stream.getvalue()


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
    extract(paths[:1], MFCC, out)
    out.write_bytes(content)
    with pytest.warns(IgnoredCacheWarning, match="cannot be read|other settings"):
        done = extract(paths[:1], MFCC, out)
    assert (done.n_rows, done.n_failed, done.n_computed) == (1, 0, 1)


def test_numbers_of_another_width_are_not_taken_over(paths, tmp_path):
    """As of a table that somebody changed, whose key still names these settings."""
    out = tmp_path / "table.npz"
    extract(paths, MFCC, out)
    with np.load(out) as arrays:
        changed = {**arrays, "embeddings": np.repeat(arrays["embeddings"], 2, axis=1)}
    np.savez(out, **changed)
    with pytest.warns(IgnoredCacheWarning, match="cannot be read"):
        assert extract(paths, MFCC, out).n_computed == N_CLIPS


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("name", ["t.parquet", "t.npz", "t.csv", "t.csv.json", "frames"])
def test_a_pipe_is_not_waited_for(paths, tmp_path, name):
    out, clip = tmp_path / name.removesuffix(".json"), paths[:1]
    run = extract_files if name == "frames" else extract
    run(clip, MFCC, out)
    place = tmp_path / name
    if place.is_dir():
        (place,) = place.glob("*.npz")
    place.unlink()
    os.mkfifo(place)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IgnoredCacheWarning)
        assert run(clip, MFCC, out).n_computed == 1
        assert run(clip, MFCC, out).n_computed == 0


# A file for each clip ---------------------------------------------------------------------------


def test_a_file_for_each_clip(paths, tmp_path):
    sub = tmp_path / "clips" / "sub"
    sub.mkdir()
    shutil.move(paths[0], sub / "1.wav")
    Path(paths[2]).write_text("no audio")
    given = [str(sub / "1.wav"), *paths[1:4]]
    embed = MFCCStatsTransformer(memory=tmp_path / "memory").fit(given[:1])
    done = extract_files(given, embed, tmp_path / "frames")
    assert (done.n_clips, done.n_computed, done.n_failed) == (4, 4, 1)
    files = sorted(str(path.relative_to(done.path)) for path in done.path.rglob("*.*"))
    assert files == ["1.npz", "3.npz", "errors.csv", "sub/1.npz"]
    (frames,) = embed.transform_frames(given[:1])
    with np.load(done.path / "sub" / "1.npz") as first:
        np.testing.assert_array_equal(first["embedding"], frames)
        np.testing.assert_array_equal(first["timestamps"], embed.frame_times(len(frames)))
    # The clip that failed is tried again, and one is new.
    assert extract_files([*given, paths[5]], embed, done.path).n_computed == 2
    soundfile.write(given[0], np.full(4000, 0.1), 8000)
    assert extract_files([*given[:2], *paths[3:4]], embed, done.path).n_computed == 1
    assert not (done.path / "errors.csv").exists()
    # A file that is gone is written again, here from the cache of the transformer.
    (done.path / "3.npz").unlink()
    extract_files(given[:2] + paths[3:4], embed, done.path)
    assert (done.path / "3.npz").exists()
    soundfile.write(tmp_path / "clips" / "1.flac", np.full(4000, 0.1), 8000)
    with pytest.raises(ValueError, match="would both be written to"):
        extract_files([paths[1], str(tmp_path / "clips" / "1.flac")], embed, done.path)


def test_damage_to_either_array_of_a_clip_is_detected(paths, tmp_path):
    extract_files(paths[:1], MFCC, tmp_path / "frames")
    (file,) = (tmp_path / "frames").glob("*.npz")
    whole = file.read_bytes()
    for at in range(0, len(whole), 97):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        extract_files(paths[:1], MFCC, tmp_path / "frames")
        with np.load(file) as found, np.load(io.BytesIO(whole)) as right:
            for name in right:
                np.testing.assert_array_equal(found[name], right[name])


# What is raised ---------------------------------------------------------------------------------


def test_a_second_process_is_kept_out(paths, tmp_path):
    with FileLock(tmp_path / ".table.npz.lock"), pytest.raises(OSError, match="Another process"):
        extract(paths, MFCC, tmp_path / "table.npz")


def test_weights_are_wanted_before_any_work(paths, tmp_path, monkeypatch):
    monkeypatch.setenv("SKMER_WEIGHTS", str(tmp_path / "weights"))
    with pytest.raises(WeightsNotFoundError):
        extract(paths, L3Transformer(), tmp_path / "table.npz")
    assert left(tmp_path) == {"weights"}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"paths": "clip.wav"}, ValueError, "a lone one, 'clip.wav'"),
        ({"paths": []}, ValueError, "at least one path"),
        ({"paths": [1]}, TypeError, "Entry 0 of 'paths' must be a path, got 1"),
        ({"transformer": "mfcc"}, TypeError, "must be a transformer of clips"),
        ({"transformer": []}, TypeError, "must be a transformer of clips"),
        ({"transformer": [MFCC, MFCC]}, ValueError, "give a column 'mfcc_mean_0'"),
        ({"transformer": [MFCC, MFCC], "frames": True}, ValueError, "one transformer fills"),
        ({"transformer": VGGishTransformer(pooling=None)}, ValueError, "pooling=None .* frames"),
        ({"transformer": MFCCStatsTransformer(statistics=None)}, ValueError, "statistics=None"),
        ({"transformer": MFCCStatsTransformer(n_fft=0)}, ValueError, "'n_fft' parameter"),
        ({"out": "table.txt"}, ValueError, "must end in .parquet, .npz, .csv"),
        ({"out": "folder.npz"}, IsADirectoryError, "which is a folder"),
        ({"out": "settings.csv"}, IsADirectoryError, r"settings.csv.json', which is a folder"),
        ({"columns": {"label": ["a"]}}, ValueError, "for each of the 9 paths. Got 1"),
        ({"columns": {"mfcc_mean_0": ["a"] * 9}}, ValueError, "called 'mfcc_mean_0' already"),
        ({"columns": {"sr": ["a"] * 9}}, ValueError, "called 'sr' already"),
        ({"columns": {"path": ["a"] * 9}}, ValueError, "called 'path' already"),
        ({"columns": {"settings": ["a"] * 9}}, ValueError, "called 'settings' already"),
        ({"columns": {3: ["a"] * 9}}, TypeError, "texts of at least one letter"),
        ({"columns": {"mixed": ["a", 1] + [2] * 7}}, TypeError, "must hold texts"),
        ({"columns": {"flag": [True, None] + [False] * 7}}, TypeError, "of which none is missing"),
    ],
)
def test_mistakes_are_raised_before_the_work(paths, tmp_path, monkeypatch, change, error, message):
    monkeypatch.setattr(sources, "embed_clip", None)
    monkeypatch.chdir(tmp_path)
    for name in ("folder.npz", "settings.csv.json"):
        (tmp_path / name).mkdir()
    arguments = {"paths": paths, "transformer": MFCC, "out": "table.npz"}
    with pytest.raises(error, match=message):
        extract(**(arguments | change))


def test_chunk_size_has_no_effect_any_more(paths, tmp_path):
    with pytest.warns(DeprecationWarning, match="'chunk_size' parameter of extract"):
        extract(paths[:1], MFCC, tmp_path / "table.npz", chunk_size=3)


RACE = """
import sys, time
from skmer import MFCCStatsTransformer
from skmer.embeddings import extract

until, met = time.monotonic() + 3, set()
while time.monotonic() < until:
    try:
        extract(sys.argv[1:], MFCCStatsTransformer(n_mfcc=5, deltas=0), "race.parquet")
        met.add("done")
    except OSError as error:
        met.add("waited" if "Another process is writing" in str(error) else repr(error))
print(*sorted(met))
"""


@pytest.mark.slow
def test_processes_that_take_turns_never_meet(paths, tmp_path):
    command = [sys.executable, "-c", RACE, *paths]
    started = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in started:
        printed, _ = process.communicate(timeout=120)
        assert set(printed.split()) <= {"done", "waited"}
        assert process.returncode == 0
    extract(paths, MFCC, tmp_path / "whole.parquet")
    np.testing.assert_array_equal(
        read(tmp_path / "race.parquet")[1], read(tmp_path / "whole.parquet")[1]
    )


# Appending, shards, and what is not lost ---------------------------------------------------------


def test_names_with_contents_and_archives(paths, tmp_path, computed):
    contents = [(f"a/{i}.wav", Path(path).read_bytes()) for i, path in enumerate(paths)]
    extract(iter(contents), MFCC, tmp_path / "bytes.parquet")
    table = pd.read_parquet(tmp_path / "bytes.parquet")
    assert table["path"].tolist() == [name for name, _ in contents]
    np.testing.assert_array_equal(table[COLUMNS].to_numpy(), MFCC.fit_transform(paths))
    files = [(name, io.BytesIO(content)) for name, content in contents]
    extract(files, MFCC, tmp_path / "open.parquet")
    assert (tmp_path / "open.parquet").read_bytes() == (tmp_path / "bytes.parquet").read_bytes()
    for mode in ("w", "w:gz"):
        tar = tmp_path / f"clips.{'tar.gz' if mode == 'w:gz' else 'tar'}"
        with tarfile.open(tar, mode) as archive:
            archive.add(tmp_path / "clips", "clips")
        done = extract([tar], MFCC, tmp_path / "tar.parquet")
        assert done.n_failed == 0
        table = pd.read_parquet(tmp_path / "tar.parquet").sort_values("path")
        assert table["path"].tolist() == [f"{tar}/clips/{i}.wav" for i in range(N_CLIPS)]
        np.testing.assert_array_equal(table[COLUMNS].to_numpy(), MFCC.fit_transform(paths))
    tar.write_bytes(tar.read_bytes()[:900])
    with pytest.raises(InputError, match="cannot be read to its end"):
        extract([tar], MFCC, tmp_path / "cut.parquet")
    with pytest.raises(InputError, match="'columns' need a sequence of paths"):
        extract(iter(paths), MFCC, tmp_path / "t.npz", columns={"a": [1]})


def test_segments_of_an_iterator_have_their_ends(paths, tmp_path):
    parts = [Segment(paths[0], 0, 0.1), (paths[0], 0.1, None), Segment(paths[1])]
    frame = pd.DataFrame([[paths[0], 0, 0.1], *parts[1:2], [paths[1], 0, None]])
    frame.columns = ["path", "start", "end"]
    for name, given in (("list", parts), ("iterator", iter(parts)), ("table", frame)):
        extract(given, MFCC, tmp_path / f"{name}.parquet")
        whole = (tmp_path / f"{name}.parquet").read_bytes()
        assert whole == (tmp_path / "list.parquet").read_bytes()
    table = pd.read_parquet(tmp_path / "list.parquet")
    np.testing.assert_array_equal(table["start"], [0, 0.1, 0])
    np.testing.assert_array_equal(table["end"], [0.1, np.nan, np.nan])
    for append in (False, True):
        extract(iter([*parts, paths[2]]), MFCC, tmp_path / "list.parquet", append=append)
        assert pd.read_parquet(tmp_path / "list.parquet")["start"].isna().sum() == 1
    with pytest.raises(InputError, match="Segments must be among the first clips of an iterator"):
        extract(iter([*paths, parts[0]]), MFCC, tmp_path / "late.parquet")


def test_an_iterator_is_not_held(tmp_path, monkeypatch):
    """Entries are taken as the work goes on, a window at a time."""
    monkeypatch.setattr(sources, "_WINDOW", 10)
    taken, seen = [], []

    def names():
        for i in range(100):
            taken.append(i)
            yield f"{i}.wav"

    real = sources._embed_source

    def embed(source, *args):
        seen.append(len(taken) - source.row)
        return real(source, *args)

    monkeypatch.setattr(sources, "_embed_source", embed)
    assert extract(names(), MFCC, tmp_path / "t.parquet").n_failed == 100
    assert max(seen) <= 10

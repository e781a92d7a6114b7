"""Tables that are there already: never shrunk, appended to, and folders of shards."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from pyarrow.dataset import dataset

from skmer import MFCCStatsTransformer
from skmer.audio import Segment
from skmer.embeddings import extract
from skmer.exceptions import InputError
from tests.embeddings.test_extraction import COLUMNS, MFCC, N_CLIPS, SUFFIXES, interrupt


@pytest.fixture
def paths(noise_files):
    return noise_files


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_table_is_never_shrunk_by_accident(paths, tmp_path, suffix, computed):
    out = tmp_path / f"table{suffix}"
    extract(paths[:5], MFCC, out)
    before = out.read_bytes()
    computed.clear()
    with pytest.raises(
        InputError, match="has 5 clips, and would be replaced by one of 1; pass app"
    ):
        extract(paths[5:6], MFCC, out)
    assert computed == []
    with pytest.raises(InputError, match="has 5 clips"):
        extract(iter(paths[5:7]), MFCC, out)
    with pytest.raises(InputError, match="has 5 clips"):
        extract(paths[:1], MFCCStatsTransformer(n_mfcc=4, deltas=0), out)
    assert out.read_bytes() == before
    assert extract(paths[:1], MFCC, out, force=True).n_rows == 1


def test_a_table_of_somebody_else_is_not_shrunk(paths, tmp_path):
    for name, write in (("t.parquet", pd.DataFrame.to_parquet), ("t.csv", pd.DataFrame.to_csv)):
        write(pd.DataFrame({"song": ["a", "b"]}), tmp_path / name)
        with pytest.raises(InputError, match="has 2 clips"):
            extract(paths[:1], MFCC, tmp_path / name)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("frames", [False, True])
def test_append(paths, tmp_path, suffix, frames, computed):
    """Rows keep their place; what has changed is replaced; what failed is tried again."""
    out, whole = tmp_path / f"t{suffix}", tmp_path / f"whole{suffix}"
    sound = Path(paths[2]).read_bytes()
    Path(paths[2]).write_bytes(b"not yet, but soon, it will be audio")
    labels = ["=a", "b", "NA", "01"]
    extract(paths[:4], MFCC, out, frames=frames, columns={"label": labels, "n": [1, 2, 3, 4]})
    Path(paths[2]).write_bytes(sound)
    shutil.copy(paths[8], paths[1])
    computed.clear()
    more = {"label": ["b", "c", "e", "f"], "n": [20, 30, 5, 6]}
    done = extract(paths[1:3] + paths[4:6], MFCC, out, frames=frames, columns=more, append=True)
    assert computed == [*paths[1:3], *paths[4:6]]
    assert (done.n_clips, done.n_computed, done.n_failed) == (6, 4, 0)
    both = {"label": ["=a", "b", "c", "01", "e", "f"], "n": [1, 20, 30, 4, 5, 6]}
    extract(paths[:6], MFCC, whole, frames=frames, columns=both)
    assert out.read_bytes() == whole.read_bytes()
    computed.clear()
    extract(iter(paths[:6]), MFCC, out, frames=frames, append=True)
    assert computed == []
    assert out.read_bytes() == whole.read_bytes()


def test_append_wants_the_same_settings_and_columns(paths, tmp_path):
    out = tmp_path / "t.parquet"
    extract(paths[:3], MFCC, out, columns={"take": [1, 2, 3]})
    before = out.read_bytes()
    with pytest.raises(InputError, match="made with other settings, so that nothing can be app"):
        extract(paths[3:], MFCCStatsTransformer(n_mfcc=4, deltas=0), out, append=True)
    with pytest.raises(InputError, match="has no column 'label'"):
        extract(paths[3:4], MFCC, out, columns={"label": ["a"]}, append=True)
    with pytest.raises(InputError, match="'take' of the table has the type int64"):
        extract(paths[3:4], MFCC, out, columns={"take": ["one"]}, append=True)
    assert out.read_bytes() == before
    extract(paths[3:4], MFCC, out, append=True)
    assert pd.read_parquet(out)["take"].isna().tolist() == [False] * 3 + [True]
    extract(paths[:1], MFCC, tmp_path / "t.npz", columns={"take": [1]})
    with pytest.raises(InputError, match="cannot hold that the column 'take' is missing"):
        extract(paths[1:2], MFCC, tmp_path / "t.npz", append=True)
    out.write_bytes(before[:-9])
    with pytest.raises(InputError, match=r"cannot be read .* so that nothing can be appended"):
        extract(paths[3:4], MFCC, out, append=True)


@pytest.mark.parametrize("frames", [False, True])
def test_numbers_in_one_column_of_lists(paths, tmp_path, computed, frames):
    out = tmp_path / "t.parquet"
    extract(paths[:3], MFCC, out, layout="list", frames=frames)
    wide, _, _ = read_wide(paths[:3], tmp_path, frames)
    table = pd.read_parquet(out)
    np.testing.assert_array_equal(np.stack(table["embedding"]), wide)
    assert json.loads(pq.read_schema(out).metadata[b"skmer"])["columns"][0].startswith("mfcc_")
    computed.clear()
    extract(paths[:3], MFCC, out, frames=frames)
    extract(paths[:4], MFCC, out, layout="list", frames=frames, append=True)
    assert computed == paths[3:4]
    with pytest.raises(InputError, match="'layout' parameter of extract must be 'columns'"):
        extract(paths, MFCC, tmp_path / "t.csv", layout="list")


def read_wide(paths, folder, frames):
    extract(paths, MFCC, folder / "wide.parquet", frames=frames)
    numbers = pd.read_parquet(folder / "wide.parquet").filter(like="mfcc_").to_numpy()
    return numbers, None, None


def test_a_folder_gets_shards(paths, tmp_path, computed):
    out, labels = tmp_path / "catalogue", [*"abcdefghi"]
    done = extract(paths, MFCC, out, columns={"label": labels}, shard_size=4)
    assert (done.path, done.n_clips, done.n_computed) == (out, N_CLIPS, N_CLIPS)
    names = [f"part-0000{i}.parquet" for i in range(3)]
    assert sorted(p.name for p in out.iterdir() if not p.name.endswith(".lock")) == [
        "_manifest.json", *names,
    ]  # fmt: skip
    manifest = json.loads((out / "_manifest.json").read_text())
    assert [(s["file"], s["n_clips"]) for s in manifest["shards"]] == list(zip(names, (4, 4, 1)))
    table = dataset(out, format="parquet").to_table().to_pandas()
    np.testing.assert_array_equal(table[COLUMNS].to_numpy(), MFCC.fit_transform(paths))
    assert table["label"].tolist() == labels
    assert len(pd.read_parquet(out)) == N_CLIPS
    # Nothing is read again: neither the shards nor, where they have not changed, the clips.
    written = [(out / name).stat().st_mtime_ns for name in names]
    again = extract(iter(paths), MFCC, out)
    assert (again.n_clips, again.n_rows, again.n_computed) == (N_CLIPS, N_CLIPS, 0)
    assert [(out / name).stat().st_mtime_ns for name in names] == written


def test_shards_are_resumed_one_by_one(paths, tmp_path, computed):
    out = tmp_path / "catalogue"
    interrupt(computed, paths, out, 5, shard_size=2)
    assert len(json.loads((out / "_manifest.json").read_text())["shards"]) == 2
    extract(paths, MFCC, out)
    assert computed == paths[5:]
    shutil.copy(paths[0], paths[3])
    computed.clear()
    extract(paths, MFCC, out)
    # By content, as in a table: the clip is not the one of its shard.
    assert computed == [paths[3]]
    table = dataset(out, format="parquet").to_table().to_pandas()
    np.testing.assert_array_equal(table[COLUMNS].to_numpy(), MFCC.fit_transform(paths))


def test_other_segments_and_labels_are_other_clips(paths, tmp_path, computed):
    """The rows are those of the call, though the files have not changed."""
    out = tmp_path / "catalogue"
    first, second = ([Segment(path, 0, end) for path in paths[:4]] for end in (0.1, 0.2))
    extract(first, MFCC, out, shard_size=2, columns={"label": [*"abcd"]})
    extract(second, MFCC, out, columns={"label": [*"abcd"]})
    table = pd.read_parquet(out)
    assert set(table["end"]) == {0.2}
    np.testing.assert_array_equal(table[COLUMNS].to_numpy(), MFCC.fit_transform(second))
    computed.clear()
    extract(second, MFCC, out, columns={"label": [*"abce"]})
    assert pd.read_parquet(out)["label"].tolist() == [*"abce"]
    assert computed == []
    # Several parts of one file are several rows.
    parts = [Segment(paths[5], start, None) for start in (0, 0.1, 0.2)]
    extract(iter(parts), MFCC, out, append=True)
    extract(parts, MFCC, out, append=True)
    assert pd.read_parquet(out)["start"].tolist() == [0] * 4 + [0, 0.1, 0.2]
    extract(paths, MFCC, tmp_path / "files")
    with pytest.raises(InputError, match="have no columns start and end, which segments need"):
        extract(parts, MFCC, tmp_path / "files", append=True)


def test_append_to_shards(paths, tmp_path, computed):
    out = tmp_path / "catalogue"
    extract(paths[:5], MFCC, out, shard_size=3, columns={"take": range(5)})
    computed.clear()
    shutil.copy(paths[8], paths[1])
    done = extract([*paths[1:3], *paths[4:9]], MFCC, out, append=True)
    assert sorted(computed) == sorted([paths[1], *paths[5:9]])
    assert (done.n_clips, done.n_rows, done.n_computed) == (N_CLIPS, N_CLIPS, 5)
    table = dataset(out, format="parquet").to_table().to_pandas()
    assert table["path"].tolist() == paths
    assert table["take"].isna().tolist() == [False] * 5 + [True] * 4
    np.testing.assert_array_equal(table[COLUMNS].to_numpy(), MFCC.fit_transform(paths))
    manifest = json.loads((out / "_manifest.json").read_text())
    assert [shard["n_clips"] for shard in manifest["shards"]] == [3, 3, 3]


def test_shards_are_never_shrunk_or_mixed(paths, tmp_path):
    out = tmp_path / "catalogue"
    extract(paths, MFCC, out, shard_size=2)
    for fewer in (paths[:1], iter(paths[:1]), iter(paths[:4])):
        with pytest.raises(InputError, match="would be replaced by one of"):
            extract(fewer, MFCC, out)
    assert len(pd.read_parquet(out)) == N_CLIPS
    other = MFCCStatsTransformer(n_mfcc=4, deltas=0)
    for append in (False, True):
        with pytest.raises(InputError, match="made with other settings; choose another folder"):
            extract(paths, other, out, append=append)
    with pytest.raises(InputError, match="have 2 clips each; leave 'shard_size' out"):
        extract(paths, MFCC, out, shard_size=3)
    assert extract(paths[:3], MFCC, out, force=True).n_clips == 3
    assert len(pd.read_parquet(out)) == 3

"""A folder of clips, some of them damaged, in runs that are killed on the way."""

import signal
import subprocess
import time

import numpy as np
import pandas as pd
import pytest
import soundfile

from tests.command import SKMER

EXTRACT = [*SKMER, "extract", "clips", "--features", "mfcc", "--jobs", "2"]
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def make_clips(folder, n_clips):
    """Write short clips, one of fifty no audio; return the names of the bad ones."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    bad = set()
    for i in range(n_clips):
        path = folder / f"{i:05}.wav"
        if i % 50 == 27:
            path.write_bytes(rng.bytes(2000))
            bad.add(path.name)
        else:
            soundfile.write(path, 0.1 * rng.standard_normal(44100), 22050)
    return bad


def n_finished(folder):
    """Count the clips that an unfinished run has kept."""
    return sum(1 for _ in folder.glob(".table.parquet.*.cache/*/*/*.clip"))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_three_times(tmp_path):
    bad = make_clips(tmp_path / "clips", 200)
    subprocess.run([*EXTRACT, "--out", "calm.parquet"], cwd=tmp_path, check=True)
    for number, stop in enumerate(SIGNALS, start=1):
        before = n_finished(tmp_path)
        process = subprocess.Popen(
            [*EXTRACT, "--out", "table.parquet"], cwd=tmp_path, stderr=subprocess.DEVNULL
        )
        while n_finished(tmp_path) < 30 * number:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(stop)
        process.wait(60)
        # No finished clip is lost, and the table is not there before it is whole.
        assert n_finished(tmp_path) >= max(before, 30 * number)
        assert not (tmp_path / "table.parquet").exists()
    subprocess.run([*EXTRACT, "--out", "table.parquet"], cwd=tmp_path, check=True)
    table = pd.read_parquet(tmp_path / "table.parquet")
    names = [path.rsplit("/", 1)[-1] for path in table["path"]]
    assert names == [f"{i:05}.wav" for i in range(200)]
    failed = table.filter(like="mfcc").isna().any(axis=1)
    assert {name for name, is_bad in zip(names, failed) if is_bad} == bad
    assert (tmp_path / "table.parquet").read_bytes() == (tmp_path / "calm.parquet").read_bytes()
    left = {path.name for path in tmp_path.iterdir() if not path.name.startswith(".")}
    assert left == {"clips", "calm.parquet", "table.parquet"}
    assert n_finished(tmp_path) == 0

"""Hundreds of clips, some of them damaged, in runs that are killed at random moments."""

import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import soundfile

psutil = pytest.importorskip("psutil")

EXTRACT = [sys.executable, "-c", "import sys; from skmer.cli import main; sys.exit(main())"]
EXTRACT += ["extract", "clips", "--features", "mfcc", "--jobs", "2"]
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGKILL, signal.SIGTERM)


def make_clips(folder, n_clips):
    """Clips of half a second, one of a hundred no audio; return the names of the bad ones."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    bad = set()
    for i in range(n_clips):
        path = folder / f"{i:05}.wav"
        if i % 100 == 57:
            path.write_bytes(rng.bytes(2000))
            bad.add(path.name)
        else:
            soundfile.write(path, 0.1 * rng.standard_normal(11025), 22050)
    return bad


def start(folder, out):
    return subprocess.Popen([*EXTRACT, "--out", out], cwd=folder, stderr=subprocess.DEVNULL)


def watch(process, seconds):
    """Wait for the process to end, at most so long; return it with all its descendants.

    And the memory that they held together at the most [bytes].
    """
    parent, family, most = psutil.Process(process.pid), {}, 0
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        held = 0
        try:
            for one in (parent, *parent.children(recursive=True)):
                family[one.pid] = one
                held += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
        most = max(most, held)
        time.sleep(0.02)
    return list(family.values()), most


def soak(folder, n_clips, seed=0):
    """Extract undisturbed, and killed five times; return what was seen."""
    bad = make_clips(folder / "clips", n_clips)
    started = time.monotonic()
    calm = start(folder, "calm.parquet")
    _, calm_memory = watch(calm, 3600)
    assert calm.returncode == 0
    seconds = time.monotonic() - started
    rng, killed, memory = np.random.default_rng(seed), [], []
    out = folder / "table.parquet"
    while len(killed) < len(SIGNALS):
        process = start(folder, out.name)
        family, most = watch(process, rng.uniform(0.1, 1) * seconds)
        if process.poll() is None:
            killed.append(SIGNALS[len(killed)])
            process.send_signal(killed[-1])
            memory.append(most)
        elif len(killed) < len(SIGNALS):
            # It was done before its moment came: the table is to be made once more.
            out.unlink()
        process.wait(60)
        assert psutil.wait_procs(family, timeout=10)[1] == []
    last = start(folder, out.name)
    family, most = watch(last, 3600)
    assert last.returncode == 0
    assert psutil.wait_procs(family, timeout=10)[1] == []
    memory.append(most)
    return bad, seconds, calm_memory, memory


def check_table(folder, n_clips, bad):
    """The table is complete, in order, and to the bit what an undisturbed run makes."""
    table = pd.read_parquet(folder / "table.parquet")
    assert [path.rsplit("/", 1)[-1] for path in table["path"]] == [
        f"{i:05}.wav" for i in range(n_clips)
    ]
    failed = table[table.filter(like="mfcc").isna().any(axis=1)]
    assert {path.rsplit("/", 1)[-1] for path in failed["path"]} == bad
    assert (folder / "table.parquet").read_bytes() == (folder / "calm.parquet").read_bytes()
    left = {path.name for path in folder.iterdir()}
    assert {name for name in left if not name.startswith(".")} == {
        "clips", "calm.parquet", "table.parquet", "calm.parquet.errors.csv", "table.parquet.errors.csv",
    }  # fmt: skip


@pytest.mark.slow
def test_killed_five_times(tmp_path):
    bad, *_ = soak(tmp_path, 300)
    check_table(tmp_path, 300, bad)

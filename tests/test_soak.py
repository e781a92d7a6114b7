"""Hundreds of clips, some of them damaged, in runs that are killed at random moments."""

import contextlib
import signal
import subprocess
import time

import numpy as np
import pandas as pd
import pytest
import soundfile

from tests.command import SKMER

psutil = pytest.importorskip("psutil")

EXTRACT = [*SKMER, "extract", "clips", "--features", "mfcc", "--jobs", "2"]
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGKILL, signal.SIGTERM)


def make_clips(folder, n_clips):
    """Write short clips, one of a hundred no audio; return the names of the bad ones."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    bad = set()
    for i in range(n_clips):
        path = folder / f"{i:05}.wav"
        if i % 100 == 57:
            path.write_bytes(rng.bytes(2000))
            bad.add(path.name)
        else:
            soundfile.write(path, 0.1 * rng.standard_normal(4410), 22050)
    return bad


def start(folder, out):
    return subprocess.Popen([*EXTRACT, "--out", out], cwd=folder, stderr=subprocess.DEVNULL)


def watch(process, seconds):
    """Wait for the process to end, at most so long after its workers were started.

    Returns it and all that it started, and, over time, the memory that they hold [s, bytes].
    """
    parent, family, memory = psutil.Process(process.pid), {}, []
    started = time.monotonic()
    while process.poll() is None and time.monotonic() < started + seconds:
        if len(family) < 4:
            started = time.monotonic()
        held = 0
        # Any of them may end between two looks.
        with contextlib.suppress(psutil.NoSuchProcess):
            for one in (parent, *parent.children(recursive=True)):
                family[one.pid] = one
                held += one.memory_info().rss
            memory.append((time.monotonic() - started, held))
        time.sleep(0.1)
    return list(family.values()), memory


def soak(folder, n_clips, seed=0):
    """Extract undisturbed, and killed five times; return the bad clips, and the memory by run."""
    bad = make_clips(folder / "clips", n_clips)
    process = start(folder, "calm.parquet")
    _, memory = watch(process, 3600)
    assert process.returncode == 0
    seconds, memories = memory[-1][0], {"calm": memory}
    rng, n_killed = np.random.default_rng(seed), 0
    while n_killed < len(SIGNALS):
        process = start(folder, "table.parquet")
        family, memory = watch(process, rng.uniform(0.1, 0.9) * seconds)
        if process.poll() is None:
            process.send_signal(SIGNALS[n_killed])
            memories[f"{n_killed} {SIGNALS[n_killed].name}"] = memory
            n_killed += 1
        else:
            # It was done before its moment came: the table is to be made once more.
            (folder / "table.parquet").unlink()
        process.wait(60)
        assert psutil.wait_procs(family, timeout=60)[1] == []
    process = start(folder, "table.parquet")
    family, memories["last"] = watch(process, 3600)
    assert process.returncode == 0
    assert psutil.wait_procs(family, timeout=60)[1] == []
    return bad, memories


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
    visible = {name for name in left if not name.startswith(".")}
    assert visible == {"clips", "calm.parquet", "table.parquet"}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_five_times(tmp_path):
    bad, _ = soak(tmp_path, 300)
    check_table(tmp_path, 300, bad)

"""Disks that are full or may not be written, and processes that are killed: then once more."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import soundfile

from skmer import MFCCStatsTransformer
from skmer.cli import main
from skmer.exceptions import IgnoredCacheWarning
from tests.command import SKMER

N_CLIPS = 24
EVALUATE = "evaluate clips/clips.csv --features mfcc --classifiers nb --repeats 1 --out result"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in a folder with clips, and a csv file that lists them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips").mkdir()
    rng = np.random.default_rng(0)
    rows = ["path,label,group"]
    for i in range(N_CLIPS):
        soundfile.write(f"clips/{i:02}.wav", (0.1 + i % 2) / 5 * rng.uniform(-1, 1, 8000), 16000)
        rows.append(f"{i:02}.wav,{('calm', 'tense')[i % 2]},singer {i % 6}")
    (tmp_path / "clips" / "clips.csv").write_text("\n".join(rows))
    return tmp_path


@pytest.fixture
def small_disk(folder):
    """Mount a small disk at `folder`/disk; returns how to mount it again with other options."""

    def mount(*options):
        command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "skmer-test", folder / "disk"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    (folder / "disk").mkdir()
    if not (sys.platform == "linux" and mount("size=16k")):
        pytest.skip("a file system may be mounted by root on Linux alone")
    yield lambda *options: mount("remount", *options)
    subprocess.run(["umount", "--lazy", folder / "disk"], check=True)


def complaint(words, capsys):
    """Run a command, which must end in one sentence."""
    assert main(words.split()) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("error: ")
    assert "Traceback" not in said
    return said


def features(path):
    return pd.read_parquet(path).filter(like="mfcc").to_numpy()


def scores(folder):
    """All of a result's scores and predictions that do not measure time."""
    table = pd.read_csv(folder / "scores.csv").filter(regex="^(?!.*time)")
    return table.to_csv() + (folder / "predictions.csv").read_text()


@pytest.mark.parametrize("full", ["size=16k", "nr_inodes=2"])
def test_extract_onto_a_full_disk_and_again(folder, small_disk, capsys, full):
    small_disk("size=1m", full)
    words = "extract clips --features mfcc --out disk/table.parquet"
    assert "space" in complaint(words, capsys)
    assert not (folder / "disk" / "table.parquet").exists()
    assert small_disk("size=8m", "nr_inodes=100")
    assert main(words.split()) == 0
    assert main(["extract", "clips", "--features", "mfcc", "--out", "calm.parquet"]) == 0
    np.testing.assert_array_equal(features("disk/table.parquet"), features("calm.parquet"))
    assert [path.name for path in (folder / "disk").glob("[!.]*")] == ["table.parquet"]


def test_a_result_onto_a_full_disk_and_again(folder, small_disk, capsys):
    words = EVALUATE.replace("result", "disk/result")
    assert "space" in complaint(words, capsys)
    # Nothing but fits that were finished, from which the same command goes on.
    assert not list((folder / "disk" / "result").glob("*.*"))
    assert small_disk("size=8m")
    assert main(words.split()) == 0
    assert main(EVALUATE.split()) == 0
    assert scores(folder / "disk" / "result") == scores(folder / "result")


def test_generated_clips_onto_a_full_disk(small_disk, capsys, monkeypatch):
    monkeypatch.setenv("SKMER_DATA", "disk")
    said = complaint("evaluate toy --features mfcc --classifiers nb", capsys)
    assert "space" in said
    assert "disk" in said


@pytest.mark.parametrize("trouble", ["size=16k", "nr_inodes=8", "ro"])
def test_a_cache_that_cannot_be_written_costs_one_warning(folder, small_disk, trouble):
    clips = [f"clips/{i:02}.wav" for i in range(N_CLIPS)]
    calm = MFCCStatsTransformer().fit_transform(clips)
    cached = MFCCStatsTransformer(memory="disk").fit(clips)
    cached.transform(clips[:2])
    assert small_disk("size=1m" if "size" not in trouble else trouble, trouble)
    with pytest.warns(IgnoredCacheWarning, match="could not be written") as caught:
        found = cached.transform(clips)
    assert len(caught) == 1
    np.testing.assert_array_equal(found, calm)
    assert not list((folder / "disk").rglob("*.part"))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_an_evaluation_is_killed_and_done_again(folder):
    command = [*SKMER, *EVALUATE.split(), "--cache", "cache", "--jobs", "2"]
    subprocess.run(command, check=True)
    # The second time is that of the runs below, which find the embeddings in the cache.
    started = time.monotonic()
    subprocess.run([*command, "--force"], check=True)
    seconds = time.monotonic() - started
    calm = scores(folder / "result")
    (folder / "result").rename("calm")
    rng = np.random.default_rng(0)
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        process = subprocess.Popen(command)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0.1, 0.7) * seconds)
        os.kill(process.pid, number)
        process.wait(60)
    subprocess.run([*command, "--force"], check=True)
    assert scores(folder / "result") == calm


def run_together(commands):
    """Start all of them at once; returns the end of each: its status, and its last word."""
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([*SKMER, *words.split()], **options) for words in commands]
    said = [process.communicate()[1] for process in processes]
    assert not any("Traceback" in one for one in said)
    return [(process.returncode, one) for process, one in zip(processes, said)]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_eight_processes_on_one_cache_one_table_and_one_result(folder):
    extract = "extract clips --features mfcc --cache cache --out"
    ends = run_together(f"{extract} {number}.parquet" for number in range(8))
    assert [status for status, _ in ends] == [0] * 8
    calm = MFCCStatsTransformer().fit_transform([f"clips/{i:02}.wav" for i in range(N_CLIPS)])
    for number in range(8):
        np.testing.assert_array_equal(features(f"{number}.parquet"), calm)

    ends = run_together([f"{extract} table.parquet"] * 8)
    assert {status for status, _ in ends} <= {0, 2}
    assert all("Another process is writing" in said for status, said in ends if status)
    np.testing.assert_array_equal(features("table.parquet"), calm)

    ends = run_together([f"{EVALUATE} --cache cache --force"] * 8)
    assert [status for status, _ in ends] == [0] * 8
    assert main(EVALUATE.replace("result", "calm").split()) == 0
    assert scores(folder / "result") == scores(folder / "calm")
    assert not list((folder / "cache").rglob("*.part"))


@pytest.mark.slow
def test_a_full_folder_of_temporary_files(folder, small_disk, monkeypatch):
    words = EVALUATE.replace(" nb", " nb,cnn").removesuffix("result")
    (folder / "disk" / "full").write_bytes(bytes(16 * 1024))
    monkeypatch.setenv("TMPDIR", str(folder / "disk"))
    assert run_together([f"{words}full"])[0][0] == 0
    monkeypatch.delenv("TMPDIR")
    assert main(f"{words}calm".split()) == 0
    assert scores(folder / "full") == scores(folder / "calm")

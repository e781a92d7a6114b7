"""This tree beside another version of skmer, by turns: commands and calls in processes of their own.

Run: python tests/benchmarks/bench_versions.py FOLDER [NAME ...] [--rounds N] [--quick]

FOLDER holds the other version's package `skmer`, such as a worktree of its tag. Both run with the
same interpreter, so with the same packages. "cpu" is the time of user and system, of all processes
and threads of the child. MusiCNN's weights must have been fetched. "evaluate" takes minutes.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from _measure import process_seconds

NEW = Path(__file__).parents[2]
ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore", "SKMER_QUIET": "1"}

_TRANSFORM = """
import sys, time
from pathlib import Path
import skmer
folder, made = sys.argv[1:]
paths = [str(path) for path in sorted(Path(folder).glob("*.wav"))]
transformer = eval("skmer." + made).fit(paths)
def clock():
    wall, cpu = time.perf_counter(), time.process_time()
    transformer.transform(paths)
    return time.perf_counter() - wall, time.process_time() - cpu
calls = sorted(clock() for _ in range(8))
print(*calls[0])
"""


def write_noise(folder, n_clips, *, seconds, sr, suffix):
    """Write clips of noise, each its own; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{i:03}.{suffix}" for i in range(n_clips)]
    for i, path in enumerate(paths):
        noise = np.random.default_rng(i).normal(0, 0.1, int(seconds * sr))
        soundfile.write(path, noise.astype(np.float32), sr)
    return paths


class Version:
    """One of the two trees, with a home of its own, so that neither reads the other's caches."""

    def __init__(self, name, tree, folder):
        self.name, self.tree, self.home = name, tree, folder / name
        self.home.mkdir(parents=True)

    def python(self, *arguments):
        """Run an interpreter to its end; return what it printed, and its wall and cpu seconds."""
        environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(self.tree)}
        environment["SKMER_CACHE"] = str(self.home / "cache")
        wall, cpu = time.perf_counter(), process_seconds()
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            capture_output=True,
            text=True,
            env=environment,
            cwd=self.home,
        )
        spent = time.perf_counter() - wall, process_seconds() - cpu
        if done.returncode:
            raise RuntimeError(f"{self.name} failed:\n{done.stderr[-3000:]}")
        return done.stdout, spent


def compare(name, versions, measure, rounds):
    """Let the versions take turns after a round that is not counted; print a line of ratios."""
    times = {version.name: [] for version in versions}
    for round_ in range(rounds + 1):
        for version in versions[:: -1 if round_ % 2 else 1]:
            spent = measure(version)
            if round_:
                times[version.name].append(spent)
    new, other = (np.array(times[version.name]) for version in versions)
    for which, column in (("wall", 0), ("cpu", 1)):
        a, b = new[:, column], other[:, column]
        print(
            f"{name:44} {which:4} ratio of medians {np.median(a) / np.median(b):.3f}, "
            f"of minima {a.min() / b.min():.3f}, pairs {(a / b).min():.3f} to {(a / b).max():.3f}; "
            f"new {np.median(a):.3f} s, other {np.median(b):.3f} s, {len(a)} rounds",
            flush=True,
        )


def transform(versions, folder, options):
    """`transform` of 200 clips of one second that the cache holds, the best of eight calls."""
    clips = folder / "short"
    write_noise(clips, 20 if options.quick else 200, seconds=1, sr=22050, suffix="wav")
    for feature, made in (
        ("mfcc", "MFCCStatsTransformer(memory='memory')"),
        ("musicnn", "MusiCNNTransformer(memory='memory')"),
    ):

        def measure(version, made=made):
            printed, _ = version.python("-c", _TRANSFORM, clips, made)
            return [float(word) for word in printed.split()]

        compare(f"transform from a full cache, {feature}", versions, measure, options.rounds)


def extract(versions, folder, options):
    """`skmer extract` of MFCC from 200 mp3 by two jobs: the first run, and one after it."""
    clips = folder / "songs"
    write_noise(clips, 10 if options.quick else 200, seconds=30, sr=44100, suffix="mp3")
    command = ["-m", "skmer", "extract", clips, "--features", "mfcc", "--jobs", "2"]

    def first(version):
        shutil.rmtree(version.home / "memory", ignore_errors=True)
        (version.home / "table.parquet").unlink(missing_ok=True)
        return version.python(*command, "--cache", "memory", "--out", "table.parquet")[1]

    def again(version):
        """The table is gone, the cache is there."""
        (version.home / "table.parquet").unlink()
        return version.python(*command, "--cache", "memory", "--out", "table.parquet")[1]

    def finished(version):
        """The table is there as well."""
        return version.python(*command, "--cache", "memory", "--out", "table.parquet")[1]

    compare("extract mfcc, two jobs, first run", versions, first, options.rounds)
    compare("extract mfcc, two jobs, cache full", versions, again, options.rounds)
    compare("extract mfcc, two jobs, table finished", versions, finished, options.rounds)


def predict(versions, folder, options):
    """`skmer predict` of one clip by a model of MusiCNN and svm, in a fresh process."""
    labels = folder / "labels"
    for label in ("calm", "angry"):
        write_noise(labels / label, 6, seconds=3, sr=22050, suffix="wav")
    for version in versions:
        command = ["-m", "skmer", "train", labels, "--features", "musicnn", "--classifiers", "svm"]
        version.python(*command, "--out", "model.skmer")
    clip = write_noise(folder / "one", 1, seconds=3, sr=22050, suffix="wav")[0]

    def measure(version):
        shutil.rmtree(version.home / "cache", ignore_errors=True)
        return version.python("-m", "skmer", "predict", "model.skmer", clip)[1]

    compare("predict one clip, musicnn and svm", versions, measure, options.rounds)


def evaluate(versions, folder, options):
    """README's first command, once each: its time, and the mean accuracy over cells."""
    classifiers = ["--classifiers", "svm,nb"] if options.quick else []
    command = ["-m", "skmer", "evaluate", "toy", "--features", "musicnn,mfcc", *classifiers]
    for version in versions:
        printed, (wall, cpu) = version.python(*command, "--out", "results", "--cache", "memory")
        manifest = json.loads((version.home / "results" / "manifest.json").read_text())
        scores = pd.read_csv(version.home / "results" / "scores.csv")
        cells = scores.groupby(["feature", "classifier"]).accuracy.mean()
        print(printed)
        print(f"{version.name}: {wall:.1f} s, cpu {cpu:.1f} s, of that {manifest.get('seconds')}")
        print(
            f"{version.name}: mean accuracy over {len(cells)} cells {cells.mean():.4f}", flush=True
        )


BENCHMARKS = {
    "transform": transform,
    "extract": extract,
    "predict": predict,
    "evaluate": evaluate,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, metavar="FOLDER", help="with the other `skmer` in it")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {[*BENCHMARKS]}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="fewer clips and classifiers")
    options = parser.parse_args()
    for name in options.names or BENCHMARKS:
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            trees = {"new": NEW, "other": options.other.resolve()}
            versions = [Version(name, tree, folder) for name, tree in trees.items()]
            BENCHMARKS[name](versions, folder, options)


if __name__ == "__main__":
    main()

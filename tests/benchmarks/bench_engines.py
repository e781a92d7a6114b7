"""Engines beside one another: frames per second, ratio to TensorFlow, start, peak memory.

Run: python tests/benchmarks/bench_engines.py [--rounds 7] [--frames 8] [--threads N]

The engines take turns and medians are reported, since machines are seldom quiet. "cpu" is the
processor time of all threads, which other programs on the machine hardly disturb.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from skmer.embeddings import l3, musicnn, vggish
from skmer.embeddings.engines import get_engine

CASES = [
    ("l3", "tensorflow", "float32"),
    ("l3", "ncnn", "float32"),
    ("l3", "onnxruntime", "int8"),
    ("vggish", "tensorflow", "float32"),
    ("vggish", "ncnn", "float32"),
    ("musicnn", "tensorflow", "float32"),
    ("musicnn", "numpy", "float32"),
]
# Rows that a frame is after the one before, where they overlap.
HOPS = {"l3": None, "vggish": None, "musicnn": 93}
SHAPES = {"l3": (256, 199), "vggish": (96, 64), "musicnn": (187, 96)}
RANGES = {"l3": (-80, 0), "vggish": (-4.6, 4), "musicnn": (0, 5)}


def read_weights(network):
    sources = {
        "l3": l3.WEIGHTS["mel256", "music"],
        "vggish": vggish.NETWORK_FILE,
        "musicnn": musicnn.WEIGHTS["msd"],
    }
    return sources[network].load(None, 0)[0]


def load(case, arrays, threads):
    network, engine, _ = case

    def describe():
        if network == "l3":
            return l3.describe(arrays, "mel256")
        return {"vggish": vggish, "musicnn": musicnn}[network].describe(arrays)

    return get_engine(engine, network, describe, n_threads=threads)


def draw_frames(network, n_frames):
    height, width = SHAPES[network]
    hop = HOPS[network] or height
    rows = np.random.default_rng(0).uniform(
        *RANGES[network], (height + (n_frames - 1) * hop, width)
    )
    return np.stack([rows[i * hop :][:height] for i in range(n_frames)]).astype(np.float32)


def measure_start(case, threads):
    """Seconds from ready weights to the first frame, and peak memory after a batch, in a child."""
    index = str(CASES.index(case))
    command = [sys.executable, __file__, "--child", index, "--threads", str(threads or 0)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def run_child(case, threads):
    weights, frames = read_weights(case[0]), draw_frames(case[0], 32)
    begin = time.perf_counter()
    engine = load(case, weights, threads)
    hop = HOPS[case[0]]
    engine(frames[:1], hop)
    start = time.perf_counter() - begin
    engine(frames, hop)
    # Not ru_maxrss, which a child inherits from its parent.
    status = Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    print(json.dumps({"start": start, "peak": peak}))


def measure_speed(network, rounds, n_frames, threads):
    weights, frames = read_weights(network), draw_frames(network, n_frames)
    engines = {case: load(case, weights, threads) for case in CASES if case[0] == network}
    hop = HOPS[network]
    results = {case: engine(frames, hop) for case, engine in engines.items()}
    times = {case: [] for case in engines}
    for _ in range(rounds):
        for case, engine in engines.items():
            wall, cpu = time.perf_counter(), time.process_time()
            engine(frames, hop)
            times[case].append((time.perf_counter() - wall, time.process_time() - cpu))
    reference = next(iter(engines))
    for case in engines:
        wall, cpu = np.median(times[case], axis=0)
        ratios = np.median(np.divide(times[reference], times[case]), axis=0)
        cosine = min(
            np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b)
            for a, b in zip(results[case], results[reference], strict=True)
        )
        started = measure_start(case, threads)
        print(
            f"{' '.join(case):28}{n_frames / wall:9.1f}{ratios[0]:8.2f}"
            f"{1e3 * cpu / n_frames:10.1f}{ratios[1]:8.2f}{cosine:10.6f}"
            f"{started['start']:9.2f}{started['peak']:9.0f}",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--threads", type=int, default=0, help="0: all")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    threads = options.threads or None
    if options.child is not None:
        run_child(CASES[options.child], threads)
        return
    print(
        f"{'':28}{'frames/s':>9}{'ratio':>8}{'cpu ms':>10}{'ratio':>8}{'cosine':>10}"
        f"{'start s':>9}{'MB':>9}"
    )
    for network in SHAPES:
        measure_speed(network, options.rounds, options.frames, threads)


if __name__ == "__main__":
    main()

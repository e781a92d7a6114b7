"""What the benchmarks share: runs that take turns, ratios, child processes, facts, clips."""

import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import soundfile

PACKAGES = (
    "skmer numpy scipy scikit-learn joblib tensorflow keras librosa soxr soundfile ncnn onnxruntime"
)


@dataclass
class Row:
    """One line of the table: a ratio, both absolute figures, and what is wanted of the ratio."""

    name: str
    ratio: float
    low: float
    high: float
    ours: str
    reference: str
    repeats: int
    cpu_ratio: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def wanted(self):
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return "" if self.at_most is None else f"< {self.at_most:g}"

    @property
    def verdict(self):
        if not self.wanted:
            return ""
        met = (
            self.ratio >= self.at_least if self.at_least is not None else self.ratio < self.at_most
        )
        return "yes" if met else "NO"

    def as_dict(self):
        return {**asdict(self), "wanted": self.wanted, "verdict": self.verdict}


def take_turns(functions, repeats):
    """Run each once untimed, then in turns; return {name: array (repeats, 2)} of wall, cpu [s].

    Every second round goes backwards, so that a drift of the machine favours nobody.
    """
    for function in functions.values():
        function()
    times = {name: [] for name in functions}
    for round_ in range(repeats):
        names = list(functions)
        for name in reversed(names) if round_ % 2 else names:
            wall, cpu = time.perf_counter(), process_seconds()
            functions[name]()
            times[name].append((time.perf_counter() - wall, process_seconds() - cpu))
    return {name: np.array(values) for name, values in times.items()}


def process_seconds():
    """Processor seconds of this process, its threads, and its children that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def speedup(name, times, ours, reference, *, count, unit, **wanted):
    """Row of: how many times faster `ours` is than `reference`."""
    return _row(name, times[reference] / times[ours], times, ours, reference, count, unit, wanted)


def share(name, times, ours, reference, *, count=1, unit="s", **wanted):
    """Row of: `ours` takes this many times as long as `reference`."""
    return _row(name, times[ours] / times[reference], times, ours, reference, count, unit, wanted)


def _row(name, ratios, times, ours, reference, count, unit, wanted):
    wall, cpu = ratios[:, 0], ratios[:, 1]
    # os.times counts in steps of 10 ms; less than a few of them is no measurement.
    is_counted = min(np.median(times[which][:, 1]) for which in (ours, reference)) > 0.05

    def absolute(which):
        seconds = np.median(times[which][:, 0])
        return f"{seconds:.3g} s" if unit == "s" else f"{count / seconds:.3g} {unit}"

    return Row(
        name,
        float(np.median(wall)),
        float(wall.min()),
        float(wall.max()),
        absolute(ours),
        absolute(reference),
        len(wall),
        cpu_ratio=float(np.median(cpu)) if is_counted else None,
        **wanted,
    )


def python(code, *arguments, **environment):
    """Run code in a fresh interpreter; return the words of the last line that it prints."""
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}
    )
    if done.returncode:
        raise RuntimeError(f"a child process failed:\n{done.stderr[-3000:]}")
    lines = done.stdout.splitlines()
    return lines[-1].split() if lines else []


# Not ru_maxrss, which a child inherits from its parent.
PEAK_MB = """
from pathlib import Path
print(int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024)
"""


def make_clips(folder, n_clips, *, seconds, sr):
    """Write clips of tones, a decay and noise; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for i in range(n_clips):
        rng = np.random.default_rng(i)
        t = np.arange(int(seconds * sr)) / sr
        partials = [np.sin(2 * np.pi * 110 * (i % 24 + 1) * k * t) / k for k in (1, 2, 3)]
        audio = 0.2 * sum(partials) * np.exp(-t / seconds) + 0.01 * rng.standard_normal(len(t))
        paths.append(str(folder / f"{i}.wav"))
        soundfile.write(paths[-1], audio, sr, subtype="PCM_16")
    return paths


def cosine(a, b):
    """The lowest cosine between two rows of the same place."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    return float(
        ((a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).min()
    )


def check_equal(ours, reference, *, at_least=0.9999):
    """Raise where two ways that are timed do not compute the same thing."""
    found = cosine(ours, reference)
    if not found >= at_least:
        raise AssertionError(f"the two ways differ: lowest cosine {found}")
    return found


def describe_machine():
    """Processor, cores, Python, and versions."""
    facts = {"processor": _processor(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}
    facts["python"] = platform.python_version()
    for package in PACKAGES.split():
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            facts[package] = "absent"
    return facts


def _processor():
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"

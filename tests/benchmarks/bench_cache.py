"""What the per-clip cache costs and saves."""

import shutil
import time

import numpy as np
from _measure import Row, make_clips, share, take_turns
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skmer import L3Transformer
from skmer.utils import ClipCache


def second_pass(quick, folder):
    """The second pass over a cache, against the first, which computes and writes it."""
    paths = make_clips(folder / "clips", 4 if quick else 20, seconds=3, sr=48000)
    memory = folder / "cache"
    cached = L3Transformer(weights=None, random_state=0, memory=memory).fit(paths)
    uncached = L3Transformer(weights=None, random_state=0).fit(paths)

    def cold():
        shutil.rmtree(memory, ignore_errors=True)
        cached.transform(paths)

    functions = {"none": lambda: uncached.transform(paths), "cold": cold}
    times = take_turns(functions, 3)
    # The last round has left the cache full.
    cached.transform(paths)
    times |= take_turns({"warm": lambda: cached.transform(paths)}, 3)
    yield share(
        f"Cache, L3 hop 0.5, {len(paths)} clips of 3 s: second pass against the first",
        times,
        "warm",
        "cold",
        at_most=0.02,
    )
    yield share(
        "Cache: the first pass, which writes it, against one without a cache", times, "cold", "none"
    )


def grid_search(quick, folder):
    """27 fits of a whole pipeline, against one pass of the transformer without a cache."""
    paths = make_clips(folder / "clips", 12 if quick else 30, seconds=3, sr=48000)
    y = np.arange(len(paths)) % 3
    memory = folder / "cache"
    uncached = L3Transformer(weights=None, random_state=0).fit(paths)
    pipeline = make_pipeline(
        L3Transformer(weights=None, random_state=0, memory=memory), StandardScaler(), SVC()
    )
    points = {"svc__C": np.logspace(-2, 2, 9)}

    def search():
        found = GridSearchCV(pipeline, points, cv=3, refit=False).fit(paths, y)
        assert found.n_splits_ * len(found.cv_results_["params"]) == 27

    def search_empty():
        shutil.rmtree(memory, ignore_errors=True)
        search()

    functions = {"pass": lambda: uncached.transform(paths), "grid": search_empty, "warm": search}
    times = take_turns(functions, 3)
    yield share(
        f"Grid search, 27 fits, {len(paths)} clips, cache empty at first, against one pass",
        times,
        "grid",
        "pass",
        at_most=1.5,
    )
    # Backward rounds run "warm" first, and then the cache is full from the round before.
    yield share("Grid search, 27 fits, cache full, against one pass", times, "warm", "pass")


def entries(quick, folder):
    """Cost of writing and of reading an entry of 512 numbers, as the cache grows."""
    cache = ClipCache(folder / "cache")
    frame = np.random.default_rng(0).standard_normal((1, 512)).astype(np.float32)
    sizes = (1_000, 10_000) if quick else (1_000, 10_000, 100_000)
    probes, repeats = 500, 5
    seconds = {}
    for size in sizes:
        start = len(cache)
        for i in range(start, size - probes * repeats if size > probes * repeats else size):
            cache.get_or_compute({"clip": i}, lambda: (frame, []))
        written = []
        first = len(cache)
        for repeat in range(repeats):
            base = first + repeat * probes
            written.append(_clock(cache, range(base, base + probes), lambda: (frame, [])))
        picks = np.random.default_rng(size).integers(0, len(cache), (repeats, probes))
        read = [_clock(cache, [int(i) for i in row], _refuse) for row in picks]
        seconds[size] = np.array(written), np.array(read)
    least, most = sizes[0], sizes[-1]
    for which, name in enumerate(("written", "read")):
        a, b = seconds[most][which], seconds[least][which]
        steps = ", ".join(
            f"{size}: {np.median(seconds[size][which]) / probes * 1e6:.0f} µs" for size in sizes
        )
        yield Row(
            f"Cache entry {name}: with {most} entries against {least}",
            float(np.median(a) / np.median(b)),
            float(a.min() / b.max()),
            float(a.max() / b.min()),
            f"{np.median(a) / probes * 1e6:.0f} µs",
            f"{np.median(b) / probes * 1e6:.0f} µs",
            repeats,
            at_most=1.5,
            note=steps,
        )


def _clock(cache, clips, compute):
    begin = time.perf_counter()
    for i in clips:
        cache.get_or_compute({"clip": i}, compute)
    return time.perf_counter() - begin


def _refuse():
    raise AssertionError("an entry that was written is not found")

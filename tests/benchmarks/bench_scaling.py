"""Measure what a clip and a cache entry cost, and carry that to many clips.

Run: python tests/benchmarks/bench_scaling.py [--clips 10000000] [--entries 10000] [--folder DIR]
The networks have random weights, which cost what the published ones cost.
"""

import argparse
import os
import platform
import time
from pathlib import Path
from tempfile import TemporaryDirectory

# One thread, so that seconds of the processor are seconds of one core.
os.environ["OMP_NUM_THREADS"] = "1"
SECONDS, SR, BLOCK = 5, 48000, 4096


def seconds_of_core(function, repeats):
    """Median of the processor's seconds."""
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        taken.append(time.process_time() - start)
    return sorted(taken)[repeats // 2]


def measure(transformer, path):
    """Core-seconds cold and warm, bytes of the entry, and bytes of the row."""
    from skmer.utils import ClipCache

    transformer.fit([path]).transform([path])
    cold = seconds_of_core(lambda: transformer.transform([path]), 3)
    with TemporaryDirectory() as folder:
        transformer.set_params(memory=folder)
        row = transformer.transform([path])
        warm = seconds_of_core(lambda: transformer.transform([path]), 51)
        entry = next(Path(ClipCache(folder).folder).rglob("*.clip")).stat().st_size
    return cold, warm, -(-entry // BLOCK) * BLOCK, row.nbytes


def measure_cache(n_entries, folder):
    """Milliseconds to write and to read an entry of 20 kB, for each tenth of the entries."""
    import numpy as np

    from skmer.utils import ClipCache

    with TemporaryDirectory(dir=folder) as here:
        cache, frames = ClipCache(here), np.zeros((10, 512), np.float32)
        for tenth in range(10):
            block = range(tenth * n_entries // 10, (tenth + 1) * n_entries // 10)
            times = []
            for _ in ("write", "read"):
                start = time.perf_counter()
                for i in block:
                    cache.get_or_compute({"i": i}, lambda: (frames, []))
                times.append((time.perf_counter() - start) / len(block) * 1e3)
            print(f"{block.stop:>9} entries: write {times[0]:.2f} ms, read {times[1]:.2f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=10_000_000)
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--folder", help="where the cache entries are written")
    options = parser.parse_args()

    import numpy as np
    import soundfile

    from skmer import L3Transformer, MFCCStatsTransformer, VGGishTransformer

    transformers = {
        "l3 mel256": L3Transformer(weights=None, random_state=0),
        "vggish": VGGishTransformer(weights=None, random_state=0),
        "mfcc": MFCCStatsTransformer(),
    }
    print(f"{platform.machine()}, {os.cpu_count()} cores; clips of {SECONDS} s at {SR} Hz")
    n = options.clips
    with TemporaryDirectory() as folder:
        path = f"{folder}/clip.wav"
        noise = np.random.default_rng(0).standard_normal(SECONDS * SR)
        soundfile.write(path, noise / 8, SR)
        for name, transformer in transformers.items():
            cold, warm, entry, row = measure(transformer, path)
            print(
                f"{name}: {cold * 1e3:.0f} ms a clip, {warm * 1e3:.1f} ms from the cache, "
                f"{entry} bytes an entry, {row} a row; {n} clips: {n * cold / 3600:.0f} "
                f"core-hours, {n * warm / 3600:.0f} from the cache, "
                f"{n * entry / 1e9:.0f} GB of cache, {n * row / 1e9:.1f} GB of rows",
                flush=True,
            )
    measure_cache(options.entries, options.folder)


if __name__ == "__main__":
    main()

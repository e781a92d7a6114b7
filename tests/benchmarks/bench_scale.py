"""Memory and cost per clip as collections and files grow. No cache but where the row says so."""

import numpy as np
import soundfile
from _measure import PEAK_MB, Row, make_clips, python, share, take_turns

from skmer import MFCCStatsTransformer

LIMIT_MB = 1500
_CLIPS = """
import sys
import skmer
folder, n_clips = sys.argv[1], int(sys.argv[2])
paths = [f"{folder}/{i % 20}.wav" for i in range(n_clips)]
"""
_FILE = """
import sys
import skmer
paths = [sys.argv[1]]
"""
_RANDOM = "weights=None, random_state=0"


def memory_of_clips(quick, folder):
    """Peak memory of a program that embeds 1,000 five-second clips, against 50."""
    make_clips(folder, 20, seconds=5, sr=44100)
    # A hop of 5 s gives two frames a clip; memory is bounded by batches either way.
    l3_hop = 5.0 if quick else 1.0
    cases = {
        "MFCC": "MFCCStatsTransformer()",
        "VGGish": f"VGGishTransformer({_RANDOM})",
        f"L3 mel128, hop {l3_hop:g}": (
            f"L3Transformer({_RANDOM}, input_repr='mel128', hop_size={l3_hop})"
        ),
    }
    for name, made in cases.items():
        code = f"{_CLIPS}skmer.{made}.fit_transform(paths)\n{PEAK_MB}"
        few, many = (float(python(code, folder, n)[0]) for n in (50, 1000))
        yield _memory_row(f"Peak memory, {name}: 1,000 clips of 5 s against 50", many, few, 1.2)


def memory_of_a_long_file(quick, folder):
    """Peak memory of a program that embeds a file of two hours."""
    path, seconds = folder / "two_hours.flac", 7200
    write_long_file(path, seconds)
    l3_seconds = 600 if quick else seconds
    cases = {
        "MFCC": (seconds, "MFCCStatsTransformer()"),
        "VGGish": (seconds, f"VGGishTransformer({_RANDOM})"),
        "L3 mel128, hop 1": (
            l3_seconds,
            f"L3Transformer({_RANDOM}, input_repr='mel128', hop_size=1.0, duration={l3_seconds})",
        ),
    }
    for name, (used, made) in cases.items():
        run = f"skmer.{made}.fit_transform(paths)\n"
        peak = float(python(f"{_FILE}{run}{PEAK_MB}", path)[0])
        base = float(python(f"{_FILE}{PEAK_MB}", path)[0])
        row = _memory_row(f"Peak memory, {name}: {used / 60:g} min of one file", peak, base, None)
        row.note = f"the reference is a program that only imports skmer; limit {LIMIT_MB} MB: " + (
            "kept" if peak < LIMIT_MB else "NOT kept"
        )
        yield row


def write_long_file(path, seconds, sr=22050):
    """Write a mono flac by repeating ten seconds of tones and noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    t = np.arange(10 * sr) / sr
    audio = 0.3 * np.sin(2 * np.pi * 330 * t) * np.exp(-t)
    audio += 0.01 * np.random.default_rng(0).standard_normal(len(t))
    pcm = (audio * 2**15).astype(np.int16)
    with soundfile.SoundFile(path, "w", sr, 1, subtype="PCM_16", format="FLAC") as file:
        for _ in range(seconds // 10):
            file.write(pcm)


def _memory_row(name, ours, reference, at_most):
    return Row(
        name,
        ours / reference,
        ours / reference,
        ours / reference,
        f"{ours:.0f} MB",
        f"{reference:.0f} MB",
        1,
        at_most=at_most,
        note=f"limit {LIMIT_MB} MB: " + ("kept" if ours < LIMIT_MB else "NOT kept"),
    )


def clips(quick, folder):
    """Cost of a clip in a call with 10,000 of them against one with 10, MFCC of tiny clips."""
    paths = make_clips(folder / "clips", 10, seconds=0.1, sr=22050)
    sizes = (10, 100, 1_000) if quick else (10, 100, 1_000, 10_000)
    for name, memory in (("no cache", None), ("cache full", folder / "cache")):
        transformer = MFCCStatsTransformer(memory=memory).fit(paths)
        functions = {
            size: lambda size=size, t=transformer: _in_calls_of(t, paths, size, max(sizes))
            for size in sizes
        }
        times = take_turns(functions, 3)
        row = share(
            f"Cost of a clip, MFCC of 0.1 s, {name}: {sizes[-1]} in a call against {sizes[0]}",
            times,
            sizes[-1],
            sizes[0],
            count=max(sizes),
            unit="clips/s",
            at_most=1.2,
        )
        cost = {size: np.median(values[:, 0]) / max(sizes) for size, values in times.items()}
        row.note = ", ".join(f"{size}: {seconds * 1e3:.3g} ms" for size, seconds in cost.items())
        yield row


def _in_calls_of(transformer, paths, size, total):
    """Transform `total` clips, `size` a call, so that every size does the same work."""
    call = paths * (size // len(paths))
    for _ in range(total // size):
        transformer.transform(call)

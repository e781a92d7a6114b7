"""One rate to another, in blocks: by soxr, or by resampy as openl3 and VGGish have it."""

import math
from importlib.util import find_spec

import numpy as np

from skmer.audio.framing import Framing
from skmer.exceptions import InputError
from skmer.utils.messages import check_choice

# Every resampler, and the package that does it.
RESAMPLERS = {"soxr_hq": "soxr", "kaiser_best": "resampy"}
# Zero crossings of resampy's kaiser_best on either side of its centre.
_ZERO_CROSSINGS = 64
# Seconds that resampy gets at a time: long against its filter, short against memory.
_CHUNK_SECONDS = 20


def check_resampler(resampler: str) -> None:
    """Raise InputError for another name, or one whose package is not installed."""
    check_choice("", sorted(RESAMPLERS), resampler=resampler)
    # soxr is always there, and to look for it would cost more than a short clip.
    if resampler != "soxr_hq" and find_spec(RESAMPLERS[resampler]) is None:
        raise InputError(
            f"resampler={resampler!r} needs the package {RESAMPLERS[resampler]}, which is not "
            "installed: pip install 'skmer[resampy]', or take resampler='soxr_hq'.",
            param="resampler",
        )


def resample(blocks, from_sr, to_sr, resampler: str):
    """Resample the blocks of one mono waveform; how it is cut changes nothing."""
    if from_sr == to_sr:
        yield from blocks
    elif resampler == "soxr_hq":
        yield from _soxr(blocks, from_sr, to_sr)
    else:
        yield from _resampy(blocks, from_sr, to_sr)


def _soxr(blocks, from_sr, to_sr):
    import soxr

    stream = None
    for block in blocks:
        if stream is None:
            stream = soxr.ResampleStream(from_sr, to_sr, 1, dtype=block.dtype.name, quality="HQ")
        out = stream.resample_chunk(block)
        if len(out):
            yield out
    if stream is not None:
        yield stream.resample_chunk(block[:0], last=True)


def _resampy(blocks, from_sr, to_sr):
    """Resample by resampy, which has no streams: chunks with as much around them as it looks at.

    The chunks are always the same ones, so that a file and an array give the same bits.
    """
    import resampy

    # Samples of the two rates coincide once in a period, and there the chunks are cut.
    period = from_sr // math.gcd(from_sr, to_sr)
    reach = 1 + _ZERO_CROSSINGS * max(1.0, from_sr / to_sr)
    around = period * math.ceil(reach / period)
    chunk = _CHUNK_SECONDS * from_sr
    n_samples = done = 0

    def padded():
        nonlocal n_samples
        for block in blocks:
            n_samples += len(block)
            yield block
        yield np.zeros(around, np.float32)

    framing = Framing(chunk + 2 * around, chunk, left_padding=around)
    first, size = around * to_sr // from_sr, _CHUNK_SECONDS * to_sr
    for (frame,) in framing.blocks(padded(), size=1):
        # resampy's own length, of the whole waveform; the zeros behind its end change nothing.
        left = n_samples * to_sr // from_sr - done
        frame = frame[: 2 * around + left * from_sr // to_sr + 1]
        # In float64 and so returned, as openl3 has it: above half the file's rate there is next to
        # nothing, and L3-Net sees how that was rounded.
        out = resampy.resample(frame.astype(np.float64), from_sr, to_sr, filter="kaiser_best")
        block = out[first : first + min(size, left)]
        done += len(block)
        yield block

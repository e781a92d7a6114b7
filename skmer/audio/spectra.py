"""What the front-ends share: windows, magnitude columns, mel banks, products."""

import warnings
from collections.abc import Iterable, Iterator

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view

from skmer.audio.framing import Framing

# Filters per product: a few neighbours share few spectrum bins, so most of the zeros are skipped.
_FILTERS_AT_ONCE = 16

# More would not stay in the processor's cache.
_COLUMNS_AT_ONCE = 128

# The FFT library computes columns in SIMD groups, and a rest that fills no group by other code,
# which rounds otherwise. Whole groups only, so that a column's bits do not depend on its place.
_GROUP = 16


def periodic_hann(length: int, dtype=np.float64) -> np.ndarray:
    """Periodic Hann window.

    By hand, as the differences of MFCC are: scipy.signal, which has it, takes twice as long to
    import as all that a worker process needs (1.4 s of processor time against 0.7 s).
    """
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(dtype)


def columns(audio: np.ndarray, n_fft: int, hop_length: int) -> np.ndarray:
    """(..., n_samples) -> strided view (..., n_columns, n_fft)."""
    return sliding_window_view(audio, n_fft, axis=-1)[..., ::hop_length, :]


def magnitude(audio_columns: np.ndarray, window: np.ndarray, n_fft: int) -> np.ndarray:
    """|rfft| of windowed columns (..., n_columns, window length) -> (..., n_columns, 1 + n_fft/2).

    Computed in the wider of the dtypes of audio and window, and returned as float32.
    """
    *outer, n_columns, length = audio_columns.shape
    dtype = np.result_type(audio_columns, window)
    windowed = np.zeros((*outer, n_columns + -n_columns % _GROUP, length), dtype)
    np.multiply(audio_columns, window, out=windowed[..., :n_columns, :])
    spectrum = scipy.fft.rfft(windowed, n=n_fft, axis=-1, overwrite_x=True)[..., :n_columns, :]
    return np.abs(spectrum).astype(np.float32, copy=False)


def mel_bank(sr: float, n_fft: int, n_mels: int, scale: str) -> np.ndarray:
    """Triangles over 0..sr/2 with Slaney's area norm, float32 (n_mels, 1 + n_fft // 2).

    On the mel scale "slaney" or "htk".
    """
    # Here, since importing it takes three times as long as all else that a worker process imports
    # (2.6 s of processor time against 0.7 s); who calls this keeps what it returns.
    import librosa.filters

    with warnings.catch_warnings():
        if scale == "htk":
            # It has two bands so narrow that they are empty; openl3 has them too.
            warnings.filterwarnings("ignore", "Empty filters detected")
        return librosa.filters.mel(sr=sr, n_fft=n_fft, n_mels=n_mels, htk=scale == "htk")


class MelProduct:
    """Multiply spectra by a mel bank, a few filters at a time, without most of its zeros."""

    def __init__(self, bank: np.ndarray):
        self.n_mels, self.n_bins = bank.shape
        self.parts = []
        for first in range(0, self.n_mels, _FILTERS_AT_ONCE):
            rows = bank[first : first + _FILTERS_AT_ONCE]
            used = np.flatnonzero(rows.any(axis=0))
            low, high = (used[0], used[-1] + 1) if len(used) else (0, 1)
            part = np.ascontiguousarray(rows[:, low:high].T)
            self.parts.append((slice(first, first + len(rows)), slice(low, high), part))

    def __call__(self, spectra: np.ndarray) -> np.ndarray:
        """(..., n_bins) -> (..., n_mels), float32."""
        flat = spectra.reshape(-1, self.n_bins)
        out = np.empty((len(flat), self.n_mels), np.float32)
        for filters, bins, part in self.parts:
            out[:, filters] = flat[:, bins] @ part
        return out.reshape(*spectra.shape[:-1], self.n_mels)


def mel_power_blocks(
    padded: Iterable[np.ndarray], window: np.ndarray, hop_length: int, product: MelProduct
) -> Iterator[np.ndarray]:
    """Mel power of a padded waveform that comes in blocks, some columns (n, n_mels) at a time."""
    framing = Framing(len(window), hop_length, keep_tail=False)
    for block in framing.blocks(padded, size=_COLUMNS_AT_ONCE):
        spectrum = magnitude(block.astype(np.float32, copy=False), window, len(window))
        yield product(np.square(spectrum, out=spectrum))

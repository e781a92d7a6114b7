"""What the front-ends share: windows, magnitude columns, mel banks, products."""

from functools import cache

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


@cache
def periodic_hann(length: int, dtype=np.float64) -> np.ndarray:
    """Periodic Hann window, made once.

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

    On the mel scale "slaney" or "htk". The bits are those of ``librosa.filters.mel``, whose import
    takes three times as long as all else that a worker process imports.
    """
    bins = np.fft.rfftfreq(n_fft, 1.0 / sr)
    edges = _mel_edges(float(sr) / 2, n_mels + 2, scale)
    widths = np.diff(edges)
    bank = np.zeros((n_mels, len(bins)), np.float32)
    for i in range(n_mels):
        rise, fall = (bins - edges[i]) / widths[i], (edges[i + 2] - bins) / widths[i + 1]
        bank[i] = np.maximum(0, np.minimum(rise, fall))
    bank *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return bank


def _mel_edges(highest: float, n_edges: int, scale: str) -> np.ndarray:
    """Frequencies from 0 to `highest` [Hz] at equal distances on a mel scale."""
    if scale == "htk":
        mels = np.linspace(0, 2595.0 * np.log10(1.0 + highest / 700.0), n_edges)
        return 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    # Slaney's is linear up to 1000 Hz, and logarithmic above.
    linear, step = 200.0 / 3, np.log(6.4) / 27.0
    corner = 1000.0 / linear
    top = highest / linear if highest < 1000.0 else corner + np.log(highest / 1000.0) / step
    mels = np.linspace(0, top, n_edges)
    edges = linear * mels
    above = mels >= corner
    edges[above] = 1000.0 * np.exp(step * (mels[above] - corner))
    return edges


class MelProduct:
    """Multiply spectra by a mel bank, a few filters at a time, without most of its zeros."""

    def __init__(self, bank: np.ndarray):
        self.n_mels, self.n_bins = bank.shape
        self.n_empty = np.count_nonzero(~bank.any(axis=1))
        self.groups = []
        for first in range(0, self.n_mels, _FILTERS_AT_ONCE):
            rows = bank[first : first + _FILTERS_AT_ONCE]
            used = np.flatnonzero(rows.any(axis=0))
            low, high = (used[0], used[-1] + 1) if len(used) else (0, 1)
            weights = np.ascontiguousarray(rows[:, low:high].T)
            self.groups.append((slice(first, first + len(rows)), slice(low, high), weights))

    def __call__(self, spectra: np.ndarray) -> np.ndarray:
        """(..., n_bins) -> (..., n_mels), float32."""
        flat = spectra.reshape(-1, self.n_bins)
        out = np.empty((len(flat), self.n_mels), np.float32)
        for filters, bins, weights in self.groups:
            out[:, filters] = flat[:, bins] @ weights
        return out.reshape(*spectra.shape[:-1], self.n_mels)


@cache
def mel_product(sr: float, n_fft: int, n_mels: int, scale: str) -> MelProduct:
    """Return the product with `mel_bank`, made once."""
    return MelProduct(mel_bank(sr, n_fft, n_mels, scale))


def mel_power_blocks(padded, window: np.ndarray, hop_length: int, product: MelProduct):
    """Mel power of a padded waveform that comes in blocks, some columns (n, n_mels) at a time."""
    framing = Framing(len(window), hop_length, keep_tail=False)
    for block in framing.blocks(padded, size=_COLUMNS_AT_ONCE):
        spectrum = magnitude(block.astype(np.float32, copy=False), window, len(window))
        yield product(np.square(spectrum, out=spectrum))

"""Mel-frequency cepstral coefficients and their differences, with librosa's numbers."""

from collections.abc import Iterable
from functools import cache

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view

from skmer.audio.decoding import HIGHEST_SR
from skmer.audio.framing import check_blocks, check_table
from skmer.audio.spectra import MelProduct, mel_bank, mel_power_blocks, periodic_hann
from skmer.utils.messages import check_choice, check_whole

_FLOOR, _RANGE_DB = 1e-10, 80
_DELTA_WIDTH = 9
_K = np.arange(_DELTA_WIDTH) - _DELTA_WIDTH // 2
# Savitzky-Golay: the first (second) derivative of the line (parabola) fitted to nine columns. By
# hand, since rows from the cache need nothing else of scipy.signal, which has the filter that
# librosa takes: equal to 1e-7 of the scale, as fast, and its import takes 1.4 s of processor time.
_DELTA_FILTERS = {1: _K / 60, 2: (_K**2 - 20 / 3) / 154}


def mel_power_columns(
    waveform: Iterable[np.ndarray], *, sr: int, n_fft: int, hop_length: int, n_mels: int
) -> np.ndarray:
    """Mel power spectrogram of a waveform that comes in blocks, centred as librosa centres.

    Parameters
    ----------
    waveform : iterable of ndarray [shape=(n,), dtype=float32]
        Consecutive blocks of one waveform.
    sr : int
        Its rate [Hz].
    n_fft, hop_length : int
        Window and hop [samples].
    n_mels : int
        Number of Slaney mel bands from 0 to ``sr / 2``.

    Returns
    -------
    mel : ndarray [shape=(n_columns, n_mels), dtype=float32]
        Power; ``n_columns = 1 + n_samples // hop_length``.

    See Also
    --------
    mfcc_from_mel : The cepstrum of it.

    References
    ----------
    ``librosa.feature.melspectrogram`` with its defaults (McFee et al., librosa package).

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.audio import mel_power_columns
    >>> noise = np.random.default_rng(0).standard_normal(22050).astype(np.float32)
    >>> mel_power_columns([noise], sr=22050, n_fft=2048, hop_length=512, n_mels=128).shape
    (44, 128)
    """
    function = "mel_power_columns"
    check_whole(function, least=2, most=2**20, n_fft=n_fft)
    check_whole(function, most=HIGHEST_SR, sr=sr)
    check_whole(function, most=2**24, hop_length=hop_length)
    check_whole(function, most=2048, n_mels=n_mels)
    sr, n_fft, hop_length, n_mels = map(int, (sr, n_fft, hop_length, n_mels))
    centre = n_fft // 2

    def padded():
        yield np.zeros(centre, np.float32)
        yield from check_blocks(waveform)
        yield np.zeros(centre, np.float32)

    blocks = mel_power_blocks(padded(), _window(n_fft), hop_length, _mel_product(sr, n_fft, n_mels))
    return np.concatenate(list(blocks))


def mfcc_from_mel(mel: np.ndarray, *, n_mfcc: int) -> np.ndarray:
    """Cepstral coefficients of a mel power spectrogram.

    Parameters
    ----------
    mel : ndarray [shape=(n_columns, n_mels)]
        Mel power.
    n_mfcc : int
        Number of coefficients, at most ``n_mels``.

    Returns
    -------
    mfcc : ndarray [shape=(n_columns, n_mfcc), dtype=float32]
        The orthonormal DCT-II of the level in dB, floored 80 dB below the clip's maximum.

    References
    ----------
    ``librosa.feature.mfcc`` with its defaults; S. Davis, P. Mermelstein, IEEE TASSP 28(4), 1980.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.audio import mfcc_from_mel
    >>> mfcc_from_mel(np.ones((3, 128), np.float32), n_mfcc=20).shape
    (3, 20)
    """
    mel = check_table("mfcc_from_mel", mel)
    check_whole("mfcc_from_mel", most=mel.shape[1], n_mfcc=n_mfcc)
    # librosa.power_to_db in two lines, without the import; the DCT is scipy's, as in librosa.
    level = 10 * np.log10(np.maximum(mel, _FLOOR))
    level = np.maximum(level, level.max() - _RANGE_DB)
    return scipy.fft.dct(level, axis=1, type=2, norm="ortho")[:, :n_mfcc]


def mfcc_deltas(mfcc: np.ndarray, *, order: int) -> np.ndarray:
    """Smoothed differences over time by a Savitzky-Golay filter of nine columns.

    Parameters
    ----------
    mfcc : ndarray [shape=(n_columns, n_mfcc)]
        Coefficients.
    order : int
        1 for the first difference, 2 for the second.

    Returns
    -------
    delta : ndarray [shape=(n_columns, n_mfcc)]
        At the ends a polynomial is fitted, as librosa does; a clip of fewer than nine columns
        is continued by its first and last one instead.

    References
    ----------
    ``librosa.feature.delta`` with its defaults.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.audio import mfcc_deltas
    >>> ramp = np.arange(12.0)[:, None]
    >>> bool(np.allclose(mfcc_deltas(ramp, order=1), 1))
    True
    """
    check_choice("mfcc_deltas", tuple(_DELTA_FILTERS), order=order)
    mfcc = check_table("mfcc_deltas", mfcc)
    half = _DELTA_WIDTH // 2
    short = len(mfcc) < _DELTA_WIDTH
    padded = np.pad(mfcc, ((half, half), (0, 0)), mode="edge") if short else mfcc
    delta = sliding_window_view(padded, _DELTA_WIDTH, axis=0) @ _DELTA_FILTERS[order]
    if not short:
        # The fitted polynomial's highest derivative is the same all over its window.
        delta = np.pad(delta, ((half, half), (0, 0)), mode="edge")
    return delta.astype(mfcc.dtype, copy=False)


@cache
def _window(n_fft):
    return periodic_hann(n_fft, np.float32)


@cache
def _mel_product(sr, n_fft, n_mels):
    return MelProduct(mel_bank(sr, n_fft, n_mels, "slaney"))

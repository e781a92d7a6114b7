"""The log-mel examples that VGGish sees."""

from functools import cache

import numpy as np

from skmer.audio.framing import check_table
from skmer.audio.spectra import MelProduct, columns, magnitude, periodic_hann

SR = 16000
WINDOW_LENGTH, HOP_LENGTH, N_FFT = 400, 160, 512
N_COLUMNS, N_MELS = 96, 64
# 96 columns of 400 samples, 160 apart.
FRAME_LENGTH = (N_COLUMNS - 1) * HOP_LENGTH + WINDOW_LENGTH
_FMIN, _FMAX, _LOG_OFFSET = 125.0, 7500.0, 0.01


def vggish_log_mel(frames: np.ndarray) -> np.ndarray:
    """Log-mel examples of frames, as VGGish takes them.

    Parameters
    ----------
    frames : ndarray [shape=(n, 15600), dtype=float32]
        Frames of 0.975 s at 16 kHz: exactly the samples that 96 columns need.

    Returns
    -------
    log_mel : ndarray [shape=(n, 96, 64), dtype=float32]
        ``ln(mel + 0.01)``, time first.

    References
    ----------
    S. Hershey et al., "CNN Architectures for Large-Scale Audio Classification", ICASSP 2017;
    ``mel_features.py`` in tensorflow/models, research/audioset/vggish.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.audio import vggish_log_mel
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(15600, dtype=np.float32) / 16000)
    >>> vggish_log_mel(tone[None]).shape
    (1, 96, 64)
    """
    frames = check_table("vggish_log_mel", frames, FRAME_LENGTH)
    spectrum = magnitude(columns(frames, WINDOW_LENGTH, HOP_LENGTH), _window(), N_FFT)
    mel = _mel_product()(spectrum)
    return np.log(mel + np.float32(_LOG_OFFSET))


def _mel_bank():
    """Triangles linear in mel, no area norm, nothing at DC; librosa's are linear in hertz."""

    def mel(frequency):
        return 1127 * np.log(1 + frequency / 700)

    bins = mel(np.linspace(0, SR / 2, 1 + N_FFT // 2))
    edges = np.linspace(mel(_FMIN), mel(_FMAX), N_MELS + 2)
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - lower) / (centre - lower)
    falling = (upper - bins) / (upper - centre)
    bank = np.maximum(0, np.minimum(rising, falling))
    bank[:, 0] = 0
    return bank.astype(np.float32)


@cache
def _window():
    return periodic_hann(WINDOW_LENGTH)


@cache
def _mel_product():
    return MelProduct(_mel_bank())

"""The log-mel columns that MusiCNN sees."""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain

import numpy as np

from skmer.audio.framing import check_blocks
from skmer.audio.spectra import MelProduct, mel_bank, mel_power_blocks, periodic_hann

SR = 16000
N_FFT, HOP_LENGTH, N_MELS = 512, 256, 96
# Columns of a patch, 3 s: what the network takes.
N_COLUMNS = 187
_GAIN = 10000


def musicnn_log_mel(waveform: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Log-mel columns of a waveform that comes in blocks, as MusiCNN takes them.

    Parameters
    ----------
    waveform : iterable of ndarray [shape=(n,), dtype=float32]
        Consecutive blocks of one waveform at 16 kHz, of any lengths.

    Yields
    ------
    log_mel : ndarray [shape=(n, 96), dtype=float32]
        ``log10(10000 * mel + 1)``, time first, some columns at a time; ``1 + n_samples // 256`` in
        all, 16 ms apart, the first centred on the first sample. The clip is mirrored at its ends.
        Silence is 0.

    References
    ----------
    J. Pons, X. Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging",
    late-breaking demo, ISMIR 2019; ``librosa.feature.melspectrogram(pad_mode="reflect")``. The
    musicnn package rounds to float16 before it multiplies, so that loud music overflows; not here.

    Examples
    --------
    Overlapping patches of 187 columns:

    >>> import numpy as np
    >>> from skmer.audio import Framing, musicnn_log_mel
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(96000, dtype=np.float32) / 16000)
    >>> columns = (block.ravel() for block in musicnn_log_mel([tone]))
    >>> framing = Framing(187 * 96, 93 * 96, keep_tail=False)
    >>> next(framing.blocks(columns, size=32)).reshape(-1, 187, 96).shape
    (3, 187, 96)
    """
    mirrored = _mirrored(waveform, N_FFT // 2)
    for mel in mel_power_blocks(mirrored, _window(), HOP_LENGTH, _mel_product()):
        mel *= _GAIN
        mel += 1
        yield np.log10(mel, out=mel)


def _mirrored(waveform, n):
    """Blocks of a waveform with `n` samples more at either end, as ``np.pad(mode="reflect")``."""
    blocks = check_blocks(waveform)
    start = np.zeros(0, np.float32)
    for block in blocks:
        start = np.concatenate([start, block])
        if len(start) > n:
            break
    else:
        # A clip shorter than the padding, which is mirrored again and again.
        yield np.pad(start, n, mode="reflect" if len(start) else "constant")
        return
    yield start[n:0:-1]
    for block in chain([start], blocks):
        yield block
        start = np.concatenate([start, block[-n - 1 :]])[-n - 1 :]
    yield start[-2::-1]


@cache
def _window():
    return periodic_hann(N_FFT, np.float32)


@cache
def _mel_product():
    return MelProduct(mel_bank(SR, N_FFT, N_MELS, "slaney"))

"""The spectrograms that L3-Net sees, in the three variants that have been in use."""

from functools import cache
from importlib import resources

import numpy as np

from skmer.audio.framing import check_table
from skmer.audio.spectra import MelProduct, columns, magnitude, mel_bank, periodic_hann
from skmer.utils.messages import check_choice

SR = 48000
FRAME_LENGTH = 48000
HOP_LENGTH = 242
INPUT_SHAPES = {"linear": (257, 197), "mel128": (128, 199), "mel256": (256, 199)}
FRONTENDS = ("kapre", "librosa", "trained")
_N_MELS = {"mel128": 128, "mel256": 256}
# Zeros (before, after) a frame; the columns that come out are 199 in each case.
_MEL_PADDING = {"kapre": (0, 1964), "librosa": (1024, 1024), "trained": (982, 982)}
_FLOOR, _RANGE_DB = 1e-10, 80


def l3_spectrogram(
    frames: np.ndarray, *, input_repr: str = "mel256", frontend: str = "kapre"
) -> np.ndarray:
    """Spectrograms of one-second frames, as L3-Net takes them.

    Parameters
    ----------
    frames : ndarray [shape=(n, 48000), dtype=float32]
        One-second frames at 48 kHz.
    input_repr : {"linear", "mel128", "mel256"}, default="mel256"
        The representation.
    frontend : {"kapre", "librosa", "trained"}, default="kapre"
        Which of the three constructions: openl3 0.4's default, its librosa variant, or what the
        published weights were trained on (openl3 up to 0.3.1). They differ in the mel scale, in
        where the power is taken, and in the padding.

    Returns
    -------
    spectrogram : ndarray [shape=(n, bins, columns), dtype=float32]
        Decibels below the frame's maximum, [-80, 0]: 257 x 197, 128 x 199 or 256 x 199. Silence
        is 0 everywhere, as in openl3.

    References
    ----------
    A. Cramer, H.-H. Wu, J. Salamon, J. P. Bello, "Look, Listen, and Learn More: Design Choices
    for Deep Audio Embeddings", ICASSP 2019; the openl3 package, versions 0.3.1 and 0.4.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.audio import l3_spectrogram
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(48000, dtype=np.float32) / 48000)
    >>> l3_spectrogram(tone[None]).shape
    (1, 256, 199)
    """
    check_choice("l3_spectrogram", tuple(INPUT_SHAPES), input_repr=input_repr)
    check_choice("l3_spectrogram", FRONTENDS, frontend=frontend)
    frames = check_table("l3_spectrogram", frames, FRAME_LENGTH)
    spectrogram = np.empty((len(frames), *INPUT_SHAPES[input_repr]), np.float32)
    # One at a time: the arrays of several are so large that memory is mapped anew for each block.
    for out, frame in zip(spectrogram, frames):
        out[:] = _spectrogram(frame, input_repr, frontend)
    return spectrogram


def _spectrogram(frame, input_repr, frontend):
    # kapre computes in float32, librosa in float64: where a clip has next to nothing, it shows.
    if frontend == "kapre":
        frame = frame.astype(np.float32, copy=False)
    if input_repr == "linear":
        level = magnitude(columns(frame, 512, HOP_LENGTH), _window(512, frontend), 512)
    else:
        padded = np.pad(frame, _MEL_PADDING[frontend])
        spectrum = magnitude(columns(padded, 2048, HOP_LENGTH), _window(2048, frontend), 2048)
        product = _mel_product(input_repr, "htk" if frontend == "trained" else "slaney")
        if frontend == "trained":
            level = np.sqrt(product(np.square(spectrum, out=spectrum)))
        else:
            level = product(spectrum)
    # As librosa.power_to_db has it, in place and a third of the time: 0.08 ms a frame, not 0.24.
    np.maximum(level, _FLOOR, out=level)
    np.log10(level, out=level)
    level *= 10
    level -= level.max()
    np.maximum(level, -_RANGE_DB, out=level)
    return level.T


@cache
def _window(length, frontend):
    if frontend == "kapre":
        with resources.files("skmer.audio").joinpath("kapre_windows.npz").open("rb") as file:
            return np.load(file, allow_pickle=False)[f"hann_{length}"]
    return periodic_hann(length)


@cache
def _mel_product(input_repr, scale):
    return MelProduct(mel_bank(SR, 2048, _N_MELS[input_repr], scale))

"""Arrays of any usual kind -> mono waveforms."""

import numpy as np

from skmer.exceptions import AudioDecodeError

# Full scale of the integer PCM formats; 8-bit PCM in wav files is unsigned, centred on 128.
_PCM_SCALE = {"int8": 2**7, "int16": 2**15, "int32": 2**31}


def as_waveform(audio, *, name: str = "the waveform") -> np.ndarray:
    """Turn an array into a mono waveform of floats.

    Parameters
    ----------
    audio : array-like of shape (n_samples,) or (n_samples, n_channels)
        Floats are taken as they are; integer PCM (8, 16, 32 bit) is scaled to [-1, 1). Channels
        are averaged.
    name : str, default="the waveform"
        What error messages call the clip.

    Returns
    -------
    waveform : ndarray [shape=(n_samples,), dtype=float32 or float64]
        float64 only for float64.

    Raises
    ------
    AudioDecodeError
        When the array has no samples, more than two dimensions, no numbers, NaN or infinity.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.audio import as_waveform
    >>> as_waveform(np.array([[16384, -16384], [16384, 0]], dtype=np.int16))
    array([0.  , 0.25], dtype=float32)
    """
    audio = np.asarray(audio)
    if audio.ndim not in (1, 2):
        raise AudioDecodeError(
            f"{name}: a waveform must have shape (n_samples,) or (n_samples, n_channels), "
            f"got {audio.ndim} dimensions."
        )
    if audio.size == 0:
        raise AudioDecodeError(f"{name}: the clip is empty, it has no samples.")
    if audio.ndim == 2 and audio.shape[0] < audio.shape[1]:
        raise AudioDecodeError(
            f"{name}: a waveform of shape {audio.shape} has more channels than samples; "
            "pass it as (n_samples, n_channels), for instance audio.T."
        )
    kind = audio.dtype.name
    if kind == "uint8":
        waveform = (audio.astype(np.float32) - 128) / 128
    elif kind in _PCM_SCALE:
        # float64 first: a 32-bit sample has more digits than float32 holds.
        waveform = audio.astype(np.float64) / _PCM_SCALE[kind]
    elif audio.dtype.kind == "f":
        waveform = audio
    else:
        raise AudioDecodeError(
            f"{name}: samples must be floats or 8, 16 or 32-bit integer PCM, got dtype {kind}."
        )
    if waveform.ndim == 2:
        waveform = waveform.mean(axis=1)
    # float64 stays: some front-ends compute in it, and a clip's faintest parts then differ.
    dtype = np.float64 if audio.dtype == np.float64 else np.float32
    waveform = np.ascontiguousarray(waveform, dtype=dtype)
    check_finite(waveform, name=name)
    return waveform


def check_finite(waveform: np.ndarray, *, name: str) -> None:
    """Raise AudioDecodeError where a sample is NaN or infinite."""
    if not np.isfinite(waveform).all():
        first = int(np.flatnonzero(~np.isfinite(waveform))[0])
        raise AudioDecodeError(
            f"{name}: sample {first} is {waveform[first]}; the waveform must be finite."
        )

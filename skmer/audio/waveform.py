"""Arrays of any usual kind -> mono waveforms."""

import warnings
from collections.abc import Callable

import numpy as np

from skmer import exceptions

# Full scale of the integer PCM formats; 8-bit PCM in wav files is unsigned, centred on 128.
_FULL_SCALE = {"uint8": 2**7, "int8": 2**7, "int16": 2**15, "int32": 2**31}
# Powers of what is below stay finite in float32; and 32-bit PCM that was cast to floats is below.
_HIGHEST_SAMPLE = 1e10
# A full scale of 1 is passed a little by loud music, and by noise that was drawn for a test.
_FAR_BEYOND_FULL_SCALE = 100
# Channels cancel where their mean is this far below them, or no more than the rounding of 16 bits.
_CANCELLED, _ROUNDING = 1e-2, 2**-15
_LOUD = 0.05
# PCM of 24 bits in integers of 32 is no louder.
_FAINT = 2**-8
# More than recordings have: a batch of clips, or a damaged header.
MOST_CHANNELS = 128


def as_waveform(
    audio, *, name: str = "the waveform", on_note: Callable[[str], None] | None = None
) -> np.ndarray:
    """Turn an array into a mono waveform of floats.

    Parameters
    ----------
    audio : array-like of shape (n_samples,) or (n_samples, n_channels)
        Floats are taken as they are; integer PCM (8, 16, 32 bit) is scaled to [-1, 1). Channels
        are averaged.
    name : str, default="the waveform"
        The name of the clip in messages.
    on_note : callable, default=None
        Called with "loud" where samples are far beyond full scale, with "faint" where 32-bit
        integers hold PCM of fewer bits by the look of them, and with "silent" where there is no
        sound, as where channels cancel; None = a `SampleScaleWarning` for the first two.

    Returns
    -------
    waveform : ndarray [shape=(n_samples,), dtype=float32 or float64]
        float64 only for float64.

    Raises
    ------
    AudioDecodeError
        When the array has no samples, more than two dimensions, no numbers, integers of no known
        scale, masked samples, NaN, infinity, or numbers that no sound has.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.audio import as_waveform
    >>> as_waveform(np.array([[16384, -16384], [16384, 0]], dtype=np.int16))
    array([0.  , 0.25], dtype=float32)
    """
    mixer = Mixer(name)
    waveform = np.ascontiguousarray(mixer.mix(check_samples(audio, name=name)))
    mixer.report_levels(on_note)
    return waveform


def check_samples(audio, *, name: str) -> np.ndarray:
    """Return an array of one clip, (n_samples,) or (n_samples, n_channels), in its own dtype."""

    def check(is_right, message):
        if not is_right:
            raise exceptions.AudioDecodeError(f"{name}: {message}.")

    check(
        not np.ma.is_masked(audio),
        "samples are masked, and their values are unknown; fill them first, for instance "
        "audio.filled(0)",
    )
    try:
        audio = np.asarray(audio)
    except (ValueError, TypeError) as error:
        check(False, f"a waveform must be an array ({error})")
    shape, kind = audio.shape, audio.dtype.name
    check(
        len(shape) in (1, 2),
        "a waveform must have shape (n_samples,) or (n_samples, n_channels), "
        f"got {len(shape)} dimensions",
    )
    check(audio.size, "the clip is empty, it has no samples")
    n_channels = 1 if len(shape) == 1 else shape[1]
    check(
        n_channels <= shape[0],
        f"a waveform of shape {shape} has more channels than samples; pass it as "
        "(n_samples, n_channels), for instance audio.T",
    )
    check(
        n_channels <= MOST_CHANNELS,
        f"a waveform of shape {shape} has {n_channels} channels, and at most {MOST_CHANNELS} are "
        "read; for several clips pass a list of waveforms",
    )
    check(
        audio.dtype.kind == "f" or kind in _FULL_SCALE,
        f"samples must be floats or 8, 16 or 32-bit integer PCM, got dtype {kind}: their full "
        "scale is not known; divide them by it, or cast them to the integers that the file had",
    )
    return audio


class Mixer:
    """Average channels block by block, and measure how loud the result is."""

    def __init__(self, name: str):
        self.name = name
        self.channels = self.mono = 0.0
        self.is_wide = False

    def mix(self, block: np.ndarray) -> np.ndarray:
        """Return samples that `check_samples` accepts as floats on a scale of 1, of shape (n,).

        Raise AudioDecodeError for numbers that are no sound.
        """
        kind = block.dtype.name
        # float64 stays: some front-ends compute in it, and a clip's faintest segments then differ.
        dtype = np.float64 if kind == "float64" else np.float32
        if kind == "uint8":
            block = (block.astype(np.float32) - 128) / 128
        elif kind in _FULL_SCALE:
            # float64 first: a 32-bit sample has more digits than float32 holds.
            block = block.astype(np.float64) / _FULL_SCALE[kind]
            self.is_wide |= kind == "int32"
        else:
            block = block.astype(dtype, copy=False)
        if block.ndim == 1 or block.shape[1] == 1:
            mono = block.reshape(-1)
        elif block.shape[1] == 2:
            # Half the sum: the bits of the mean over an axis, which numpy computes slowly.
            mono = block[:, 0] + block[:, 1]
            mono *= block.dtype.type(0.5)
        else:
            mono = block.mean(axis=1)
        self._measure(block, mono)
        return mono.astype(dtype, copy=False)

    def _measure(self, block, mono):
        peak = _peak(mono)
        if not peak < _HIGHEST_SAMPLE:
            self._raise_bad_sample(mono)
        self.mono = max(self.mono, peak)
        # A waveform that is loud does not cancel, and its channels need not be measured.
        is_loud = mono.size == block.size or self.mono > _LOUD
        self.channels = max(self.channels, peak if is_loud else _peak(block))

    def _raise_bad_sample(self, mono):
        first = int(np.argmax(~(np.abs(mono) < _HIGHEST_SAMPLE)))
        reason = "the waveform must be finite"
        if np.isfinite(mono[first]):
            reason = "full scale is 1, and no sound has such a number"
        raise exceptions.AudioDecodeError(
            f"{self.name}: sample {first} is {mono[first]:g}; {reason}."
        )

    def report_levels(self, on_note: Callable[[str], None] | None) -> None:
        """Report the levels so far; see `as_waveform`."""
        quiet = max(_CANCELLED * self.channels, min(_ROUNDING, self.channels / 8))
        if self.mono == 0 or (self.mono < self.channels and self.mono <= quiet):
            note("silent", self.name, on_note)
        if self.mono > _FAR_BEYOND_FULL_SCALE:
            note("loud", self.name, on_note)
        if self.is_wide and 0 < self.channels <= _FAINT:
            note("faint", self.name, on_note)


# What may be noticed of a clip, in words after its name, and the warning of it.
NOTES: dict[str, tuple[str, type[Warning]]] = {
    "short": (
        "the sound is shorter than one frame, and zeros were added",
        exceptions.ShortClipWarning,
    ),
    "silent": ("the channels cancel, or there is nothing but zeros", exceptions.SilentClipWarning),
    "cut": (
        "the file ends before its sound or its segment does, or has holes, as if it was cut short "
        "or damaged; the samples that are there were read",
        exceptions.TruncatedClipWarning,
    ),
    "loud": (
        "samples are far beyond full scale, which is 1; integer PCM that was cast to floats must "
        "be divided by its full scale, for instance 32768",
        exceptions.SampleScaleWarning,
    ),
    "faint": (
        "32-bit integers are so small that they look like PCM of 16 or 24 bits; cast them to "
        "int16, or divide them by their full scale, for instance 8388608",
        exceptions.SampleScaleWarning,
    ),
}


def note(what: str, name: str, on_note: Callable[[str], None] | None) -> None:
    """Call `on_note`, or warn where it is None; silence is left to the caller."""
    if on_note is not None:
        on_note(what)
    elif what != "silent":
        message, category = NOTES[what]
        warnings.warn(f"{name}: {message}.", category, stacklevel=3)


def _peak(block):
    """The largest magnitude; not finite where a sample is not."""
    return max(float(block.max()), -float(block.min()))

"""What a network sees of a clip."""

from functools import partial

import numpy as np

from skmer.audio import (
    Framing,
    l3_spectrogram,
    mel_power_columns,
    musicnn_log_mel,
    stream_audio,
    vggish_log_mel,
)
from skmer.evaluation.displays._style import axes_or_new, plain
from skmer.utils._checks import check_choice
from skmer.utils._floats import check_floats


class SpectrogramDisplay:
    """The spectrogram of a clip as a network takes it, over time.

    Parameters
    ----------
    spectrogram : array-like of shape (n_bands, n_columns)
        The lowest band first.
    duration : float
        What the columns span [s].
    name : str, default=None
        What the title says.
    unit : str, default=None
        What the values are.
    start : float, default=0.0
        Where in the clip the first column begins [s].

    Attributes
    ----------
    im_ : matplotlib AxesImage
        The picture.
    ax_ : matplotlib Axes
        Axes of the picture.
    figure_ : matplotlib Figure
        Figure of the axes.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.evaluation import SpectrogramDisplay
    >>> SpectrogramDisplay(np.zeros((96, 187)), 3.0, name="MusiCNN").spectrogram.shape
    (96, 187)
    """

    def __init__(self, spectrogram, duration, *, name=None, unit=None, start=0.0):
        self.spectrogram = check_floats(spectrogram, "spectrogram", ndim=2)
        self.duration = float(duration)
        self.name = name
        self.unit = unit
        self.start = float(start)

    @classmethod
    def from_clip(cls, clip, network="l3", *, offset=0.0, duration=10.0, ax=None):
        """Draw a part of a clip as one of the networks takes it.

        Frames of L3-Net and VGGish are put side by side, each as its network gets it: those of
        L3-Net are scaled one by one, which shows as steps between seconds.

        Parameters
        ----------
        clip : str, path-like, or (waveform, sr) pair
            The clip.
        network : {"l3", "vggish", "musicnn", "mfcc"}, default="l3"
            Whose front-end, with its default settings; "mfcc" is the mel spectrogram that the
            coefficients are computed from.
        offset, duration : float, default=0.0, 10.0
            The part of the clip [s].
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        SpectrogramDisplay
            The display, drawn.

        Raises
        ------
        InputError
            For an unknown network, or a clip that cannot be read.

        Examples
        --------
        >>> import numpy as np
        >>> from skmer.evaluation import SpectrogramDisplay
        >>> tone = np.sin(2 * np.pi * 440 * np.arange(48000) / 16000)
        >>> display = SpectrogramDisplay.from_clip((tone, 16000), "vggish")
        >>> display.spectrogram.shape
        (64, 288)
        """
        check_choice("SpectrogramDisplay", _FRONT_ENDS, network=network)
        name, sr, column_size, unit, compute = _FRONT_ENDS[network]
        blocks = stream_audio(clip, sr=sr, offset=offset, duration=duration)
        spectrogram = compute(np.concatenate(list(blocks)).astype(np.float32, copy=False))
        span = spectrogram.shape[1] * column_size
        return cls(spectrogram, span, name=name, unit=unit, start=offset).plot(ax)

    def plot(self, ax=None):
        """Draw the spectrogram.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        SpectrogramDisplay
            The display itself.
        """
        self.ax_ = axes_or_new(ax, figsize=(6.0, 2.6))
        self.figure_ = self.ax_.figure
        n_bands = len(self.spectrogram)
        self.im_ = self.ax_.imshow(
            self.spectrogram,
            origin="lower",
            aspect="auto",
            interpolation="nearest",
            cmap="cividis",
            extent=(self.start, self.start + self.duration, 0, n_bands),
        )
        self.ax_.set_xlabel("time [s]")
        self.ax_.set_ylabel("band, low to high")
        if self.name is not None:
            self.ax_.set_title(plain(self.name), fontsize="medium")
        colorbar = self.figure_.colorbar(self.im_, ax=self.ax_, pad=0.02)
        if self.unit is not None:
            colorbar.set_label(plain(self.unit))
        return self


def _l3(audio):
    framing = Framing(48000, 48000)
    frames = np.concatenate(list(framing.blocks([audio], size=8)))
    return np.hstack(list(l3_spectrogram(frames)))


def _vggish(audio):
    framing = Framing(15600, 15360, keep_tail=False)
    blocks = [vggish_log_mel(frames) for frames in framing.blocks([audio], size=32)]
    return np.concatenate(blocks).reshape(-1, 64).T


def _musicnn(audio):
    return np.concatenate(list(musicnn_log_mel([audio]))).T


def _mfcc(audio):
    columns = partial(mel_power_columns, sr=22050, n_fft=2048, hop_length=512, n_mels=128)
    mel = columns([audio]).T
    return 10 * np.log10(np.maximum(mel, 1e-10))


# Name, rate [Hz], seconds a column, unit, and the front-end.
_FRONT_ENDS = {
    "l3": ("L3-Net", 48000, 1 / 199, "dB below the maximum of a frame", _l3),
    "vggish": ("VGGish", 16000, 0.01, "ln(mel + 0.01)", _vggish),
    "musicnn": ("MusiCNN", 16000, 0.016, "log10(10000 mel + 1)", _musicnn),
    "mfcc": ("MFCC", 22050, 512 / 22050, "dB", _mfcc),
}

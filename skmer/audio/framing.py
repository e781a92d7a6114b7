"""Waveform blocks -> blocks of equally long, overlapping frames."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from skmer.exceptions import InputError
from skmer.utils.messages import check_whole


def check_table(function: str, values, n_columns: int) -> np.ndarray:
    """Return finite real numbers of shape (n, n_columns)."""
    array = np.asarray(values)
    if array.ndim != 2 or array.shape[1] != n_columns or array.dtype.kind not in "biuf":
        raise InputError(
            f"{function} takes real numbers of shape (n, {n_columns}). "
            f"Got shape {array.shape}, dtype {array.dtype} instead."
        )
    if not np.isfinite(array).all():
        raise InputError(f"{function} takes finite numbers. Got NaN or infinity.")
    return array


def check_blocks(waveform: Iterable) -> Iterator[np.ndarray]:
    """Yield the blocks of a waveform; a waveform itself would be taken for blocks of one sample."""
    for block in waveform:
        array = np.asarray(block)
        if array.ndim != 1:
            raise InputError(
                "A waveform in blocks must be an iterable of one-dimensional arrays, such as "
                f"[waveform]. Got a block of {array.ndim} dimensions."
            )
        yield array


# Samples; more than an hour of 48 kHz, and 1 GB.
_LONGEST = 2**28


@dataclass(frozen=True)
class Framing:
    """How a waveform is cut into frames.

    Parameters
    ----------
    frame_length, hop_length : int
        Length of a frame, and distance between the starts of two [samples], at most 2**28 each.
    left_padding : int, default=0
        Zeros put before the waveform [samples].
    keep_tail : bool, default=True
        True: zeros after the waveform, so that every sample is in a frame. False: a last frame
        that is not full is dropped. A waveform shorter than one frame is padded to one either way.

    References
    ----------
    OpenL3 0.4.2 (``openl3/core.py``) pads the tail; VGGish (``tensorflow/models``,
    ``research/audioset/vggish``) drops it.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.audio import Framing
    >>> framing = Framing(frame_length=4, hop_length=2)
    >>> framing.n_frames(7)
    3
    >>> next(framing.blocks([np.arange(1.0, 8.0, dtype=np.float32)], size=8))
    array([[1., 2., 3., 4.],
           [3., 4., 5., 6.],
           [5., 6., 7., 0.]], dtype=float32)
    """

    frame_length: int
    hop_length: int
    left_padding: int = 0
    keep_tail: bool = True

    def __post_init__(self):
        for name, least in {"frame_length": 1, "hop_length": 1, "left_padding": 0}.items():
            value = getattr(self, name)
            check_whole("Framing", least=least, most=_LONGEST, **{name: value})
            # Numbers of numpy would compute in as few bits as they have, and overflow.
            object.__setattr__(self, name, int(value))

    def n_frames(self, n_samples: int) -> int:
        """Count the frames of a waveform.

        Parameters
        ----------
        n_samples : int
            Length of the waveform [samples].

        Returns
        -------
        n_frames : int
            At least one.
        """
        check_whole("Framing.n_frames", least=0, n_samples=n_samples)
        rest = max(int(n_samples) + self.left_padding - self.frame_length, 0)
        return 1 + (-(-rest // self.hop_length) if self.keep_tail else rest // self.hop_length)

    def blocks(self, waveform: Iterable[np.ndarray], *, size: int) -> Iterator[np.ndarray]:
        """Yield frames, `size` at a time.

        Parameters
        ----------
        waveform : iterable of ndarray [shape=(n,), dtype=float32]
            Consecutive blocks of one waveform, of any lengths.
        size : int
            The number of frames in a block; the last may have fewer.

        Yields
        ------
        frames : ndarray [shape=(n, frame_length), dtype=float32]
            A view where that is possible; do not write to it.
        """
        check_whole("Framing.blocks", size=size)
        size = int(size)
        need = self.frame_length + (size - 1) * self.hop_length
        # One frame more than `size` must be begun: only then a block is not the last one.
        wanted = need + self.hop_length
        buffer = [np.zeros(self.left_padding, np.float32)]
        held, n_samples, done = self.left_padding, 0, 0
        for piece in _pieces(waveform, wanted):
            n_samples += len(piece)
            buffer.append(piece)
            held += len(piece)
            if held < wanted:
                continue
            joined = np.concatenate(buffer)
            while held >= wanted:
                yield self._view(joined)[:size]
                done += size
                joined = joined[size * self.hop_length :]
                held = len(joined)
            buffer = [joined]
        left = self.n_frames(n_samples) - done
        length = self.frame_length + (left - 1) * self.hop_length
        tail = np.zeros(max(length - held, 0), np.float32)
        frames = self._view(np.concatenate([*buffer, tail])[:length])
        for start in range(0, left, size):
            yield frames[start : start + size]

    def _view(self, waveform):
        return sliding_window_view(waveform, self.frame_length)[:: self.hop_length]


def _pieces(waveform, length):
    """The same blocks, none longer than `length`: what is left of one is copied with the next."""
    for block in check_blocks(waveform):
        for start in range(0, len(block), length):
            yield block[start : start + length]

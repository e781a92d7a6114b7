"""From the frames of a clip to one vector, or from many clips to one padded array."""

from collections.abc import Sequence

import numpy as np

from skmer.exceptions import InputError
from skmer.utils import floats, messages

__all__ = ["STATISTICS", "align_frames", "pad_frames", "pool_frames"]

# More than a week of frames half a second apart.
MOST_FRAMES = 10**6
STATISTICS: dict = {"mean": np.mean, "std": np.std, "max": np.max, "min": np.min}


def pool_frames(frames: np.ndarray, statistics: str | Sequence[str] = "mean") -> np.ndarray:
    """Summarise the frames of one clip.

    Parameters
    ----------
    frames : ndarray of shape (n_frames, d)
        The frames of one clip, at least one.
    statistics : {"mean", "std", "max", "min"} or sequence of those, default="mean"
        Taken over time, concatenated in this order.

    Returns
    -------
    vector : ndarray of shape (d * n_statistics,), dtype float32
        The statistics of each column, one statistic after the other.

    Raises
    ------
    ValueError
        For an unknown statistic, or frames that are not a 2-D array with a row, or hold infinity.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.pooling import pool_frames
    >>> pool_frames(np.array([[0.0, 2.0], [2.0, 4.0]]), ("mean", "max"))
    array([1., 3., 2., 4.], dtype=float32)
    """
    # scikit-learn looks for data frames first, which takes longer than to pool a short clip.
    if type(frames) is not np.ndarray or frames.dtype != np.float32:
        frames = floats.check_floats(frames, "frames", finite=False)
    if frames.ndim != 2 or not len(frames):
        raise InputError(
            f"frames must have shape (n_frames, d) with n_frames >= 1, got {frames.shape}."
        )
    floats.check_magnitude(frames, "frames")
    names = [*statistics] if isinstance(statistics, list | tuple) else [str(statistics)]
    if not names or not all(isinstance(name, str) and name in STATISTICS for name in names):
        raise InputError(
            f"statistics must be one or several of {sorted(STATISTICS)}, got {statistics!r}."
        )
    # float64 sums keep the mean within the frames' bounds to the last float32 digit.
    wide = frames.astype(np.float64)
    return np.concatenate([STATISTICS[name](wide, axis=0) for name in names]).astype(np.float32)


def pad_frames(clips: Sequence[np.ndarray], n_frames: int | None = None) -> np.ndarray:
    """Stack clips of different lengths, with zeros at the end of the short ones.

    Parameters
    ----------
    clips : sequence of ndarray of shape (n_frames_i, d)
        The frames of each clip; d is the same for all.
    n_frames : int, default=None
        Length to pad or cut to, at most 10**6; None = that of the longest clip.

    Returns
    -------
    padded : ndarray of shape (n_clips, n_frames, d), dtype float32
        Row i is clip i, zeros after its last frame.

    Raises
    ------
    ValueError
        For no clips, clips of different widths or with infinity, or a length out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.pooling import pad_frames
    >>> pad_frames([np.ones((1, 2)), np.ones((3, 2))]).shape
    (2, 3, 2)
    """
    is_list = isinstance(clips, list | tuple | np.ndarray) and messages.is_iterable(clips)
    if not is_list or not len(clips):
        raise InputError(f"clips must be a sequence of arrays, at least one. Got {clips!r}.")
    clips = [floats.check_floats(clip, "clips", ndim=2, finite=False) for clip in clips]
    for clip in clips:
        floats.check_magnitude(clip, "clips")
    widths = {clip.shape[1] for clip in clips}
    if len(widths) > 1:
        raise InputError(f"clips must all have frames of one width, got {sorted(widths)}.")
    if n_frames is not None:
        messages.check_whole("pad_frames", most=MOST_FRAMES, n_frames=n_frames)
    length = max(len(clip) for clip in clips) if n_frames is None else int(n_frames)
    padded = np.zeros((len(clips), length, *widths), np.float32)
    for row, clip in zip(padded, clips):
        row[: len(clip)] = clip[:length]
    return padded


def align_frames(frames: np.ndarray, frame_times: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Average, for each of some times, the frames within half a step of it, or take the nearest.

    Parameters
    ----------
    frames : ndarray of shape (n_frames, d)
        The frames of one clip.
    frame_times : ndarray of shape (n_frames,)
        Their centres [s].
    times : ndarray of shape (n_times,)
        In order [s]; the step is the smallest distance between two of them.

    Returns
    -------
    aligned : ndarray of shape (n_times, d)
        A row for each time.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.pooling import align_frames
    >>> frames, times = np.array([[1.0], [2.0], [4.0]]), np.array([0.0, 0.5, 1.0])
    >>> align_frames(frames, times, np.array([0.1, 1.1]))
    array([[1.5],
           [4. ]])
    """
    step = np.diff(times).min() if times.size > 1 else 0.0
    distances = np.abs(np.subtract.outer(times, frame_times))
    nearest = distances.min(axis=1, initial=np.inf)
    near = distances <= np.maximum(step / 2, nearest)[:, None]
    return near @ frames / near.sum(axis=1, keepdims=True)

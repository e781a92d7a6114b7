"""Reading, slicing, mixing and resampling, in blocks, so that a long file never lies in memory."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from skmer.audio._resampling import check_resampler, resample
from skmer.audio._waveform import as_waveform, check_finite
from skmer.exceptions import AudioDecodeError

# Seconds of audio decoded at a time: long against any filter, short against memory.
_BLOCK_SECONDS = 20


def read_audio(
    path,
    *,
    sr: int | None = None,
    offset: float = 0.0,
    duration: float | None = None,
    resampler: str = "soxr_hq",
):
    """Read one audio file as a float32 mono waveform.

    Parameters
    ----------
    path : str or path-like
        Whatever libsndfile reads (wav, flac, ogg, mp3, ...); where the audioread package is
        installed, whatever that reads.
    sr : int, default=None
        Rate to resample to [Hz]; None keeps the file's own.
    offset : float, default=0.0
        Where to start [s].
    duration : float, default=None
        How much to read [s]; None = to the end.
    resampler : {"soxr_hq", "kaiser_best"}, default="soxr_hq"
        How to resample: by soxr's "HQ" preset, or by the filter of resampy's that openl3 and
        VGGish take (package resampy, extra ``skmer[resampy]``).

    Returns
    -------
    waveform : ndarray [shape=(n_samples,), dtype=float32]
        The mean over channels.
    sr : int
        Its rate [Hz].

    Raises
    ------
    AudioDecodeError
        When the file is missing, empty, not audio, not finite, or ends before `offset`.

    See Also
    --------
    stream_audio : The same in blocks.

    References
    ----------
    The SoX Resampler library by R. Sykes (python-soxr package); B. McFee, "resampy: efficient
    sample rate conversion in Python", Journal of Open Source Software 1(8), 2016.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np, soundfile
    >>> from skmer.audio import read_audio
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "a.wav")
    ...     soundfile.write(path, np.zeros((48000, 2)), 48000)
    ...     waveform, sr = read_audio(path, sr=16000, offset=0.5)
    >>> waveform.shape, sr
    ((8000,), 16000)
    """
    check_resampler(resampler)
    blocks, from_sr = _open(path, offset=offset, duration=duration)
    sr = sr or from_sr
    blocks = resample(blocks, from_sr, sr, resampler)
    return np.concatenate(list(blocks)), sr


def stream_audio(
    source,
    *,
    sr: int,
    offset: float = 0.0,
    duration: float | None = None,
    resampler: str = "soxr_hq",
    name: str | None = None,
    on_decoded: Callable[[np.ndarray, int], None] | None = None,
) -> Iterator[np.ndarray]:
    """Yield one clip as blocks of a float32 mono waveform, resampled to `sr`.

    Parameters
    ----------
    source : str, path-like, or (waveform, sr) pair
        A file, or an array of shape (n_samples,) or (n_samples, n_channels) with its rate [Hz].
    sr : int
        The rate to come out [Hz].
    offset, duration : float
        The part of the clip to use [s].
    resampler : {"soxr_hq", "kaiser_best"}, default="soxr_hq"
        As for `read_audio`.
    name : str, default=None
        What error messages call the clip; None = the path.
    on_decoded : callable, default=None
        Called with every mono block as it was decoded, before it is resampled, and its rate [Hz].

    Yields
    ------
    block : ndarray [shape=(n,), dtype=float32]
        (float64 for an array of float64.) Their concatenation equals
        ``read_audio(source, sr=sr, ...)``, bit for bit.

    Raises
    ------
    AudioDecodeError
        As `read_audio`.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.audio import stream_audio
    >>> sum(len(block) for block in stream_audio((np.zeros(96000), 96000), sr=48000))
    48000
    """
    check_resampler(resampler)
    if isinstance(source, tuple):
        audio, from_sr = source
        name = name or "the waveform"
        start, stop = _span(from_sr, offset, duration)
        waveform = as_waveform(audio, name=name)[start:stop]
        if not len(waveform):
            raise AudioDecodeError(_past_the_end(name, offset))
        blocks = iter([waveform])
    else:
        blocks, from_sr = _open(source, offset=offset, duration=duration, name=name)
    blocks = _overheard(blocks, from_sr, on_decoded)
    yield from resample(blocks, from_sr, sr, resampler)


def _overheard(blocks, sr, on_decoded):
    """Pass blocks on, telling `on_decoded` of each."""
    for block in blocks:
        if on_decoded is not None:
            on_decoded(block, sr)
        yield block


def _span(sr, offset, duration):
    """First and one past the last sample of the part to use."""
    start = round(offset * sr)
    return start, None if duration is None else start + round(duration * sr)


def _past_the_end(name, offset):
    if offset:
        return f"{name}: the clip ends before offset={offset} s, so nothing is left to read."
    return f"{name}: the clip is empty, it has no samples."


def _open(path, *, offset, duration, name=None):
    """Return (iterator of blocks, rate) of a file, having opened it."""
    import soundfile

    path = os.fspath(path)
    name = name or repr(path)
    if not Path(path).is_file():
        what = "is a folder, not an audio file" if Path(path).is_dir() else "does not exist"
        raise AudioDecodeError(f"{name}: the file {what}.")
    if Path(path).stat().st_size == 0:
        raise AudioDecodeError(f"{name}: the file is empty (0 bytes).")
    try:
        file = soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        blocks, from_sr = _open_with_audioread(path, name, reason=str(error))
        start, stop = _span(from_sr, offset, duration)
        blocks = _cut(blocks, start, stop)
    except PermissionError as error:
        raise AudioDecodeError(f"{name}: the file may not be read ({error.strerror}).") from error
    else:
        from_sr = file.samplerate
        start, stop = _span(from_sr, offset, duration)
        blocks = _soundfile_blocks(file, start, stop, name)
    return _checked(blocks, name, offset), from_sr


def _soundfile_blocks(file, start, stop, name):
    """Mono blocks of an open SoundFile."""
    import soundfile

    with file:
        if start >= file.frames:
            return
        left = np.inf if stop is None else stop - start
        try:
            if start:
                file.seek(start)
            while left > 0:
                block = file.read(
                    int(min(left, _BLOCK_SECONDS * file.samplerate)),
                    dtype="float32",
                    always_2d=True,
                )
                if not len(block):
                    return
                left -= len(block)
                yield block[:, 0] if block.shape[1] == 1 else block.mean(axis=1)
        except soundfile.LibsndfileError as error:
            raise AudioDecodeError(
                f"{name}: the file breaks off or is damaged ({error}); get it again."
            ) from error


def _open_with_audioread(path, name, *, reason):
    """Blocks and rate by the audioread package, for what libsndfile does not read."""
    refusal = AudioDecodeError(
        f"{name}: the file is not in a format that can be read ({reason.rstrip('.')}); "
        "convert it to wav, flac, ogg or mp3."
    )
    try:
        import audioread
    except ImportError:
        raise refusal from None
    try:
        file = audioread.audio_open(path)
    except (audioread.DecodeError, EOFError, OSError):
        raise refusal from None

    def blocks():
        with contextlib.closing(file):
            for data in file:
                block = np.frombuffer(data, "<i2").reshape(-1, file.channels)
                yield (block.astype(np.float32) / 2**15).mean(axis=1)

    return blocks(), file.samplerate


def _cut(blocks, start, stop):
    """Samples start..stop of a stream of blocks."""
    at = 0
    for block in blocks:
        piece = block[max(start - at, 0) : None if stop is None else max(stop - at, 0)]
        at += len(block)
        if len(piece):
            yield piece
        if stop is not None and at >= stop:
            return


def _checked(blocks, name, offset):
    """Pass blocks on; raise where there are none or one is not finite."""
    empty = True
    for block in blocks:
        check_finite(block, name=name)
        empty = False
        yield block
    if empty:
        raise AudioDecodeError(_past_the_end(name, offset))

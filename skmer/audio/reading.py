"""Reading, slicing, mixing and resampling, in blocks, so that a long file never lies in memory."""

import contextlib
import os
from collections.abc import Callable, Iterator
from numbers import Real

import numpy as np

from skmer.audio.decoding import BLOCK_LENGTH, SoundSource
from skmer.audio.resampling import check_resampler, resample
from skmer.audio.waveform import Mixer, check_samples, note
from skmer.exceptions import AudioDecodeError, InputTypeError
from skmer.utils.messages import check_whole, wrong_parameter

# What a recording can have. A header that states less or more is damaged, and to believe it would
# mean hours of resampling, or more memory than there is.
_LOWEST, HIGHEST_SR = 1000, 768_000
# Seconds: no recording is longer, and numbers of samples stay exact.
LONGEST = 10**9


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
    path : str, path-like, binary file or bytes
        A path, an open file, which must be seekable and is read from its start, or the content of a
        file. Formats are those that libsndfile reads (wav, flac, ogg, mp3, ...) and, with PyAV
        (extra ``skmer[av]``), those of FFmpeg's libraries (m4a, aac, wma, webm, ...). wav (also
        RF64 and W64), aiff, flac, mp3 and ogg are read to their end where files were joined, or
        where the header states another length than they have.
    sr : int, default=None
        Rate to resample to [Hz], at most 768000; None keeps the file's own.
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
        When the file is missing, empty, not audio, not finite, or ends before `offset`, or its
        header states a rate or channels that no recording has.

    Warns
    -----
    TruncatedClipWarning
        When the file ends before its sound does: of those formats, and of those that PyAV reads.
    SampleScaleWarning
        When samples are far beyond full scale.

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
    _check_parameters("read_audio", sr, offset, duration, resampler)
    name = _checked_name(path)
    rates: list[int] = []
    notes: list[str] = []

    def observe(block, from_sr):
        rates.append(from_sr)

    waveform = list(_blocks(path, sr, offset, duration, resampler, name, observe, notes.append))
    for what in notes:
        note(what, name, None)
    whole = np.concatenate(waveform).astype(np.float32, copy=False)
    return whole, rates[0] if sr is None else int(sr)


def stream_audio(
    source,
    *,
    sr: int,
    offset: float = 0.0,
    duration: float | None = None,
    resampler: str = "soxr_hq",
    name: str | None = None,
    on_decoded: Callable[[np.ndarray, int], None] | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Iterator[np.ndarray]:
    """Yield one clip as blocks of a float32 mono waveform, resampled to `sr`.

    Parameters
    ----------
    source : str, path-like, binary file, bytes, or (waveform, sr) pair
        A file as for `read_audio`, or an array of shape (n_samples,) or (n_samples, n_channels)
        with its rate [Hz].
    sr : int
        The rate to come out [Hz], at most 768000.
    offset, duration : float
        The segment of the clip to use [s].
    resampler : {"soxr_hq", "kaiser_best"}, default="soxr_hq"
        As for `read_audio`.
    name : str, default=None
        The name of the clip in messages; None = the path.
    on_decoded : callable, default=None
        Called with every mono block as it was decoded, before it is resampled, and its rate [Hz].
    on_note : callable, default=None
        Called at the end of the clip with "cut" where the file ends before its sound does, "loud"
        and "faint" where samples are far off their scale, "silent" where there is no sound,
        as where channels cancel; None = warnings of all but the last.

    Yields
    ------
    block : ndarray [shape=(n,), dtype=float32]
        (float64 for an array of float64, and where "kaiser_best" has resampled.) Their
        concatenation, in float32, equals ``read_audio(source, sr=sr, ...)``, bit for bit.

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
    check_whole("stream_audio", most=HIGHEST_SR, sr=sr)
    _check_parameters("stream_audio", sr, offset, duration, resampler)
    name = name or _checked_name(source)
    yield from _blocks(source, sr, offset, duration, resampler, name, on_decoded, on_note)


def _blocks(source, sr, offset, duration, resampler, name, on_decoded, on_note):
    """Yield the resampled blocks of a file or a pair; where `sr` is None, at its own rate."""
    is_pair = isinstance(source, tuple)
    with contextlib.nullcontext() if is_pair else SoundSource(source, name=name) as opened:
        from_sr = source[1] if opened is None else opened.sr
        if not isinstance(from_sr, int | float | np.number) or not _LOWEST <= from_sr <= HIGHEST_SR:
            raise AudioDecodeError(
                f"{name}: a sampling rate of {from_sr} Hz is stated, and only {_LOWEST} to "
                f"{HIGHEST_SR} Hz are read; the file is damaged or the rate is not meant."
            )
        # Numbers of numpy compute in as few bits as they have: 5 s at 16 kHz overflow a uint16.
        rate, first = float(from_sr), float(offset)
        start = round(first * rate)
        stop = None if duration is None else start + round(float(duration) * rate)
        if opened is None:
            samples = check_samples(source[0], name=name)[start:stop]
            pieces = (samples[i : i + BLOCK_LENGTH] for i in range(0, len(samples), BLOCK_LENGTH))
        else:
            # Copied where the mean over channels is none: the memory of a block is used again.
            blocks = opened.blocks(start, stop)
            pieces = (block.copy() if block.shape[1] == 1 else block for block in blocks)
        mono = _mixed(pieces, opened, name, offset, from_sr, on_decoded, on_note)
        to_sr = from_sr if sr is None else int(sr)
        is_empty = True
        for block in resample(mono, from_sr, to_sr, resampler):
            is_empty &= not len(block)
            yield block
        if is_empty:
            raise AudioDecodeError(
                f"{name}: the clip is too short, nothing is left of it at {to_sr} Hz."
            )


def _checked_name(source):
    """Return the name of a clip in messages."""
    if isinstance(source, tuple) and len(source) == 2:
        return "the waveform"
    if isinstance(source, bytes):
        return f"the file of {len(source)} bytes"
    if hasattr(source, "read") or isinstance(source, str | os.PathLike):
        return repr(source if hasattr(source, "read") else os.fspath(source))
    raise InputTypeError(
        "A clip must be a path, an open file, bytes or a (waveform, sr) pair. "
        f"Got {source!r} instead."
    )


def _check_parameters(function, sr, offset, duration, resampler):
    check_resampler(resampler)
    if sr is not None:
        check_whole(function, most=HIGHEST_SR, sr=sr)
    # 5e-324 is the smallest number above 0.
    for parameter, value, least in (("offset", offset, 0), ("duration", duration, 5e-324)):
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        if not (is_number and least <= value <= LONGEST) and (least == 0 or value is not None):
            allowed = f"seconds {'above' if least else 'from'} 0 to {LONGEST}"
            raise wrong_parameter(function, parameter, allowed, value)


def _mixed(pieces, opened, name, offset, sr, on_decoded, on_note):
    """Yield mono blocks of blocks of samples; raise where there are none."""
    mixer, is_empty = Mixer(name), True
    for piece in pieces:
        block = mixer.mix(piece)
        if on_decoded is not None:
            on_decoded(block, sr)
        yield block
        is_empty = False
    if is_empty:
        ends = f"ends before offset={offset} s, so nothing is left to read"
        raise AudioDecodeError(
            f"{name}: the clip {ends if offset else 'is empty, it has no samples'}."
        )
    mixer.report_levels(on_note)
    if opened is not None and opened.ended_early:
        note("cut", name, on_note)

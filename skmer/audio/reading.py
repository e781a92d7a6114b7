"""Reading, slicing, mixing and resampling, in blocks, so that a long file never lies in memory."""

import math
import os
from collections.abc import Callable, Iterator
from numbers import Integral, Real

import numpy as np

from skmer.audio.decoding import BLOCK_LENGTH, HIGHEST_SR, SoundSource, check_rate
from skmer.audio.resampling import check_resampler, resample
from skmer.audio.waveform import Mixer, check_samples, note
from skmer.exceptions import AudioDecodeError, InputError, InputTypeError

# Seconds; beyond them no recording goes, and numbers of samples are no numbers any more.
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
    _check_part("read_audio", sr, offset, duration)
    check_resampler(resampler)
    name = _name(path)
    noted: list[str] = []
    with SoundSource(path, name=name) as source:
        to_sr = source.sr if sr is None else int(sr)
        blocks = _file_blocks(source, offset, duration, noted.append)
        waveform = list(_resampled(blocks, source.sr, to_sr, resampler, name))
    for what in noted:
        note(what, name, None)
    return np.concatenate(waveform).astype(np.float32, copy=False), to_sr


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
        The part of the clip to use [s].
    resampler : {"soxr_hq", "kaiser_best"}, default="soxr_hq"
        As for `read_audio`.
    name : str, default=None
        What error messages call the clip; None = the path.
    on_decoded : callable, default=None
        Called with every mono block as it was decoded, before it is resampled, and its rate [Hz].
    on_note : callable, default=None
        Called at the end of the clip with "cut" where the file ends before its sound does, "loud"
        and "faint" where samples are far off their scale, "silent" where nothing is to be heard,
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
    _check_part("stream_audio", sr, offset, duration)
    check_resampler(resampler)
    if isinstance(source, tuple):
        if len(source) != 2:
            raise InputTypeError(
                "A clip that is a tuple must be a (waveform, sr) pair. "
                f"Got a tuple of {len(source)}."
            )
        audio, from_sr = source
        name = name or "the waveform"
        check_rate(from_sr, name=name)
        start, stop = _span(from_sr, offset, duration)
        samples = check_samples(audio, name=name)[start:stop]
        pieces = (samples[i : i + BLOCK_LENGTH] for i in range(0, len(samples), BLOCK_LENGTH))
        blocks = _overheard(_mixed(pieces, name, offset, on_note), from_sr, on_decoded)
        yield from _resampled(blocks, from_sr, int(sr), resampler, name)
        return
    name = name or _name(source)
    with SoundSource(source, name=name) as opened:
        blocks = _file_blocks(opened, offset, duration, on_note)
        blocks = _overheard(blocks, opened.sr, on_decoded)
        yield from _resampled(blocks, opened.sr, int(sr), resampler, name)


def _name(source):
    """What messages call a file."""
    if not hasattr(source, "read") and not isinstance(source, str | bytes | os.PathLike):
        raise InputTypeError(f"A clip must be a path or an open file, got {source!r:.100}.")
    return repr(source if hasattr(source, "read") else os.fspath(source))


def _resampled(blocks, from_sr, to_sr, resampler, name):
    """Resample a clip; raise where nothing is left of it, as of one sample at a lower rate."""
    n_samples = 0
    for block in resample(blocks, from_sr, to_sr, resampler):
        n_samples += len(block)
        yield block
    if not n_samples:
        raise AudioDecodeError(
            f"{name}: the clip is too short, nothing is left of it at {to_sr} Hz."
        )


def _overheard(blocks, sr, on_decoded):
    """Pass blocks on, telling `on_decoded` of each."""
    for block in blocks:
        if on_decoded is not None:
            on_decoded(block, sr)
        yield block


def _span(sr, offset, duration):
    """First and one past the last sample of the part to use."""
    # Numbers of numpy compute in as few bits as they have: 5 s at 16 kHz overflow a uint16.
    offset, duration, sr = map(_plain, (offset, duration, sr))
    start = round(offset * sr)
    return start, None if duration is None else start + round(duration * sr)


def _plain(number):
    return number.item() if isinstance(number, np.generic) else number


def _past_the_end(name, offset):
    if offset:
        return f"{name}: the clip ends before offset={offset} s, so nothing is left to read."
    return f"{name}: the clip is empty, it has no samples."


def _file_blocks(source, offset, duration, on_note):
    """Mono blocks of the part of a file that is used."""
    blocks = source.blocks(*_span(source.sr, offset, duration))
    # The block's memory is used again; of one channel it would be the waveform itself.
    blocks = (block.copy() if block.shape[1] == 1 else block for block in blocks)
    yield from _mixed(blocks, source.name, offset, on_note)
    if source.ended_early:
        note("cut", source.name, on_note)


def _mixed(blocks, name, offset, on_note):
    """Mono blocks of blocks of samples; raise where there are none."""
    mixer, is_empty = Mixer(name), True
    for block in blocks:
        yield mixer.mix(block)
        is_empty = False
    if is_empty:
        raise AudioDecodeError(_past_the_end(name, offset))
    mixer.tell(on_note)


def _check_part(function, sr, offset, duration):
    """Raise InputError for parameters out of range; the one place of the layer, so no library."""
    for parameter, value, kind, least, most, allowed in (
        ("sr", sr, Integral, 1, HIGHEST_SR, f"an integer from 1 to {HIGHEST_SR} Hz"),
        ("offset", offset, Real, 0, LONGEST, f"seconds from 0 to {LONGEST}"),
        ("duration", duration, Real, math.ulp(0.0), LONGEST, f"seconds above 0, at most {LONGEST}"),
    ):
        is_number = isinstance(value, kind) and not isinstance(value, bool)
        is_right = is_number and least <= value <= most
        is_none = value is None and (parameter, function) in _MAY_BE_NONE
        if not is_right and not is_none:
            raise InputError(
                f"The '{parameter}' parameter of {function} must be {allowed}, got {value!r}."
            )


_MAY_BE_NONE = {("sr", "read_audio"), ("duration", "read_audio"), ("duration", "stream_audio")}

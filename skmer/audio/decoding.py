"""One file -> blocks of samples, by libsndfile, or by PyAV for what libsndfile does not read."""

import contextlib
import io
import os
import re
from itertools import chain

import numpy as np

from skmer.audio import containers, waveform
from skmer.exceptions import AudioDecodeError
from skmer.utils import digest, processes

# Samples a channel that are decoded at a time: they stay in the processor's cache.
BLOCK_LENGTH = 1 << 16
# A compressed file of at most so many bytes is in memory as a whole while it is decoded.
_IN_MEMORY = 1 << 26
# Frames of an mp3 build on those before them: decoding starts so many samples earlier.
_MP3_PREROLL = 32 * 1152
# More than the last page of a Vorbis file holds, 255 packets. Its end is cut to the length of the
# clip, and the decoder, which counts from there, arrives at a later sample than the one asked for.
_VORBIS_PAGE = 255 * 4096
# The shortest frame of FLAC [samples]; the length of the usual ones is a multiple of it.
_FLAC_STEP = 16
# Bytes that a torn frame of FLAC has at most, in the usual formats.
_TORN_FRAME = 1 << 16
# Demuxers of single recordings: not those of playlists, which may name other files and addresses,
# nor those of pictures and text.
_FORMATS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,avr,caf,dsf,dts,dtshd,eac3,flac,flv,iff,ircam,loas,"
    "matroska,mlp,mov,mp3,mpc,mpc8,mpeg,mpegts,nistsphere,ogg,oma,qcp,rm,shn,tak,tta,truehd,voc,w64,"
    "wav,wv,xwma"
)
# Errors that FFmpeg's libraries log where samples are missing.
_LOST = re.compile("invalid data|input/output|incomplete|partial|premature|truncate|corrupt", re.I)


class SoundSource(contextlib.ExitStack):
    """An open file: its rate, and its samples in blocks of (n, n_channels) float32.

    Parameters
    ----------
    source : str, path-like, bytes or binary file
        A path, the content of a file, or an open file. An open file must be seekable; it is read
        from its start and not closed.
    name : str
        The name of the clip in messages.
    """

    def __init__(self, source, *, name: str):
        super().__init__()
        self.name = name
        # After the samples were read: whether the file ends before its sound does.
        self.ended_early = False
        with contextlib.ExitStack() as stack, self._one_error():
            if isinstance(source, bytes):
                source = io.BytesIO(source)
            elif not hasattr(source, "read"):
                source = stack.enter_context(_open(source, name))
            self._decoder = _open_decoder(source, name)
            stack.callback(self._decoder.close)
            self.sr = self._decoder.sr
            self.push(stack.pop_all())

    def n_samples(self) -> int:
        """Count the samples that the file states or holds, without having read blocks."""
        with self._one_error():
            return self._decoder.n_samples()

    def blocks(self, start: int, stop: int | None):
        """Yield the samples start..stop, once; a block holds only until the next is asked for."""
        with self._one_error():
            for first, block in self._decoder.blocks(start):
                if (n_channels := block.shape[1]) > waveform.MOST_CHANNELS:
                    raise AudioDecodeError(
                        f"{self.name}: {n_channels} channels are stated, and at most "
                        f"{waveform.MOST_CHANNELS} are read; the file is damaged, or several clips."
                    )
                if self._decoder.sr != self.sr:
                    raise AudioDecodeError(
                        f"{self.name}: the file joins recordings of {self.sr} and "
                        f"{self._decoder.sr} Hz; split it."
                    )
                wanted = block[max(start - first, 0) : None if stop is None else stop - first]
                if len(wanted):
                    yield wanted
                if stop is not None and first + len(block) >= stop:
                    return
            self.ended_early = self._decoder.has_lost

    @contextlib.contextmanager
    def _one_error(self):
        """Convert any error of a damaged or changing file to AudioDecodeError."""
        try:
            yield
        except AudioDecodeError:
            raise
        except (OSError, EOFError, ValueError, RuntimeError) as error:
            raise AudioDecodeError(
                f"{self.name}: the file breaks off or is damaged ({error}); get it again."
            ) from error


def _open(path, name):
    try:
        return digest.open_regular(os.path.expanduser(path))
    except FileNotFoundError as error:
        raise AudioDecodeError(f"{name}: the file does not exist.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AudioDecodeError(f"{name}: the file may not be read ({reason}).") from error


def _open_decoder(source, name):
    file = containers.Window(source)
    if not file.size:
        raise AudioDecodeError(f"{name}: the file is empty (0 bytes).")
    if file.size <= _IN_MEMORY and file.at(0, 4) not in containers.CHUNKED:
        # Its frames are examined, and then decoded: the file is read once.
        file = containers.Window(io.BytesIO(file.at(0, file.size)))
    recordings = containers.find_recordings(file)
    try:
        return _Libsndfile(file, recordings)
    except RuntimeError as error:
        reason = str(error).split(": ")[-1].rstrip(".")
    advice = "convert it to wav, flac, ogg or mp3"
    try:
        return _Libav(file, is_cut=any(recording.is_cut for recording in recordings))
    except ImportError:
        advice = f'for m4a, aac, wma and others install PyAV, pip install "skmer[av]", or {advice}'
    except (OSError, ValueError, RuntimeError) as error:
        reason = f"libsndfile: {reason}; PyAV: {error}"
    raise AudioDecodeError(
        f"{name}: the file is not in a format that can be read ({reason}); {advice}."
    )


class _Libsndfile:
    """The recordings of a file, one after the other."""

    def __init__(self, file, recordings: list[containers.Recording]):
        self._file, self._recordings = file, recordings
        self.has_lost = False
        self._first = self._open(recordings[0])
        self.sr = self._first.samplerate

    def close(self):
        self._first.close()

    def n_samples(self):
        return sum(map(self._count, self._recordings))

    def blocks(self, start):
        """Yield (number of the first sample, block), beginning at `start` or before it."""
        before, sound = 0, self._first
        for recording in self._recordings:
            with sound or self._open(recording) as sound:
                self.sr, end = sound.samplerate, 0
                for first, block in self._recording_blocks(recording, sound, start - before):
                    end = first + len(block)
                    yield before + first, block
                wanted = sound.frames if recording.n_samples is None else recording.n_samples
                self.has_lost |= recording.is_cut or end < min(wanted, sound.frames)
            before, sound = before + end, None

    def _open(self, recording):
        import soundfile

        sound = soundfile.SoundFile(containers.Window(self._file, recording))
        # soundfile seeks after every read of a file that can seek, and an mp3's frames build on
        # those before them: the first frames after each block came out wrong.
        sound.seekable = lambda: False
        return sound

    def _count(self, recording):
        with self._open(recording) as sound:
            if sound.format == "FLAC" and not recording.n_samples:
                return sum(len(block) for _, block in self._recording_blocks(recording, sound, 0))
            # Of a file that was cut, its own header states how long it was.
            is_estimated = recording.n_samples and (recording.is_cut or sound.format == "FLAC")
            return min(recording.n_samples, sound.frames) if is_estimated else sound.frames

    def _recording_blocks(self, recording, sound, start):
        """Yield (first sample, block), at first an empty one to state where decoding begins."""
        is_flac = sound.format == "FLAC"
        stated = recording.n_samples if is_flac else sound.frames
        try:
            at = _seek(sound, min(start, stated)) if recording.seeks else 0
        except RuntimeError:
            # A FLAC that was cut: only decoding finds its end.
            with self._open(recording) as again:
                yield from self._recording_blocks(recording, again, 0)
            return
        buffer = np.empty((BLOCK_LENGTH, sound.channels), np.float32)
        block = buffer[:0]
        while True:
            yield at, block
            at += len(block)
            # First no further than stated: what follows, such as a tag, need not be sound.
            length = (stated if at < stated else sound.frames) - at
            try:
                block = sound.read(out=buffer[: max(length, 0)])
            except RuntimeError:
                if is_flac and 0 < stated <= at:
                    return
                # An error before the end of the file is damage, and not a cut: libsndfile leaves
                # some bytes of a torn frame unread.
                if not is_flac or sound.name.tell() + _TORN_FRAME <= sound.name.size:
                    raise
                block = self._torn_block(recording, at)
                if not at and not len(block):
                    raise
                self.has_lost = True
                yield at, block
                return
            if not len(block):
                return

    def _torn_block(self, recording, at):
        """Return the rest of a cut FLAC: the block in which decoding fails is lost otherwise."""
        samples = []
        with self._open(recording) as sound, contextlib.suppress(RuntimeError):
            while at > 0:
                at -= len(sound.read(min(at, BLOCK_LENGTH), dtype="float32")) or at
            while len(some := sound.read(_FLAC_STEP, dtype="float32", always_2d=True)):
                samples.append(some)
        return np.concatenate([np.empty((0, sound.channels), np.float32), *samples])


def _seek(sound, start):
    """Go to a sample or a little before it, and return to which."""
    if start <= 0:
        return 0
    if sound.format == "MP3":
        start = max(start - _MP3_PREROLL, 0)
    elif sound.subtype == "VORBIS":
        start = max(min(start, sound.frames - _VORBIS_PAGE), 0)
    sound.seek(start)
    return start


class _Libav:
    """The first sound of a file, by FFmpeg's libraries.

    It is always decoded from its start: AAC that is decoded from its middle never equals the whole.
    """

    def __init__(self, file, *, is_cut: bool):
        import av

        self._av, self.has_lost = av, is_cut
        options = {"format_whitelist": _FORMATS, "protocol_whitelist": "none"}
        # Before 19, tags in another encoding than UTF-8 were an error otherwise.
        more: dict = {"metadata_errors": "replace"} if int(av.__version__[:2]) < 19 else {}
        file.seek(0)
        try:
            with self._noticing_losses():
                self._container = av.open(file, options=options, **more)
                self._frames = self._decode()
                first = next(self._frames, None)
        except av.FFmpegError as error:
            raise RuntimeError(error.strerror) from error
        if first is None:
            self.close()
            raise RuntimeError("no sound")
        # The header may state half of the rate that the frames have.
        self.sr = first.sample_rate
        self._frames = chain([first], self._frames)

    def close(self):
        self._container.close()

    def n_samples(self):
        return sum(len(block) for _, block in self.blocks(0))

    def blocks(self, start):
        """Yield (number of the first sample, block), once, from the start of the file."""
        done = 0
        while frames := self._read_on():
            block = np.concatenate([self._samples(frame) for frame in frames])
            yield done, block
            done += len(block)

    def _samples(self, frame):
        """Return a frame as (n, n_channels) float32.

        Its channels are averaged later: to mono floats, FFmpeg's resampler (av 14 to 19) adds them
        times .707, which is 3 dB more than their mean; see findings/mono_of_float_is_louder.sh.
        """
        self.sr = frame.sample_rate
        samples = frame.to_ndarray()
        shape = (-1, frame.layout.nb_channels)
        samples = samples.T if frame.format.is_planar else samples.reshape(shape)
        if samples.dtype.kind == "f":
            return samples.astype(np.float32, copy=False)
        # PCM of 8 bits is unsigned.
        scaled = samples / 2.0 ** (8 * samples.itemsize - 1) - (samples.dtype.kind == "u")
        return scaled.astype(np.float32)

    def _read_on(self):
        """Return the frames of about a block of samples; none at the end."""
        frames, length = [], 0
        with self._noticing_losses():
            while length < BLOCK_LENGTH and (frame := next(self._frames, None)) is not None:
                frames.append(frame)
                length += frame.samples
        return frames

    def _decode(self):
        """Yield the frames of the file; what cannot be decoded is left out, and is lost."""
        for stream in self._container.streams.audio[:1]:
            # In this thread alone, whose log is collected.
            stream.thread_type = "NONE"
            packets = self._container.demux(stream)
            while True:
                try:
                    packet = next(packets, None)
                    if packet is None:
                        return
                    self.has_lost |= packet.is_corrupt
                    yield from packet.decode()
                except self._av.FFmpegError:
                    self.has_lost = True

    @contextlib.contextmanager
    def _noticing_losses(self):
        """Note that samples are missing where the log states so: many losses are no errors."""
        logging = self._av.logging
        with _complete_log.hold(), logging.Capture() as lines:
            yield
        errors = (line for level, _, line in lines if level <= logging.ERROR)
        self.has_lost |= any(map(_LOST.search, errors))


def _log_every_error():
    """Have FFmpeg's libraries log each error; return what puts back the settings that were."""
    from av import logging

    before, level = contextlib.ExitStack(), logging.get_level()
    before.callback(logging.set_level, level)
    before.callback(logging.set_skip_repeated, logging.get_skip_repeated())
    logging.set_level(max(level or 0, logging.ERROR))
    logging.set_skip_repeated(False)
    return before.close


_complete_log = processes.ProcessSetting(_log_every_error)

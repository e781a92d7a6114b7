"""One file -> blocks of samples, by libsndfile, or by ffmpeg for what that does not read."""

import contextlib
import io
import os
import re
import shutil
import stat
import struct
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from skmer.audio.containers import PartFile, find_parts
from skmer.audio.waveform import MOST_CHANNELS
from skmer.exceptions import AudioDecodeError
from skmer.utils.digest import open_regular
from skmer.utils.messages import cut_middle

# Formats of single recordings. Not those of lists, which may name other files and addresses, nor
# those of pictures and text.
_FORMATS = (
    "aac", "ac3", "aiff", "amr", "amrnb", "amrwb", "ape", "asf", "au", "avi", "avr", "caf", "dsf",
    "dts", "dtshd", "eac3", "flac", "flv", "iff", "ircam", "loas", "matroska", "mlp", "mov", "mp3",
    "mpc", "mpc8", "mpeg", "mpegts", "nistsphere", "ogg", "oma", "qcp", "rm", "shn", "tak", "tta",
    "truehd", "voc", "w64", "wav", "wv", "xwma",
)  # fmt: skip
# The head of an au file, in which the samples come: magic, where they begin, size, code, rate [Hz]
# and channels.
_HEAD = struct.Struct(">4sIIIII")
_LOST = re.compile(
    rb"invalid data|input/output|incomplete|partial|premature|truncate|corrupt", re.IGNORECASE
)
# Seconds after which a decoder that gives nothing is ended.
_LONGEST_WAIT = 60.0


class FFmpegFile:
    """The first sound of a file, decoded by ffmpeg, which waits until samples are asked for.

    Parameters
    ----------
    path : str or path-like
        The file.

    Raises
    ------
    RuntimeError
        When ffmpeg is not there, or finds no sound in the file.
    """

    def __init__(self, path):
        program = shutil.which("ffmpeg")
        if program is None:
            raise RuntimeError("ffmpeg is not installed")
        # With a protocol, since it takes "Artist: Song.m4a" for an address.
        source = b"file:" + os.fsencode(path) if os.name != "nt" else f"file:{os.fspath(path)}"
        self._process = subprocess.Popen(
            [
                *(program, "-nostdin", "-v", "error"),
                *("-protocol_whitelist", "file", "-format_whitelist", ",".join(_FORMATS)),
                *("-i", source, "-map", "0:a:0", "-c:a", "pcm_f32be", "-f", "au", "-"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._samples, self._errors = self._process.stdout, self._process.stderr
        self._lines: deque[bytes] = deque(maxlen=50)
        self._listener = threading.Thread(
            target=self._lines.extend, args=(self._errors,), daemon=True
        )
        self._listener.start()
        try:
            head = self._read(_HEAD.size)
            if len(head) < _HEAD.size:
                raise RuntimeError(f"ffmpeg: {self._last_word()}")
            _, start, _, _, self.samplerate, self.channels = _HEAD.unpack(head)
            self._read(start - _HEAD.size)
        except BaseException:
            self.close()
            raise

    @property
    def has_lost(self) -> bool:
        """Whether ffmpeg said that samples are missing; of a file that was read to its end."""
        return self._process.wait() != 0 or any(_LOST.search(line) for line in self._said())

    def blocks(self, n_samples: int) -> Iterator[np.ndarray]:
        """Yield (n, n_channels) float32, of `n_samples` each but for the last."""
        while data := self._read(4 * self.channels * n_samples):
            whole = len(data) - len(data) % (4 * self.channels)
            yield np.frombuffer(data[:whole], ">f4").reshape(-1, self.channels).astype(np.float32)

    def close(self) -> None:
        """End the program."""
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        self._listener.join()
        self._samples.close()
        self._errors.close()

    def _read(self, n_bytes):
        was_ended = threading.Event()

        def end():
            was_ended.set()
            self._process.kill()

        timer = threading.Timer(_LONGEST_WAIT, end)
        timer.start()
        try:
            data = self._samples.read(n_bytes)
        finally:
            timer.cancel()
        if was_ended.is_set():
            raise RuntimeError(f"ffmpeg gave nothing for {_LONGEST_WAIT:g} s")
        return data

    def _said(self):
        self._listener.join()
        return list(self._lines)

    def _last_word(self):
        lines = [line.decode(errors="replace").strip() for line in self._said()]
        return lines[-1].rpartition(": ")[2] if lines else "no sound"


# What a recording can have. Below or above, the header is damaged, and to believe it would mean
# hours of resampling, or more memory than there is.
_LOWEST_SR, HIGHEST_SR = 1000, 768_000
# Samples a channel that are decoded at a time: they stay in the processor's cache.
BLOCK_LENGTH = 1 << 16
# Frames of an mp3 build on those before them: decoding starts so many samples earlier.
_MP3_PREROLL = 32 * 1152
# More than the last page of a Vorbis file holds, 255 packets. Its end is cut to the length of the
# clip, and the decoder, which counts from there, comes to a later sample than the one asked for.
_VORBIS_PAGE = 255 * 4096


def check_rate(sr, *, name: str) -> None:
    """Raise AudioDecodeError for a rate that no recording has."""
    if not isinstance(sr, int | float | np.number) or isinstance(sr, bool):
        raise AudioDecodeError(f"{name}: a sampling rate must be a number of Hz, got {sr!r}.")
    if not _LOWEST_SR <= sr <= HIGHEST_SR:
        raise AudioDecodeError(
            f"{name}: a sampling rate of {sr} Hz is stated, and only {_LOWEST_SR} to {HIGHEST_SR} "
            "Hz are read; the file is damaged or the rate is not meant."
        )


def check_channels(n_channels: int, *, name: str) -> None:
    """Raise AudioDecodeError for more channels than recordings have."""
    if n_channels > MOST_CHANNELS:
        raise AudioDecodeError(
            f"{name}: {n_channels} channels are stated, and at most {MOST_CHANNELS} are read; the "
            "file is damaged, or it is no single clip."
        )


class SoundSource:
    """A file that was opened: its rate, and its samples in blocks of (n, n_channels) float32.

    Parameters
    ----------
    source : str, path-like, or binary file
        A file must be seekable; it is read from its start and not closed.
    name : str
        What messages call it.
    """

    _first: Any = None

    def __init__(self, source, *, name: str):
        self.name = name
        self.ended_early = False
        self._path = None if hasattr(source, "read") else os.path.expanduser(source)
        self._file = source if self._path is None else _open(self._path, name)
        try:
            self._open_first()
            self.sr = self._first.samplerate
            check_rate(self.sr, name=name)
            check_channels(self._first.channels, name=name)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self) -> None:
        """Close what was opened here."""
        if self._first is not None:
            self._first.close()
        if self._path is not None:
            self._file.close()

    def _open_first(self):
        with self._mend_errors():
            if self._file.seek(0, io.SEEK_END) == 0:
                raise AudioDecodeError(f"{self.name}: the file is empty (0 bytes).")
            self._parts = find_parts(self._file)
        import soundfile

        try:
            self._first = self._sound(self._parts[0])
        except soundfile.SoundFileError as error:
            self._first = _open_by_ffmpeg(self._path, self.name, reason=str(error))

    def n_samples(self) -> int:
        """Count the samples of all parts; by decoding, of a file that libsndfile does not read."""
        with self._mend_errors():
            if isinstance(self._first, FFmpegFile):
                return sum(map(len, self._first.blocks(BLOCK_LENGTH)))
            total = self._samples(self._first, self._parts[0])
            for part in self._parts[1:]:
                with self._sound(part) as sound:
                    total += self._samples(sound, part)
        return total

    @staticmethod
    def _samples(sound, part):
        # Of a file that was cut, its header says how long it was.
        return min(sound.frames, part.n_samples) if part.is_cut and part.n_samples else sound.frames

    def blocks(self, start: int, stop: int | None) -> Iterator[np.ndarray]:
        """Yield the samples start..stop; a block holds only until the next is asked for."""
        with self._mend_errors():
            if isinstance(self._first, FFmpegFile):
                yield from _cut(self._first.blocks(BLOCK_LENGTH), start, stop)
                is_cut = any(part.is_cut for part in self._parts)
                self.ended_early = stop is None and (is_cut or self._first.has_lost)
            else:
                yield from self._soundfile_blocks(start, stop)

    def _soundfile_blocks(self, start, stop):
        at = 0
        for part in self._parts:
            sound = self._first if part is self._parts[0] else self._sound(part)
            with sound:
                if sound.samplerate != self.sr:
                    raise AudioDecodeError(
                        f"{self.name}: the file joins parts of {self.sr} and {sound.samplerate} "
                        "Hz; split it."
                    )
                check_channels(sound.channels, name=self.name)
                end = yield from self._part_blocks(part, sound, start - at, stop and stop - at)
            at += end
            if stop is not None and at >= stop:
                return
            wanted = sound.frames if part.n_samples is None else part.n_samples
            self.ended_early |= part.is_cut or end < min(wanted, sound.frames)

    def _part_blocks(self, part, sound, start, stop):
        """Yield one part's samples start..stop, and return where it ended."""
        at = 0
        if start > 0 and part.seeks:
            at = min(start, sound.frames)
            if sound.format == "MP3":
                at = max(at - _MP3_PREROLL, 0)
            elif sound.subtype == "VORBIS":
                at = max(min(at, sound.frames - _VORBIS_PAGE), 0)
            sound.seek(at)
        buffer = np.empty((BLOCK_LENGTH, sound.channels), np.float32)
        while stop is None or at < stop:
            # No further than stated: what follows, such as a tag, need not be sound.
            block = sound.read(out=buffer[: max(sound.frames - at, 0)])
            if not len(block):
                break
            wanted = block[max(start - at, 0) : None if stop is None else stop - at]
            at += len(block)
            if len(wanted):
                yield wanted
        return at

    def _sound(self, part):
        """Open one part by libsndfile."""
        if part.pieces or self._path is None:
            return _reader()(PartFile(self._file, part))
        if os.name == "nt":
            return _reader()(self._path)
        # By descriptor: a name in another encoding is no matter, nor what lies beside the file.
        os.lseek(self._file.fileno(), 0, os.SEEK_SET)
        return _reader()(self._file.fileno(), closefd=False)

    @contextlib.contextmanager
    def _mend_errors(self):
        """Turn whatever a damaged or changing file raises into one sentence."""
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
        if stat.S_ISDIR(os.stat(path).st_mode):
            raise AudioDecodeError(f"{name}: the file is a folder, not an audio file.")
        return open_regular(path).detach()
    except AudioDecodeError:
        raise
    except FileNotFoundError as error:
        raise AudioDecodeError(f"{name}: the file does not exist.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AudioDecodeError(f"{name}: the file may not be read ({reason}).") from error


@cache
def _reader():
    import soundfile

    class ForwardReader(soundfile.SoundFile):
        """Reads on without seeking.

        soundfile seeks after every read of a file that can seek, and an mp3's frames build on those
        before them: the first frames after each block came out wrong.
        """

        def seekable(self):
            return False

    return ForwardReader


def _open_by_ffmpeg(path, name, *, reason):
    reason = reason.split(": ")[-1].rstrip(".")
    more = "convert it to wav, flac, ogg or mp3"
    if path is not None:
        try:
            return FFmpegFile(path)
        except (OSError, RuntimeError) as error:
            if shutil.which("ffmpeg") is None:
                more = f"if it is m4a, aac or wma, install ffmpeg, which reads those, or {more}"
            else:
                reason = cut_middle(f"libsndfile: {reason}; {error}", 150)
    raise AudioDecodeError(
        f"{name}: the file is not in a format that can be read ({reason}); {more}."
    )


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

"""Files that libsndfile does not read, by the command ffmpeg, in blocks as they are asked for."""

import contextlib
import os
import re
import shutil
import struct
import subprocess
import threading
from collections import deque
from collections.abc import Iterator

import numpy as np

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

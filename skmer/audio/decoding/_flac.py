"""FLAC files: joined, cut short, and with no number of samples or a wrong one in their head."""

import re
from array import array
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import NamedTuple

import numpy as np

from skmer.audio.decoding._parts import Part, Window

# The marker and the head of the first block of metadata.
_HEAD = b"fLaC\x00\x00\x00\x22"
_START = re.compile(re.escape(_HEAD))
# Bytes of that block.
_INFO = 34
_FRAME = re.compile(rb"\xff[\xf8\xf9]")
# Bytes of the tag that some programs put behind a file of any kind.
_ID3V1 = 128
# Bytes at the end that are looked at, and how many frames in them; the last two are enough.
_TAIL = 1 << 17
_MOST_FRAMES = 16
_MOST_SAMPLES = 2**36 - 1


class _Frame(NamedTuple):
    """The byte where a frame begins, the samples before and in it, and whether its end is there."""

    position: int
    first: int
    n_samples: int
    is_whole: bool

    @property
    def end(self):
        return self.first + self.n_samples


def flac_parts(window: Window, start: int) -> list[Part]:
    """Files one after the other, each as long as its last frame says."""
    starts, infos = [], []
    while start < window.size:
        starts.append(start)
        infos.append(window.at(start + len(_HEAD), _INFO))
        start = window.find(_START, start + 1)
    stops = [*starts[1:], window.size]
    return [_flac_part(window, *file) for file in zip(starts, stops, infos)]


def _flac_part(window, start, stop, info):
    as_it_is = Part(() if (start, stop) == (0, window.size) else (slice(start, stop),))
    if len(info) < _INFO:
        return as_it_is
    n_stated = int.from_bytes(info[13:18], "big") & _MOST_SAMPLES
    stop, last = _last_frame(window, start, stop, block=int.from_bytes(info[2:4], "big"))
    if last is None or n_stated == (last.end if last.is_whole else last.first):
        return as_it_is
    if last.is_whole and n_stated > last.end:
        return as_it_is
    n_samples = last.end if last.is_whole else last.first
    stated = (info[13] >> 4 << 36 | n_samples).to_bytes(5, "big")
    head = _HEAD + info[:13] + stated
    rest = slice(start + len(head), stop if last.is_whole else last.position)
    return Part((head, rest), is_cut=not last.is_whole)


def _last_frame(window, start, stop, *, block) -> tuple[int, _Frame | None]:
    """Where the frames end, before a tag, and the last of them, whole or torn, if there is one."""
    begin = max(start, stop - _TAIL)
    tail, torn = window.at(begin, stop - begin), None
    if tail[-_ID3V1:].startswith(b"TAG"):
        tail, stop = tail[:-_ID3V1], stop - _ID3V1
    for frame in islice(_frames(tail, block), _MOST_FRAMES):
        # Bytes that look like a torn frame are one where another one ends just before them.
        if torn is not None and frame.end == torn.first:
            return stop, torn._replace(position=begin + torn.position)
        if frame.is_whole:
            return stop, frame
        torn = frame
    return stop, None


def _frames(tail, block) -> Iterator[_Frame]:
    """Yield frames, from the last one to the first."""
    for found in reversed(list(_FRAME.finditer(tail))):
        at = found.start()
        head = tail[at : at + 16]
        number, used = _utf8_number(head[4:])
        n_samples, extra = _flac_block(head[2] >> 4, head[4 + used :]) if used else (0, 0)
        if not n_samples:
            continue
        length = 4 + used + extra + {12: 1, 13: 2, 14: 2}.get(head[2] & 0x0F, 0)
        if head[length : length + 1] == bytes([_crc8(head[:length])]):
            first = number if head[1] & 1 else number * block
            yield _Frame(at, first, n_samples, _is_whole(tail[at:]))


def _is_whole(frame):
    """Whether the sum at the end of a frame, over which the sum is 0, is somewhere in the bytes."""
    # A zero in front changes nothing; where the bytes are all of the frame, the first will do.
    for ahead in (len(frame) % 2, 1 - len(frame) % 2):
        data = bytes(ahead) + frame
        words = np.frombuffer(data, ">u2", count=len(data) // 2).tolist()
        value, table = 0, _crc_table(16, 0x8005)
        for word in words:
            value = table[value ^ word]
            if value == 0:
                return True
    return False


def _flac_block(code, rest):
    """Samples of a frame by its code, and the bytes after the number that state it."""
    if code in (6, 7):
        return int.from_bytes(rest[: code - 5], "big") + 1, code - 5
    if code == 1:
        return 192, 0
    return (576 << code - 2 if 2 <= code <= 5 else 256 << code - 8 if code >= 8 else 0), 0


def _utf8_number(data):
    """A number as FLAC codes it, and its bytes; (0, 0) where it is none."""
    first = data[0] if data else 0xFF
    ones = 8 - (first ^ 0xFF).bit_length()
    if ones == 0:
        return first, 1
    if ones == 1 or ones > 7 or len(data) < ones:
        return 0, 0
    number = first & (0x7F >> ones)
    for byte in data[1:ones]:
        number = number << 6 | byte & 0x3F
    return number, ones


def _crc8(data):
    value, table = 0, _crc_table(8, 0x07)
    for byte in data:
        value = table[value ^ byte]
    return value


@cache
def _crc_table(bits, polynomial):
    """The cyclic redundancy check, of so many bits, of every word of as many."""
    values = np.arange(2**bits)
    for _ in range(bits):
        values = values << 1 ^ (values >> bits - 1) * (polynomial | 1 << bits)
    # Half of what a list takes of the processor's cache.
    return array("H", values.tolist())

"""FLAC files: joined ones, and ones written to a pipe, which do not say how long they are."""

import re
from functools import cache

from skmer.audio.containers._parts import Part, Window

# The marker and the head of the first block of metadata.
_START = re.compile(re.escape(b"fLaC\x00\x00\x00\x22"))

# Bytes of the tag that some programs put behind a file of any kind.
_ID3V1 = 128


def flac_parts(window: Window, start: int) -> list[Part]:
    """Files one after the other; the number of samples from the last frame where it is not said."""
    starts = [start]
    while (found := window.find(_START, starts[-1] + 1)) < window.size:
        starts.append(found)
    stops = [*starts[1:], window.size]
    return [_flac_part(window, *span) for span in zip(starts, stops)]


def _flac_part(window, start, stop):
    info = window.at(start + 8, 34)
    if stop - start > _ID3V1 and window.at(stop - _ID3V1, 3) == b"TAG":
        stop -= _ID3V1
    if len(info) < 34 or info[13] & 0x0F or any(info[14:18]):
        whole = start == 0 and stop >= window.size - _ID3V1
        return Part() if whole else Part((slice(start, stop),))
    n_samples = _flac_length(window, start, stop, block=int.from_bytes(info[2:4], "big"))
    head = window.at(start, 8) + info[:13]
    stated = (info[13] << 32 | n_samples).to_bytes(5, "big")
    return Part((head + stated, slice(start + 26, stop)))


def _flac_length(window, start, stop, *, block):
    """Samples up to the end of the last frame; 0 where the file does not end with a frame."""
    tail_start = max(start, stop - (1 << 17))
    tail = window.at(tail_start, stop - tail_start)
    at = len(tail)
    while (at := tail.rfind(b"\xff", 0, at)) >= 0:
        frame = tail[at:]
        if len(frame) > 8 and frame[1] in (0xF8, 0xF9):
            number, used = _utf8_number(frame[4:])
            size, extra = _flac_block(frame[2] >> 4, frame[4 + used :])
            end = 4 + used + extra + {12: 1, 13: 2, 14: 2}.get(frame[2] & 0x0F, 0)
            is_head = used and size and frame[end : end + 1] == bytes([_crc(frame[:end], 8, 0x07)])
            if is_head and _crc(frame[:-2], 16, 0x8005) == int.from_bytes(frame[-2:], "big"):
                return (number if frame[1] & 1 else number * block) + size
    return 0


def _flac_block(code, rest):
    """Samples of a frame by its code, and the bytes after the number that state it."""
    if code in (6, 7):
        return int.from_bytes(rest[: code - 5], "big") + 1, code - 5
    if code == 1:
        return 192, 0
    return (576 << code - 2 if 2 <= code <= 5 else 256 << code - 8 if code >= 8 else 0), 0


def _utf8_number(data):
    """A number as FLAC codes it, and its bytes; (0, 0) where it is none."""
    first = data[0]
    ones = 8 - (first ^ 0xFF).bit_length()
    if ones == 0:
        return first, 1
    if ones == 1 or ones > 7 or len(data) < ones:
        return 0, 0
    number = first & (0x7F >> ones)
    for byte in data[1:ones]:
        number = number << 6 | byte & 0x3F
    return number, ones


def _crc(data, bits, polynomial):
    table = _crc_table(bits, polynomial)
    value, mask = 0, (1 << bits) - 1
    for byte in data:
        value = (value << 8 & mask) ^ table[value >> bits - 8 ^ byte]
    return value


@cache
def _crc_table(bits, polynomial):
    table = []
    for value in range(256):
        value <<= bits - 8
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> bits - 1 else 0)
            value &= (1 << bits) - 1
        table.append(value)
    return table

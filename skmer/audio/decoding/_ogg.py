"""Ogg files (Vorbis, Opus, FLAC, Speex): joined ones, and ones cut short or with holes."""

import re
import zlib
from dataclasses import dataclass

from skmer.audio.decoding._parts import Part, Window

_PAGE = re.compile(b"OggS")
_HEAD = 27
# Samples of a usual packet of Vorbis or Opus, at most; longer ones are not wrong, only odd.
_USUAL_PACKET = 1024
# Of a page in which no packet ends.
_NO_POSITION = 2**64 - 1
# Where a page states its own sum, which is computed from the highest bit of a byte to the lowest.
_SUM = slice(22, 26)
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass
class _Stream:
    start: int
    ended: bool = False
    is_torn: bool = False
    seeks: bool = True


def ogg_parts(window: Window) -> list[Part]:
    """Streams one after the other; streams side by side begin together and stay together."""
    streams, position, has_data = [_Stream(0)], 0, False
    numbers: dict[bytes, int] = {}
    heard: set[bytes] = set()
    while position < window.size:
        head = window.at(position, _HEAD)
        if head[:4] != b"OggS" or len(head) < _HEAD:
            position = window.find(_PAGE, position + 1)
            continue
        table = window.at(position + _HEAD, head[26])
        length = _HEAD + head[26] + sum(table)
        is_first = bool(head[5] & 2)
        if is_first and has_data:
            streams.append(_Stream(position))
        has_data = not is_first
        stream = streams[-1]
        stream.ended = bool(head[5] & 4)
        stream.seeks &= _follows(head, table, numbers, heard)
        page = window.at(position, length + 4)
        # The decoder leaves such a page out.
        stream.is_torn |= not _is_as_written(page[:length])
        following = page[length:]
        if following == b"OggS" or position + length == window.size:
            position += length
            continue
        # Another page may begin where this one was torn off.
        following_page = window.find(_PAGE, position + _HEAD)
        stream.is_torn |= following_page < position + length or position + length > window.size
        position = following_page
    streams[-1].is_torn |= not streams[-1].ended
    if len(streams) == 1:
        return [Part(is_cut=streams[0].is_torn, seeks=streams[0].seeks)]
    stops = [*(stream.start for stream in streams[1:]), window.size]
    return [
        Part((slice(stream.start, stop),), stream.is_torn, seeks=stream.seeks)
        for stream, stop in zip(streams, stops)
    ]


def _is_as_written(page):
    """Whether the cyclic redundancy check that a page states is that of its bytes."""
    summed = page[: _SUM.start] + bytes(4) + page[_SUM.stop :]
    value = zlib.crc32(summed.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return value.to_bytes(4, "big").translate(_MIRRORED) == page[_SUM]


def _follows(head, table, numbers, heard):
    """Whether a page is the next of its stream, and states a time that its first sound can have."""
    position, serial = int.from_bytes(head[6:14], "little"), head[14:18]
    number = int.from_bytes(head[18:22], "little")
    if head[5] & 2:
        numbers[serial] = number - 1
        heard.discard(serial)
    is_next = number == numbers.get(serial, -1) + 1
    numbers[serial] = number
    if serial in heard or position in (0, _NO_POSITION):
        return is_next
    heard.add(serial)
    return is_next and position <= _USUAL_PACKET * sum(size < 255 for size in table)

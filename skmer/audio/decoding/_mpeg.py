"""MPEG audio (mp3, mp2): joined files, ones that do not say how long they are, ones cut short."""

import re
import struct
from collections.abc import Iterator
from functools import lru_cache

from skmer.audio.decoding._parts import Part, Window

# What a frame's header can begin with.
_SYNC = re.compile(rb"\xff[\xe2-\xff][\x10-\xef]", re.DOTALL)
# Kilobits a second by the header's index, for (MPEG version 1, layer) and (2 or 2.5, layer).
_BITRATES = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_BITRATES[2, 3] = _BITRATES[2, 2]
# Bytes that a frame needs to hold a count of frames, as decoders look for it.
_TAG_FRAME = 192
# Bytes about the encoder that follow them.
_ENCODER_FIELDS = 36
# Frames that a decoder may leave out at the ends of a whole file: what the encoder added.
_MISSING = 4


def mpeg_parts(window: Window, start: int) -> list[Part] | None:
    """Runs of MPEG audio frames (mp3, mp2) of one rate; each gets a header that says how many."""
    runs = list(_mpeg_runs(window, start))
    parts = []
    for kind in dict.fromkeys(run[0] for run in runs):
        same = [run for run in runs if run[0] == kind]
        parts.append(_mpeg_part(window, [run[1:] for run in same], kind))
    return parts or None


def _mpeg_runs(window, position) -> Iterator[tuple[int, int, int, int, set[int]]]:
    """Yield (kind, start, stop, number, bitrates) of frames without a gap; the last may be cut."""
    while position < window.size:
        position = start = window.after_id3(position)
        kind, n_frames, bitrates = _frame_head(window.at(start, 4))[1], 0, set()
        while True:
            length, own_kind, bitrate = _frame_head(window.at(position, 4))
            if not length or own_kind != kind:
                break
            n_frames += 1
            bitrates.add(bitrate)
            position += length
        # Three in a row are frames; fewer may be any bytes.
        if n_frames >= 3 or (n_frames and position >= window.size):
            yield kind, start, position, n_frames, bitrates
        else:
            position = start + 1
        if window.at(position, 3) != b"ID3":
            position = window.find(_SYNC, position)


def _mpeg_part(window, runs, kind):
    """One part of runs of frames; what is to be read right as it is stays as it is."""
    is_cut = runs[-1][1] > window.size
    n_frames = sum(run[2] for run in runs) - is_cut
    bitrates = set().union(*(run[3] for run in runs))
    pieces = [slice(start, min(stop, window.size)) for start, stop, *_ in runs]
    version, layer = _version_layer(kind)
    frame_size = 384 if layer == 1 else 576 if (version, layer) == (2, 3) else 1152
    head = window.at(pieces[0].start, 4)
    first = window.at(pieces[0].start, frame_length(head[:3]))
    tag = 4 + _side_info(head, version)
    if layer != 3 or first[tag : tag + 4] not in (b"Xing", b"Info"):
        wanted = n_frames * frame_size - _MISSING * frame_size
        if layer != 3 or len(bitrates) == 1:
            # The decoder divides the size of the file by that of a frame.
            return Part(_unless_whole(pieces, runs), is_cut, wanted)
        return Part((_counting_frame(head, version, n_frames, b""), *pieces), is_cut, wanted)
    flags = int.from_bytes(first[tag + 4 : tag + 8], "big")
    stated = int.from_bytes(first[tag + 8 : tag + 12], "big") if flags & 1 else 0
    wanted = (n_frames - 1) * frame_size - _MISSING * frame_size
    # Some programs count the frame that holds the count.
    if stated in (n_frames - 1, n_frames) or n_frames < 2:
        return Part(_unless_whole(pieces, runs), is_cut or stated > n_frames, wanted)
    fields = 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
    encoder = bytearray(first[tag + 8 + fields :][:_ENCODER_FIELDS])
    # What the encoder put before the first sample stays known; the end is another one now.
    encoder[22:24] = bytes([encoder[22] & 0xF0, 0]) if len(encoder) == _ENCODER_FIELDS else b""
    counted = _counting_frame(head, version, n_frames - 1, bytes(encoder))
    pieces[0] = slice(pieces[0].start + len(first), pieces[0].stop)
    return Part((counted, *pieces), is_cut or stated > n_frames, wanted)


def _unless_whole(pieces, runs):
    return () if len(runs) == 1 else tuple(pieces)


def _counting_frame(head, version, n_frames, encoder):
    """A silent frame with a Xing header: how many frames follow."""
    for index in range(1, 15):
        like = bytes([head[0], head[1] | 1, index << 4 | head[2] & 0x0C, head[3]])
        length = frame_length(like[:3])
        if length >= _TAG_FRAME:
            break
    tag = b"Xing" + struct.pack(">II", 1, n_frames) + encoder
    return (like + bytes(_side_info(head, version)) + tag).ljust(length, b"\0")


def _side_info(head, version):
    is_mono = head[3] >> 6 == 3
    return (17 if is_mono else 32) if version == 1 else (9 if is_mono else 17)


@lru_cache(maxsize=4096)
def _frame_head(head: bytes) -> tuple[int, int, int]:
    """Bytes of the frame, its kind, and the code of its bitrate, by the four bytes of its header.

    The kind is sync, version, layer, rate, and whether there is one channel, as one number.
    """
    if len(head) < 4:
        return 0, 0, 0
    kind = (int.from_bytes(head[:3], "big") & 0xFFFE0C) << 1 | (head[3] >> 6 == 3)
    return frame_length(head[:3]), kind, head[2] >> 4


def _version_layer(kind):
    return (1 if kind >> 12 & 3 == 3 else 2), 4 - (kind >> 10 & 3)


@lru_cache(maxsize=4096)
def frame_length(head: bytes) -> int:
    """Bytes of the MPEG audio frame whose header begins with these three; 0 for no header."""
    if len(head) < 3 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version_code, layer_code = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate_code, rate_code, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version_code == 1 or layer_code == 0 or bitrate_code in (0, 15) or rate_code == 3:
        return 0
    version, layer = (1 if version_code == 3 else 2), 4 - layer_code
    rate = (44100, 48000, 32000)[rate_code] // {3: 1, 2: 2, 0: 4}[version_code]
    bitrate = 1000 * _BITRATES[version, layer][bitrate_code - 1]
    if layer == 1:
        return (12 * bitrate // rate + padding) * 4
    return (72 if (version, layer) == (2, 3) else 144) * bitrate // rate + padding

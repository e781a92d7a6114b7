"""What a file really holds, where its header says something else or nothing.

A decoder believes the header, or guesses: of an mp3 without a count it takes the first frame's
bitrate for all, of joined files it reads the first one, of a length of 0 nothing. So the frames,
pages and chunks themselves are looked at here, and a decoder is given parts with a right header.
"""

import io
import re
import struct
import zlib
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from itertools import islice, pairwise
from math import prod
from typing import BinaryIO, NamedTuple

import numpy as np

_WINDOW = 1 << 20
# Stated by programs that write to a pipe and do not know the size; all the file is meant.
UNKNOWN_SIZES = (-1, 2**32 - 1, 2**63 - 1, 2**64 - 1)


@dataclass(frozen=True)
class Part:
    """One stream of a file: pieces of it, or bytes in their place; none = all as it is."""

    pieces: tuple[bytes | slice, ...] = ()
    # Whether the end is gone, as far as can be seen without decoding.
    is_cut: bool = False
    # Samples that it should have at least; None = as many as the decoder says.
    n_samples: int | None = None
    # Whether a decoder that goes to a sample comes to that one, and not to another.
    seeks: bool = True


class PartFile(io.RawIOBase):
    """The pieces of a part as one seekable file."""

    def __init__(self, file: BinaryIO, part: Part):
        self.file, self.position = file, 0
        self.pieces = part.pieces or (slice(0, file.seek(0, io.SEEK_END)),)
        lengths = [len(p) if isinstance(p, bytes) else p.stop - p.start for p in self.pieces]
        self.starts = [0]
        for length in lengths:
            self.starts.append(self.starts[-1] + length)

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self.position

    def seek(self, offset, whence=io.SEEK_SET):
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.starts[-1]}[whence]
        self.position = max(base + offset, 0)
        return self.position

    def readinto(self, buffer):
        wanted = memoryview(buffer).cast("B")
        done = 0
        for piece, (start, stop) in zip(self.pieces, pairwise(self.starts)):
            length = min(stop - self.position, len(wanted) - done)
            if length <= 0 or self.position < start:
                continue
            at = self.position - start
            if isinstance(piece, bytes):
                data = piece[at : at + length]
            else:
                self.file.seek(piece.start + at)
                data = self.file.read(length)
            wanted[done : done + len(data)] = data
            done += len(data)
            self.position += len(data)
            if len(data) < length:
                break
        return done


class Window:
    """Bytes of a file by position, a window of them in memory."""

    def __init__(self, file):
        self.file = file
        self.size = file.seek(0, io.SEEK_END)
        self.start, self.data = 0, b""

    def at(self, position, length):
        # A position that a file states may be more than a system takes.
        if position >= self.size:
            return b""
        offset = position - self.start
        if not 0 <= offset <= len(self.data) - length:
            self.file.seek(position)
            self.start, self.data = position, self.file.read(max(_WINDOW, length))
            offset = 0
        return self.data[offset : offset + length]

    def find(self, pattern, position):
        """Return where a compiled pattern of up to 8 bytes comes next, or the end of the file."""
        while position < self.size:
            self.at(position, 8)
            found = pattern.search(self.data, position - self.start)
            if found:
                return self.start + found.start()
            if self.start + len(self.data) >= self.size:
                break
            position = max(self.start + len(self.data) - 8, position) + 1
        return self.size

    def after_id3(self, position):
        """Return the end of the ID3v2 tags that begin at `position`."""
        while (head := self.at(position, 10))[:3] == b"ID3" and len(head) == 10:
            a, b, c, d = head[6:]
            footer = 10 if head[5] & 0x10 else 0
            position += 10 + (a << 21 | b << 14 | c << 7 | d) + footer
        return position


# Where the first chunk of an RF64 file states the size of its samples.
_RF64_SIZE = slice(28, 36)
# Programs that write to a pipe state this as a size of 32 bits, or more, by a little or by all.
_PIPED = 0x7FFFF000


@dataclass(frozen=True)
class Layout:
    """How the head of a chunk is written, where chunks begin, and which one holds the samples."""

    # The name first, the size last.
    form: str
    samples: bytes
    first: int = 12
    # Bytes of the head that sizes count, and what they are rounded up to.
    own: int = 0
    step: int = 2
    # Bytes before the samples in their chunk.
    ahead: int = 0


@dataclass
class _File:
    """One of joined files: where it begins, and where its samples are: (position, size)."""

    start: int = 0
    samples: list[tuple[int, int]] = field(default_factory=list)


def chunk_parts(window: Window, layout: Layout) -> list[Part]:
    """One part a file; where its samples have the size 0, it goes to the file's end."""
    files = [_File()]
    for start, name, position, size in walk(window, layout):
        if start != files[-1].start:
            files.append(_File(start))
        if name != layout.samples:
            continue
        rest = window.size - position
        is_unsaid = size == 0 and rest and not _is_chunk(window, position, layout, fits=True)
        if is_unsaid and len(files) == 1:
            return [_restated(window, layout, 0, [(position, rest)])]
        files[-1].samples.append((position, size))
    stops = [*(file.start for file in files[1:]), window.size]
    return [_part(window, layout, file, stop) for file, stop in zip(files, stops)]


def _part(window, layout, file, stop):
    if len(file.samples) > 1 or any(_is_beyond(window, *samples) for samples in file.samples):
        return _restated(window, layout, file.start, file.samples)
    return Part(() if (file.start, stop) == (0, window.size) else (slice(file.start, stop),))


def _restated(window, layout, start, samples):
    """One file of what is there of the samples of all chunks, with a head that says how much."""
    position = samples[0][0]
    stops = [min(at + size, window.size) for at, size in samples]
    # The first chunk keeps what is ahead of its samples.
    begins = [min(at + layout.ahead, stop) for (at, _), stop in zip(samples, stops)]
    begins[0] = position
    total = sum(stops) - sum(begins) + layout.own
    width = struct.calcsize(layout.form[0] + layout.form[-1])
    place = position - width
    if _has_rf64_size(window, start):
        place, width = start + _RF64_SIZE.start, 8
    order = "little" if layout.form[0] == "<" else "big"
    stated = min(total, 2 ** (8 * width) - 1).to_bytes(width, order)
    pieces = slice(start, place), stated, slice(place + width, stops[0])
    more = (slice(*span) for span in zip(begins[1:], stops[1:]))
    return Part((*pieces, *more), _is_beyond(window, *samples[-1]))


def _is_beyond(window, position, size):
    return size not in UNKNOWN_SIZES and window.size - position < size


def walk(window: Window, layout: Layout) -> Iterator[tuple[int, bytes, int, int]]:
    """Yield (start of its file, name, position, size) of the content of chunk after chunk."""
    magic, start, position = window.at(0, 4), 0, layout.first
    length = struct.calcsize(layout.form)
    while _is_chunk(window, position, layout):
        name, size = struct.unpack(layout.form, window.at(position, length))
        if name == magic:
            start, position = position, position + layout.first
            continue
        if layout.form.endswith("I") and size >= _PIPED:
            size = UNKNOWN_SIZES[1]
        if size not in UNKNOWN_SIZES:
            size -= layout.own
        elif _has_rf64_size(window, start):
            size = int.from_bytes(window.at(start, 36)[_RF64_SIZE], "little")
        position += length
        yield start, name, position, size
        if size < 0:
            break
        position += size + -size % layout.step


def _has_rf64_size(window, start):
    return (window.at(start, 4), window.at(start + 12, 4)) == (b"RF64", b"ds64")


def _is_chunk(window, position, layout, *, fits=False):
    length = struct.calcsize(layout.form)
    head = window.at(position, length)
    if len(head) < length or not all(32 <= byte < 127 for byte in head[:4]):
        return False
    return not fits or struct.unpack(layout.form, head)[1] <= window.size - position - length


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


_NIST_SIZES = re.compile(rb"(?:sample_count|channel_count|sample_n_bytes) -i (\d{1,18})\s")


def au_parts(window: Window, order: str) -> list[Part]:
    """The head says where the samples begin, and how many bytes they are; 0 is none of them."""

    def measure(start):
        begin, size = struct.unpack(f"{order}II", window.at(start + 4, 8).ljust(8, b"\0"))
        return start + begin, size

    parts = []
    for start, stop, position, size in _files(window, window.at(0, 4), measure):
        if position + size < stop:
            # Nothing else than samples can follow.
            unknown = b"\xff" * 4
            parts.append(Part((slice(start, start + 8), unknown, slice(start + 12, stop))))
        else:
            parts.append(_headed_part(window, start, stop, position, size))
    return parts


def nist_parts(window: Window) -> list[Part]:
    """The head is text, which says how long it is, and how many samples follow."""

    def measure(start):
        length = window.at(start + 8, 8).strip()
        position = start + int(length if length.isdigit() else 0)
        sizes = _NIST_SIZES.findall(window.at(start, min(position - start, 1 << 16)))
        return position, prod(map(int, sizes)) if len(sizes) == 3 else 0

    files = _files(window, b"NIST_1A", measure)
    return [_headed_part(window, *file) for file in files]


def _files(window, magic, measure: Callable) -> Iterator[tuple[int, int, int, int]]:
    """Yield (start, stop, position of its samples, their size) of every file."""
    start = 0
    while start < window.size:
        position, size = measure(start)
        stop = position + size
        if not size or window.at(stop, len(magic)) != magic:
            stop = window.size
        yield start, stop, position, size
        start = stop


def _headed_part(window, start, stop, position, size):
    is_cut = size not in UNKNOWN_SIZES and window.size < position + size
    is_whole = start == 0 and stop == window.size
    return Part(() if is_whole else (slice(start, stop),), is_cut)


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


_PAGE = re.compile(b"OggS")
_PAGE_HEAD = 27
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
        head = window.at(position, _PAGE_HEAD)
        if head[:4] != b"OggS" or len(head) < _PAGE_HEAD:
            position = window.find(_PAGE, position + 1)
            continue
        table = window.at(position + _PAGE_HEAD, head[26])
        length = _PAGE_HEAD + head[26] + sum(table)
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
        following_page = window.find(_PAGE, position + _PAGE_HEAD)
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


_MAGIC = b"Creative Voice File\x1a"
_SOUND, _MORE, _EXTENDED, _NEW_SOUND = 1, 2, 8, 9
# Bytes of a block before its samples.
_AHEAD = {_SOUND: 2, _NEW_SOUND: 12}
# The format of a wav file, and its bits, by the codec of the samples.
_CODECS = {0: (1, 8), 4: (1, 16), 6: (6, 8), 7: (7, 8)}


def voc_parts(window: Window) -> list[Part]:
    """A file of one block as it is; of several, a wav file for each run of one kind of sound.

    Blocks of silence and of repetition are left out, as ffmpeg does.
    """
    runs: list[tuple[tuple[int, int, int], list[slice]]] = []
    told, stop = None, 0
    for code, start, stop in _blocks(window):
        if code == _EXTENDED:
            # It says what the next block's own head has no room for.
            told = _sound(window, code, start)
        elif code in _AHEAD:
            sound = told or _sound(window, code, start)
            told = None
            if not runs or runs[-1][0] != sound:
                runs.append((sound, []))
        if code in _AHEAD or (code == _MORE and runs):
            stop_there = min(stop, window.size)
            runs[-1][1].append(slice(min(start + _AHEAD.get(code, 0), stop_there), stop_there))
    is_cut = stop > window.size
    is_one = sum(len(pieces) for _, pieces in runs) < 2
    if is_one or not all(codec in _CODECS for (_, _, codec), _ in runs):
        return [Part(is_cut=is_cut)]
    parts = [Part((_wav_head(*sound, pieces), *pieces)) for sound, pieces in runs]
    return [*parts[:-1], Part(parts[-1].pieces, is_cut)]


def _blocks(window) -> Iterator[tuple[int, int, int]]:
    """Yield (code, start, stop) of the blocks; a joined file may follow the last one."""
    position = 0
    while True:
        if window.at(position, len(_MAGIC)) == _MAGIC:
            position += max(int.from_bytes(window.at(position + 20, 2), "little"), 22)
        head = window.at(position, 4)
        if head[:1] == b"\0" and window.at(position + 1, len(_MAGIC)) == _MAGIC:
            position += 1
            continue
        if len(head) < 4 or head[0] == 0:
            return
        stop = position + 4 + int.from_bytes(head[1:], "little")
        yield head[0], position + 4, stop
        position = stop


def _sound(window, code, start):
    """Rate [Hz], channels and codec."""
    head = window.at(start, 12).ljust(12, b"\0")
    if code == _NEW_SOUND:
        return struct.unpack("<I", head[:4])[0], head[5], int.from_bytes(head[6:8], "little")
    if code == _EXTENDED:
        channels = 1 + head[3]
        return 256_000_000 // (65536 - head[0] - 256 * head[1]) // channels, channels, head[2]
    return 1_000_000 // (256 - head[0]), 1, head[1]


def _wav_head(sr, n_channels, codec, pieces):
    code, bits = _CODECS[codec]
    size = min(sum(piece.stop - piece.start for piece in pieces), 2**31)
    frame = n_channels * bits // 8
    form = struct.pack("<IHHIIHH", 16, code, n_channels, sr, min(sr * frame, 2**31), frame, bits)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + size)
        + b"WAVEfmt "
        + form
        + b"data"
        + struct.pack("<I", size)
    )


_WAV = Layout("<4sI", b"data")
_AIFF, _SVX = Layout(">4sI", b"SSND", ahead=8), Layout(">4sI", b"BODY")
# By the first four bytes, and in the first ones by the four that say what is in them.
_IN_GENERAL = (b"RIFF", b"RF64", b"FORM")
_CHUNKS = {
    b"RIFFWAVE": _WAV,
    b"RF64WAVE": _WAV,
    b"FORMAIFF": _AIFF,
    b"FORMAIFC": _AIFF,
    b"FORM8SVX": _SVX,
    b"FORM16SV": _SVX,
    b"riff": Layout("<4s12xQ", b"data", first=40, own=24, step=8),
    b"caff": Layout(">4sq", b"data", first=8, step=1, ahead=4),
}
_OTHERS = {
    b"OggS": ogg_parts,
    b".snd": lambda window: au_parts(window, ">"),
    b"dns.": lambda window: au_parts(window, "<"),
    b"NIST": nist_parts,
    b"Crea": voc_parts,
}
_MPEG_LAYER_3 = b"\x55\0"


def find_parts(file: BinaryIO) -> list[Part]:
    """Look at a seekable binary file and return its parts; one of all of it in the usual case."""
    window = Window(file)
    start = window.after_id3(0)
    head = window.at(start, 12)
    kind = head[:4] + (head[8:] if head[:4] in _IN_GENERAL else b"")
    parts: list[Part] | None = None
    if kind == b"fLaC":
        parts = flac_parts(window, start)
    elif kind in _CHUNKS or kind in _OTHERS:
        # libsndfile passes a tag in front by itself.
        parts = _known_parts(window, kind) if start == 0 else None
    elif start or frame_length(head[:3]):
        parts = mpeg_parts(window, start)
    return parts or [Part()]


def _known_parts(window: Window, kind: bytes) -> list[Part]:
    if kind in _OTHERS:
        return _OTHERS[kind](window)
    return (_CHUNKS[kind] is _WAV and _mpeg_in_wav(window)) or chunk_parts(window, _CHUNKS[kind])


def _mpeg_in_wav(window: Window) -> list[Part]:
    """An mp3 file that was put into a wav, whose header says no more than the first frame."""
    places = {}
    for _, name, position, _ in walk(window, _WAV):
        places[name] = position
        if name == b"fmt " and window.at(position, 2) != _MPEG_LAYER_3:
            return []
    if not {b"fmt ", b"data"} <= set(places):
        return []
    rest = (slice(places[b"data"], window.size),)
    parts = mpeg_parts(window, places[b"data"]) or []
    return [replace(part, pieces=part.pieces or rest) for part in parts]

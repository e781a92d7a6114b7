"""What a file really holds, where its header states something else or nothing.

A decoder believes the header, or it guesses: of an mp3 without a count of frames it takes the first
frame's bitrate for all frames, of joined files it reads the first one, of a length of 0 nothing.
So the frames, pages and chunks themselves are examined here, and a decoder is given recordings,
each with a right header. This is done for the formats that people have: wav (RIFF, RF64, W64),
AIFF, FLAC, MP3 and Ogg. Every other file is one recording as it is.
"""

import io
import re
import struct
import zlib
from bisect import bisect
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import BinaryIO, NamedTuple

# Bytes that are read and searched at a time; larger buffers would be new memory for each file.
_WINDOW = 1 << 16
# Sizes stated by programs that write to a pipe, before the size is there: everything up to the
# end of the file is meant. Some state a size of 32 bits from this one on.
_UNKNOWN_SIZES = (-1, 2**32 - 1, 2**63 - 1, 2**64 - 1)
_PIPED = 0x7FFFF000


@dataclass
class Recording:
    """One stream of a file: slices of it and bytes that replace others; none = the whole file."""

    pieces: tuple[bytes | slice, ...] = ()
    # Whether the end is missing, as far as can be seen without decoding.
    is_cut: bool = False
    # The number of samples that it should have at least; None = as many as the decoder states.
    n_samples: int | None = None
    # Whether a decoder that seeks to a sample arrives at that one, and not at another.
    seeks: bool = True


class RecordingFile(io.RawIOBase):
    """The pieces of a recording as one seekable file."""

    def __init__(self, file: BinaryIO, recording: Recording):
        self.file, self.position = file, 0
        self.pieces = recording.pieces or (slice(0, file.seek(0, io.SEEK_END)),)
        self.starts = [0]
        for piece in self.pieces:
            length = len(piece) if isinstance(piece, bytes) else piece.stop - piece.start
            self.starts.append(self.starts[-1] + length)

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=io.SEEK_SET):
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.starts[-1]}[whence]
        self.position = max(base + offset, 0)
        return self.position

    def readinto(self, buffer):
        """Read no further than the end of the piece at the position."""
        index = bisect(self.starts, self.position) - 1
        if index == len(self.pieces):
            return 0
        piece, at = self.pieces[index], self.position - self.starts[index]
        length = min(len(buffer), self.starts[index + 1] - self.position)
        if isinstance(piece, slice):
            self.file.seek(piece.start + at)
            data = self.file.read(length)
        else:
            data = piece[at : at + length]
        buffer[: len(data)] = data
        self.position += len(data)
        return len(data)


class Window(io.BufferedReader):
    """A recording as a file of which a window is in memory; the file under it stays open."""

    def __init__(self, file: BinaryIO, recording: Recording | None = None):
        raw = RecordingFile(file, recording or Recording())
        super().__init__(raw, _WINDOW)
        self.size = raw.starts[-1]

    def at(self, position, length):
        # A position that a file states may be more than a system accepts.
        if position >= self.size:
            return b""
        self.seek(position)
        return self.read(length)

    def find(self, pattern, position):
        """Return where a pattern of up to 8 bytes comes next, or the end of the file."""
        while data := self.at(position, _WINDOW):
            if found := re.search(pattern, data):
                return position + found.start()
            position += max(len(data) - 7, 1)
        return self.size

    def after_id3(self, position):
        """Return the end of the ID3v2 tags that begin at `position`."""
        while (head := self.at(position, 10))[:3] == b"ID3" and len(head) == 10:
            a, b, c, d = head[6:]
            footer = 10 if head[5] & 0x10 else 0
            position += 10 + (a << 21 | b << 14 | c << 7 | d) + footer
        return position


def find_recordings(window: Window) -> list[Recording]:
    """Examine a file; usually it is one recording as it is."""
    start = window.after_id3(0)
    head = window.at(start, 12)
    recordings: list[Recording] = []
    if head[:4] == b"fLaC":
        recordings = _flac_recordings(window, start)
    elif layout := _LAYOUTS.get(head[:4] + head[8:], _W64 if head[:4] == b"riff" else None):
        if start == 0:
            recordings = _mpeg_in_wav(window, layout) or _chunk_recordings(window, layout)
    elif head[:4] == b"OggS":
        recordings = _ogg_recordings(window) if start == 0 else []
    elif start or _header(head[:4]).length:
        recordings = _mpeg_recordings(window, start)
    # libsndfile skips a tag in front, and of wav and AIFF leaves out as many bytes at the end.
    return recordings or [Recording((slice(start, window.size),) if start else ())]


# wav and AIFF: chunk after chunk, each with its size in front.


class _Layout(NamedTuple):
    """How the head of a chunk is written, where chunks begin, and which of them hold samples."""

    # Name first, size last.
    form: str
    samples: bytes
    first: int = 12
    # Bytes of the head that sizes include, and what they are rounded up to.
    own: int = 0
    step: int = 2
    # Bytes before the samples in their chunk.
    ahead: int = 0


_WAV = _Layout("<4sI", b"data")
_W64 = _Layout("<4s12xQ", b"data", first=40, own=24, step=8)
_AIFF = _Layout(">4sI", b"SSND", ahead=8)
_LAYOUTS = {b"RIFFWAVE": _WAV, b"RF64WAVE": _WAV, b"FORMAIFF": _AIFF, b"FORMAIFC": _AIFF}
# How files of chunks begin: what they hold is found without reading them.
CHUNKED = (b"RIFF", b"RF64", b"riff", b"FORM")
# Where the first chunk of an RF64 file states the size of its samples.
_RF64_SIZE = slice(28, 36)
_MPEG_LAYER_3 = b"\x55\0"


def _chunk_recordings(window: Window, layout: _Layout) -> list[Recording]:
    """One recording for each of joined files; samples of the size 0 go to the end of the file."""
    files: dict[int, list[tuple[int, int]]] = {0: []}
    for start, name, position, size in _chunks(window, layout):
        chunks = files.setdefault(start, [])
        if name != layout.samples:
            continue
        rest = window.size - position
        size_is_unknown = size == 0 and rest and not _is_chunk(window, position, layout, fits=True)
        if size_is_unknown and len(files) == 1:
            return [_restated(window, layout, 0, [(position, rest)])]
        chunks.append((position, size))
    recordings = []
    for (start, chunks), stop in zip(files.items(), [*list(files)[1:], window.size]):
        if len(chunks) > 1 or any(_ends_beyond(window, *chunk) for chunk in chunks):
            recordings.append(_restated(window, layout, start, chunks))
        else:
            recordings.append(Recording((slice(start, stop),) if len(files) > 1 else ()))
    return recordings


def _chunks(window: Window, layout: _Layout):
    """Yield (start of its file, name, position, size) of the content of chunk after chunk."""
    magic, start, position = window.at(0, 4), 0, layout.first
    length = struct.calcsize(layout.form)
    while _is_chunk(window, position, layout):
        name, size = struct.unpack(layout.form, window.at(position, length))
        if name == magic:
            start, position = position, position + layout.first
            continue
        if layout.form.endswith("I") and size >= _PIPED:
            size = _UNKNOWN_SIZES[1]
        if size not in _UNKNOWN_SIZES:
            size -= layout.own
        elif _has_rf64_size(window, start):
            size = int.from_bytes(window.at(start, 36)[_RF64_SIZE], "little")
        position += length
        yield start, name, position, size
        if size < 0:
            break
        position += size + -size % layout.step


def _restated(window, layout, start, chunks):
    """One file of the samples that are there of all chunks, with a head that states how many."""
    position = chunks[0][0]
    stops = [min(at + size, window.size) for at, size in chunks]
    # The first chunk keeps what is ahead of its samples.
    begins = [min(at + layout.ahead, stop) for (at, _), stop in zip(chunks, stops)]
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
    return Recording((*pieces, *more), _ends_beyond(window, *chunks[-1]))


def _ends_beyond(window, position, size):
    return size not in _UNKNOWN_SIZES and window.size - position < size


def _has_rf64_size(window, start):
    return (window.at(start, 4), window.at(start + 12, 4)) == (b"RF64", b"ds64")


def _is_chunk(window, position, layout, *, fits=False):
    length = struct.calcsize(layout.form)
    head = window.at(position, length)
    if len(head) < length or not all(32 <= byte < 127 for byte in head[:4]):
        return False
    return not fits or struct.unpack(layout.form, head)[1] <= window.size - position - length


def _mpeg_in_wav(window, layout) -> list[Recording]:
    """An mp3 file that was put into a wav, whose header states no more than the first frame."""
    places = {name: position for _, name, position, _ in _chunks(window, layout)}
    kind = window.at(places.get(b"fmt ", window.size), 2)
    if layout is not _WAV or kind != _MPEG_LAYER_3 or b"data" not in places:
        return []
    recordings = _mpeg_recordings(window, places[b"data"])
    for recording in recordings:
        recording.pieces = recording.pieces or (slice(places[b"data"], window.size),)
    return recordings


# FLAC: the marker, the head of the first block of metadata, its bytes, and frames.

_FLAC_HEAD = b"fLaC\x00\x00\x00\x22"
_FLAC_INFO = 34
_MOST_SAMPLES = 2**36 - 1
# Bytes of the tag that some programs put behind a file of any kind.
_ID3V1 = 128


def _flac_recordings(window: Window, start: int) -> list[Recording]:
    """Joined files, each without the length that it states, so that all frames are decoded."""
    starts = []
    while start < window.size:
        starts.append(start)
        start = window.find(re.escape(_FLAC_HEAD), start + 1)
    recordings = []
    for start, stop in pairwise([*starts, window.size]):
        info = window.at(start + len(_FLAC_HEAD), _FLAC_INFO)
        if len(info) < _FLAC_INFO:
            return [Recording()]
        if window.at(max(stop - _ID3V1, start), 3) == b"TAG":
            stop -= _ID3V1
        stated = int.from_bytes(info[13:18], "big") & _MOST_SAMPLES
        head = _FLAC_HEAD + info[:13] + bytes([info[13] & 0xF0]) + bytes(4)
        rest = slice(min(start + len(head), stop), stop)
        # 0 where a program wrote none.
        recordings.append(Recording((head, rest), n_samples=stated))
    return recordings


# MPEG audio: frame after frame, each with its bitrate in front.

# What the header of a frame can begin with.
_SYNC = re.compile(rb"\xff[\xe2-\xff][\x10-\xef]", re.DOTALL)
# Kilobits a second by the index in the header, for (MPEG version 1, layer) and (2 or 2.5,
# layer); layer 3 of the latter has those of layer 2.
_BITRATES = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
# Bytes that a frame needs to hold a count of frames, as decoders look for it.
_TAG_FRAME = 192
# Bytes about the encoder that follow the count; three of them hold its delay and its padding.
_ENCODER_FIELDS = 36
_DELAY_FIELD = slice(21, 24)
# Samples that a decoder drops at the beginning, and takes back from the end, besides those.
_DECODER_DELAY = 529
# Frames that a decoder may leave out at the ends of a whole file: what the encoder added.
_MISSING = 4


class _Run(NamedTuple):
    """MPEG frames of one kind without a gap; the last may be cut."""

    kind: int
    start: int
    stop: int
    n_frames: int
    bitrates: set[int]


def _mpeg_recordings(window: Window, start: int) -> list[Recording]:
    """Runs of MPEG audio frames (mp3, mp2) of one kind, with a header that states how many."""
    kinds: dict[int, list[_Run]] = {}
    for run in _mpeg_runs(window, start):
        kinds.setdefault(run.kind, []).append(run)
    return [_mpeg_recording(window, runs) for runs in kinds.values()]


def _mpeg_runs(window, position):
    while position < window.size:
        position = start = window.after_id3(position)
        first = header = _header(window.at(start, 4))
        n_frames, bitrates = 0, set()
        while header.length and header.kind == first.kind:
            n_frames += 1
            bitrates.add(header.bitrate)
            position += header.length
            header = _header(window.at(position, 4))
        # Three in a row are frames; fewer may be any bytes.
        if n_frames >= 3 or (n_frames and position >= window.size):
            yield _Run(first.kind, start, position, n_frames, bitrates)
        else:
            position = start + 1
        if window.at(position, 3) != b"ID3":
            position = window.find(_SYNC, position)


def _mpeg_recording(window, runs: list[_Run]) -> Recording:
    """One recording of runs of frames; what is read right as it is stays as it is."""
    is_cut = runs[-1].stop > window.size
    n_frames = sum(run.n_frames for run in runs) - is_cut
    pieces = tuple(slice(run.start, min(run.stop, window.size)) for run in runs)
    as_it_is = pieces if len(runs) > 1 else ()
    head = window.at(runs[0].start, 4)
    header = _header(head)
    frame_size = header.n_samples
    first = window.at(runs[0].start, header.length)
    tag = 4 + header.side_info
    if header.layer != 3 or first[tag : tag + 4] not in (b"Xing", b"Info"):
        wanted = (n_frames - _MISSING) * frame_size
        if header.layer != 3 or len(set().union(*(run.bitrates for run in runs))) == 1:
            # The decoder divides the size of the file by that of a frame.
            return Recording(as_it_is, is_cut, wanted)
        # The decoder drops its own delay where frames are counted. A silent frame in front makes
        # what it drops one whole frame, so that the first sample is that of the first frame.
        delay = (frame_size - _DECODER_DELAY) << 12 | _DECODER_DELAY
        encoder = b"skmer".ljust(_DELAY_FIELD.start, b"\0") + delay.to_bytes(3, "big")
        counted = _silent_frame(head, _xing(n_frames + 1, encoder))
        return Recording((counted, _silent_frame(head), *pieces), is_cut, wanted)
    flags = int.from_bytes(first[tag + 4 : tag + 8], "big")
    stated = int.from_bytes(first[tag + 8 : tag + 12], "big") if flags & 1 else 0
    wanted = (n_frames - 1 - _MISSING) * frame_size
    is_cut |= stated > n_frames
    # Some programs count the frame that holds the count.
    if stated in (n_frames - 1, n_frames) or n_frames < 2:
        return Recording(as_it_is, is_cut, wanted)
    fields = 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
    stated_encoder = bytearray(first[tag + 8 + fields :][:_ENCODER_FIELDS])
    if len(stated_encoder) == _ENCODER_FIELDS:
        # What the encoder put before the first sample stays stated; the end is another one now.
        stated_encoder[_DELAY_FIELD] = stated_encoder[21], stated_encoder[22] & 0xF0, 0
    counted = _silent_frame(head, _xing(n_frames - 1, bytes(stated_encoder)))
    rest = slice(pieces[0].start + len(first), pieces[0].stop)
    return Recording((counted, rest, *pieces[1:]), is_cut, wanted)


def _silent_frame(head, tag=b""):
    """A frame of the kind of another without sound, in which there is room for a tag."""
    sync, kind, rate, mode = head
    likes = (bytes([sync, kind | 1, code << 4 | rate & 0x0C, mode]) for code in range(1, 15))
    like = next(like for like in likes if _header(like).length >= _TAG_FRAME)
    header = _header(like)
    return (like + bytes(header.side_info) + tag).ljust(header.length, b"\0")


def _xing(n_frames, encoder):
    return b"Xing" + struct.pack(">II", 1, n_frames) + encoder


class _Header(NamedTuple):
    """What the four bytes in front of a frame state; a length of 0 for bytes that are none."""

    length: int = 0
    # Sync, version, layer, rate, and whether there is one channel, as one number.
    kind: int = 0
    bitrate: int = 0
    n_samples: int = 0
    layer: int = 0
    # Bytes between the header and the sound of layer 3.
    side_info: int = 0


@lru_cache(maxsize=4096)
def _header(head: bytes) -> _Header:
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return _Header()
    version_code, layer_code = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate_code, rate_code, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version_code == 1 or layer_code == 0 or bitrate_code in (0, 15) or rate_code == 3:
        return _Header()
    version, layer, is_mono = (1 if version_code == 3 else 2), 4 - layer_code, head[3] >> 6 == 3
    rate = (44100, 48000, 32000)[rate_code] // {3: 1, 2: 2, 0: 4}[version_code]
    bitrate = _BITRATES[version, min(layer, 2) if version == 2 else layer][bitrate_code - 1]
    n_samples = 384 if layer == 1 else 576 if (version, layer) == (2, 3) else 1152
    # Layer 1 counts in slots of four bytes.
    slot = 4 if layer == 1 else 1
    length = (n_samples // 8 * 1000 * bitrate // slot // rate + padding) * slot
    kind = (int.from_bytes(head[:3], "big") & 0xFFFE0C) << 1 | is_mono
    side_info = (17 if is_mono else 32) if version == 1 else (9 if is_mono else 17)
    return _Header(length, kind, bitrate, n_samples, layer, side_info)


# Ogg: page after page, each with a checksum.

_PAGE_HEAD = 27
# The largest number of samples of a usual packet of Vorbis or Opus; longer ones are valid but rare.
_USUAL_PACKET = 1024
# The position of a page in which no packet ends.
_NO_POSITION = 2**64 - 1
# Where a page states its checksum, which is computed from the highest bit of a byte to the lowest.
_CHECKSUM = slice(22, 26)
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _ogg_recordings(window: Window) -> list[Recording]:
    """Joined streams; streams side by side begin together and stay together."""
    recording = Recording()
    recordings = {0: recording}
    position, has_data, has_ended = 0, False, False
    numbers: dict[bytes, int] = {}
    sounding: set[bytes] = set()
    while position < window.size:
        head = window.at(position, _PAGE_HEAD)
        if head[:4] != b"OggS" or len(head) < _PAGE_HEAD:
            position = window.find(b"OggS", position + 1)
            continue
        table = window.at(position + _PAGE_HEAD, head[26])
        length = _PAGE_HEAD + head[26] + sum(table)
        is_first = bool(head[5] & 2)
        if is_first and has_data:
            recording = recordings[position] = Recording()
        has_data, has_ended = not is_first, bool(head[5] & 4)
        recording.seeks &= _follows(head, table, numbers, sounding)
        page = window.at(position, length + 4)
        # The decoder leaves out a page whose checksum is wrong.
        recording.is_cut |= not _is_as_written(page[:length])
        if page[length:] == b"OggS" or position + length == window.size:
            position += length
            continue
        # Another page may begin where this one was torn off.
        following = window.find(b"OggS", position + _PAGE_HEAD)
        recording.is_cut |= following < position + length or position + length > window.size
        position = following
    recording.is_cut |= not has_ended
    if len(recordings) > 1:
        for start, stop in pairwise([*recordings, window.size]):
            recordings[start].pieces = (slice(start, stop),)
    return list(recordings.values())


def _is_as_written(page):
    """Whether the checksum that a page states is that of its bytes."""
    summed = page[: _CHECKSUM.start] + bytes(4) + page[_CHECKSUM.stop :]
    value = zlib.crc32(summed.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return value.to_bytes(4, "big").translate(_MIRRORED) == page[_CHECKSUM]


def _follows(head, table, numbers, sounding):
    """Whether a page is the next of its stream, at a time that its first sound can have."""
    position, serial = int.from_bytes(head[6:14], "little"), head[14:18]
    number = int.from_bytes(head[18:22], "little")
    if head[5] & 2:
        numbers[serial] = number - 1
        sounding.discard(serial)
    is_next = number == numbers.get(serial, -1) + 1
    numbers[serial] = number
    if serial in sounding or position in (0, _NO_POSITION):
        return is_next
    sounding.add(serial)
    return is_next and position <= _USUAL_PACKET * sum(size < 255 for size in table)

"""Files of chunks (wav, rf64, w64, aiff, svx, caf): joined, cut short, in pieces, or of size 0."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from skmer.audio.decoding._parts import UNKNOWN_SIZES, Part, Window

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

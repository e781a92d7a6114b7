"""Files of a head and samples (au, NIST): joined, cut short, or with more than the head says."""

import re
import struct
from collections.abc import Callable, Iterator
from math import prod

from skmer.audio.decoding._parts import UNKNOWN_SIZES, Part, Window

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
            parts.append(_part(window, start, stop, position, size))
    return parts


def nist_parts(window: Window) -> list[Part]:
    """The head is text, which says how long it is, and how many samples follow."""

    def measure(start):
        length = window.at(start + 8, 8).strip()
        position = start + int(length if length.isdigit() else 0)
        sizes = _NIST_SIZES.findall(window.at(start, min(position - start, 1 << 16)))
        return position, prod(map(int, sizes)) if len(sizes) == 3 else 0

    files = _files(window, b"NIST_1A", measure)
    return [_part(window, *file) for file in files]


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


def _part(window, start, stop, position, size):
    is_cut = size not in UNKNOWN_SIZES and window.size < position + size
    is_whole = start == 0 and stop == window.size
    return Part(() if is_whole else (slice(start, stop),), is_cut)

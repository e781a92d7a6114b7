"""Files of chunks (wav, aiff): joined ones, ones that say no samples, and ones cut short."""

import struct
from collections.abc import Iterator

from skmer.audio.containers._parts import Part, Window

# Stated by programs that write to a pipe and do not know the length; all the file is meant.
_UNKNOWN_SIZE = 0x7FFFF000


def chunk_parts(window: Window, order: str, samples: bytes) -> list[Part] | None:
    """One part a file; where its chunk of samples has the size 0, it goes to the file's end."""
    # The container is a chunk itself, whose content begins with the kind of file.
    container = window.at(0, 4)
    starts, is_cut = [0], False
    for position, name, size in _walk(window, 12, order):
        rest = window.size - position - 8
        if name == container:
            starts.append(position)
        elif name == samples and len(starts) == 1 and size == 0 and rest:
            if not _is_chunk(window, position + 8, order, fits=True):
                head = window.at(0, position) + struct.pack(f"{order}4sI", samples, rest)
                return [Part((head, slice(position + 8, window.size)))]
        elif name == samples:
            is_cut = rest < size < _UNKNOWN_SIZE
    if len(starts) == 1:
        return [Part(is_cut=is_cut)]
    spans = list(zip(starts, [*starts[1:], window.size]))
    return [Part((slice(*span),), is_cut and span == spans[-1]) for span in spans]


def _walk(window, position, order) -> Iterator[tuple[int, bytes, int]]:
    """Yield (position, name, size) of chunk after chunk, joined files' containers among them."""
    container = window.at(0, 4)
    while _is_chunk(window, position, order):
        name, size = struct.unpack(f"{order}4sI", window.at(position, 8))
        yield position, name, size
        position += 12 if name == container else 8 + size + size % 2


def _is_chunk(window, position, order, *, fits=False):
    head = window.at(position, 8)
    if len(head) < 8 or not all(32 <= byte < 127 for byte in head[:4]):
        return False
    return not fits or struct.unpack(f"{order}I", head[4:])[0] <= window.size - position - 8

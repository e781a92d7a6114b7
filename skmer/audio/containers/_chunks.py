"""Files of chunks (wav, aiff): ones whose header says no samples, and ones cut short."""

import struct

from skmer.audio.containers._parts import Part, View

# Stated by programs that write to a pipe and do not know the length; all the file is meant.
_UNKNOWN_SIZE = 0x7FFFF000


def chunk_parts(view: View, order: str, wanted: bytes) -> list[Part] | None:
    """The samples' chunk of a wav or aiff file; of size 0, it goes to the end of the file."""
    position = 12
    while _is_chunk(view, position, order):
        name, size = struct.unpack(f"{order}4sI", view.at(position, 8))
        rest = view.size - position - 8
        if name == wanted:
            if size == 0 and rest and not _is_chunk(view, position + 8, order, fits=True):
                head = view.at(0, position) + struct.pack(f"{order}4sI", wanted, rest)
                return [Part((head, slice(position + 8, view.size)))]
            return [Part(is_cut=rest < size < _UNKNOWN_SIZE)]
        position += 8 + size + size % 2
    return None


def _is_chunk(view, position, order, *, fits=False):
    head = view.at(position, 8)
    if len(head) < 8 or not all(32 <= byte < 127 for byte in head[:4]):
        return False
    return not fits or struct.unpack(f"{order}I", head[4:])[0] <= view.size - position - 8

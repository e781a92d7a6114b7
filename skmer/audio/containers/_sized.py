"""Files with sizes of more than 32 bits, or with one only (au, caf, rf64, w64): 0, or cut short."""

import struct

from skmer.audio.containers._parts import Part, Window

# What a writer to a pipe, which does not know the size, states in any of them.
_UNKNOWN = (-1, 2**32 - 1, 2**63 - 1, 2**64 - 1)
_W64_HEAD = 24


def au_part(window: Window, order: str) -> Part:
    """A header says where the samples begin, and how many bytes they are."""
    start, size = struct.unpack(f"{order}II", window.at(4, 8).ljust(8, b"\0"))
    if size == 0 and window.size > start:
        return Part((window.at(0, 8) + b"\xff" * 4, slice(12, window.size)))
    return _part(window, start, size)


def rf64_part(window: Window) -> Part:
    """A chunk in front of the others says how long the samples are."""
    start, _ = find_chunk(window, 12, "<4sI", b"data")
    head = window.at(0, 36)
    if head[12:16] != b"ds64" or start is None:
        return Part()
    size = int.from_bytes(head[28:], "little")
    if size == 0 and window.size > start:
        stated = struct.pack("<Q", window.size - start)
        return Part((head[:28] + stated, slice(36, window.size)))
    return _part(window, start, size)


def caf_part(window: Window) -> Part:
    """The size of the samples begins with their chunk."""
    return _part(window, *find_chunk(window, 8, ">4sq", b"data", step=1))


def w64_part(window: Window) -> Part:
    """As of wav, with longer names, and sizes that count the head of the chunk."""
    return _part(window, *find_chunk(window, 40, "<4s12xQ", b"data", own=_W64_HEAD, step=8))


def _part(window, start, size):
    is_known = start is not None and size not in _UNKNOWN
    return Part(is_cut=is_known and window.size - start < size)


def find_chunk(window, position, form, wanted, *, own=0, step=2):
    """Return where the content of a chunk begins, and its size; (None, 0) without that chunk."""
    length = struct.calcsize(form)
    while position <= window.size - length:
        head = window.at(position, length)
        name, size = struct.unpack(form, head)
        content = position + length
        size -= own if size not in _UNKNOWN else 0
        if name == wanted:
            return content, size
        if size < 0 or min(name) < ord(" "):
            break
        position = content + size + -size % step
    return None, 0

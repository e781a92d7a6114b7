"""Files that libsndfile does not read (mp4, matroska, asf): whether their end is gone."""

from skmer.audio.containers._parts import Part, Window

_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_HEAD = 30


def mp4_parts(window: Window) -> list[Part]:
    """Boxes, each of which says how long it is, one after the other."""
    position = 0
    while position < window.size:
        head = window.at(position, 16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:], "big")
        # 0 is the last one, of any length.
        position = position + size if size >= 8 else window.size
    return [Part(is_cut=position > window.size)]


def matroska_parts(window: Window) -> list[Part]:
    """A head and a segment, which says how long it is, or that it is not known."""
    stop = 0
    for _ in range(2):
        start, size = stop + 4, window.at(stop + 4, 8)
        if not size or size[0] == 0:
            return [Part()]
        width = 9 - size[0].bit_length()
        value = int.from_bytes(size[:width], "big") & (1 << 7 * width) - 1
        if value == (1 << 7 * width) - 1:
            return [Part()]
        stop = start + width + value
    return [Part(is_cut=stop > window.size)]


def asf_parts(window: Window) -> list[Part]:
    """One of the objects in the head says how long the file is."""
    head = window.at(0, 1 << 16)
    at = head.find(_ASF_PROPERTIES, _ASF_HEAD)
    stated = int.from_bytes(head[at + 40 : at + 48], "little") if at > 0 else 0
    return [Part(is_cut=stated > window.size)]

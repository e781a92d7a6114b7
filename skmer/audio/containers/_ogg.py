"""Ogg files (Vorbis, Opus, FLAC, Speex): joined ones, and ones cut short."""

import re

from skmer.audio.containers._parts import Part, Window

_PAGE = re.compile(b"OggS")


def ogg_parts(window: Window) -> list[Part]:
    """Streams one after the other; streams side by side begin together and stay together."""
    starts, position, has_data, ended, is_cut = [0], 0, False, False, False
    while position < window.size:
        head = window.at(position, 27)
        if head[:4] != b"OggS" or len(head) < 27:
            position = window.find(_PAGE, position + 1)
            continue
        table = window.at(position + 27, head[26])
        length = 27 + head[26] + sum(table)
        is_first = bool(head[5] & 2)
        if is_first and has_data:
            starts.append(position)
        has_data, ended = not is_first, bool(head[5] & 4)
        is_cut = position + length > window.size
        position += length
    is_cut |= not ended
    if len(starts) == 1:
        return [Part(is_cut=is_cut)]
    stops = [*starts[1:], window.size]
    last = len(starts) - 1
    spans = enumerate(zip(starts, stops))
    return [Part((slice(*span),), is_cut and index == last) for index, span in spans]

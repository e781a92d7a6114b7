"""Ogg files (Vorbis, Opus, FLAC, Speex): joined ones, and ones cut short."""

import re

from skmer.audio.containers._parts import Part, View

_PAGE = re.compile(b"OggS")


def ogg_parts(view: View) -> list[Part]:
    """Streams one after the other; streams side by side begin together and stay together."""
    starts, position, has_data, ended, is_cut = [0], 0, False, False, False
    while position < view.size:
        head = view.at(position, 27)
        if head[:4] != b"OggS" or len(head) < 27:
            position = view.find(_PAGE, position + 1)
            continue
        table = view.at(position + 27, head[26])
        length = 27 + head[26] + sum(table)
        is_first = bool(head[5] & 2)
        if is_first and has_data:
            starts.append(position)
        has_data, ended = not is_first, bool(head[5] & 4)
        is_cut = position + length > view.size
        position += length
    is_cut |= not ended
    if len(starts) == 1:
        return [Part(is_cut=is_cut)]
    stops = [*starts[1:], view.size]
    last = len(starts) - 1
    spans = enumerate(zip(starts, stops))
    return [Part((slice(*span),), is_cut and index == last) for index, span in spans]

"""What a file really holds, where its header says something else or nothing.

A decoder believes the header, or guesses: of an mp3 without a count it takes the first frame's
bitrate for all, of joined files it reads the first one, of a length of 0 nothing. So the frames,
pages and chunks themselves are looked at here, and a decoder is given parts with a right header.
"""

from dataclasses import replace
from typing import BinaryIO

from skmer.audio.containers._chunks import chunk_parts
from skmer.audio.containers._flac import flac_parts
from skmer.audio.containers._mpeg import frame_length, mpeg_parts
from skmer.audio.containers._ogg import ogg_parts
from skmer.audio.containers._parts import Part, PartFile, Window
from skmer.audio.containers._sized import au_part, caf_part, find_chunk, rf64_part, w64_part

__all__ = ["Part", "PartFile", "find_parts"]

_MPEG_LAYER_3 = b"\x55\0"


def find_parts(file: BinaryIO) -> list[Part]:
    """Look at a seekable binary file and return its parts; one of all of it in the usual case."""
    window = Window(file)
    start = window.after_id3(0)
    head = window.at(start, 12)
    parts: list[Part] | None = None
    if head[:4] == b"OggS":
        parts = ogg_parts(window)
    elif head[:4] == b"fLaC":
        parts = flac_parts(window, start)
    elif head[:4] == b"RIFF" and head[8:] == b"WAVE":
        parts = _mpeg_in_wav(window) or chunk_parts(window, "<", b"data")
    elif head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
        parts = chunk_parts(window, ">", b"SSND")
    elif head[:4] == b"RF64" and head[8:] == b"WAVE":
        parts = [rf64_part(window)]
    elif head[:4] == b"riff":
        parts = [w64_part(window)]
    elif head[:4] == b"caff":
        parts = [caf_part(window)]
    elif head[:4] in (b".snd", b"dns."):
        parts = [au_part(window, ">" if head[:4] == b".snd" else "<")]
    elif start or frame_length(head[:3]):
        parts = mpeg_parts(window, start)
    return parts or [Part()]


def _mpeg_in_wav(window: Window) -> list[Part]:
    """An mp3 file that was put into a wav, whose header says no more than the first frame."""
    position, _ = find_chunk(window, 12, "<4sI", b"fmt ")
    start, _ = find_chunk(window, 12, "<4sI", b"data")
    if position is None or start is None or window.at(position, 2) != _MPEG_LAYER_3:
        return []
    rest = (slice(start, window.size),)
    return [replace(part, pieces=part.pieces or rest) for part in mpeg_parts(window, start) or ()]

"""What a file really holds, where its header says something else or nothing.

A decoder believes the header, or guesses: of an mp3 without a count it takes the first frame's
bitrate for all, of joined files it reads the first one, of a length of 0 nothing. So the frames,
pages and chunks themselves are looked at here, and a decoder is given parts with a right header.
"""

from dataclasses import replace
from typing import BinaryIO

from skmer.audio.decoding._chunks import Layout, chunk_parts, walk
from skmer.audio.decoding._flac import flac_parts
from skmer.audio.decoding._headed import au_parts, nist_parts
from skmer.audio.decoding._mpeg import frame_length, mpeg_parts
from skmer.audio.decoding._ogg import ogg_parts
from skmer.audio.decoding._parts import Part, Window
from skmer.audio.decoding._voc import voc_parts

_WAV = Layout("<4sI", b"data")
_AIFF, _SVX = Layout(">4sI", b"SSND", ahead=8), Layout(">4sI", b"BODY")
# By the first four bytes, and in the first ones by the four that say what is in them.
_IN_GENERAL = (b"RIFF", b"RF64", b"FORM")
_CHUNKS = {
    b"RIFFWAVE": _WAV,
    b"RF64WAVE": _WAV,
    b"FORMAIFF": _AIFF,
    b"FORMAIFC": _AIFF,
    b"FORM8SVX": _SVX,
    b"FORM16SV": _SVX,
    b"riff": Layout("<4s12xQ", b"data", first=40, own=24, step=8),
    b"caff": Layout(">4sq", b"data", first=8, step=1, ahead=4),
}
_OTHERS = {
    b"OggS": ogg_parts,
    b".snd": lambda window: au_parts(window, ">"),
    b"dns.": lambda window: au_parts(window, "<"),
    b"NIST": nist_parts,
    b"Crea": voc_parts,
}
_MPEG_LAYER_3 = b"\x55\0"


def find_parts(file: BinaryIO) -> list[Part]:
    """Look at a seekable binary file and return its parts; one of all of it in the usual case."""
    window = Window(file)
    start = window.after_id3(0)
    head = window.at(start, 12)
    kind = head[:4] + (head[8:] if head[:4] in _IN_GENERAL else b"")
    parts: list[Part] | None = None
    if kind == b"fLaC":
        parts = flac_parts(window, start)
    elif kind in _CHUNKS or kind in _OTHERS:
        # libsndfile passes a tag in front by itself.
        parts = _known_parts(window, kind) if start == 0 else None
    elif start or frame_length(head[:3]):
        parts = mpeg_parts(window, start)
    return parts or [Part()]


def _known_parts(window: Window, kind: bytes) -> list[Part]:
    if kind in _OTHERS:
        return _OTHERS[kind](window)
    return (_CHUNKS[kind] is _WAV and _mpeg_in_wav(window)) or chunk_parts(window, _CHUNKS[kind])


def _mpeg_in_wav(window: Window) -> list[Part]:
    """An mp3 file that was put into a wav, whose header says no more than the first frame."""
    places = {}
    for _, name, position, _ in walk(window, _WAV):
        places[name] = position
        if name == b"fmt " and window.at(position, 2) != _MPEG_LAYER_3:
            return []
    if not {b"fmt ", b"data"} <= set(places):
        return []
    rest = (slice(places[b"data"], window.size),)
    parts = mpeg_parts(window, places[b"data"]) or []
    return [replace(part, pieces=part.pieces or rest) for part in parts]

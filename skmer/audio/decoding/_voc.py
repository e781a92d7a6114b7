"""Creative Voice files: in blocks, of which libsndfile takes all but the first for samples."""

import struct
from collections.abc import Iterator

from skmer.audio.decoding._parts import Part, Window

_MAGIC = b"Creative Voice File\x1a"
_SOUND, _MORE, _EXTENDED, _NEW_SOUND = 1, 2, 8, 9
# Bytes of a block before its samples.
_AHEAD = {_SOUND: 2, _NEW_SOUND: 12}
# The format of a wav file, and its bits, by the codec of the samples.
_CODECS = {0: (1, 8), 4: (1, 16), 6: (6, 8), 7: (7, 8)}


def voc_parts(window: Window) -> list[Part]:
    """A file of one block as it is; of several, a wav file for each run of one kind of sound.

    Blocks of silence and of repetition are left out, as ffmpeg does.
    """
    runs: list[tuple[tuple[int, int, int], list[slice]]] = []
    told, stop = None, 0
    for code, start, stop in _blocks(window):
        if code == _EXTENDED:
            # It says what the next block's own head has no room for.
            told = _sound(window, code, start)
        elif code in _AHEAD:
            sound = told or _sound(window, code, start)
            told = None
            if not runs or runs[-1][0] != sound:
                runs.append((sound, []))
        if code in _AHEAD or (code == _MORE and runs):
            stop_there = min(stop, window.size)
            runs[-1][1].append(slice(min(start + _AHEAD.get(code, 0), stop_there), stop_there))
    is_cut = stop > window.size
    is_one = sum(len(pieces) for _, pieces in runs) < 2
    if is_one or not all(codec in _CODECS for (_, _, codec), _ in runs):
        return [Part(is_cut=is_cut)]
    parts = [Part((_wav_head(*sound, pieces), *pieces)) for sound, pieces in runs]
    return [*parts[:-1], Part(parts[-1].pieces, is_cut)]


def _blocks(window) -> Iterator[tuple[int, int, int]]:
    """Yield (code, start, stop) of the blocks; a joined file may follow the last one."""
    position = 0
    while True:
        if window.at(position, len(_MAGIC)) == _MAGIC:
            position += max(int.from_bytes(window.at(position + 20, 2), "little"), 22)
        head = window.at(position, 4)
        if head[:1] == b"\0" and window.at(position + 1, len(_MAGIC)) == _MAGIC:
            position += 1
            continue
        if len(head) < 4 or head[0] == 0:
            return
        stop = position + 4 + int.from_bytes(head[1:], "little")
        yield head[0], position + 4, stop
        position = stop


def _sound(window, code, start):
    """Rate [Hz], channels and codec."""
    head = window.at(start, 12).ljust(12, b"\0")
    if code == _NEW_SOUND:
        return struct.unpack("<I", head[:4])[0], head[5], int.from_bytes(head[6:8], "little")
    if code == _EXTENDED:
        channels = 1 + head[3]
        return 256_000_000 // (65536 - head[0] - 256 * head[1]) // channels, channels, head[2]
    return 1_000_000 // (256 - head[0]), 1, head[1]


def _wav_head(sr, n_channels, codec, pieces):
    code, bits = _CODECS[codec]
    size = min(sum(piece.stop - piece.start for piece in pieces), 2**31)
    frame = n_channels * bits // 8
    form = struct.pack("<IHHIIHH", 16, code, n_channels, sr, min(sr * frame, 2**31), frame, bits)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + size)
        + b"WAVEfmt "
        + form
        + b"data"
        + struct.pack("<I", size)
    )

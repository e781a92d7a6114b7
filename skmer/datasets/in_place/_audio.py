"""Audio files below a folder, by what can be read, and by the codes of songs."""

import functools
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from skmer.datasets.in_place._files import FoundFiles, find_files

# What libsndfile calls a format, and how its files end. Left out: RAW, whose rate is not in the
# file, and MATLAB's, which hold anything.
_SUFFIXES = {
    "AIFF": (".aif", ".aiff", ".aifc"),
    "AU": (".au", ".snd"),
    "AVR": (".avr",),
    "CAF": (".caf",),
    "FLAC": (".flac",),
    "HTK": (".htk",),
    "IRCAM": (".sf", ".ircam"),
    "MP3": (".mp3", ".mp2", ".mpga"),
    "NIST": (".sph", ".nist"),
    "OGG": (".ogg", ".oga", ".opus"),
    "PAF": (".paf",),
    "PVF": (".pvf",),
    "RF64": (".rf64",),
    "SD2": (".sd2",),
    "SDS": (".sds",),
    "SVX": (".8svx", ".svx"),
    "VOC": (".voc",),
    "W64": (".w64",),
    "WAV": (".wav", ".wave", ".bwf"),
    "WVE": (".wve",),
    "XI": (".xi",),
}
# What ffmpeg reads.
_BY_FFMPEG = (
    ".3ga", ".3gp", ".aac", ".ac3", ".amr", ".ape", ".dts", ".eac3", ".flv", ".m4a", ".m4b", ".m4r",
    ".mka", ".mkv", ".mov", ".mp4", ".mpc", ".spx", ".tta", ".weba", ".webm", ".wma", ".wv",
)  # fmt: skip


@functools.cache
def audio_suffixes() -> frozenset[str]:
    """Lower-case endings of the files that can be read, or could with a decoder installed."""
    import soundfile

    formats = soundfile.available_formats()
    return frozenset(
        suffix for name, ends in _SUFFIXES.items() if name in formats for suffix in ends
    ).union(_BY_FFMPEG)


def find_audio_files(folder: Path) -> FoundFiles:
    """Every audio file below a folder, as `find_files` finds them."""
    found = find_files(folder)
    audio = [path for path in found.paths if path.suffix.lower() in audio_suffixes()]
    others = len(found.paths) - len(audio)
    left_out = found.left_out + Counter({"files that are not audio": others})
    again = {link: path for link, path in found.again.items() if path in set(audio)}
    return FoundFiles(audio, left_out, again)


def match_songs(songs: Iterable[str], folder: Path, *, exact: bool = False) -> dict[str, Path]:
    """Audio below a folder by the code of the song that its name is, or begins with.

    Of two codes that fit, the longer counts: ``A061-66.mp3`` is the song A061-66, not A061.
    """
    codes = {song.upper(): song for song in songs}
    found: dict[str, Path] = {}
    for path in find_audio_files(folder).paths:
        stem = path.stem.upper()
        ends = [] if exact else [match.start() for match in re.finditer(r"[^0-9A-Z]", stem)]
        for end in [len(stem), *reversed(ends)]:
            if stem[:end] in codes:
                found.setdefault(codes[stem[:end]], path)
                break
    return found

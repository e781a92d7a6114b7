"""Audio files below a folder: links followed once, what is left out counted."""

import functools
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

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
    "MP3": (".mp3", ".mp2"),
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
    "WAV": (".wav", ".wave"),
    "WVE": (".wve",),
    "XI": (".xi",),
}
# What audioread's decoders (ffmpeg, GStreamer, Core Audio) usually read.
_BY_AUDIOREAD = (
    ".aac", ".ac3", ".amr", ".ape", ".m4a", ".m4b", ".mka", ".mp4", ".mpc", ".webm", ".wma", ".wv",
)  # fmt: skip
# Folders of file systems and desktops, whose files a person deleted or never made.
_TRASH = {"$recycle.bin", "@eadir", "__macosx", "lost+found", "system volume information"}


@functools.cache
def audio_suffixes() -> frozenset[str]:
    """Lower-case endings of the files that can be read, or could with a decoder installed."""
    import soundfile

    formats = soundfile.available_formats()
    return frozenset(
        suffix for name, ends in _SUFFIXES.items() if name in formats for suffix in ends
    ).union(_BY_AUDIOREAD)


@dataclass
class AudioFiles:
    """Audio files in the order of their names, and what was left out, counted by reason."""

    paths: list[Path] = field(default_factory=list)
    left_out: Counter = field(default_factory=Counter)
    # Links to files that are in `paths`, with those files.
    again: dict[Path, Path] = field(default_factory=dict)

    def describe_left_out(self) -> str:
        """One line, or nothing where nothing was left out."""
        counts = self.left_out + Counter({"links to files already taken": len(self.again)})
        if not counts:
            return ""
        return "Left out: " + ", ".join(f"{n} {what}" for what, n in sorted(counts.items())) + "."


def find_audio_files(folder: Path) -> AudioFiles:
    """Every audio file below a folder; a linked folder counts where its own place is not below.

    Folders and files whose names begin with a dot, trash folders and broken links are left out.
    """
    found = AudioFiles()
    root = Path(os.path.realpath(folder))
    visited: set[str] = set()
    linked: list[Path] = []
    _walk(folder, visited, linked, found)
    while linked:
        link = linked.pop(0)
        place = os.path.realpath(link)
        # A link to a folder above leads back here, through what does not belong to this folder.
        if place not in visited and not root.is_relative_to(place):
            _walk(link, visited, linked, found)
    _leave_out_links_to_the_same(found)
    return found


def _walk(folder: Path, visited: set[str], linked: list[Path], found: AudioFiles) -> None:
    """Take the files of a folder and of all below that are no links; note those that are."""
    visited.add(os.path.realpath(folder))
    try:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError:
        found.left_out["folders that may not be read"] += 1
        return
    for entry in entries:
        path = Path(entry.path)
        if os.path.isdir(path):
            if is_hidden(entry.name):
                found.left_out["hidden or trash folders"] += 1
            elif entry.is_symlink():
                linked.append(path)
            elif os.path.realpath(path) not in visited:
                _walk(path, visited, linked, found)
        elif os.path.isfile(path) and path.suffix.lower() in audio_suffixes():
            if is_hidden(entry.name):
                kind = "resource forks (._*)" if entry.name.startswith("._") else "hidden files"
                found.left_out[kind] += 1
            else:
                found.paths.append(path)
        elif entry.is_symlink() and not os.path.exists(path):
            found.left_out["broken links"] += 1
        else:
            found.left_out["files that are not audio"] += 1


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden, or a folder is a trash folder."""
    return name.startswith(".") or name.lower() in _TRASH


def _leave_out_links_to_the_same(found: AudioFiles) -> None:
    """Keep one path of every file, the one that is no link where there is one."""
    first: dict[str, Path] = {}
    for path in sorted(found.paths, key=lambda path: (path.is_symlink(), path)):
        kept = first.setdefault(os.path.realpath(path), path)
        if kept != path:
            found.again[path] = kept
    found.paths = sorted(first.values())


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

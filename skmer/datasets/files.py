"""Audio files below a folder, by what can be read, and by the codes of songs."""

import functools
import os
import re
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from skmer.datasets.info import DatasetInfo
from skmer.exceptions import DatasetNotFoundError, IncompleteDatasetWarning
from skmer.utils.messages import shorten

# Folders of file systems and desktops, whose files a person deleted or never made.
_TRASH = {"$recycle.bin", "@eadir", "__macosx", "lost+found", "system volume information"}


@dataclass
class FoundFiles:
    """Files in the order of their paths, and what was left out, counted by reason."""

    paths: list[Path] = field(default_factory=list)
    left_out: Counter = field(default_factory=Counter)
    # Links to files that are in `paths`, with those files.
    again: dict[Path, Path] = field(default_factory=dict)

    def describe_left_out(self) -> str:
        """One line, or nothing where nothing was left out."""
        counts = self.left_out + Counter({"links to files already taken": len(self.again)})
        if not counts:
            return ""
        return "Left out: " + ", ".join(f"{what} {n}" for what, n in sorted(counts.items())) + "."


def find_files(folder: Path) -> FoundFiles:
    """Every file below a folder; a linked folder counts where its own place is not below.

    Folders and files whose names begin with a dot, trash folders and broken links are left out.
    """
    found = FoundFiles()
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


def _walk(folder: Path, visited: set[str], linked: list[Path], found: FoundFiles) -> None:
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
        elif entry.name.startswith("._"):
            found.left_out["resource forks (._*)"] += 1
        elif is_hidden(entry.name):
            found.left_out["hidden files"] += 1
        elif os.path.isfile(path):
            found.paths.append(path)
        elif entry.is_symlink():
            found.left_out["broken links"] += 1
        else:
            found.left_out["pipes and devices"] += 1


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden, or a folder is a trash folder."""
    return name.startswith(".") or name.lower() in _TRASH


def _leave_out_links_to_the_same(found: FoundFiles) -> None:
    """Keep one path of every file, the one that is no link where there is one."""
    first: dict[str, Path] = {}
    for path in sorted(found.paths, key=lambda path: (path.is_symlink(), path)):
        kept = first.setdefault(os.path.realpath(path), path)
        if kept != path:
            found.again[path] = kept
    found.paths = sorted(first.values())


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
# What PyAV reads.
_BY_PYAV = (
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
    ).union(_BY_PYAV)


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


def find_tables(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """Those of the files that are below a folder, at any depth, by name; the shallowest of each."""
    wanted = set(names)
    found = [path for path in find_files(folder).paths if path.name in wanted]
    deepest_first = sorted(found, key=lambda path: (len(path.parts), path), reverse=True)
    return {path.name: path for path in deepest_first}


def find_table(folder: Path, names: tuple[str, ...], info: DatasetInfo) -> Path:
    """File of one of these names at any depth of a folder, the shallowest."""
    found = find_tables(folder, names).values()
    if not found:
        if info.downloadable:
            how = f"Fetch it with 'skmer datasets fetch {info.name}', or get it"
        else:
            how = f"The {info.title} cannot be downloaded by a program: get it"
        raise DatasetNotFoundError(
            f"There is no {' or '.join(names)} in {folder}. {how} from {info.url} and unpack it "
            f"in {folder}."
        )
    return min(found, key=lambda path: (len(path.parts), path))


def match_audio(frame, folder: Path, info: DatasetInfo, *, column="song", exact: bool = False):
    """Table with a column path in front, of the songs whose audio is there.

    `column` has the codes of the songs, with which names begin, or are where `exact` is true.
    """
    codes = frame[column].astype(str)
    paths = codes.map(match_songs(codes, folder, exact=exact))
    missing = codes[paths.isna()]
    if len(missing) == len(frame):
        name = "is" if exact else "begins with"
        raise DatasetNotFoundError(
            f"There is no clip of the {info.title} in {folder}. Get the audio from {info.url} and "
            f"unpack it there; a name {name} the code of the song, such as {codes.iloc[0]}."
        )
    if len(missing):
        warnings.warn(
            f"{len(missing)} of {len(frame)} clips of the {info.title} are missing in {folder}, "
            f"{shorten(missing)}; the {len(frame) - len(missing)} others are used. Get them from "
            f"{info.url}.",
            IncompleteDatasetWarning,
            stacklevel=5,
        )
    frame.insert(0, "path", paths.map(str, na_action="ignore"))
    return frame[paths.notna()].reset_index(drop=True)

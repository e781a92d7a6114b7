"""Audio files and tables below a folder, and the audio of songs by their codes."""

import os
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from skmer.datasets.registry import warn_caller
from skmer.exceptions import DatasetNotFoundError, IncompleteDatasetWarning, InputError
from skmer.utils import digest, messages

# Folders of file systems and desktops, whose files a person deleted or never made.
_TRASH = {"$recycle.bin", "@eadir", "__macosx", "lost+found", "system volume information"}
# Of libsndfile's formats without raw samples, whose rate is not in the file, and MATLAB's files,
# which hold anything; below, of the second decoder's.
AUDIO_SUFFIXES = frozenset(
    (
        ".8svx", ".aif", ".aifc", ".aiff", ".au", ".avr", ".bwf", ".caf", ".flac", ".htk", ".ircam",
        ".mp2", ".mp3", ".mpga", ".nist", ".oga", ".ogg", ".opus", ".paf", ".pvf", ".rf64", ".sd2",
        ".sds", ".sf", ".snd", ".sph", ".svx", ".voc", ".w64", ".wav", ".wave", ".wve", ".xi",
        ".3ga", ".3gp", ".aac", ".ac3", ".amr", ".ape", ".dts", ".eac3", ".flv", ".m4a", ".m4b",
        ".m4r", ".mka", ".mkv", ".mov", ".mp4", ".mpc", ".spx", ".tta", ".weba", ".webm", ".wma",
        ".wv",
    )
)  # fmt: skip


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
        listed = ", ".join(f"{what} {n}" for what, n in sorted(counts.items()))
        return f"Left out: {listed}." if listed else ""


def find_files(folder: Path) -> FoundFiles:
    """Every file below a folder; a linked folder counts where its own place is not below.

    Folders and files whose names begin with one dot, trash folders and broken links are left out.
    """
    found = FoundFiles()
    root = Path(os.path.realpath(folder))
    visited: set[str] = set()
    links: list[Path] = []
    starts = [folder]
    unreadable = ["folders that may not be read"]
    # Those that are no links come first.
    for start in starts:
        for place, folders, names in os.walk(
            start, onerror=lambda _: found.left_out.update(unreadable)
        ):
            real = os.path.realpath(place)
            # A link to a folder above leads back here, through what does not belong to this folder.
            if real in visited or (start is not folder and root.is_relative_to(real)):
                folders.clear()
                continue
            visited.add(real)
            shown = sorted(name for name in folders if not _hidden(name))
            found.left_out["hidden or trash folders"] += len(folders) - len(shown)
            starts += [Path(place, name) for name in shown if os.path.islink(f"{place}/{name}")]
            folders[:] = shown
            for name in names:
                _take(Path(place, name), links, found)
    # One path of every file is kept, the one that is no link where there is one.
    kept = found.paths if links else []
    first = {os.path.realpath(path.parent) + os.sep + path.name: path for path in kept}
    for link in sorted(links):
        file = first.setdefault(os.path.realpath(link), link)
        if file == link:
            found.paths.append(link)
        else:
            found.again[link] = file
    found.paths.sort()
    return found


def _take(path: Path, links: list, found: FoundFiles) -> None:
    if path.name.startswith("._"):
        found.left_out["resource forks (._*)"] += 1
    elif _hidden(path.name):
        found.left_out["hidden files"] += 1
    elif os.path.isfile(path):
        (links if os.path.islink(path) else found.paths).append(path)
    else:
        found.left_out["broken links" if path.is_symlink() else "pipes and devices"] += 1


def _hidden(name: str) -> bool:
    # "...And Oceans" is a band.
    return (name.startswith(".") and not name.startswith("..")) or name.lower() in _TRASH


def find_audio_files(folder: Path) -> FoundFiles:
    """Every audio file below a folder, as `find_files` finds them."""
    found = find_files(folder)
    audio = [path for path in found.paths if path.suffix.lower() in AUDIO_SUFFIXES]
    others = Counter({"files that are not audio": len(found.paths) - len(audio)})
    kept = set(audio)
    again = {link: path for link, path in found.again.items() if path in kept}
    return FoundFiles(audio, found.left_out + others, again)


def find_tables(folder: Path, readers) -> dict[str, Path]:
    """Those of the files that are below a folder, at any depth, by name.

    Each name comes with the function that reads the published table, a row a song. Of different
    files of one name, as where a user keeps a table of one's own beside the published one, it is
    the one that can be read and whose songs are those of the other tables.
    """
    names = {name.lower(): name for name in readers}
    found: dict[str, list[Path]] = {}
    for path in sorted(find_files(folder).paths, key=lambda path: (len(path.parts), path)):
        if path.name.lower() in names:
            found.setdefault(names[path.name.lower()], []).append(path)
    for name, paths in found.items():
        first = {digest.file_digest(path): path for path in reversed(paths) if len(paths) > 1}
        found[name] = [path for path in paths if path in first.values() or not first]
    if all(len(paths) == 1 for paths in found.values()):
        return {name: path for name, (path,) in found.items()}
    read: dict = {}
    for name, paths in found.items():
        for path in paths:
            # What cannot be read is not the published table.
            with suppress(ValueError):
                read[path] = readers[name](path)
    of_table = {path: set(table.index) for path, table in read.items()}
    alone = [of_table.get(paths[0], set()) for paths in found.values() if len(paths) == 1]
    songs = set().union(*(alone if any(alone) else of_table.values()))
    return {name: _choose_table(paths, read, songs, folder) for name, paths in found.items()}


def _choose_table(paths: list[Path], read: dict, songs: set, folder: Path) -> Path:
    """Return the one of different files of one name that has the songs of the other tables."""
    known = [path for path in paths if len(read.get(path, ()))]
    distances = {path: len(songs ^ set(read[path].index)) for path in known}
    if not distances:
        return paths[0]
    first, *others = (path for path in distances if distances[path] == min(distances.values()))
    other = next((path for path in others if not read[path].equals(read[first])), None)
    if other is not None:
        raise InputError(
            f"There are two different files {first.name} in {folder}, '{first.relative_to(folder)}'"
            f" and '{other.relative_to(folder)}', with the songs of the published table; move away "
            "what is not the published one."
        )
    return first


def not_in_place(what: str, folder: Path, info, archive="") -> DatasetNotFoundError:
    """Error that states what is missing, where it comes from and where it goes."""
    if info.downloadable:
        how = f", or fetch it with 'skmer datasets fetch {info.name}'"
    else:
        how = "; the publisher does not let programs download it"
    return DatasetNotFoundError(
        f"There is no {what} of {info.title} in {folder}. Get {archive or 'it'} from {info.url} "
        f"and unpack it there{how}."
    )


def match_songs(songs, audio, *, exact=False) -> dict[str, Path]:
    """Audio files by the code of the song that their name is, or begins with.

    Of two codes that fit, the longer counts: ``A061-66.mp3`` is the song A061-66, not A061.
    """
    codes = {song.upper(): song for song in songs}
    found: dict[str, Path] = {}
    others: dict[str, Path] = {}
    # The name that is the code comes before those that begin with it.
    for path in sorted(audio, key=lambda path: len(path.stem)):
        stem = path.stem.upper()
        ends = [] if exact else [match.start() for match in re.finditer(r"[^0-9A-Z]", stem)]
        starts = (stem[:end] for end in [len(stem), *reversed(ends)])
        song = next((codes[start] for start in starts if start in codes), None)
        if song is not None and found.setdefault(song, path) != path:
            others[song] = path
    if others:
        song = min(others)
        warn_caller(
            f"{messages.counted(len(others), 'song has', 'songs have')} several audio files, such "
            f"as '{found[song]}', which is used, and '{others[song]}'; move away what is not of "
            "the dataset."
        )
    return found


def match_audio(frame, folder: Path, info, *, exact=False, would_be=None):
    """Table with a column path in front, of the songs whose audio is there.

    The first column has the codes of the songs, with which names begin, or which they are where
    `exact` is true. With `would_be` no audio is needed: it gives the place of a code.
    """
    if len(frame) != info.n_clips:
        warn_caller(
            f"The tables in {folder} list {messages.counted(len(frame), 'song')}, and {info.title} "
            f"as published has {info.n_clips}; those listed are used. Get the published tables "
            f"from {info.url}.",
            IncompleteDatasetWarning,
        )
    codes = frame.iloc[:, 0].astype(str)
    found = match_songs(codes, find_audio_files(folder).paths, exact=exact)
    if would_be is not None:
        found = {code: folder / would_be(code) for code in codes} | found
    paths = codes.map(found)
    missing = codes[paths.isna()]
    if len(missing) == len(frame):
        name = "is" if exact else "begins with"
        raise DatasetNotFoundError(
            f"There is no clip of {info.title} in {folder}. Get the audio from {info.url} and "
            f"unpack it there; a name {name} the code of the song, such as {codes.iloc[0]}."
        )
    if len(missing):
        warn_caller(
            f"{len(missing)} of {len(frame)} clips of {info.title} are missing in {folder}, "
            f"{messages.shorten(missing)}; the {len(frame) - len(missing)} others are used. Get "
            f"them from {info.url}.",
            IncompleteDatasetWarning,
        )
    frame.insert(0, "path", paths.map(str, na_action="ignore"))
    return frame[paths.notna()].reset_index(drop=True)

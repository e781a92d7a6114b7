"""Files below a folder: links followed once, what is left out counted."""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

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

"""From the words after `skmer extract` to a list of files."""

import glob
import os
from pathlib import Path

from skmer.exceptions import InputError
from skmer.utils import expand_path

SUFFIXES = (
    ".aif", ".aiff", ".au", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav",
)  # fmt: skip


# What the table calls its own, so that a column of the user's gets another name.
_TAKEN = (
    "columns",
    "digest",
    "duration",
    "embeddings",
    "error",
    "frame",
    "notes",
    "settings",
    "sr",
    "time",
)


def find_clips(inputs: list[str]) -> dict[str, list]:
    """Return the column path, and every other column of the csv files among the inputs.

    A file that is named twice is there once. Columns that the table has itself are called
    ``input_...``.
    """
    found: dict[str, dict[str, str]] = {}
    for text in inputs:
        for row in _rows(text):
            found.setdefault(row["path"], row)
    rows = list(found.values())
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {
        f"input_{name}" if name in _TAKEN else name: [row.get(name) for row in rows]
        for name in names
    }


def _rows(text: str) -> list[dict[str, str]]:
    path = expand_path(text)
    if path.is_dir():
        rows = [{"path": str(clip)} for clip in sorted(path.rglob("*")) if _is_clip(clip)]
        if not rows:
            raise InputError(f"The folder '{text}' holds no audio file (of {', '.join(SUFFIXES)}).")
        return rows
    if path.suffix.lower() == ".csv":
        return _csv_rows(path)
    if path.is_file():
        return [{"path": str(path)}]
    matches = sorted(glob.glob(str(path), recursive=True)) if glob.has_magic(text) else []
    if not matches:
        raise InputError(f"There is no file, folder or match of a pattern '{text}'.")
    return [{"path": match} for match in matches if os.path.isfile(match)]


def _is_clip(path: Path) -> bool:
    """Whether a file in a folder is meant; names with a dot in front are not."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def _csv_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a csv file; what it lists need not exist, the table will say so."""
    from skmer.datasets._csv import read_table

    frame = read_table(path)
    if "path" not in frame or (frame["path"].str.strip() == "").any() or frame.empty:
        raise InputError(
            f"The csv file '{path}' must have a column 'path', with a path in every row. "
            f"Got the columns {list(frame.columns)} and {len(frame)} rows."
        )
    frame["path"] = [
        os.path.normpath(path.parent / expand_path(item.strip())) for item in frame["path"]
    ]
    return frame.to_dict("records")

"""From the words after `skmer extract` to a list of files."""

import glob
import os
from pathlib import Path

from skmer.exceptions import InputError
from skmer.utils import expand_path

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


def find_clips(inputs: list[str]) -> tuple[dict[str, list], list[str]]:
    """Return the column path and every other column of the csv files, and what was left out.

    A file that is named twice is there once. Columns that the table has itself are called
    ``input_...``. What folders hold beside audio is told in one line a folder.
    """
    found: dict[str, dict[str, str]] = {}
    left_out: list[str] = []
    for text in inputs:
        for row in _rows(text, left_out):
            found.setdefault(row["path"], row)
    rows = list(found.values())
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {
        f"input_{name}" if name in _TAKEN else name: [row.get(name) for row in rows]
        for name in names
    }
    return columns, left_out


def _rows(text: str, left_out: list[str]) -> list[dict[str, str]]:
    path = expand_path(text)
    if path.is_dir():
        return _folder_rows(path, left_out)
    if path.suffix.lower() == ".csv":
        return _csv_rows(path)
    if path.is_file():
        return [{"path": str(path)}]
    matches = sorted(glob.glob(str(path), recursive=True)) if glob.has_magic(text) else []
    if not matches:
        raise InputError(f"There is no file, folder or match of a pattern '{text}'.")
    return [{"path": match} for match in matches if os.path.isfile(match)]


def _folder_rows(path: Path, left_out: list[str]) -> list[dict[str, str]]:
    """A row for every audio file below a folder."""
    from skmer.datasets.in_place._audio import find_audio_files

    found = find_audio_files(path)
    described = found.describe_left_out()
    if not found.paths:
        raise InputError(
            f"The folder '{path}' holds no audio file that can be read. {described}".rstrip()
        )
    if described:
        left_out.append(f"{path}: {described}")
    return [{"path": str(clip)} for clip in found.paths]


def _csv_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a csv file; what it lists need not exist, the table will say so."""
    from skmer.datasets.tables._clips import read_clip_table

    return read_clip_table(path)[1].to_dict("records")

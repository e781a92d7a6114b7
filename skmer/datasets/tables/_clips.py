"""The user's own table of clips: which file each row means, and in which line a fault is."""

import os
from collections.abc import Sequence
from pathlib import Path

from skmer.datasets.tables._csv_file import SEPARATORS, CsvFile, read_csv_file
from skmer.exceptions import InputError
from skmer.utils._words import cut_middle, shorten


def read_clip_table(path: Path, path_column: str = "path", other_columns: Sequence[str] = ()):
    """A csv file, and its table with absolute paths in the column "path", in front.

    The files need not exist. A row with an empty cell in a column that is asked for, or with the
    file of another row, is an error that names the line.
    """
    file = read_csv_file(path, (path_column, *other_columns), fallback="windows-1252")
    if not file.rows:
        raise InputError(f"{path} must list at least one clip. Got a header and no rows.")
    frame = _named_columns(file)
    if path_column != "path" and "path" in frame:
        raise InputError(
            f"The column {path_column!r} of {path} becomes 'path', and there is another column of "
            "that name; rename one of them."
        )
    for name in (path_column, *other_columns):
        require_filled(file, frame[name])
    frame = frame.rename(columns={path_column: "path"})
    frame.insert(0, "path", [clip_path(path.parent, text) for text in frame.pop("path")])
    _refuse_repeats(file, frame, [name for name in other_columns if name in frame])
    return file, frame


def clip_path(folder: Path, text: str) -> str:
    """Absolute path of a clip as it is written in a table of the folder."""
    path = Path(text)
    if text.startswith("~"):
        try:
            path = path.expanduser()
        except RuntimeError:
            # There is no user of that name: the name of the file begins with a tilde.
            path = Path(text)
    return os.path.normpath(folder.absolute() / path)


def require_filled(file: CsvFile, column) -> None:
    """Raise where a cell of a column is empty, or goes over several lines."""
    empty = [line for line, cell in zip(file.lines, column) if cell == ""]
    if empty:
        raise InputError(
            f"Every row of {file.path} must have a {column.name!r}. It is empty in line "
            f"{shorten(empty)}."
        )
    long = [line for line, cell in zip(file.lines, column) if "\n" in cell or "\r" in cell]
    if long:
        raise InputError(
            f"A {column.name!r} in {file.path} must be on one line. It is not in the row that "
            f"begins in line {shorten(long)}; is a quotation mark not closed there?"
        )


def describe_reading(file: CsvFile) -> str:
    """Sentence about what was found out of a file: empty where it is as files should be."""
    told = []
    if file.separator != ",":
        told.append(f"separated by {SEPARATORS.get(file.separator, repr(file.separator))}")
    if file.encoding not in ("utf-8", "utf-8-sig"):
        told.append(f"in {file.encoding.upper()}")
    return f" The file was read as {' and '.join(told)}." if told else ""


def _named_columns(file: CsvFile):
    """The table without empty columns that have no name, which spreadsheets leave at the end."""
    frame = file.frame
    nameless = [i for i, name in enumerate(file.header) if not name]
    for line, row in zip(file.lines, file.rows):
        if any(row[i] for i in nameless):
            raise InputError(
                f"Every column of {file.path} with values must have a name in the first line. "
                f"Line {line} has a value in a column without one."
            )
    frame = frame.loc[:, [bool(name) for name in file.header]]
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise InputError(f"{file.path} must have every column once. Got {shorten(twice)} twice.")
    return frame


def _refuse_repeats(file: CsvFile, frame, labels: list[str]) -> None:
    """Raise where two rows name one file."""
    first: dict[str, int] = {}
    for row, path in enumerate(frame["path"]):
        before = first.setdefault(path, row)
        if before == row:
            continue
        one, other = (frame.loc[i, labels].tolist() for i in (before, row))
        said = [shorten(cells, width=60) for cells in (one, other)]
        differ = f" as {said[0]} and as {said[1]}" if one != other else ""
        raise InputError(
            f"{file.path} must list a clip once, or it may be trained on and tested on at once. "
            f"Lines {file.lines[before]} and {file.lines[row]} list {cut_middle(path, 120)}"
            f"{differ}."
        )

"""Csv files as they really are: other separators and encodings, told; no row lost or shifted."""

import codecs
import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from skmer.exceptions import DatasetNotFoundError, InputError
from skmer.utils.floats import parse_floats
from skmer.utils.messages import cut_middle, shorten

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}

_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    # Before UTF-16, whose mark it begins with.
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class CsvFile:
    """The cells of a csv file as text, without the blanks around them, and their lines.

    `guess` is the encoding where neither a mark nor the bytes themselves tell it.
    """

    path: Path
    separator: str
    encoding: str
    guess: bool
    header: list[str]
    rows: list[list[str]]
    lines: list[int]

    @cached_property
    def frame(self):
        """The rows as a DataFrame of text."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=self.header, dtype=object)


def read_csv_file(
    path: Path,
    needed: Sequence[str],
    *,
    separators: Sequence[str] = tuple(SEPARATORS),
    ragged: Literal["no", "short", "any"] = "no",
    one_line_a_row: bool = False,
    fallback: str | None = None,
) -> CsvFile:
    """Read a csv file whose header has the `needed` columns, which also tell the separator.

    Rows may be of the header's length only; "short" ones get empty cells at the end, and with
    "any" what is too much joins the last column. `one_line_a_row` takes quotation marks that
    do not pair on a line for part of the text. `fallback` is the encoding to take for bytes that
    are not UTF-8 and bear no mark; without it they are an error.
    """
    text, encoding, guess = read_text(path, fallback)
    separator = _find_separator(path, text, needed, separators)
    records = _records(path, text, separator, one_line_a_row)
    header: list[str] = []
    rows, lines = [], []
    for line, cells in records:
        cells = [cell.strip() for cell in cells]
        if not header:
            header = cells
            _check_header(path, header, needed, separator)
            continue
        rows.append(_fit(path, line, cells, header, ragged, separator))
        lines.append(line)
    return CsvFile(path, separator, encoding, guess, header, rows, lines)


def read_text(path: Path, fallback: str | None = None) -> tuple[str, str, bool]:
    """Text of a file, its encoding, and whether that is the fallback."""
    if not path.is_file():
        raise DatasetNotFoundError(f"There is no csv file {path}. Check the path.")
    content = path.read_bytes()
    marked = next((name for mark, name in _BOMS.items() if content.startswith(mark)), None)
    tried = [marked] if marked else ["utf-8", *([fallback] if fallback else [])]
    for encoding in tried:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
        else:
            break
    else:
        raise InputError(
            f"{path} must be a csv file in {' or '.join(map(str.upper, tried))}. Got other bytes, "
            f"the first in line {line}; save it again as UTF-8."
        )
    if "\0" in text:
        raise InputError(
            f"{path} must be a csv file in UTF-8. Got zero bytes, as in a workbook, or in UTF-16 "
            "without its mark; save it again as a csv file in UTF-8."
        )
    if not text.strip():
        raise InputError(f"{path} must list at least one clip. Got an empty file.")
    return text, encoding, encoding == fallback


def _find_separator(path, text, needed, separators) -> str:
    """The separator that makes the needed names cells of the header."""
    match = re.match(r"sep=(.)\r?\n", text)
    if match:
        return match[1]
    first = next(line for line in text.splitlines() if line.strip())
    for separator in separators:
        cells = next(csv.reader([first], delimiter=separator), [])
        if set(needed) <= {cell.strip() for cell in cells}:
            return separator
    return max(separators, key=first.count) if any(map(first.count, separators)) else separators[0]


def _records(path, text, separator, one_line_a_row) -> Iterator[tuple[int, list[str]]]:
    """Number of the first line and cells of every record that is not blank."""
    text = re.sub(r"\Asep=.\r?\n", "\n", text)
    if one_line_a_row:
        text = "\n".join(_pair_quotes(line, separator) for line in text.splitlines())
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{path} must be a csv file. The row that begins in line {line} is none: {error}; "
            "a value with a quotation mark in it must be quoted, and the mark doubled."
        ) from error


def _pair_quotes(line: str, separator: str) -> str:
    """The line, without its quotation marks where they do not pair."""
    try:
        list(csv.reader([line], delimiter=separator, strict=True))
    except csv.Error:
        return line.replace('"', "")
    return line


def _check_header(path, header, needed, separator) -> None:
    missing = [name for name in needed if name not in header]
    if missing:
        names = " and ".join(map(repr, needed))
        columns = "a column" if len(needed) == 1 else "the columns"
        raise InputError(
            f"{path} must have {columns} {names}, separated by "
            f"{SEPARATORS.get(separator, repr(separator))}. It lacks {shorten(missing)}. Got "
            f"{[name[:30] for name in header[:8]]}; the first line of the file names the columns."
        )
    for name in needed:
        if header.count(name) > 1:
            raise InputError(f"{path} must have one column {name!r}. Got {header.count(name)}.")


def _fit(path, line, cells, header, ragged, separator) -> list[str]:
    """The cells of a row as many as the header's, or an error that names the line."""
    missing = len(header) - len(cells)
    if missing == 0:
        return cells
    if missing > 0 and ragged != "no":
        return cells + [""] * missing
    if ragged == "any":
        last = len(header) - 1
        return [*cells[:last], ", ".join(filter(None, cells[last:]))]
    if missing < 0 and ragged == "short" and not any(cells[len(header) :]):
        return cells[: len(header)]
    raise InputError(
        f"Every row of {path} must have {len(header)} values, as its header. Line {line} has "
        f"{len(cells)}; a value that holds one of the {SEPARATORS.get(separator, separator)} must "
        "be in quotation marks, and none may stand at the end of a row."
    )


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


QUADRANTS = ("Q1", "Q2", "Q3", "Q4")


def normalise_name(name: str) -> str:
    """Artist's name without differences in case and white space."""
    return " ".join(name.casefold().split())


def artist_groups(artists, songs):
    """Normalised artists; a song without one is a group of its own."""
    groups = artists.map(normalise_name)
    return groups.where(groups != "", songs.astype(str))


def read_quadrants(values: Iterable[str], table: str) -> list[str]:
    """Quadrants written as Q1, q1, 1 or 1.0."""
    values = list(values)
    if not values:
        raise InputError(f"{table} must list songs. Got none; put the published file there.")
    matches = [re.fullmatch(r"Q?([1-4])(\.0)?", str(value).strip().upper()) for value in values]
    for value, match in zip(values, matches):
        if match is None:
            raise InputError(
                f"The column 'Quadrant' of {table} must hold Q1, Q2, Q3, Q4 or 1, 2, 3, 4. "
                f"Got {cut_middle(repr(value), 50)}; put the published file there."
            )
    return [f"Q{match[1]}" for match in matches if match]


def quadrants_of(arousal, valence, middle: float) -> list[str]:
    """Quadrants of Russell's plane: what is not above the middle is low."""
    names = {(True, True): "Q1", (True, False): "Q2", (False, False): "Q3", (False, True): "Q4"}
    return [names[a > middle, v > middle] for a, v in zip(arousal, valence)]


ANEW = "get the published file anew"


def numbers(values, table: str) -> np.ndarray:
    """A column, or a frame, of text as floats; empty cells are NaN."""
    try:
        return parse_floats(values.where(values != "", "nan").to_numpy(dtype=object))
    except ValueError as error:
        raise InputError(
            f"{table} must hold numbers. Got: {cut_middle(str(error), 100)}; {ANEW}."
        ) from error


def by_song(frame, column: str, table: str):
    """A table by the code of the song, each there once."""
    codes = frame[column]
    if (codes == "").any():
        raise InputError(f"{table} must have a {column!r} in every row; {ANEW}.")
    twice = codes[codes.duplicated()]
    if len(twice):
        raise InputError(
            f"{table} must hold every song once. Got {shorten(twice)} more than once; {ANEW}."
        )
    return frame.set_index(column)


def require_songs(songs, table, name: str, of: str) -> None:
    """Raise where the table `name` lacks songs that the table `of` has."""
    missing = songs.difference(table)
    if len(missing):
        raise InputError(
            f"{name} must hold every song of {of}. It lacks the songs {shorten(missing)}, "
            f"{len(missing)} of {len(songs)}; {ANEW}."
        )

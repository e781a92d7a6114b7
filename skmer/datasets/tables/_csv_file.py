"""Csv files as they really are: other separators and encodings, told; no row lost or shifted."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from skmer.exceptions import DatasetNotFoundError, InputError
from skmer.utils._words import shorten

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

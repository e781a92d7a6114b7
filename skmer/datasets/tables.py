"""Csv files of clips and of annotations: no row is lost or shifted, and numbers have a scale."""

import codecs
import csv
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice, permutations
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from skmer.exceptions import DatasetNotFoundError, InputError
from skmer.utils import floats, labels, messages

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}

_MARKS = (
    # Before UTF-16, whose mark it begins with.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)


class CsvFile(NamedTuple):
    """The cells of a csv file as text without the blanks around them, and the lines of its rows."""

    path: Path
    separator: str
    encoding: str
    lines: list[int]
    frame: Any

    def describe(self) -> str:
        """Sentence about how the file was read; empty for commas and UTF-8."""
        found = []
        if self.separator != ",":
            found.append(f"separated by {_name(self.separator)}")
        if self.encoding not in ("utf-8", "utf-8-sig"):
            found.append(f"in {self.encoding.upper()}")
        return f" The file was read as {' and '.join(found)}." if found else ""

    def numbers(self, column: str, *, gaps: bool = False) -> np.ndarray:
        """A column as finite numbers, NaN where a gap may be; an error names the line."""
        cells = self.frame[column]
        found = np.array([_to_number(cell) for cell in cells])
        wrong = ~np.isfinite(found) & ~(cells.str.lower().isin(_GAPS).to_numpy() & gaps)
        if wrong.any():
            raise InputError(
                f"Every {column!r} in {self.path} must be a number, with a point for its decimals. "
                f"Got {cells.iloc[wrong.argmax()]!r} in line {self.lines[wrong.argmax()]}."
            )
        return found

    def named_columns(self):
        """The table without empty columns that have no name, as spreadsheets leave at the end."""
        named = self.frame.columns != ""
        filled = (self.frame.loc[:, ~named] != "").any(axis=1).to_numpy()
        if filled.any():
            raise InputError(
                f"Every column of {self.path} with values must have a name in the first line. "
                f"Line {self.lines[filled.argmax()]} has a value in a column without one."
            )
        return self.frame.loc[:, named].copy()

    def require_filled(self, column, *, may_be_empty: bool) -> None:
        """Raise where a cell of a column is empty, or goes over several lines."""
        empty = [line for line, cell in zip(self.lines, column) if cell == ""]
        if empty and not may_be_empty:
            raise InputError(
                f"Every row of {self.path} must have a {column.name!r}. It is empty in line "
                f"{messages.shorten(empty)}."
            )
        long = [line for line, cell in zip(self.lines, column) if "\n" in cell or "\r" in cell]
        if long:
            raise InputError(
                f"A {column.name!r} in {self.path} must be on one line. It is not in the row that "
                f"begins in line {messages.shorten(long)}; is a quotation mark not closed there?"
            )


_GAPS = ("", "nan", "na")


def _to_number(cell: str) -> float:
    """The number in a cell, NaN where there is none; 1_0 is a number in programs only."""
    try:
        return np.nan if "_" in cell else float(cell)
    except ValueError:
        return np.nan


def read_csv_file(path: Path, needed, **options) -> CsvFile:
    """Read the whole of a csv file; see `read_csv_parts`."""
    return next(read_csv_parts(path, needed, size=None, **options))


def read_csv_parts(
    path: Path,
    needed,
    *,
    separators=tuple(SEPARATORS),
    ragged="no",
    one_line_a_row=False,
    fallback=None,
    advice: dict[str, str] | None = None,
    size: int | None = 2**14,
):
    """Read a csv file whose header has the `needed` columns, which also determine the separator.

    It may be of any length: its rows come `size` at a time; None: all at once. pandas fills rows
    that are too short without a warning and cannot name the line of a row, so the rows are split by
    the csv module. They have the length of the header; "short" ones get empty cells at the end, and
    with "any" the cells beyond the header join the last column. `one_line_a_row` takes quotation
    marks that do not pair on a line for part of the text. `fallback` is the encoding of bytes that
    are not UTF-8 and bear no mark; None: an error. `advice` has the parameters to give, by the name
    of a column that is not there.
    """
    import pandas as pd

    encoding = _find_encoding(path, fallback)
    # A cell may be as long as the file; the module's own limit is 131072 characters.
    csv.field_size_limit(max(csv.field_size_limit(), path.stat().st_size))
    with path.open(encoding=encoding, newline="") as stream:
        start = [stream.readline()]
        while start[-1] and not start[-1].strip():
            start.append(stream.readline())
        if not start[-1]:
            raise InputError(f"{path} must list at least one clip. Got an empty file.")
        # Excel's own first line.
        mark = re.fullmatch(r"sep=(.)\r?\n", start[-1])
        separator = mark[1] if mark else _find_separator(start[-1], needed, separators)
        read = partial(_pair_quotes, separator=separator) if one_line_a_row else str
        lines = map(read, chain(["\n"] if mark else start, stream))
        reader = csv.reader(lines, delimiter=separator, strict=True)
        rows = _read_rows(path, reader, needed, separator, ragged, advice or {})
        _, header = next(rows, (0, []))
        parts = iter(lambda: list(islice(rows, size)), [])
        for part in chain([next(parts, [])], parts):
            frame = pd.DataFrame([cells for _, cells in part], columns=header, dtype=object)
            yield CsvFile(path, separator, encoding, [line for line, _ in part], frame)


def _read_rows(path, reader, needed, separator, ragged, advice):
    """Yield the cells of the header and of each row, with the line where it begins."""
    header: list[str] = []
    line = 1
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if cells and not header:
                # Letters with marks are two in names from a Mac.
                asked = {labels.plain_text(name): name for name in needed}
                header = [asked.get(labels.plain_text(cell), cell) for cell in cells]
                _check_header(path, header, needed, separator, advice)
                yield line, header
            elif cells:
                yield line, _fit(path, line, cells, len(header), ragged, separator)
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{path} must be a csv file. The row that begins in line {line} is none: {error}; "
            "a value with a quotation mark in it must be quoted, and the mark doubled."
        ) from error


def _name(separator: str) -> str:
    return SEPARATORS.get(separator, repr(separator))


def _find_encoding(path: Path, fallback: str | None) -> str:
    """The encoding of a file, by its mark or its bytes."""
    if not path.is_file():
        raise DatasetNotFoundError(f"There is no csv file {path}. Check the path.")
    with path.open("rb") as file:
        start = file.read(2**20)
        marked = next((name for mark, name in _MARKS if start.startswith(mark)), None)
        blocks = chain([start], iter(partial(file.read, 2**20), b""))
        if not marked and any(b"\0" in block for block in blocks):
            raise InputError(
                f"{path} must be a csv file in UTF-8. Got zero bytes, as in a workbook, in a "
                "compressed file, or in UTF-16 without its mark; save it as a csv file in UTF-8."
            )
    tried = [marked] if marked else ["utf-8", *filter(None, [fallback])]
    for encoding in tried:
        with suppress(UnicodeDecodeError), path.open(encoding=encoding, newline="") as stream:
            while stream.read(2**20):
                pass
            return encoding
    try:
        path.read_bytes().decode(tried[-1])
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
    raise InputError(
        f"{path} must be a csv file in {' or '.join(map(str.upper, tried))}. Got other bytes, "
        f"the first in line {line}; save it again as UTF-8."
    )


def _find_separator(first: str, needed, separators) -> str:
    """The separator that makes the needed names cells of the header."""
    for separator in separators:
        cells = next(csv.reader([first], delimiter=separator), [])
        if needed and set(needed) <= {cell.strip() for cell in cells}:
            return separator
    return max(separators, key=first.count)


def _pair_quotes(line: str, separator: str) -> str:
    """The line, without its quotation marks where they do not pair."""
    try:
        list(csv.reader([line], delimiter=separator, strict=True))
    except csv.Error:
        return line.replace('"', "")
    return line


def _check_header(path, header, needed, separator, advice) -> None:
    missing = [name for name in needed if name not in header]
    if missing:
        to_give = "".join(f" Give {advice[name]}." for name in missing if name in advice)
        names = (
            f"{'a column' if len(needed) == 1 else 'the columns'} {' and '.join(map(repr, needed))}"
        )
        raise InputError(
            f"{path} must have {names}, separated by {_name(separator)}. It lacks "
            f"{messages.shorten(missing)}. Got {messages.shorten(map(repr, header), 8)}; the first "
            f"line of the file names the columns.{to_give}"
        )
    for name in needed:
        if header.count(name) > 1:
            raise InputError(f"{path} must have one column {name!r}. Got {header.count(name)}.")


def _fit(path, line, cells, n_columns, ragged, separator) -> list[str]:
    """The cells of a row, as many as the columns, or an error that names the line."""
    missing = n_columns - len(cells)
    if missing >= 0 and (not missing or ragged != "no"):
        return cells + [""] * missing
    if ragged == "any":
        return [*cells[: n_columns - 1], ", ".join(filter(None, cells[n_columns - 1 :]))]
    if missing < 0 and ragged == "short" and not any(cells[n_columns:]):
        return cells[:n_columns]
    raise InputError(
        f"Every row of {path} must have {n_columns} values, as its header. Line {line} has "
        f"{len(cells)}; a value that holds one of the {_name(separator)} must be in quotation "
        "marks, and none may stand at the end of a row."
    )


@dataclass(frozen=True)
class AffectScale:
    """The unit of arousal and valence: a name and the ends of the scale.

    Labels of different scales are never comparable as they stand, so a dataset hands out
    the scale with the labels.

    Parameters
    ----------
    name : str
        What the labels are, such as "static".
    low, high : float
        The ends of the scale.

    Examples
    --------
    >>> from skmer.datasets import AffectScale
    >>> static, dynamic = AffectScale("static", 1, 9), AffectScale("dynamic", -1, 1)
    >>> static.convert([1, 5, 9], dynamic).tolist()
    [-1.0, 0.0, 1.0]
    >>> str(static)
    'static, 1 to 9'
    """

    name: str
    low: float
    high: float

    def __post_init__(self):
        low, high = floats.check_floats([self.low, self.high], "low and high of a scale")
        if not low < high:
            raise InputError(f"'low' must be below 'high'. Got {low:g} and {high:g}.", param="low")

    def __str__(self) -> str:
        return f"{self.name}, {self.low:g} to {self.high:g}"

    def check(self, values, *, what: str = "labels") -> np.ndarray:
        """Labels as a float array, if all of them lie on the scale.

        Parameters
        ----------
        values : array-like of float
            The labels, of any shape.
        what : str, default="labels"
            What they are called in the message.

        Returns
        -------
        values : ndarray of float
            The same labels.

        Raises
        ------
        ValueError
            If a label is not finite or not on the scale.
        """
        array = floats.to_floats(values, f"The {what}")
        wrong = array[~((array >= self.low) & (array <= self.high))]
        if wrong.size:
            others = messages.counted(wrong.size - 1, "other")
            raise InputError(
                f"The {what} must lie on the scale '{self}'. Got {wrong[0]:g} and {others} outside "
                "it; are they on another scale?",
                param="values",
            )
        return array

    def convert(self, values, to: "AffectScale") -> np.ndarray:
        """Labels moved linearly to another scale, end to end.

        Parameters
        ----------
        values : array-like of float
            Labels on this scale, of any shape.
        to : AffectScale
            The other scale.

        Returns
        -------
        values : ndarray of float
            Labels on the other scale, of the same shape.

        Raises
        ------
        ValueError
            If a label is not on this scale.
        """
        share = (self.check(values) - self.low) / (self.high - self.low)
        return to.low + share * (to.high - to.low)


# Of Emotion in Music and DEAM.
SCALES = {
    "static": AffectScale("static", 1.0, 9.0),
    "dynamic": AffectScale("dynamic", -1.0, 1.0),
}
AXES = ("arousal", "valence")
# What the target of a dataset may be, and which labels its quadrants may be of.
Target = Literal["quadrant", "static", "dynamic"]
Rule = Literal["dynamic", "static"]
ANEW = "get the published file again"
_SAMPLE = re.compile(r"sample_([0-9]+)ms")


class PublishedTable(NamedTuple):
    """What a published table of songs must hold; `read` checks it.

    Parameters
    ----------
    song : str
        The column with the code of the song; every song is there once.
    columns : dict of str to str
        The columns that it must have, and what they are called here.
    scale : AffectScale
        The scale of the columns, which are numbers; None: they are text.
    numbered : bool
        Whether the codes of the songs are numbers.
    n_times : int
        Its columns are times instead, ``sample_15000ms`` and so on, as many as that; 0: as many as
        there are, and rows end where their song does.
    options : dict
        How the file is to be read.
    """

    song: str
    columns: dict[str, str] = {}
    scale: AffectScale | None = None
    numbered: bool = False
    n_times: int | None = None
    options: dict[str, Any] = {}

    def read(self, path: Path):
        """The table by song: columns by their names here, or times in seconds."""
        needed = [self.song, *self.columns]
        frame = read_csv_file(path, needed, **{"separators": ",", **self.options}).frame
        frame = index_songs(frame, self.song, path.name, numbered=self.numbered)
        if self.scale is not None and self.n_times is not None:
            return self._read_times(frame, path.name, self.scale)
        frame = frame[list(self.columns)].rename(columns=self.columns)
        if (scale := self.scale) is None:
            return frame
        what = f"labels in {path.name}"
        return frame.apply(
            lambda cells: scale.check(numbers(cells, path.name), what=f"{cells.name} {what}")
        )

    def _read_times(self, frame, name: str, scale: AffectScale):
        import pandas as pd

        times = {
            column: int(match[1]) / 1000 for column in frame if (match := _SAMPLE.fullmatch(column))
        }
        if len(times) != self.n_times if self.n_times else not times:
            wanted = f"{self.n_times} columns" if self.n_times else "columns"
            raise InputError(
                f"{name} must have {wanted} such as 'sample_15000ms'. Got {len(times)}; {ANEW}."
            )
        labels = numbers(frame[list(times)], name)
        given = labels if self.n_times else labels[~np.isnan(labels)]
        scale.check(given, what=f"labels in {name}")
        silent = frame.index[np.isnan(labels).all(axis=1)]
        if len(silent):
            raise InputError(f"{name} must have labels for every song. Song {silent[0]} has none.")
        index = pd.Index(times.values(), name="time")
        return pd.DataFrame(labels, frame.index, index).sort_index(axis=1)


def index_songs(frame, column: str, table: str, *, numbered: bool):
    """A table by the code of the song, each there once."""
    codes = frame[column]
    if (codes == "").any():
        raise InputError(f"{table} must have a {column!r} in every row; {ANEW}.")
    twice = codes[codes.duplicated()]
    if len(twice):
        raise InputError(
            f"{table} must hold every song once. Got {messages.shorten(twice)} more than once; "
            f"{ANEW}."
        )
    frame = frame.drop(columns=column)
    index = numbers(codes, table).astype(int) if numbered else codes
    return frame.set_axis(index, axis=0).rename_axis("song_id" if numbered else "song")


def numbers(cells, table: str) -> np.ndarray:
    """A column, or a frame, of text as floats; empty cells are NaN."""
    try:
        return floats.parse_floats(cells.where(cells != "", "nan").to_numpy(dtype=object))
    except ValueError as error:
        raise InputError(f"{table} must hold numbers. Got: {error}; {ANEW}.") from error


def require_same_songs(tables: dict) -> None:
    """Raise where one of several tables, by name, lacks a song of another."""
    for (of, needed), (name, having) in permutations(tables.items(), 2):
        missing = needed.index.difference(having.index)
        if len(missing):
            raise InputError(
                f"{name} must hold every song of {of}. It lacks the songs "
                f"{messages.shorten(missing)}, {len(missing)} of {len(needed)}; {ANEW}."
            )


QUADRANTS = ("Q1", "Q2", "Q3", "Q4")


def affect_target(frame, target: str, scales: dict, prefix: str, **dynamic) -> dict:
    """What `make_bunch` needs for quadrants, or for arousal and valence on one of the scales.

    The tables over time, by axis, get the order of the songs in the frame.
    """
    over_time = {name: table.loc[frame["song_id"]] for name, table in dynamic.items()}
    facts = {"dynamic": over_time} if over_time else {}
    if target == "quadrant":
        return facts | {"target_names": QUADRANTS, "scale": None}
    labels = frame[[f"{prefix}{axis}" for axis in AXES]]
    return facts | {"target_names": AXES, "target": labels, "scale": scales[target]}


def label_songs(frame, dynamic: dict, quadrants: str, middle: float):
    """A table by song with the means of its labels over time, its quadrants and its groups."""
    for axis in AXES:
        frame[f"dynamic_{axis}"] = dynamic[axis].mean(axis=1)
    arousal, valence = (frame[f"{quadrants}_{axis}"] for axis in AXES)
    frame["label"] = quadrants_of(arousal, valence, middle)
    frame["group"] = artist_groups(frame["artist"], frame.index)
    return frame.rename_axis("song_id").reset_index()


def read_quadrants(values, table: str) -> list[str]:
    """Quadrants written as Q1, q1, 1 or 1.0."""
    found = []
    for value in values:
        match = re.fullmatch(r"Q?([1-4])(\.0)?", str(value).strip().upper())
        if match is None:
            raise InputError(
                f"The column 'Quadrant' of {table} must hold Q1, Q2, Q3, Q4 or 1, 2, 3, 4. "
                f"Got {str(value)!r}; {ANEW}."
            )
        found.append(f"Q{match[1]}")
    if not found:
        raise InputError(f"{table} must list songs. Got none; {ANEW}.")
    return found


def quadrants_of(arousal, valence, middle: float) -> np.ndarray:
    """Quadrants of Russell's plane: what is not above the middle is low."""
    high = np.asarray(valence) > middle
    return np.where(
        np.asarray(arousal) > middle, np.where(high, "Q1", "Q2"), np.where(high, "Q4", "Q3")
    ).astype(object)


def artist_groups(artists, songs):
    """Artists without differences in case and white space; a song without one is its own group."""
    groups = artists.map(lambda name: " ".join(name.casefold().split()))
    return groups.where(groups != "", np.asarray(songs).astype(str))


def indicators(tags, names=None):
    """Table with a row for each clip and a column for each tag, 1 where the clip has it.

    With `names` the columns are those; tags beside them are an error.
    """
    import pandas as pd
    from sklearn.preprocessing import MultiLabelBinarizer

    tags = list(tags)
    found = set().union(*tags)
    if names is not None and not found <= set(names):
        unknown = messages.shorten(map(repr, sorted(found - set(names))))
        raise InputError(f"The tags must be among those that are published. Got {unknown}.")
    binarizer = MultiLabelBinarizer(classes=sorted(found) if names is None else names)
    return pd.DataFrame(binarizer.fit_transform(tags), columns=binarizer.classes_)


def describe_split(groups, split) -> str:
    """Text about artists on both sides of a published split, from the data at hand."""
    test = split == "test"
    shared = test & groups.isin(groups[~test])
    return (
        f"\n.. rubric:: The split of the data at hand\n\nOf the {test.sum()} test songs, "
        f"{shared.sum()} are by an artist who is also in the rest of the {len(groups)} songs "
        f"({groups[shared].nunique()} artists).\n"
    )

"""Targets over time in csv files, in both forms that are published.

Wide, as DEAM and Emotion in Music have them: a row a clip, a column a time, ``sample_15000ms``.
Long, as PMEmo has them: a row a moment, with its time in seconds.
"""

import re

import numpy as np

from skmer.datasets.tables import CsvFile
from skmer.exceptions import InputError
from skmer.utils.messages import shorten

# The columns of a long table that have the times, where none is named.
TIME_COLUMNS = ("time", "frameTime")
_TIME = r"(?P<time>[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?P<unit>ms|s)"
_WIDE = re.compile(rf"(?:(?P<target>.+?)[_ ])??(?:sample_)?{_TIME}", re.IGNORECASE)


def read_curves(file: CsvFile, key: str, columns: dict[str, str], time_column: str | None):
    """Return a frame for each target: a row for each key of the file, a column for each time [s].

    `columns` has the name of the target's column, or for a wide table what its columns begin with.
    """
    if time_column is None:
        time_column = next((name for name in TIME_COLUMNS if name in file.frame), None)
    if time_column is None:
        return _read_wide(file, key, columns)
    return _read_long(file, key, columns, time_column)


def _in_seconds(times, unit: str):
    # Sums of steps, as 0.1 + 0.2, are the same moments as the decimals of another table.
    return np.round(times / 1000 if unit.lower() == "ms" else times, 6)


def _read_long(file: CsvFile, key: str, columns: dict[str, str], time_column: str) -> dict:
    lacking = [column for column in (time_column, *columns.values()) if column not in file.frame]
    if lacking:
        raise InputError(
            f"{file.path} must have the columns {shorten([time_column, *columns.values()])}. It "
            f"lacks {shorten(lacking)}. Got {shorten(map(repr, file.frame), 8)}.",
            param="target_columns",
        )
    unit = "ms" if time_column.lower().endswith("ms") else "s"
    times = _in_seconds(file.numbers(time_column), unit)
    table = file.frame[[key]].assign(time=times)
    _require_once(file, table, f"every time of a {key!r}")
    keys = file.frame[key].drop_duplicates()
    curves = {}
    for name, column in columns.items():
        table["value"] = file.numbers(column, gaps=True)
        curves[name] = table.pivot(index=key, columns="time", values="value").loc[keys]
    return curves


def _read_wide(file: CsvFile, key: str, columns: dict[str, str]) -> dict:
    import pandas as pd

    parts = {
        column: (match["target"], float(_in_seconds(float(match["time"]), match["unit"])))
        for column in file.frame
        if (match := _WIDE.fullmatch(column))
    }
    curves = {}
    for name, begin in columns.items():
        # Columns without a name of a target are those of the only one.
        chosen = {column: time for column, (one, time) in parts.items() if one == begin}
        if not chosen and len(columns) == 1:
            chosen = {column: time for column, (one, time) in parts.items() if one is None}
        if not chosen:
            raise InputError(
                f"{file.path} must have {begin!r} over time: columns such as '{begin}_15000ms' (or "
                "'sample_15000ms', in a file of one target), or a row for each moment with a "
                f"column of seconds, {' or '.join(map(repr, TIME_COLUMNS))} or the 'time_column' "
                f"parameter. Got {shorten(map(repr, file.frame), 8)}.",
                param="target_columns",
            )
        if len(set(chosen.values())) < len(chosen):
            raise InputError(f"{file.path} must have one column for each time of {begin!r}.")
        _require_once(file, file.frame[[key]], f"every {key!r}")
        values = [file.numbers(column, gaps=True) for column in chosen]
        curve = pd.DataFrame(np.column_stack(values), file.frame[key], list(chosen.values()))
        curves[name] = curve.sort_index(axis=1)
    return curves


def _require_once(file: CsvFile, table, what: str) -> None:
    again = table.duplicated().to_numpy()
    if again.any():
        raise InputError(
            f"{file.path} must have {what} once. Line {file.lines[again.argmax()]} has one again."
        )


def align_curves(curves: dict, file: CsvFile) -> tuple[dict, int]:
    """Return curves with the same times and gaps, and how many moments lack some target."""
    times = sorted({time for curve in curves.values() for time in curve})
    curves = {name: curve.reindex(columns=times) for name, curve in curves.items()}
    known = np.array([curve.notna().to_numpy() for curve in curves.values()])
    in_all = known.all(axis=0)
    empty = ~np.any(in_all, axis=1)
    if empty.any():
        raise InputError(
            f"Every clip in {file.path} must have a moment with {' and '.join(curves)}. That in "
            f"line {file.lines[empty.argmax()]} has none; leave it out."
        )
    used = in_all.any(axis=0)
    return (
        {name: curve.where(in_all).loc[:, used] for name, curve in curves.items()},
        int((known.any(axis=0) & ~in_all).sum()),
    )

"""Texts that a spreadsheet would run when it opens a csv file."""

import re

# What makes a spreadsheet take a text for a formula, but for numbers.
_FORMULA = re.compile(r"'*[=+\-@\t\r](?!(?<=[+-])(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z)")


def disarm(cell):
    """Put an apostrophe before a text that a spreadsheet would take for a formula.

    Examples
    --------
    >>> from skmer.utils.files._spreadsheets import disarm
    >>> disarm("=1+1"), disarm("calm"), disarm("-0.5"), disarm(3)
    ("'=1+1", 'calm', '-0.5', 3)
    """
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def rearm(cell: str) -> str:
    """Return what `disarm` was given.

    Examples
    --------
    >>> from skmer.utils.files._spreadsheets import rearm
    >>> rearm("'=1+1"), rearm("'calm")
    ('=1+1', "'calm")
    """
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def disarm_table(table):
    """Return a table for a csv file: its texts, and the names of its columns, disarmed.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table.

    Returns
    -------
    table : pandas.DataFrame
        With an apostrophe before each text that a spreadsheet would take for a formula.

    Examples
    --------
    >>> import pandas as pd
    >>> from skmer.utils import disarm_table
    >>> disarm_table(pd.DataFrame({"label": ["=1+1", "calm"]}))["label"].tolist()
    ["'=1+1", 'calm']
    """
    texts = {
        name: column.astype(object).map(disarm)
        for name, column in table.items()
        if column.dtype.kind not in "biuf"
    }
    return table.assign(**texts).rename(columns=disarm)

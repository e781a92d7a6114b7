"""What the command prints: data on standard output, everything else on standard error."""

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence

import typer

# What a terminal that knows ASCII only is given instead.
_PLAIN = {"±": "+-", "…": "..."}
_quiet = False


def prepare(*, quiet: bool) -> None:
    """Choose what is printed, for the commands that follow in this process."""
    global _quiet
    _quiet = quiet
    for stream in (sys.stdout, sys.stderr):
        # Names of files need not be text, and not every terminal knows every letter.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def show_progress() -> bool:
    """Whether progress bars are wanted."""
    return not _quiet


def say(text: str) -> None:
    """Tell on standard error what is done, or was."""
    if not _quiet:
        typer.echo(_printable(text, sys.stderr), err=True)


def warn(text: str) -> None:
    """Tell on standard error, in one line, what the user should know of."""
    typer.echo(_printable(" ".join(text.split()), sys.stderr), err=True)


def show(text: str) -> None:
    """Write what was asked for to standard output."""
    typer.echo(_printable(text, sys.stdout))


def show_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table that fits the terminal; the last column takes the rest, in whole words."""
    cells = [[str(cell) for cell in row] for row in rows]
    *firsts, _ = zip(headers, *cells)
    widths = [max(map(len, column)) for column in firsts]
    indent = sum(widths) + 2 * len(widths)
    width = max(shutil.get_terminal_size().columns - indent, 20)
    for row in [list(headers), ["-" * len(header) for header in headers], *cells]:
        lines = textwrap.wrap(row[-1], width, break_long_words=False, break_on_hyphens=False)
        first = "  ".join(cell.ljust(size) for cell, size in zip(row, widths))
        for i, line in enumerate(lines or [""]):
            show(f"{first if i == 0 else ' ' * (indent - 2)}  {line}".rstrip())


def _printable(text: str, stream) -> str:
    """Return text without what would move the cursor or colour the terminal."""
    try:
        "".join(_PLAIN).encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        for letter, plain in _PLAIN.items():
            text = text.replace(letter, plain)
    return "".join(
        letter if letter.isprintable() or letter == "\n" else repr(letter)[1:-1]
        for letter in text.replace("\t", " ")
    )

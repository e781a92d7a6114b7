"""What the command prints: data on standard output, everything else on standard error."""

import gc
import logging
import os
import shutil
import sys
import textwrap
from contextlib import contextmanager

import typer

# Replacements for terminals that have ASCII only.
_PLAIN = {"±": "+-", "…": "..."}
_logger = logging.getLogger("skmer")


class _Printer(logging.Handler):
    """Write the messages of the logger "skmer" to standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        typer.echo(_printable(record.getMessage(), sys.stderr), err=True)


def counted(*count_and_nouns) -> str:
    """Return what `skmer.utils.messages.counted` does; the help shall not import numpy for it."""
    from skmer.utils.messages import counted

    return counted(*count_and_nouns)


@contextmanager
def messages(*, quiet: bool):
    """Print what the logger "skmer" is given inside this block: with `quiet`, warnings alone."""
    printer, level = _Printer(), _logger.level
    _logger.addHandler(printer)
    _logger.setLevel(logging.WARNING if quiet else logging.INFO)
    try:
        yield
    finally:
        _logger.removeHandler(printer)
        _logger.setLevel(level)


# Whether the process is the command's own, so that it may be set up as the command needs.
is_program = False


@contextmanager
def fast_imports():
    """Import what a model needs inside this block, in the program in two thirds of the time.

    The garbage collector goes through all modules again and again, and finds nothing. scikit-learn
    imports pandas, a third of its own time, and uses it for nothing that skmer calls. skops imports
    the whole of scikit-learn for a list of its estimators, which other code of a process may need;
    skmer checks every type in a model by itself.
    """
    if not is_program:
        yield
        return
    gc.disable()
    # Networks take one thread of OpenBLAS for a clip, and the others spin while they wait.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # What is None there is not installed, to those that import it.
    modules: dict = sys.modules
    modules.setdefault("pandas", None)
    try:
        import sklearn.utils
    finally:
        if modules["pandas"] is None:
            del modules["pandas"]
    all_estimators = sklearn.utils.all_estimators
    try:
        sklearn.utils.all_estimators = list
        import skops.io  # noqa: F401

        yield
    finally:
        sklearn.utils.all_estimators = all_estimators
        # The modules stay, so that later collections may pass them over.
        gc.freeze()
        gc.enable()


def prepare() -> None:
    """Let the standard streams take every letter."""
    for stream in (sys.stdout, sys.stderr):
        # Names of files need not be text, and not every terminal has every letter.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def show_progress() -> bool:
    """Whether progress bars are wanted."""
    return _logger.isEnabledFor(logging.INFO)


def note(text: str) -> None:
    """Log what was done, which is printed unless --quiet is given."""
    _logger.info("%s", text)


def warn(text: str) -> None:
    """Log a warning or an error, as one line."""
    _logger.warning("%s", " ".join(text.split()))


def show(text: str) -> None:
    """Write data to standard output."""
    typer.echo(_printable(text, sys.stdout))


def show_table(headers, rows) -> None:
    """Write a table that fits the terminal; the last column takes the rest, in whole words."""
    cells = [[str(cell) for cell in row] for row in rows]
    *firsts, _ = zip(headers, *cells)
    widths = [max(map(len, column)) for column in firsts]
    indent = sum(widths) + 2 * len(widths)
    width = max(shutil.get_terminal_size().columns - indent, 20)
    for row in [list(headers), ["-" * len(header) for header in headers], *cells]:
        lines = textwrap.wrap(row[-1], width, break_long_words=False, break_on_hyphens=False)
        first = "".join(f"{cell:{size}}  " for cell, size in zip(row, widths))
        show((first + ("\n" + " " * indent).join(lines)).rstrip())


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


_OVER_SPLITS = "Mean ± standard deviation over splits"


def show_summary(result) -> None:
    """Write one row a configuration: the headline score under each protocol, and their gap."""
    from skmer.evaluation.report.overview import headline_of

    headline = result.metrics[0]
    summary = result.summary()
    random = result.random_features()
    protocols = list(summary["protocol"].unique())
    pair = result.protocols_to_compare()
    rows = []
    for (feature, *rest), scores in summary.groupby(list(result.configuration), sort=False):
        scores = scores.set_index("protocol").loc[protocols]
        spreads = [float("nan")] * len(scores) if result.is_pooled else scores[f"{headline}_std"]
        cells = map(_with_spread, scores[headline], spreads)
        row = [f"{feature} (random weights)" if feature in random else feature, *rest, *cells]
        rows.append([*row, f"{scores['gap'].iloc[0]:+.3f}"] if pair else row)
    dataset, preset = result.manifest["dataset"], result.manifest["settings"]["preset"]
    groups = f" of {dataset['n_groups']} groups" if "n_groups" in dataset else ""
    note(f"{headline}, {dataset['n_clips']} clips{groups}, preset {preset}")
    headers = [*result.configuration, *protocols, *(["gap"] if pair else [])]
    show_table(headers, rows)
    gap = f"; gap = {' - '.join(pair)}" if pair else ""
    what = "All out-of-fold predictions together" if result.is_pooled else _OVER_SPLITS
    note(f"{what}{gap}.")
    note(headline_of(result))


def warn_of_findings(manifest: dict) -> None:
    """Warn of the leaks that the audit calls errors, which make scores useless."""
    for name, report in (manifest["audit"] or {}).items():
        for finding in report["findings"]:
            if finding["severity"] == "error":
                warn(f"warning: the audit of {name} found: {finding['message']}")


def _with_spread(mean: float, spread: float) -> str:
    """Write mean and spread; a single split has no spread."""
    return f"{mean:.3f}" if spread != spread else f"{mean:.3f} ± {spread:.3f}"

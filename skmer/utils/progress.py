"""Progress bars on standard error: the work, how much of it is done, and how long is left."""

import logging
import time
from collections.abc import Iterator, Sized

_logger = logging.getLogger("skmer")
# Where there is no terminal, a line of the log so often.
_LOG_SECONDS = 60


def make_bar(*, is_download: bool = False):
    """Return a `rich.progress.Progress` in skmer's style; nothing is shown without a terminal.

    Parameters
    ----------
    is_download : bool, default=False
        Whether bytes are counted, which are shown as MB; else each task has a field ``rate``.

    Returns
    -------
    bar : rich.progress.Progress
        A context manager.

    Examples
    --------
    >>> from skmer.utils.progress import make_bar
    >>> with make_bar() as bar:
    ...     task = bar.add_task("counting", total=2, rate="")
    ...     bar.advance(task)
    """
    from rich import progress
    from rich.console import Console

    clips = progress.MofNCompleteColumn(), progress.TextColumn("{task.fields[rate]}")
    sizes = progress.DownloadColumn(), progress.TransferSpeedColumn()
    console = Console(stderr=True)
    return progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        *(sizes if is_download else clips),
        progress.TimeElapsedColumn(),
        progress.TextColumn("left"),
        progress.TimeRemainingColumn(),
        console=console,
        disable=not (console.is_terminal or console.is_jupyter),
    )


def track(iterable, *, description, total=None, enabled=True, unit="clips") -> Iterator:
    """Yield from `iterable` behind a progress bar on standard error.

    Where standard error is no terminal there is no bar, but a line a minute of the logger "skmer".

    Parameters
    ----------
    iterable : iterable
        What to go through, in order.
    description : str
        Shown before the bar.
    total : int, default=None
        Number of items; None = ``len(iterable)`` where it has one.
    enabled : bool, default=True
        With False, no bar and no import of rich.
    unit : str, default="clips"
        What the rate counts, shown as ``unit/s``.

    Yields
    ------
    item : object
        The items of `iterable`.

    Examples
    --------
    >>> from skmer.utils.progress import track
    >>> list(track([1, 2], description="counting", enabled=False))
    [1, 2]
    """
    if not enabled:
        yield from iterable
        return
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    with make_bar() as bar:
        task, logged = bar.add_task(description, total=total, rate=""), time.monotonic()
        for done, item in enumerate(iterable, 1):
            if bar.disable and time.monotonic() - logged > _LOG_SECONDS:
                logged = time.monotonic()
                what = "" if unit == description else f" {unit}"
                _logger.info("%s: %d of %s%s", description, done, total or "some", what)
            try:
                yield item
            finally:
                # Counted as well when the consumer stops, as zip does beside something shorter.
                speed = bar.tasks[task].speed
                bar.update(task, advance=1, rate=f"{speed:.1f} {unit}/s" if speed else "")

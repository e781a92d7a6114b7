"""A progress bar: what runs, how much is done, and how long is left."""

from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

T = TypeVar("T")


class ProgressBar:
    """A bar on standard error, while its block lasts.

    It has what pooch asks of a bar (`total`, `update`, `reset`, `close`), and serves every other
    long work too.

    Parameters
    ----------
    description : str
        Shown before the bar.
    total : int, default=None
        The number of items, where it is known.
    unit : str, default="clips"
        What is counted, shown as ``unit/s``; "bytes" are shown as MB.
    enabled : bool, default=True
        With False, no bar and no import of rich.

    Examples
    --------
    >>> from skmer.utils.progress import ProgressBar
    >>> with ProgressBar("counting", total=2, enabled=False) as bar:
    ...     bar.update(2)
    """

    def __init__(
        self,
        description: str,
        *,
        total: int | None = None,
        unit: str = "clips",
        enabled: bool = True,
    ):
        self._total = total
        self._unit = unit
        self._bar = _make_bar(unit) if enabled else None
        if self._bar is not None:
            self._task = self._bar.add_task(description, total=total, rate="")

    def __enter__(self):
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def total(self) -> int | None:
        """The number of items; None = unknown."""
        return self._total

    @total.setter
    def total(self, total: int | None) -> None:
        # pooch sets 0 where the server does not announce a size.
        self._total = total or None
        if self._bar is not None:
            self._bar.update(self._task, total=self._total)

    def update(self, n: int = 1, *, description: str | None = None) -> None:
        """Count `n` more, and show what runs now."""
        if self._bar is not None:
            speed = self._bar.tasks[self._task].speed
            rate = f"{speed:.1f} {self._unit}/s" if speed else ""
            self._bar.update(self._task, advance=n, rate=rate, description=description)

    def reset(self) -> None:
        """Count from zero again."""
        if self._bar is not None:
            self._bar.reset(self._task, total=self._total)

    def close(self) -> None:
        """Stop the bar, which stays as it is."""
        if self._bar is not None:
            self._bar.stop()


def _make_bar(unit):
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    count = (
        (DownloadColumn(), TransferSpeedColumn())
        if unit == "bytes"
        else (MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    )
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        *count,
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def track(
    iterable: Iterable[T],
    *,
    description: str,
    total: int | None = None,
    enabled: bool = True,
    unit: str = "clips",
) -> Iterator[T]:
    """Yield from `iterable` behind a progress bar on standard error.

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
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    with ProgressBar(description, total=total, unit=unit, enabled=enabled) as bar:
        for item in iterable:
            try:
                yield item
            finally:
                # Counted as well when the consumer stops, as zip does beside something shorter.
                bar.update()

"""A progress bar that says what runs, how much is done, and how long is left."""

from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

T = TypeVar("T")


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
    >>> from skmer.utils import track
    >>> list(track([1, 2], description="counting", enabled=False))
    [1, 2]
    """
    if not enabled:
        yield from iterable
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as progress:
        task = progress.add_task(description, total=total, rate="")
        for item in iterable:
            yield item
            speed = progress.tasks[task].speed
            progress.update(task, advance=1, rate=f"{speed:.1f} {unit}/s" if speed else "")

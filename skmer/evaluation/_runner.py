"""All fits of an evaluation, in parallel where asked, behind one progress bar."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed

from skmer.evaluation._fit import Fitted, fit_and_predict
from skmer.evaluation._protocols import Split


@dataclass(frozen=True)
class Task:
    """One fit to do."""

    feature: str
    model_name: str
    split: Split
    X: np.ndarray
    model: object

    def __str__(self) -> str:
        return f"{self.feature} + {self.model_name}, {self.split}"


def run_tasks(
    tasks: list[Task], y: np.ndarray, groups: np.ndarray | None, *, n_jobs, verbose: bool
) -> Iterator[tuple[Task, Fitted]]:
    """Yield each task with its outcome, in the order of `tasks`."""
    outcomes = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(fit_and_predict)(
            task.model, task.X, y, groups, task.split, f"{task.feature} + {task.model_name}"
        )
        for task in tasks
    )
    with _progress(verbose) as progress:
        bar = progress.add_task("", total=len(tasks))
        for task in tasks:
            progress.update(bar, description=str(task))
            yield task, next(outcomes)
            progress.advance(bar)
        progress.update(bar, description="done")


def _progress(verbose: bool):
    """A bar on standard error that says what runs and how long is left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("fits"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not verbose,
    )

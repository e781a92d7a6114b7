"""All fits of an evaluation, in parallel where asked, behind one progress bar."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed

from skmer.evaluation.experiment._fit import Fitted, fit_and_predict
from skmer.evaluation.experiment._protocols import Split


@dataclass(frozen=True)
class Task:
    """One fit to do; `key` tells its configuration apart, `groups` stay apart inside the fit."""

    key: dict[str, str]
    weights: str | None
    split: Split
    X: np.ndarray
    y: np.ndarray
    groups: np.ndarray | None
    model: object

    def __str__(self) -> str:
        return f"{' + '.join(self.key.values())}, {self.split}"


def run_tasks(
    tasks: list[Task],
    *,
    columns: Mapping[str, np.ndarray],
    score: Callable[..., dict[str, float]],
    classes: np.ndarray | None,
    n_jobs: int | None,
    verbose: bool,
):
    """Do all tasks; return the frames of scores and of predictions, in the order of `tasks`.

    `columns` are further columns of the predictions, one entry for each row of X; `row` among them
    says which clip a row of X belongs to. With `classes`, so are their probabilities.
    """
    import pandas as pd

    outcomes = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(fit_and_predict)(task.model, task.X, task.y, task.groups, task.split, str(task))
        for task in tasks
    )
    scores, predictions = [], []
    with _progress(verbose) as progress:
        bar = progress.add_task("", total=len(tasks))
        for task in tasks:
            progress.update(bar, description=str(task))
            fitted = next(outcomes)
            scores.append(_score_row(task, fitted, columns, score))
            predictions.append(_prediction_rows(task, fitted, columns, classes))
            progress.advance(bar)
        progress.update(bar, description="done")
    return pd.DataFrame(scores), pd.concat(predictions, ignore_index=True)


def _names(task: Task) -> dict:
    split = task.split
    return {**task.key, "protocol": split.protocol, "repeat": split.repeat, "fold": split.fold}


def _score_row(task: Task, fitted: Fitted, columns, score) -> dict:
    test = task.split.test
    return {
        **_names(task),
        **score(task.y[test], fitted.y_pred, columns["row"][test]),
        "n_train": fitted.n_train,
        "n_test": test.size,
        "fit_time": fitted.fit_time,
        "score_time": fitted.score_time,
        "seed": task.split.seed,
        "weights": task.weights,
    }


def _prediction_rows(task: Task, fitted: Fitted, columns, classes):
    import pandas as pd

    test = task.split.test
    further = {name: values[test] for name, values in columns.items()}
    rows = {**_names(task), **further, "y_true": task.y[test], "y_pred": fitted.y_pred}
    if classes is not None:
        rows |= {f"proba_{label}": _probability(fitted, label) for label in classes}
    return pd.DataFrame(rows)


def _probability(fitted: Fitted, label):
    """Return the probabilities of one class, 0 for a class that was not trained on."""
    if fitted.proba is None:
        return np.nan
    at = np.flatnonzero(fitted.classes == label)
    return fitted.proba[:, at[0]] if at.size else 0.0


def _progress(verbose: bool):
    """Make a bar on standard error that says what runs and how long is left."""
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

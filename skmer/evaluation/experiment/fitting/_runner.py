"""All fits of an evaluation, in parallel where asked, behind one progress bar."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skmer.evaluation.experiment._features import NetworkWeights
from skmer.evaluation.experiment._protocols import Split
from skmer.evaluation.experiment.fitting._fit import Fitted, fit_and_predict
from skmer.utils import track
from skmer.utils._frames import stack_frames
from skmer.utils.processes._parallel import run_parallel


@dataclass(frozen=True)
class Task:
    """One fit to do; `key` tells its configuration apart, `groups` stay apart inside the fit."""

    key: dict[str, str]
    weights: NetworkWeights
    split: Split
    X: np.ndarray
    y: np.ndarray
    groups: np.ndarray | None
    model: object

    # What a row of scores has beside its configuration and its scores.
    columns: ClassVar = (
        "protocol", "repeat", "fold", "n_train", "n_test", "fit_time", "score_time", "seed",
        "weights", "random_weights",
    )  # fmt: skip

    def __str__(self) -> str:
        return f"{' + '.join(self.key.values())}, {self.split}"


def run_tasks(
    tasks: list[Task],
    *,
    columns: Mapping[str, np.ndarray],
    score: Callable[..., dict[str, float]],
    scorer: Callable[..., dict[str, float]] | None,
    classes: np.ndarray | None,
    n_jobs: int | None,
    verbose: bool,
):
    """Do all tasks; return the frames of scores and of predictions, in the order of `tasks`.

    `columns` are further columns of the predictions, one entry for each row of X; `row` among them
    says which clip a row of X belongs to. With `classes`, so are their probabilities. `scorer`
    gives scores of the fitted model beside those of its predictions, which `score` gives.
    """
    import pandas as pd

    outcomes = run_parallel(
        fit_and_predict,
        (
            (task.model, task.X, task.y, task.groups, task.split, str(task), scorer)
            for task in tasks
        ),
        n_jobs=n_jobs,
    )
    outcomes = track(outcomes, total=len(tasks), description="fits", enabled=verbose, unit="fits")
    scores, predictions = [], []
    for task, fitted in zip(tasks, outcomes):
        scores.append(_score_row(task, fitted, columns, score))
        predictions.append(_prediction_rows(task, fitted, columns, classes))
    return pd.DataFrame(scores), stack_frames(predictions)


def _names(task: Task) -> dict:
    split = task.split
    return {**task.key, "protocol": split.protocol, "repeat": split.repeat, "fold": split.fold}


def _score_row(task: Task, fitted: Fitted, columns, score) -> dict:
    test = task.split.test
    return {
        **_names(task),
        **score(task.y[test], fitted.y_pred, columns["row"][test]),
        **fitted.scores,
        "n_train": fitted.n_train,
        "n_test": test.size,
        "fit_time": fitted.fit_time,
        "score_time": fitted.score_time,
        "seed": task.split.seed,
        "weights": task.weights.label,
        "random_weights": task.weights.random,
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

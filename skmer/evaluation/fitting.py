"""One fit: a model, the clips of one split, and nothing of the test part before it is scored."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from sklearn import config_context
from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import check_scoring

from skmer.evaluation.features import NetworkWeights
from skmer.evaluation.folds import (
    Split,
    is_search,
    keep_groups_apart,
    shuffle_inner_folds,
    stops_early,
)
from skmer.exceptions import InputError
from skmer.utils.estimators import parts_of
from skmer.utils.labels import check_text, stack_frames
from skmer.utils.messages import is_iterable
from skmer.utils.processes import run_parallel
from skmer.utils.progress import track


@dataclass(frozen=True)
class Fitted:
    """What one fit gave: predictions for the test rows, and what it took."""

    n_train: int
    y_pred: np.ndarray
    classes: np.ndarray | None
    proba: np.ndarray | None
    fit_time: float
    score_time: float
    scores: dict[str, float] = field(default_factory=dict)


def fit_and_predict(
    model,
    X: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray | None,
    split: Split,
    label: str,
    scorer: Callable | None = None,
) -> Fitted:
    """Fit a copy of `model` on one split and predict its test rows.

    With groups, whatever splits the training rows again inside the fit keeps them apart. `scorer`
    gives the scores that the user asked for beside the usual ones.
    """
    # Entered here, not by the caller: the setting does not travel to worker processes.
    with config_context(enable_metadata_routing=True):
        try:
            return _fit_and_predict(clone(model), X, y, groups, split, scorer)
        except Exception as error:
            error.add_note(f"This happened while fitting {label}.")
            raise


def _fit_and_predict(model, X, y, groups, split, scorer) -> Fitted:
    rows = training_rows(model, split)
    start = time.perf_counter()
    fit_model(model, X[rows], y[rows], None if groups is None else groups[rows], split.seed)
    fitted = time.perf_counter()
    y_pred = _check_output(model, "predict", X[split.test], y[split.test].shape)
    proba = classes = None
    if hasattr(model, "predict_proba"):
        classes = np.asarray(model.classes_)
        shape = (split.test.size, classes.size)
        proba = _check_output(model, "predict_proba", X[split.test], shape)
    return Fitted(
        n_train=rows.size,
        y_pred=y_pred.astype(str) if y.dtype.kind == "U" else y_pred,
        classes=classes,
        proba=proba,
        fit_time=fitted - start,
        score_time=time.perf_counter() - fitted,
        scores={} if scorer is None else scorer(model, X[split.test], y[split.test]),
    )


def _check_output(model, method: str, X, shape: tuple[int, ...]) -> np.ndarray:
    """Return what a model gives for the clips of a split; other classes than skmer's may err."""
    output = np.asarray(getattr(model, method)(X))
    if output.shape != shape:
        raise InputError(
            f"{type(model).__name__}.{method} must return an array of shape {shape} for "
            f"{shape[0]} clips. Got shape {output.shape} instead."
        )
    if output.dtype.kind == "f" and not np.isfinite(output).all():
        raise InputError(
            f"{type(model).__name__}.{method} must return finite numbers. Got NaN or infinity for "
            f"{(~np.isfinite(output.reshape(len(output), -1))).any(axis=1).sum()} of "
            f"{shape[0]} clips."
        )
    return output


def fit_model(model, X, y, groups, seed: int):
    """Fit `model` itself, with this seed; its inner folds keep groups apart where there are any."""
    with config_context(enable_metadata_routing=True):
        set_seed(model, seed)
        if groups is None:
            shuffle_inner_folds(model, seed)
            return model.fit(X, y)
        takes_groups = keep_groups_apart(model, X, y, groups, seed)
        return model.fit(X, y, groups=groups) if takes_groups else model.fit(X, y)


def set_seed(model, seed: int) -> None:
    """Give every part of `model` that draws the seed of the split."""
    seeds = {
        name: seed
        for name in model.get_params()
        if name == "random_state" or name.endswith("__random_state")
    }
    model.set_params(**seeds)
    for part in parts_of(model):
        # A search's folds are no parameters of it; those drawn from a seed of the user's own stay.
        if is_search(part) and getattr(part.cv, "random_state", seed) is None:
            part.cv.random_state = seed


def training_rows(model, split: Split) -> np.ndarray:
    """Return the rows that `model` is given to fit on.

    Where the protocol has a validation part, a model that holds clips out to stop early is given
    that part too, and told to hold out as many: it trains on as many as every other model does.
    """
    if split.validation.size:
        rows = np.sort(np.concatenate([split.train, split.validation]))
        stopping = [part for part in parts_of(model) if stops_early(part, rows.size)]
        for part in stopping:
            part.set_params(validation_fraction=split.validation.size / rows.size)
        if stopping:
            return rows
    return split.train


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


def make_scorer_of(scoring, *, usual: Sequence[str], columns: Sequence[str], targets):
    """Return a callable of (model, X, y) to a dict of scores, and the names of the scores.

    Names of usual scores are dropped, since those are there anyway. A scorer that cannot score
    targets such as these is refused here, before hours of work.
    """
    if scoring is None:
        return None, ()
    scoring = _by_name(scoring)
    scoring = {
        name: scorer for name, scorer in scoring.items() if not (name in usual and name == scorer)
    }
    for name in scoring:
        if name in usual or name in columns or not isinstance(name, str):
            raise InputError(
                f"The 'scoring' parameter has a score of the name {name!r}, which is a column of "
                "the scores already; give it another name."
            )
    if not scoring:
        return None, ()
    check_text("The names in the 'scoring' parameter", *map(str, scoring))
    y = next(iter(targets.values()))
    dummy = (DummyRegressor if y.dtype.kind == "f" else DummyClassifier)()
    X = np.zeros((y.size, 1))
    try:
        scorer = check_scoring(dummy, scoring=scoring)
        scorer(dummy.fit(X, y), X, y)
    except (TypeError, ValueError) as error:
        reason = str(error).splitlines()[0][:250]
        raise InputError(
            "The 'scoring' parameter must have scores that scikit-learn knows and that suit the "
            f"targets, by name or as scorers. Got {list(scoring)}: {reason}"
        ) from error
    return scorer, tuple(scoring)


def _by_name(scoring) -> dict:
    """Return scorers by the names of their columns."""
    if isinstance(scoring, Mapping):
        return dict(scoring)
    if isinstance(scoring, str):
        return {scoring: scoring}
    if callable(scoring):
        return {"score": scoring}
    listed = list(scoring) if is_iterable(scoring) else [scoring]
    if not all(isinstance(name, str) for name in listed):
        raise InputError(
            "The 'scoring' parameter must be a name, a scorer, a list of names, or a dict of name "
            f"to either. Got {scoring!r} instead."
        )
    return {name: name for name in listed}

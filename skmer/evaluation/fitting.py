"""One fit: a model, the clips of one split, and nothing of the test set before it is scored."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.utils import _safe_indexing

from skmer.evaluation import folds
from skmer.evaluation.features import NetworkWeights
from skmer.evaluation.folds import Split
from skmer.evaluation.targets import Targets
from skmer.evaluation.tasks import Task
from skmer.exceptions import InputError
from skmer.utils.estimators import nested_estimators, prepare_scorer
from skmer.utils.floats import numpy_defaults
from skmer.utils.labels import check_text, stack_frames
from skmer.utils.messages import is_iterable


@dataclass(frozen=True)
class Fit:
    """One fit to do; `key` tells its configuration apart, `groups` stay apart inside the fit."""

    task: Task
    key: dict[str, str]
    weights: NetworkWeights
    split: Split
    X: Any
    y: np.ndarray
    groups: np.ndarray | None
    model: object
    # Gives the scores that the user asked for beside the usual ones.
    scorer: Callable[..., dict[str, float]] | None = None

    # What a row of scores has beside its configuration and its scores.
    columns: ClassVar = (
        "protocol", "repeat", "fold", "n_train", "n_test", "fit_time", "score_time", "seed",
        "weights", "random_weights",
    )  # fmt: skip

    def __str__(self) -> str:
        return f"{' + '.join(self.key.values())}, {self.split}"

    @property
    def names(self) -> dict:
        """The columns that every row of scores and of predictions begins with."""
        split = self.split
        return {**self.key, "protocol": split.protocol, "repeat": split.repeat, "fold": split.fold}


@dataclass(frozen=True)
class Fitted:
    """What one fit gave: columns of predictions of the test rows, scores, and what it took."""

    n_train: int
    predictions: dict
    fit_time: float
    score_time: float
    scores: dict[str, float]


@numpy_defaults
def fit_and_predict(fit: Fit) -> Fitted:
    """Fit a copy of the model on one split and predict its test rows.

    With groups, whatever splits the training rows again inside the fit keeps them apart.
    """
    # Entered here, not by the caller: the setting does not travel to worker processes.
    with config_context(enable_metadata_routing=True):
        try:
            return _fit_and_predict(fit, clone(fit.model))
        except Exception as error:
            error.add_note(f"This happened while fitting {fit}.")
            raise


def _fit_and_predict(fit: Fit, model) -> Fitted:
    X, y, groups, test = fit.X, fit.y, fit.groups, fit.split.test
    rows = training_rows(model, fit.split)
    start = time.perf_counter()
    of_rows = None if groups is None else groups[rows]
    fit_model(model, _safe_indexing(X, rows), y[rows], of_rows, fit.split.seed)
    fitted = time.perf_counter()
    predictions = fit.task.predict(model, X, y, test)
    predicted = time.perf_counter()
    scores = {} if fit.scorer is None else fit.scorer(model, _safe_indexing(X, test), y[test])
    return Fitted(rows.size, predictions, fitted - start, predicted - fitted, scores)


def fit_model(model, X, y, groups, seed: int):
    """Fit `model` itself, with this seed; its inner folds keep groups apart where there are any."""
    with config_context(enable_metadata_routing=True):
        set_seed(model, seed)
        if groups is None:
            folds.shuffle_inner_folds(model, seed)
            return model.fit(X, y)
        takes_groups = folds.keep_groups_apart(model, X, y, groups, seed)
        return model.fit(X, y, groups=groups) if takes_groups else model.fit(X, y)


def set_seed(model, seed: int) -> None:
    """Give every estimator in `model` that draws the seed of the split."""
    seeds = {
        name: seed
        for name in model.get_params()
        if name == "random_state" or name.endswith("__random_state")
    }
    model.set_params(**seeds)
    for nested in nested_estimators(model):
        # A search's folds are no parameters of it; those drawn from a seed of the user's own stay.
        if folds.is_search(nested) and getattr(nested.cv, "random_state", seed) is None:
            nested.cv.random_state = seed


def training_rows(model, split: Split) -> np.ndarray:
    """Return the rows that `model` is given to fit on.

    Where the protocol has a validation set, a model that holds clips out to stop early is given
    that set too, and is set to hold out as many: it trains on as many as every other model does.
    """
    if split.validation.size:
        rows = np.sort(np.concatenate([split.train, split.validation]))
        stopping = [
            nested for nested in nested_estimators(model) if folds.stops_early(nested, rows.size)
        ]
        for nested in stopping:
            nested.set_params(validation_fraction=split.validation.size / rows.size)
        if stopping:
            return rows
    return split.train


def tabulate(fits: Sequence[Fit], fitted: Sequence[Fitted], columns: Mapping[str, np.ndarray]):
    """Return the frames of scores and of predictions of fits, in their order.

    `columns` are further columns of the predictions, one entry for each row of X; `row` among them
    has the clip of each row of X.
    """
    import pandas as pd

    scores, predictions = [], []
    for fit, one in zip(fits, fitted):
        further = {name: values[fit.split.test] for name, values in columns.items()}
        scores.append(_score_row(fit, one, further["row"]))
        predictions.append(pd.DataFrame({**fit.names, **further, **one.predictions}))
    return pd.DataFrame(scores), stack_frames(predictions)


def _score_row(fit: Fit, fitted: Fitted, clips: np.ndarray) -> dict:
    return {
        **fit.names,
        **fit.task.score(fitted.predictions, clips),
        **fitted.scores,
        "n_train": fitted.n_train,
        "n_test": fit.split.test.size,
        "fit_time": fitted.fit_time,
        "score_time": fitted.score_time,
        "seed": fit.split.seed,
        "weights": fit.weights.label,
        "random_weights": fit.weights.random,
    }


def make_scorer(scoring, task: Task, targets: Targets, models: Mapping):
    """Return a callable of (model, X, y) to a dict of scores, and the names of the scores.

    Names of usual scores are dropped, since those are there anyway. A scorer that cannot score
    targets such as these, or a model, is an error here, before hours of work.
    """
    scoring = {} if scoring is None else _by_name(scoring)
    scoring = {
        name: one for name, one in scoring.items() if not (name in task.metrics and name == one)
    }
    if not scoring:
        return None, ()
    taken: Sequence[str] = (*task.metrics, *task.configuration, *Fit.columns)
    for name in scoring:
        if name in taken or not isinstance(name, str):
            raise InputError(
                f"The 'scoring' parameter has a score of the name {name!r}, which is a column of "
                "the scores already; give it another name.",
                param="scoring",
            )
    check_text("The names in the 'scoring' parameter", *scoring)
    y, dummy = targets.first, clone(task.dummy)
    X = np.zeros((len(y), 1))
    try:
        scorer = check_scoring(dummy, scoring=scoring)
        scorer(dummy.fit(X, y), X, y)
        classes = np.unique(y) if y.ndim == 1 and is_classifier(dummy) else None
        scorer = prepare_scorer(scorer, models, classes)
        scorer(dummy, X, y)
    except InputError:
        raise
    except (TypeError, ValueError) as error:
        raise InputError(
            "The 'scoring' parameter must have scores that scikit-learn has and that suit the "
            f"targets, by name or as scorers. Got {list(scoring)}: {str(error).splitlines()[0]}",
            param="scoring",
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
            f"to either. Got {scoring!r} instead.",
            param="scoring",
        )
    return {name: name for name in listed}

"""One fit: a model, the clips of one split, and nothing of the test part before it is scored."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from sklearn import config_context
from sklearn.base import clone

from skmer.evaluation.experiment._protocols import Split
from skmer.evaluation.experiment.fitting._inner_folds import (
    is_search,
    keep_groups_apart,
    shuffle_inner_folds,
    stops_early,
)
from skmer.exceptions import InputError
from skmer.utils._sklearn import parts_of


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

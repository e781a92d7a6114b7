"""One fit: a model, the clips of one split, and nothing of the test part before it is scored."""

import time
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold
from sklearn.utils.metadata_routing import get_routing_for_object

from skmer.evaluation._protocols import Split


@dataclass(frozen=True)
class Fitted:
    """What one fit gave: predictions for the test rows, and what it took."""

    n_train: int
    y_pred: np.ndarray
    classes: np.ndarray | None
    proba: np.ndarray | None
    fit_time: float
    score_time: float


def fit_and_predict(
    model, X: np.ndarray, y: np.ndarray, groups: np.ndarray | None, split: Split, label: str
) -> Fitted:
    """Fit a copy of `model` on one split and predict its test rows."""
    # Entered here, not by the caller: the setting does not travel to worker processes.
    with config_context(enable_metadata_routing=True):
        try:
            return _fit_and_predict(clone(model), X, y, groups, split)
        except Exception as error:
            error.add_note(f"This happened with {label}, protocol {split}.")
            raise


def _fit_and_predict(model, X, y, groups, split) -> Fitted:
    set_seed(model, split.seed)
    rows = training_rows(model, split)
    fit_params = {}
    if groups is not None and split.keeps_groups:
        request_groups(model, np.unique(groups[rows]).size, split.seed)
        if takes_groups(model):
            fit_params["groups"] = groups[rows]
    start = time.perf_counter()
    model.fit(X[rows], y[rows], **fit_params)
    fitted = time.perf_counter()
    y_pred = model.predict(X[split.test])
    proba = model.predict_proba(X[split.test]) if hasattr(model, "predict_proba") else None
    return Fitted(
        n_train=rows.size,
        y_pred=np.asarray(y_pred),
        classes=None if proba is None else np.asarray(model.classes_),
        proba=None if proba is None else np.asarray(proba),
        fit_time=fitted - start,
        score_time=time.perf_counter() - fitted,
    )


def set_seed(model, seed: int) -> None:
    """Give every part of `model` that draws the seed of the split."""
    seeds = {
        name: seed
        for name in model.get_params()
        if name == "random_state" or name.endswith("__random_state")
    }
    model.set_params(**seeds)


def parts_of(model) -> list:
    """`model` and every estimator inside it."""
    inner = [part for part in model.get_params().values() if hasattr(part, "get_params")]
    return [part for part in [model, *inner] if not isinstance(part, type)]


def is_search(model) -> bool:
    """Whether `model` searches parameters by cross-validation of its own."""
    return hasattr(model, "cv") and hasattr(model, "refit") and hasattr(model, "estimator")


def request_groups(model, n_groups: int, seed: int) -> None:
    """Make every part of `model` that can keep groups apart do so.

    A search with a plain number of folds gets group k-fold, with no more folds than groups; a fit
    with a `groups` argument asks for it. What the user set explicitly stays as it is.
    """
    for part in parts_of(model):
        if is_search(part):
            if part.cv is None or isinstance(part.cv, Integral):
                folds = StratifiedGroupKFold if is_classifier(part) else GroupKFold
                n_folds = min(part.cv or 5, n_groups)
                part.cv = folds(n_folds, shuffle=True, random_state=seed)
        elif hasattr(part, "set_fit_request"):
            request = part.get_metadata_routing().fit.requests
            if "groups" in request and request["groups"] is None:
                part.set_fit_request(groups=True)


def takes_groups(model) -> bool:
    """Whether `groups` given to the fit of `model` reaches anything."""
    return bool(get_routing_for_object(model).consumes("fit", ["groups"]))


def training_rows(model, split: Split) -> np.ndarray:
    """Rows that `model` is given to fit on."""
    return split.train

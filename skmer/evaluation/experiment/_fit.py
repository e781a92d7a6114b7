"""One fit: a model, the clips of one split, and nothing of the test part before it is scored."""

import time
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold
from sklearn.utils.metadata_routing import get_routing_for_object

from skmer.evaluation.experiment._protocols import Split


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
    """Fit a copy of `model` on one split and predict its test rows.

    With groups, whatever splits the training rows again inside the fit keeps them apart.
    """
    # Entered here, not by the caller: the setting does not travel to worker processes.
    with config_context(enable_metadata_routing=True):
        try:
            return _fit_and_predict(clone(model), X, y, groups, split)
        except Exception as error:
            error.add_note(f"This happened while fitting {label}.")
            raise


def _fit_and_predict(model, X, y, groups, split) -> Fitted:
    set_seed(model, split.seed)
    rows = training_rows(model, split)
    fit_params = {}
    set_inner_folds(model, None if groups is None else groups[rows], split.seed)
    if groups is not None:
        request_groups(model)
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
    for part in parts_of(model):
        # A search's folds are no parameters of it; those drawn from a seed of the user's own stay.
        if is_search(part) and getattr(part.cv, "random_state", seed) is None:
            part.cv.random_state = seed


def parts_of(model) -> list:
    """`model` and every estimator inside it."""
    inner = [part for part in model.get_params().values() if hasattr(part, "get_params")]
    return [part for part in [model, *inner] if not isinstance(part, type)]


def is_search(model) -> bool:
    """Whether `model` searches parameters by cross-validation of its own."""
    return hasattr(model, "cv") and hasattr(model, "refit") and hasattr(model, "estimator")


def request_groups(model) -> None:
    """Make every part of `model` whose fit has a `groups` argument ask for it.

    What the user requested explicitly stays as it is.
    """
    for part in parts_of(model):
        if not is_search(part) and hasattr(part, "set_fit_request"):
            request = part.get_metadata_routing().fit.requests
            if "groups" in request and request["groups"] is None:
                part.set_fit_request(groups=True)


def set_inner_folds(model, groups: np.ndarray | None, seed: int) -> None:
    """Give the folds to searches that came with a number of folds only.

    With groups these are group folds, no more than there are groups. A regressor's are shuffled,
    because rows in the order of the target would make every fold an extrapolation.
    """
    for part in parts_of(model):
        if is_search(part) and (part.cv is None or isinstance(part.cv, Integral)):
            n_folds = part.cv or 5
            if groups is not None:
                folds = StratifiedGroupKFold if is_classifier(part) else GroupKFold
                part.cv = folds(
                    min(n_folds, np.unique(groups).size), shuffle=True, random_state=seed
                )
            elif not is_classifier(part):
                part.cv = KFold(n_folds, shuffle=True, random_state=seed)


def takes_groups(model) -> bool:
    """Whether `groups` given to the fit of `model` reaches anything."""
    return bool(get_routing_for_object(model).consumes("fit", ["groups"]))


def training_rows(model, split: Split) -> np.ndarray:
    """Return the rows that `model` is given to fit on.

    Where the protocol has a validation part, a model that holds clips out to stop early is given
    that part too, and told to hold out as many: it trains on as many as every other model does.
    """
    if split.validation.size:
        rows = np.sort(np.concatenate([split.train, split.validation]))
        stopping = [part for part in parts_of(model) if stops_early(part)]
        for part in stopping:
            part.set_params(validation_fraction=split.validation.size / rows.size)
        if stopping:
            return rows
    return split.train


def stops_early(model) -> bool:
    """Whether the fit of `model` holds out clips to decide when to stop."""
    parameters = model.get_params(deep=False)
    return (
        bool(parameters.get("validation_fraction"))
        and parameters.get("early_stopping", True) is True
        and parameters.get("n_iter_no_change", 0) is not None
    )

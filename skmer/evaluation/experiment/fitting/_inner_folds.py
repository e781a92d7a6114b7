"""Groups stay apart inside a fit too: in searches, calibration, stacking, early stopping."""

from numbers import Integral

import numpy as np
from sklearn.base import is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import StackingClassifier, StackingRegressor
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object

from skmer.exceptions import InputError
from skmer.utils._sklearn import parts_of

# The name that groups travel by while it is found out whether they arrive.
_PROBE = "groups_of_one_part"


def is_search(model) -> bool:
    """Whether `model` searches parameters by cross-validation of its own."""
    return hasattr(model, "cv") and hasattr(model, "refit") and hasattr(model, "estimator")


def stops_early(model, n_rows: int) -> bool:
    """Whether the fit of `model` to so many rows holds some out to decide when to stop."""
    parameters = model.get_params(deep=False)
    early = parameters.get("early_stopping", True)
    # The histogram-based gradient boosting of scikit-learn does so for many rows.
    if isinstance(early, str):
        early = early == "auto" and n_rows > 10_000
    return (
        bool(early)
        and bool(parameters.get("validation_fraction"))
        and parameters.get("n_iter_no_change", 0) is not None
    )


def shuffle_inner_folds(model, seed: int) -> None:
    """Shuffle the folds of a regressor's search that came with a number of folds only.

    Rows in the order of the target would make every fold an extrapolation.
    """
    for part in parts_of(model):
        if is_search(part) and not is_classifier(part) and _is_number_of_folds(part.cv):
            part.cv = KFold(part.cv or 5, shuffle=True, random_state=seed)


def keep_groups_apart(model, X, y, groups: np.ndarray, seed: int) -> bool:
    """Let every part of `model` that splits its rows keep groups apart, or refuse.

    Parts that came with a number of folds get group folds, no more than there are groups; a
    splitter that the user chose stays, and gets the groups where it asks for them. Returns whether
    the fit of `model` takes groups.

    Raises
    ------
    InputError
        For a part that splits its rows and that groups do not reach.
    """
    if np.unique(groups).size < 2 and any(_splits(part, len(y)) for part in parts_of(model)):
        raise InputError(
            f"{type(model).__name__} splits its training part once more, and there the protocol "
            "leaves one group only; give clips of more groups, a model without a search or early "
            "stopping, or a protocol that splits groups."
        )
    whole = _given_all_rows(model)
    for part in parts_of(model):
        if "cv" in part.get_params(deep=False) and _is_number_of_folds(part.cv):
            folds = StratifiedGroupKFold if is_classifier(part) else GroupKFold
            n_folds = min(part.cv or 5, np.unique(groups).size)
            part.cv = folds(n_folds, shuffle=True, random_state=seed)
            if _reach(model, "split", part.cv) and not _forgets_groups(part):
                continue
            if part in whole and _takes_lists_of_folds(part):
                part.cv = list(part.cv.split(X, y, groups))
            else:
                raise InputError(
                    f"{type(part).__name__} in {type(model).__name__} splits its clips into folds "
                    "of its own, and scikit-learn cannot hand it the groups that the protocol "
                    "keeps apart; take it out, give its 'cv' a splitter of your choice, or choose "
                    "a protocol that splits groups."
                )
        elif "groups" in _fit_requests(part):
            if _fit_requests(part)["groups"] is None:
                part.set_fit_request(groups=True)
                if stops_early(part, len(y)) and not _reach(model, "fit", part):
                    _refuse_early_stopping(model, part)
        elif stops_early(part, len(y)):
            _refuse_early_stopping(model, part)
        elif part.get_params(deep=False).get("probability") is True:
            raise InputError(
                f"{type(part).__name__}(probability=True) makes its probabilities by folds that "
                "split the groups which the protocol keeps apart; take probability=False, or "
                "CalibratedClassifierCV around it."
            )
    for part in parts_of(model):
        # scikit-learn gives them to the final estimator too, which knows nothing of groups.
        if isinstance(part, StackingClassifier | StackingRegressor) and _consumes(part, "groups"):
            raise InputError(
                f"A part of {type(part).__name__} splits its clips by itself, and scikit-learn "
                "cannot hand it the groups that the protocol keeps apart; take it out, or choose a "
                "protocol that splits groups."
            )
    return _consumes(model, "groups")


def _splits(part, n_rows: int) -> bool:
    """Whether the fit of `part` splits its rows."""
    folds = part.get_params(deep=False).get("cv", "none")
    return not isinstance(folds, str) or stops_early(part, n_rows)


def _refuse_early_stopping(model, part) -> None:
    raise InputError(
        f"{type(part).__name__} in {type(model).__name__} holds clips out to stop early, and "
        "cannot keep the groups apart there as the protocol does; switch its early stopping off, "
        "take skmer's KerasMLPClassifier, which can, or choose a protocol that splits groups."
    )


def _is_number_of_folds(cv) -> bool:
    return cv is None or (isinstance(cv, Integral) and not isinstance(cv, bool))


def _given_all_rows(model) -> list:
    """Return the parts whose fit gets the very rows that the fit of `model` gets."""
    if isinstance(model, Pipeline):
        inner = [step for _, step in model.steps if hasattr(step, "get_params")]
    elif isinstance(model, TransformedTargetRegressor):
        inner = [model.regressor]
    else:
        inner = []
    return [model, *(part for one in inner for part in _given_all_rows(one))]


def _takes_lists_of_folds(part) -> bool:
    return "cv_object" in getattr(part, "_parameter_constraints", {}).get("cv", ())


def _forgets_groups(part) -> bool:
    """Whether an estimator takes groups and does not give them to its folds."""
    return isinstance(part, CalibratedClassifierCV) and part.ensemble is False


def _fit_requests(part) -> dict:
    """Return what the fit of an estimator can be told about each row, beside the target."""
    if not hasattr(part, "set_fit_request"):
        return {}
    try:
        routing = part.get_metadata_routing()
    except NotImplementedError:
        return {}
    # One that has others inside has a router, and asks for nothing itself.
    return routing.fit.requests if hasattr(routing, "fit") else {}


def _reach(model, method: str, part) -> bool:
    """Whether groups given to the fit of `model` come to this very part of it."""
    request = getattr(part, f"set_{method}_request")
    request(groups=_PROBE)
    try:
        return _consumes(model, _PROBE)
    finally:
        request(groups=True)


def _consumes(model, name: str) -> bool:
    try:
        return bool(get_routing_for_object(model).consumes("fit", [name]))
    except NotImplementedError:
        # Some of scikit-learn's do not hand anything on yet.
        return False

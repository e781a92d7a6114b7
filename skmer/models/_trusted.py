"""Which types a model file may hold: nothing that could run code of the file's maker."""

from importlib import import_module

from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit

from skmer.exceptions import InputError

_KINDS = (BaseEstimator, BaseCrossValidator, BaseShuffleSplit)
# What scikit-learn's searches, forests and calibrations hold beside estimators.
_PARTS = frozenset(
    {
        "skmer.classifiers._group_aware_kfold.GroupAwareKFold",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.metrics._classification.accuracy_score",
        "sklearn.metrics._classification.balanced_accuracy_score",
        "sklearn.metrics._classification.f1_score",
        "sklearn.metrics._regression.r2_score",
        "sklearn.metrics._scorer._PassthroughScorer",
        "sklearn.metrics._scorer._Scorer",
        "sklearn.tree._tree.Tree",
    }
)


def check_types(names: list[str], *, what: str) -> list[str]:
    """Return the names of types, each one of an estimator of skmer or scikit-learn, or refuse."""
    foreign = [name for name in names if name not in _PARTS and not _is_estimator(name)]
    if foreign:
        raise InputError(
            f"{what} holds types that are neither scikit-learn's nor skmer's, and that are not "
            f"loaded because they could run code: {', '.join(foreign[:5]):.200}. Save and load "
            "such a model with a tool of your own."
        )
    return names


def _is_estimator(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    if module.split(".")[0] not in ("skmer", "sklearn"):
        return False
    try:
        found = getattr(import_module(module), attribute, None)
    except ImportError:
        return False
    return isinstance(found, type) and issubclass(found, _KINDS)

"""Features x models x splits: what the three evaluations share, and the three.

The rest is for studies, which compute features and fit models piece by piece.
"""

from skmer.evaluation.experiment._classification import classification_protocols, evaluate
from skmer.evaluation.experiment._dynamic_regression import evaluate_dynamic_regression
from skmer.evaluation.experiment._features import (
    INPUT_PARAMETERS,
    MATRIX,
    VECTOR,
    check_finite_feature,
    check_names,
    choose_input,
    make_transformers,
)
from skmer.evaluation.experiment._manifest import describe_estimator
from skmer.evaluation.experiment._regression import (
    REGRESSORS,
    evaluate_regression,
    regression_protocols,
)

__all__ = [
    "INPUT_PARAMETERS",
    "MATRIX",
    "REGRESSORS",
    "VECTOR",
    "check_finite_feature",
    "check_names",
    "choose_input",
    "classification_protocols",
    "describe_estimator",
    "evaluate",
    "evaluate_dynamic_regression",
    "evaluate_regression",
    "make_transformers",
    "regression_protocols",
]

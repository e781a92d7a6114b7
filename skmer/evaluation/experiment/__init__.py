"""Features x models x splits: what the three evaluations share, and the three."""

from skmer.evaluation.experiment._classification import evaluate
from skmer.evaluation.experiment._dynamic_regression import evaluate_dynamic_regression
from skmer.evaluation.experiment._regression import REGRESSORS, evaluate_regression

__all__ = ["REGRESSORS", "evaluate", "evaluate_dynamic_regression", "evaluate_regression"]

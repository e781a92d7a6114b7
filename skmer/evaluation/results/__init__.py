"""Finished evaluations: scores and predictions, their summary, and their files."""

from skmer.evaluation.results._base import BaseResult
from skmer.evaluation.results._classification import EvaluationResult
from skmer.evaluation.results._dynamic_regression import DynamicRegressionResult
from skmer.evaluation.results._regression import RegressionResult

__all__ = ["BaseResult", "DynamicRegressionResult", "EvaluationResult", "RegressionResult"]

"""The one place that imports what scikit-learn does not promise to keep."""

from sklearn.base import _fit_context
from sklearn.utils._param_validation import (
    HasMethods,
    Hidden,
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_params,
)
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import _check_sample_weight, validate_data

__all__ = [
    "HasMethods",
    "Hidden",
    "Interval",
    "InvalidParameterError",
    "Options",
    "StrOptions",
    "_check_sample_weight",
    "_fit_context",
    "output_is_default",
    "validate_data",
    "validate_params",
]


def output_is_default(estimator) -> bool:
    """Whether `transform` of the estimator is to return arrays, not data frames."""
    return _get_output_config("transform", estimator)["dense"] == "default"

"""The one place that imports what scikit-learn does not promise to keep."""

import math
from collections.abc import Callable
from numbers import Real
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from sklearn.utils._param_validation import (
    HasMethods,
    Hidden,
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
)
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import _check_sample_weight, validate_data
from sklearn.utils.validation import _num_samples as num_samples

from skmer.exceptions import InputError

if TYPE_CHECKING:
    # scikit-learn tells no types, and what is decorated by these would lose its own.
    _F = TypeVar("_F", bound=Callable)

    def validate_params(
        parameter_constraints: dict, *, prefer_skip_nested_validation: bool
    ) -> Callable[[_F], _F]: ...

    def _fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[_F], _F]: ...
else:
    from sklearn.base import _fit_context
    from sklearn.utils._param_validation import validate_params

__all__ = [
    "HasMethods",
    "Hidden",
    "Interval",
    "InvalidParameterError",
    "Options",
    "StrOptions",
    "_check_sample_weight",
    "_fit_context",
    "num_samples",
    "output_is_default",
    "parts_of",
    "validate_data",
    "validate_finite_numbers",
    "validate_params",
]


def validate_finite_numbers(estimator) -> None:
    """Refuse what scikit-learn's own validation takes for numbers: True, and infinity."""
    for name, value in estimator.get_params(deep=False).items():
        allowed = estimator._parameter_constraints.get(name, ["boolean"])
        is_truth_value = isinstance(value, bool | np.bool_)
        if (is_truth_value and "boolean" not in allowed) or (
            not is_truth_value and isinstance(value, Real) and not math.isfinite(value)
        ):
            raise InputError(
                f"The {name!r} parameter of {type(estimator).__name__} must be a finite number or "
                f"what else its documentation allows. Got {value!r} instead."
            )


def parts_of(estimator) -> list:
    """Return `estimator` and every estimator inside it."""
    inner = [part for part in estimator.get_params().values() if hasattr(part, "get_params")]
    return [part for part in [estimator, *inner] if not isinstance(part, type)]


def output_is_default(estimator) -> bool:
    """Whether `transform` of the estimator is to return arrays, not data frames."""
    return _get_output_config("transform", estimator)["dense"] == "default"

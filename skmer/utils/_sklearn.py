"""The one place that imports what scikit-learn does not promise to keep."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
from sklearn.utils import _param_validation
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

from skmer.exceptions import InputError, InputTypeError, bounded

# scikit-learn tells no types, and what it decorates would lose its own.
_F = TypeVar("_F", bound=Callable)

__all__ = [
    "HasMethods",
    "Hidden",
    "Interval",
    "InvalidParameterError",
    "Options",
    "StrOptions",
    "_check_sample_weight",
    "checked_features",
    "num_samples",
    "output_is_default",
    "parts_of",
    "validate_data",
    "validate_parameters",
    "validate_params",
]


@contextmanager
def _bounded_messages() -> Iterator[None]:
    """Cut what scikit-learn says of a parameter: it has what was given, at any length."""
    try:
        yield
    except InvalidParameterError as error:
        error.args = (bounded(str(error)),)
        raise


def validate_params(
    parameter_constraints: dict, *, prefer_skip_nested_validation: bool
) -> Callable[[_F], _F]:
    """Return scikit-learn's decorator of this name, whose messages are sentences."""
    validate = _param_validation.validate_params(
        parameter_constraints, prefer_skip_nested_validation=prefer_skip_nested_validation
    )
    return lambda function: _bounded_messages()(validate(function))


def validate_parameters(estimator) -> None:
    """Validate as scikit-learn does, and refuse what it takes for numbers: True, and infinity."""
    with _bounded_messages():
        estimator._validate_params()
    for name, value in estimator.get_params(deep=False).items():
        allowed = estimator._parameter_constraints.get(name, ["boolean"])
        is_truth_value = isinstance(value, bool | np.bool_)
        is_unbounded = isinstance(value, float | np.floating) and not math.isfinite(value)
        if is_unbounded or (is_truth_value and "boolean" not in allowed):
            raise InputError(
                f"The {name!r} parameter of {type(estimator).__name__} must be a finite number or "
                f"what else its documentation allows. Got {value!r} instead."
            )


@contextmanager
def checked_features(X, estimator) -> Iterator[None]:
    """Refuse what scikit-learn takes for numbers, and tell what it refuses in one sentence."""
    what = f"X of {type(estimator).__name__}"
    if np.ma.is_masked(X):
        raise InputError(f"{what} has masked values; fill them, or leave those rows out.")
    try:
        dtype = np.asarray(X).dtype
        if dtype.kind in "cmMSTU":
            raise InputError(
                f"{what} must hold real numbers. Complex data not supported, nor text, nor dates. "
                f"Got an array of {dtype}."
            )
        yield
    except (InputError, InputTypeError):
        raise
    except (ValueError, TypeError) as error:
        kind = InputTypeError if isinstance(error, TypeError) else InputError
        raise kind(f"{what}: {error}") from error


def parts_of(estimator) -> list:
    """Return `estimator` and every estimator inside it."""
    inner = [part for part in estimator.get_params().values() if hasattr(part, "get_params")]
    return [part for part in [estimator, *inner] if not isinstance(part, type)]


def output_is_default(estimator) -> bool:
    """Whether `transform` of the estimator is to return arrays, not data frames."""
    return _get_output_config("transform", estimator)["dense"] == "default"

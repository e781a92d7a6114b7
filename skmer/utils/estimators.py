"""The one place that imports what scikit-learn does not promise to keep."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
from sklearn.utils import _param_validation, check_random_state
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
from skmer.utils.messages import deprecated_names

# scikit-learn has no type hints, and functions that it decorates would lose theirs.
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
    "deprecated_names",
    "num_samples",
    "output_is_default",
    "parts_of",
    "validate_data",
    "validate_parameters",
    "validate_params",
]


@contextmanager
def _completed_errors() -> Iterator[None]:
    """Bound scikit-learn's messages about parameters, and give the errors a `param`."""
    try:
        yield
    except InvalidParameterError as error:
        named = re.match(r"The '(\w+)' parameter", str(error))
        error.param = named[1] if named else None
        error.args = (bounded(str(error)),)
        raise


def validate_params(
    parameter_constraints: dict, *, prefer_skip_nested_validation: bool
) -> Callable[[_F], _F]:
    """Return scikit-learn's decorator of this name, whose errors are bounded and have a `param`."""
    validate = _param_validation.validate_params(
        parameter_constraints, prefer_skip_nested_validation=prefer_skip_nested_validation
    )
    return lambda function: _completed_errors()(validate(function))


def validate_parameters(estimator) -> None:
    """Validate as scikit-learn does, and raise for True and infinity in the place of numbers."""
    with _completed_errors():
        estimator._validate_params()
    for name, value in estimator.get_params(deep=False).items():
        allowed = estimator._parameter_constraints.get(name, ["boolean"])
        is_truth_value = isinstance(value, bool | np.bool_)
        is_unbounded = isinstance(value, float | np.floating) and not math.isfinite(value)
        if is_unbounded or (is_truth_value and "boolean" not in allowed):
            raise InputError(
                f"The {name!r} parameter of {type(estimator).__name__} must be a finite number or "
                f"what else its documentation allows. Got {value!r} instead.",
                param=name,
            )


@contextmanager
def checked_features(X, estimator) -> Iterator[None]:
    """Raise for what is no real number, and convert scikit-learn's errors to one sentence."""
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


@cache
def documentation_url() -> str | None:
    """Return where the package's own metadata say that its documentation is; None: nowhere."""
    try:
        stated = metadata("skmer").get_all("Project-URL") or []
    except PackageNotFoundError:
        return None
    pages = dict(entry.split(", ", 1) for entry in stated)
    return pages.get("Documentation", "").rstrip("/") or None


class DocumentedMixin:
    """Give a step of a pipeline's diagram a link to its page.

    The address is the ``Documentation`` of ``project_urls`` in setup.cfg; where none is stated,
    there is no link, instead of scikit-learn's own or of one that leads nowhere.
    """

    # The package that the reference lists the class under.
    _documented_in: str

    # What scikit-learn asks for; it links a class whose module starts with this.
    @property
    def _doc_link_module(self) -> str:
        return "skmer" if documentation_url() else ""

    @property
    def _doc_link_template(self) -> str:
        return f"{documentation_url()}/generated/{{page}}.html"

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        return {"page": f"{self._documented_in}.{type(self).__name__}"}


def derive_seeds(random_state: int | np.random.RandomState | None, n_seeds: int) -> list[int]:
    """Spawn `n_seeds` independent seeds; an int always spawns the same ones."""
    check_seed(random_state)
    if isinstance(random_state, np.random.RandomState):
        random_state = int(random_state.randint(2**31 - 1))
    children = np.random.SeedSequence(random_state).spawn(n_seeds)
    # 31 bits, for the libraries that take a seed as a signed 32-bit integer.
    return [int(child.generate_state(1)[0] >> 1) for child in children]


def recorded_seed(random_state: int | np.random.RandomState | None) -> int:
    """Return the int that everything is drawn from, so that it can be recorded and used again."""
    if isinstance(random_state, Integral):
        check_seed(random_state)
        return int(random_state)
    return derive_seeds(random_state, 1)[0]


def check_seed(random_state, most: float = math.inf) -> None:
    """Raise for what is no seed; scikit-learn allows 32 bits at most."""
    is_seed = isinstance(random_state, Integral) and not isinstance(random_state, bool)
    is_seed = is_seed and 0 <= int(random_state) <= most
    if not (is_seed or random_state is None or isinstance(random_state, np.random.RandomState)):
        allowed = "of at least 0" if most == math.inf else f"from 0 to {most}"
        raise InputError(
            f"The 'random_state' parameter must be an int {allowed}, a numpy RandomState, or "
            f"None. Got {random_state!r} instead.",
            param="random_state",
        )


def seed_and_label(weights, random_state) -> tuple[int, str]:
    """Return the seed of random weights (0 for others), and what to call the weights."""
    if weights is None:
        seed = int(check_random_state(random_state).randint(2**31 - 1))
        return seed, f"random weights (seed {seed})"
    return 0, Path(weights).name


class SupportsCache(Protocol):
    """A `joblib.Memory`, or what is used like one."""

    cache: Any


Statistic = Literal["mean", "std", "max", "min"]
Pooling = Statistic | Sequence[Statistic] | None
Weights = str | PathLike[str] | None
Memory = str | PathLike[str] | SupportsCache | None
RandomState = int | np.random.RandomState | None
OnError = Literal["raise", "nan"]
Resampler = Literal["soxr_hq", "kaiser_best"]
Preset = Literal["tuned", "koh2021"]
ClassWeight = dict[Any, float] | Literal["balanced"] | None

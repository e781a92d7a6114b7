"""The one place that imports what scikit-learn does not promise to keep."""

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from functools import partial
from numbers import Integral, Real
from os import PathLike
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol, Self, TypeVar

import numpy as np
from sklearn.utils import _param_validation
from sklearn.utils._param_validation import HasMethods, Interval, Options, StrOptions
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import _check_sample_weight, _num_samples, validate_data

from skmer.exceptions import InputError, bounded
from skmer.utils.messages import wrong_parameter

if TYPE_CHECKING:
    # scikit-learn has no types, and type checkers let a dataclass with a base of no type take any
    # argument.
    class BaseEstimator:
        _parameter_constraints: ClassVar[dict[str, list]]
        n_features_in_: int

        def get_params(self, deep: bool = True) -> dict[str, Any]: ...
        def set_params(self, **params: Any) -> Self: ...
        def __sklearn_tags__(self) -> Any: ...

    class ClassifierMixin:
        def score(self, X, y, sample_weight=None) -> float: ...

    class TransformerMixin:
        def fit_transform(self, X, y=None, **fit_params) -> np.ndarray: ...
        def set_output(self, *, transform: str | None = None) -> Self: ...

else:
    from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin

InvalidParameterError = _param_validation.InvalidParameterError

# scikit-learn has no type hints, and functions that it decorates would lose theirs.
_F = TypeVar("_F", bound=Callable)


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


def validate_params(constraints: dict) -> Callable[[_F], _F]:
    """Return scikit-learn's decorator of this name, whose errors are bounded and have a `param`."""
    validate = _param_validation.validate_params(constraints, prefer_skip_nested_validation=True)
    return lambda function: _completed_errors()(validate(function))


def validate_parameters(estimator) -> None:
    """Validate the parameters of an estimator as scikit-learn does, see `validate_params`."""
    with _completed_errors():
        estimator._validate_params()


def check_unmasked(X, name: str) -> None:
    """Raise for masked values, which scikit-learn would take for the numbers below the mask."""
    if np.ma.is_masked(X):
        raise InputError(f"{name} has masked values; fill them, or leave those rows out.")


def nested_estimators(estimator) -> list:
    """Return `estimator` and every estimator inside it."""
    inner = [value for value in estimator.get_params().values() if hasattr(value, "get_params")]
    return [one for one in [estimator, *inner] if not isinstance(one, type)]


def wrap_tables_only(estimator, *, is_table: bool) -> None:
    """Let `transform` return a data frame where one is asked for, and it gives a table."""
    estimator._sklearn_auto_wrap_output_keys = ("transform",) if is_table else ()


def output_is_default(estimator) -> bool:
    """Whether `transform` of the estimator is to return arrays, not data frames."""
    return _get_output_config("transform", estimator)["dense"] == "default"


def _takes_labels(score) -> bool:
    """Whether a score of scikit-learn takes classes that a set lacks for absent everywhere.

    Those with `zero_division`, such as F1, are means over the classes of the set: with all classes
    named, one that is absent would count as 0.
    """
    named = score.keywords if isinstance(score, partial) else {}
    score = score.func if isinstance(score, partial) else score
    if not str(getattr(score, "__module__", None)).startswith("sklearn.") or "labels" in named:
        return False
    parameters = inspect.signature(score).parameters
    return "labels" in parameters and "zero_division" not in parameters


def prepare_scorer(scorer, models: Mapping, classes):
    """Return what `check_scoring` gave with all classes named; raise for what a model lacks."""
    scorers = getattr(scorer, "_scorers", {"score": scorer})
    for name, one in scorers.items():
        methods = getattr(one, "_response_method", "predict")
        methods = (methods,) if isinstance(methods, str) else methods
        lacking = [
            key for key, model in models.items() if not any(hasattr(model, one) for one in methods)
        ]
        if lacking and "default" not in methods:
            raise InputError(
                f"The score {name!r} of the 'scoring' parameter needs {' or '.join(methods)}, "
                f"which {lacking[0]!r} does not have. Take a model with it, such as one with "
                "CalibratedClassifierCV around it, or another score.",
                param="scoring",
            )
        if classes is not None and _takes_labels(getattr(one, "_score_func", None)):
            one = copy(one)
            one._kwargs = {"labels": classes, **one._kwargs}
            scorers[name] = one
    return scorer


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


def check_seed(random_state) -> None:
    """Raise for a seed that is neither an int of at least 0, nor a RandomState, nor None."""
    is_seed = isinstance(random_state, Integral) and int(random_state) >= 0
    if not (is_seed or random_state is None or isinstance(random_state, np.random.RandomState)):
        allowed = "an int of at least 0, a numpy RandomState, or None"
        raise wrong_parameter("", "random_state", allowed, random_state)


def allowed_by(hint) -> list:
    """Return what `validate_params` must allow for a type hint; `Annotated` states it as it is."""
    kind, inside = typing.get_origin(hint) or hint, typing.get_args(hint)
    if kind is Annotated:
        return [*hint.__metadata__]
    if kind is Literal:
        is_text = isinstance(inside[0], str)
        return [StrOptions(set(inside)) if is_text else Options(Integral, set(inside))]
    if kind in (typing.Union, types.UnionType):
        return [allowed for one in inside for allowed in allowed_by(one)]
    known: dict[Any, list] = {
        bool: ["boolean"],
        int: [Integral],
        float: [Real],
        types.NoneType: [None],
        Sequence: [list, tuple],
        Callable: [callable],
    }
    return known.get(kind, [kind])


def checked(function: _F) -> _F:
    """Decorate a function so that its arguments must be what its type hints allow."""
    hints = typing.get_type_hints(function, include_extras=True)
    allowed = {name: allowed_by(hint) for name, hint in hints.items() if name != "return"}
    return validate_params(allowed)(function)


@typing.dataclass_transform(
    kw_only_default=True, eq_default=False, field_specifiers=(dataclasses.field,)
)
def estimator(cls):
    """Make the fields of a class the parameters of an estimator, allowed by their type hints."""
    cls = dataclasses.dataclass(kw_only=True, eq=False, repr=False)(cls)
    hints = typing.get_type_hints(cls, include_extras=True)
    fields = dataclasses.fields(cls)
    cls._parameter_constraints = {one.name: allowed_by(hints[one.name]) for one in fields}
    return cls


class SupportsCache(Protocol):
    """A `joblib.Memory`, or what is used like one."""

    cache: Any


Statistic = Literal["mean", "std", "max", "min"]
Pooling = Statistic | Sequence[Statistic] | None
Weights = str | PathLike[str] | None
Memory = str | PathLike[str] | Annotated[SupportsCache, HasMethods(["cache"])] | None
RandomState = Annotated[int | np.random.RandomState | None, "random_state"]
OnError = Literal["raise", "nan"]
Resampler = Literal["soxr_hq", "kaiser_best"]
Preset = Literal["tuned", "koh2021"]
Positive = Annotated[int, Interval(Integral, 1, None, closed="left")]
Many = Annotated[int, Interval(Integral, 1, 10**6, closed="both")]
Share = Annotated[float, Interval(Real, 0, 1, closed="neither")]
HeldOut = Annotated[float, Interval(Real, 0, 1, closed="left")]
PositiveFloat = Annotated[float, Interval(Real, 0, None, closed="neither")]
Sizes = Annotated[Sequence[int], "array-like"]
ClassWeight = dict[Any, float] | Literal["balanced"] | None

"""What parameters may be, where scikit-learn's validation is not at hand or costs too much."""

from collections.abc import Iterable
from numbers import Integral

import numpy as np

from skmer.exceptions import InputError
from skmer.utils._words import cut_middle


def check_whole(function: str, *, least: int = 1, most: int | None = None, **parameters) -> None:
    """Refuse parameters that are no integers from `least` to `most`."""
    for name, value in parameters.items():
        is_whole = isinstance(value, Integral) and not isinstance(value, bool)
        if not is_whole or value < least or (most is not None and value > most):
            allowed = f"of at least {least}" if most is None else f"from {least} to {most}"
            raise InputError(
                f"The '{name}' parameter of {function} must be an integer {allowed}. "
                f"Got {cut_middle(repr(value), 100)} instead."
            )


def check_flags(function: str, **parameters) -> None:
    """Refuse parameters that are neither True nor False, nor the 1 and 0 that stand for them."""
    for name, value in parameters.items():
        if not isinstance(value, Integral | np.bool_) or value not in (0, 1):
            raise InputError(
                f"The '{name}' parameter of {function} must be True or False. "
                f"Got {cut_middle(repr(value), 100)} instead."
            )


def is_iterable(values) -> bool:
    """Whether something can be gone through; arrays without dimensions only look like it."""
    return hasattr(values, "__iter__") and getattr(values, "ndim", 1) > 0


def check_choice(function: str, choices: Iterable, **parameters) -> None:
    """Refuse parameters that are none of the choices."""
    for name, value in parameters.items():
        # Of its own kind alone: True is no 1, and arrays are neither equal to a text nor not.
        kind = str if isinstance(value, str) else type(value)
        if value not in [one for one in choices if type(one) is kind]:
            raise InputError(
                f"The '{name}' parameter of {function} must be one of "
                f"{', '.join(map(repr, choices))}. Got {cut_middle(repr(value), 100)} instead."
            )

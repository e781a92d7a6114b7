"""Parts of messages, of bounded length whatever they speak of."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from html import escape
from importlib import import_module
from numbers import Integral
from typing import Any

import numpy as np

from skmer.exceptions import InputError


def cut_middle(text: str, width: int = 200) -> str:
    """Cut the middle out of a text that is longer than `width` characters.

    Examples
    --------
    >>> from skmer.utils.messages import cut_middle
    >>> cut_middle("abcdefghijklmnopqrstuvwxyz", 11)
    'abcd...wxyz'
    """
    if len(text) <= width:
        return text
    kept = (width - 3) // 2
    return f"{text[:kept]}...{text[-kept:]}"


def deprecated_names(module: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a module's ``__getattr__`` that still finds names which are not public any more.

    Parameters
    ----------
    module : str
        The module's ``__name__``.
    names : mapping of str to str
        By deprecated name, where the object is now, such as ``"skmer.utils.files:atomic_write"``;
        without a colon it has kept its name.

    Returns
    -------
    get : callable
        To be assigned to ``__getattr__``.

    Examples
    --------
    >>> from skmer.utils.messages import deprecated_names
    >>> get = deprecated_names("skmer.utils", {"unfinished_file": "skmer.utils.files:atomic_write"})
    >>> get("other")
    Traceback (most recent call last):
        ...
    AttributeError: module 'skmer.utils' has no attribute 'other'
    """

    def get(name: str):
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        home, _, attribute = names[name].partition(":")
        warnings.warn(
            f"{module}.{name} is deprecated and will be removed in the next version of skmer.",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(import_module(home), attribute or name)

    return get


def escape_undecodable(text: str) -> str:
    r"""Write what no encoding can hold, as in names of files that are not UTF-8, as an escape.

    Examples
    --------
    >>> from skmer.utils.messages import escape_undecodable
    >>> escape_undecodable("Stra\udcdfe.wav")
    'Stra\\udcdfe.wav'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def html_list(lines: Iterable[str]) -> str:
    """Write lines of text as a list, as notebooks show them.

    Examples
    --------
    >>> from skmer.utils.messages import html_list
    >>> html_list(["a < b"])
    '<ul><li>a &lt; b</li></ul>'
    """
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def shorten(
    items: Iterable[Any], limit: int = 5, *, width: int = 300, separator: str = ", "
) -> str:
    """First few of a list in words, for a message: at most `limit`, and `width` characters.

    Examples
    --------
    >>> from skmer.utils.messages import shorten
    >>> shorten(["one", "two", "three"], limit=2)
    'one, two and 1 more'
    >>> shorten(["one", "two", "three"], width=9)
    'one, two and 1 more'
    """
    texts = [str(item) for item in items]
    shown: list[str] = []
    for text in texts[:limit]:
        if shown and len(separator.join([*shown, text])) > width:
            break
        shown.append(cut_middle(text, width))
    more = f" and {len(texts) - len(shown)} more" if len(texts) > len(shown) else ""
    return separator.join(shown) + more


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

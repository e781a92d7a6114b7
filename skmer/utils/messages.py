"""Helpers for messages, and the checks of parameters that raise them."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from html import escape
from importlib import import_module
from importlib.util import find_spec
from numbers import Integral

from skmer.exceptions import InputError, MissingPackageError, bounded


def check_installed(*packages: str, extra: str, needed_for: str) -> None:
    """Raise MissingPackageError, which names the extra, where one of the packages is missing.

    Examples
    --------
    >>> from skmer.utils.messages import check_installed
    >>> check_installed("no_such_package", extra="excel", needed_for="Excel workbooks")
    Traceback (most recent call last):
        ...
    skmer.exceptions.MissingPackageError: Excel workbooks need no_such_package, not ...
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise MissingPackageError(
            f"{needed_for} need {' and '.join(missing)}, not installed here; get what they need "
            f'by: pip install "skmer[{extra}]"'
        )


def deprecated_names(module: str, names: Mapping[str, str]) -> Callable:
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
        attribute = attribute or name
        message = f"{module}.{name} is deprecated and will be removed in the next version of skmer"
        warnings.warn(f"{message}; it is now {home}.{attribute}.", DeprecationWarning, stacklevel=2)
        return getattr(import_module(home), attribute)

    return get


def escape_undecodable(text: str) -> str:
    r"""Escape what UTF-8 cannot encode, as in names of files that are not UTF-8.

    Examples
    --------
    >>> from skmer.utils.messages import escape_undecodable
    >>> escape_undecodable("Stra\udcdfe.wav")
    'Stra\\udcdfe.wav'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def html_list(lines: Iterable[str]) -> str:
    """Return lines of text as an HTML list, for notebooks.

    Examples
    --------
    >>> from skmer.utils.messages import html_list
    >>> html_list(["a < b"])
    '<ul><li>a &lt; b</li></ul>'
    """
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def shorten(items: Iterable, limit: int = 5, *, width: int = 300, separator: str = ", ") -> str:
    """Join the first items of a list for a message: at most `limit`, and `width` characters.

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
        shown.append(bounded(text, width))
    more = f" and {len(texts) - len(shown)} more" if len(texts) > len(shown) else ""
    return separator.join(shown) + more


def counted(n: int, one: str, many: str = "") -> str:
    """Return a number with its noun, and what else depends on the number.

    Examples
    --------
    >>> from skmer.utils.messages import counted
    >>> counted(1, "clip"), counted(2, "clip"), counted(2, "entry is", "entries are")
    ('1 clip', '2 clips', '2 entries are')
    """
    return f"{n} {one if n == 1 else many or one + 's'}"


def suggest(name: object, names: Iterable[str]) -> str:
    """Return a question after the one of the names that a mistyped one is close to, or nothing.

    Examples
    --------
    >>> from skmer.utils.messages import suggest
    >>> suggest("Ravdess", ["toy", "ravdess-song"])
    " Did you mean 'ravdess-song'?"
    """
    close = get_close_matches(str(name).lower(), list(names), 1)
    return f" Did you mean {close[0]!r}?" if close else ""


def name_slowest(slowest: Mapping[str, float]) -> str:
    """Return a sentence on the configurations that take most of the time."""
    named = ", ".join(f"{name} ({share:.0%})" for name, share in slowest.items())
    return f" Most of the time is taken by {named}." if named else ""


def in_words(seconds: float) -> str:
    """Return a duration for people.

    Examples
    --------
    >>> from skmer.utils.messages import in_words
    >>> in_words(8), in_words(150), in_words(9000), in_words(400_000)
    ('8 s', '2 min', '2.5 hours', '4.6 days')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} hours" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} days"


def is_iterable(values) -> bool:
    """Return whether something can be iterated over; arrays without dimensions cannot."""
    return hasattr(values, "__iter__") and getattr(values, "ndim", 1) > 0


def check_whole(function: str, *, least: int = 1, most: int | None = None, **parameters) -> None:
    """Raise for parameters that are no integers from `least` to `most`."""
    allowed = f"of at least {least}" if most is None else f"from {least} to {most}"
    for name, value in parameters.items():
        is_whole = isinstance(value, Integral) and not isinstance(value, bool)
        if not is_whole or value < least or (most is not None and value > most):
            raise wrong_parameter(function, name, f"an integer {allowed}", value)


def check_choice(function: str, choices: Iterable, **parameters) -> None:
    """Raise for parameters that are none of the choices."""
    for name, value in parameters.items():
        # Among those of its type: True equals 1, and a comparison with an array is no truth value.
        kind = str if isinstance(value, str) else type(value)
        if value not in [one for one in choices if type(one) is kind]:
            raise wrong_parameter(function, name, f"one of {', '.join(map(repr, choices))}", value)


def wrong_parameter(owner, name: str, allowed: str, value) -> InputError:
    """Return the error for a parameter of a function, by its name, an estimator, or of both."""
    owner = owner if isinstance(owner, str) else type(owner).__name__
    what = f"'{name}' parameter of {owner}" if owner else f"'{name}' parameter"
    return InputError(f"The {what} must be {allowed}. Got {value!r} instead.", param=name)

"""Numbers as plain arrays of floats: no text, nothing missing, of the shape that is wanted."""

import numpy as np
from sklearn.utils import check_array

from skmer.exceptions import InputError
from skmer.utils import estimators, messages

# Far beyond what is measured or computed of sounds; squares of it, and their sums, still fit into
# float32, and what a model makes of larger numbers is infinity or NaN.
LARGEST = 1e15

# A decorator: what a user has set by `numpy.seterr`, such as to raise, is for the user's own code.
# Numbers that vanish are nothing special in spectra and probabilities.
numpy_defaults = np.errstate(divide="warn", over="warn", under="ignore", invalid="warn")


def check_floats(values, name: str, *, ndim: int | None = None, finite: bool = True) -> np.ndarray:
    """Return an array of floats.

    Parameters
    ----------
    values : array-like
        Numbers or booleans.
    name : str
        What messages call them.
    ndim : int, default=None
        How many dimensions they must have; None = any number.
    finite : bool, default=True
        Whether NaN, infinity, and numbers beyond `LARGEST` are an error.

    Returns
    -------
    numbers : ndarray of float
        float32 stays float32.

    Raises
    ------
    InputError
        For anything else.

    Examples
    --------
    >>> from skmer.utils.floats import check_floats
    >>> check_floats([1, 2], "scores")
    array([1., 2.])
    """
    estimators.check_unmasked(values, f"'{name}'")
    try:
        array = check_array(
            values,
            dtype=[np.float64, np.float32],
            ensure_2d=False,
            allow_nd=True,
            ensure_all_finite=finite,
            ensure_min_samples=0,
            ensure_min_features=0,
            input_name=name,
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"'{name}' must be an array of numbers: {error}") from None
    if ndim not in (None, array.ndim):
        wanted = messages.counted(ndim, "dimension")
        raise InputError(f"'{name}' must have {wanted}. Got shape {array.shape} instead.")
    if finite:
        check_magnitude(array, f"'{name}'")
    return array


def check_magnitude(array: np.ndarray, what: str) -> None:
    """Raise for infinity and numbers beyond `LARGEST`; NaN passes, as where a value is missing."""
    highest = np.fmax.reduce(array, axis=None, initial=0)
    peak = max(highest, -np.fmin.reduce(array, axis=None, initial=0))
    if peak > LARGEST:
        raise InputError(
            f"{what} must hold numbers between {-LARGEST:g} and {LARGEST:g}; others overflow in "
            f"computations. Got {peak:g}; scale them, or leave those rows out."
        )


def usable_rows(X: np.ndarray) -> np.ndarray:
    """Return which rows have neither infinity, nor more than `LARGEST`, nor NaN."""
    usable = (X <= LARGEST) & (X >= -LARGEST)
    return np.asarray(usable.all(axis=tuple(range(1, X.ndim))))


def check_rows(X: np.ndarray, what: str) -> None:
    """Raise for rows that are not usable; the message has their number and the first of them."""
    bad = np.flatnonzero(~usable_rows(X))
    if bad.size:
        raise InputError(
            f"{what} must hold finite numbers of at most {LARGEST:g}, and {bad.size} of its "
            f"{len(X)} rows have NaN, inf or larger ones, the first of them row {bad[0]}. Leave "
            "those rows out."
        )


def to_floats(values, what: str) -> np.ndarray:
    """Return an array of floats, NaN where there is no value; text numbers are numbers.

    Parameters
    ----------
    values : array-like
        Numbers; masked ones are missing.
    what : str
        What messages call them, such as "The targets y".

    Returns
    -------
    numbers : ndarray of float64

    Raises
    ------
    InputError
        For anything else.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.utils.floats import to_floats
    >>> to_floats(np.ma.masked_equal([1, 2], 2), "The targets y")
    array([ 1., nan])
    """
    import pandas as pd

    array = np.asarray(values)
    try:
        # Complex numbers would lose their imaginary half, and dates their unit.
        if array.dtype.kind in "cmMSV":
            raise TypeError
        if array.dtype.kind == "O":
            array = np.where(pd.isna(array), np.nan, array)
        numbers = parse_floats(array)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{what} must be numbers. Got {values!r} instead.") from None
    is_masked = isinstance(values, np.ma.MaskedArray)
    return np.where(np.ma.getmaskarray(values), np.nan, numbers) if is_masked else numbers


def parse_floats(array: np.ndarray) -> np.ndarray:
    """Return an array of numbers, or of text, as floats; a ValueError names what is no number.

    Python converts 1_0 to 10, as it is written in programs; in a table it is a typing error.
    """
    for item in array.flat if array.dtype.kind in "OUST" else ():
        if isinstance(item, str) and "_" in item:
            raise ValueError(f"could not convert string to float: {item!r}")
    return array.astype(float)

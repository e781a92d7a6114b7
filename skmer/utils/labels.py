"""Labels and groups as plain arrays: one for each clip, all text or all numbers, none missing."""

import warnings
from collections.abc import Sequence
from numbers import Real

import numpy as np
from sklearn.utils import column_or_1d

from skmer.exceptions import InputError


def check_labels(values, name: str) -> np.ndarray:
    """Return one label for each clip as an array of text, of numbers, or of booleans.

    Parameters
    ----------
    values : array-like of shape (n_clips,)
        Text, numbers or booleans; not a mixture, which has no order.
    name : str
        What messages call them, such as "The groups".

    Returns
    -------
    labels : ndarray of shape (n_clips,)

    Raises
    ------
    InputError
        For another shape, a missing value, a mixture, or something else than text and numbers.
    """
    labels = values if isinstance(values, np.ndarray) else _items_of(values, name)
    if labels.ndim != 1:
        raise InputError(f"{name} must be one for each clip. Got shape {labels.shape} instead.")
    if np.ma.is_masked(labels):
        raise InputError(f"{name} are masked in places. Leave those clips out of X, y and groups.")
    if labels.dtype.kind == "U":
        check_text(name, *np.unique(labels).tolist())
    if labels.dtype.kind in "biuU":
        return labels
    import pandas as pd

    if labels.dtype.kind == "V":
        # Records, of which some versions of pandas cannot tell.
        labels = labels.astype(object)
    missing = np.flatnonzero(pd.isna(labels))
    if missing.size:
        raise InputError(
            f"{name} have missing values: {missing.size} of {labels.size} clips have none, the "
            f"first in row {missing[0]}. Leave those clips out of X, y and groups."
        )
    if labels.dtype.kind == "f":
        return labels
    kinds = [_kind(label) for label in labels]
    for row, kind in enumerate(kinds):
        if kind is None or kind != kinds[0]:
            raise InputError(
                f"{name} must be all text or all numbers. Got {labels[0]!r:.100} in row 0"
                + (f" and {labels[row]!r:.100} in row {row}." if row else ".")
            )
    array = np.array(labels.tolist())
    if array.dtype.kind == "O":
        raise InputError(
            f"{name} must be text, or numbers of at most 64 bits. Got {labels[0]!r:.100} in row 0."
        )
    if array.dtype.kind == "U":
        check_text(name, *set(array.tolist()))
    return array


def check_target(y) -> np.ndarray:
    """Return the labels given to a `fit`; a table of one column passes, with a warning."""
    if not isinstance(y, list | tuple) and getattr(y, "ndim", 0) != 1:
        y = column_or_1d(y, warn=True)
    return check_labels(y, "The labels y")


def check_text(what: str, *texts: str) -> None:
    """Refuse text that no file can hold: half a character, as in names that are not UTF-8."""
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InputError(f"{what} must be text that UTF-8 can write. Got {text!r}.") from None


def _items_of(values, name: str) -> np.ndarray:
    """Return an array of the items as they are; numpy alone would write 1 among text as "1"."""
    # Missing times have `to_numpy` too, and no items.
    if hasattr(values, "to_numpy") and hasattr(values, "__iter__"):
        return np.asarray(values, dtype=object)
    # A set has no order.
    if isinstance(values, str | bytes | dict | set | frozenset) or not hasattr(values, "__iter__"):
        raise InputError(
            f"{name} must be a sequence, one for each clip. Got {values!r:.100} instead."
        )
    listed = [None if item is np.ma.masked else item for item in values]
    if any(hasattr(item, "__len__") and not isinstance(item, str | bytes) for item in listed):
        try:
            return np.asarray(listed)
        except (ValueError, TypeError):
            raise InputError(f"{name} must be one for each clip. Got lists among them.") from None
    items = np.empty(len(listed), dtype=object)
    items[:] = listed
    return items


def _kind(label) -> str | None:
    """Return what a label is; None for what labels may not be."""
    if isinstance(label, str):
        return "text"
    if isinstance(label, bool | np.bool_):
        return "boolean"
    return "number" if isinstance(label, Real) else None


def stack_frames(frames: Sequence):
    """Return the rows of all frames, numbered anew.

    pandas 2 warns that a column without values in one of them will count for the type of the whole.

    Examples
    --------
    >>> import pandas as pd
    >>> from skmer.utils.labels import stack_frames
    >>> stack_frames([pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})])["a"].tolist()
    [1, 2]
    """
    import pandas as pd

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The behavior of DataFrame concat", FutureWarning)
        return pd.concat(frames, ignore_index=True)

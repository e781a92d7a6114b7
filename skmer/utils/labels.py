"""Labels and groups as plain arrays: one for each clip, all text or all numbers, none missing."""

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.utils import column_or_1d

from skmer.exceptions import InputError

# As pandas names them; an empty array has neither text nor numbers.
_KINDS = ("string", "integer", "floating", "mixed-integer-float", "boolean", "empty")


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
    # A set has no order. numpy alone would write 1 among text as "1".
    if isinstance(values, str | bytes | dict | set | frozenset) or not hasattr(values, "__iter__"):
        raise InputError(f"{name} must be a sequence, one for each clip. Got {values!r} instead.")
    labels = values if isinstance(values, np.ndarray) else np.asarray(values, dtype=object)
    if labels.ndim != 1:
        raise InputError(f"{name} must be one for each clip. Got shape {labels.shape} instead.")
    if labels.dtype.kind in "biu" and not np.ma.is_masked(labels):
        return labels
    import pandas as pd

    missing = np.flatnonzero(np.ma.getmaskarray(labels) | pd.isna(np.asarray(labels)))
    if missing.size:
        raise InputError(
            f"{name} have missing values: {missing.size} of {labels.size} clips have none, the "
            f"first in row {missing[0]}. Leave those clips out of X, y and groups."
        )
    kind = pd.api.types.infer_dtype(labels, skipna=False)
    is_allowed = kind in _KINDS
    array = np.array(labels.tolist()) if labels.dtype.kind == "O" and is_allowed else labels
    if not is_allowed or array.dtype.kind == "O":
        raise InputError(
            f"{name} must be all text, or all numbers of at most 64 bits. Got {kind} values, such "
            f"as {labels[0]!r}."
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
    """Raise for text that no file can hold: half a character, as in names that are not UTF-8."""
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InputError(f"{what} must be text that UTF-8 can write. Got {text!r}.") from None


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

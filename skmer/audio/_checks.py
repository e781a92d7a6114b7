"""What may be given to the front-ends; light, since every worker process and every block comes by.

Audio that was read is checked where it is read; this is for callers with arrays of their own.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from skmer.exceptions import InputError, InputTypeError
from skmer.utils._checks import is_iterable
from skmer.utils._words import cut_middle


def check_table(function: str, values, n_columns: int | None = None) -> np.ndarray:
    """Return real numbers of shape (n, n_columns); None = any number, and of any value too."""
    try:
        array = np.asarray(values)
        is_table = array.ndim == 2 and array.dtype.kind in "biuf" and array.shape[1] > 0
    except ValueError:
        is_table = False
    if not is_table or n_columns not in (None, array.shape[1]):
        got = f"shape {array.shape}" if is_table else cut_middle(repr(values), 100)
        raise InputError(
            f"{function} takes real numbers of shape (n, {n_columns or 'n_columns'}). "
            f"Got {got} instead."
        )
    if n_columns is not None and not np.isfinite(array).all():
        raise InputError(f"{function} takes finite numbers. Got NaN or infinity.")
    return array


def check_blocks(waveform: Iterable) -> Iterator[np.ndarray]:
    """Yield the blocks of a waveform, each a one-dimensional array of real numbers."""
    if not is_iterable(waveform):
        raise InputTypeError(
            "A waveform in blocks must be an iterable of arrays, such as [waveform]. "
            f"Got {cut_middle(repr(waveform), 100)} instead."
        )
    for block in waveform:
        array = np.asarray(block)
        if array.ndim != 1 or array.dtype.kind not in "biuf":
            raise InputError(
                "A waveform in blocks must be an iterable of one-dimensional arrays of numbers, "
                f"such as [waveform]. Got a block {cut_middle(repr(block), 100)}."
            )
        yield array

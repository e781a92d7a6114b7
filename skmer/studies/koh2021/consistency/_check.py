"""Which sample sizes can a published classification table come from?

Conventions
-----------
Precision, recall and F1 of a class are fractions of whole numbers: its clips (support), those
found (true positives) and those called by its name (predicted). Few whole numbers round to the
figures of a table, and their sums must agree: supports and predictions both add up to the number
of clips. A table that no whole numbers print as does not come from one split of that size; it may
be an average over splits, or hold an error.

Half is taken to round either way, as programs differ. A precision or F1 that would be 0 / 0 counts
as 0, as scikit-learn prints it. Every class has at least one clip.
"""

from decimal import Decimal, InvalidOperation
from numbers import Integral

import numpy as np

from skmer.exceptions import InputError
from skmer.studies.koh2021.consistency._result import ReportConsistency
from skmer.studies.koh2021.consistency._search import Rounded, Search
from skmer.utils._sklearn import Interval, validate_params
from skmer.utils._words import cut_middle

# More than any set of clips that such a table was printed of; what a table leaves open is bounded
# where it is tried.
MOST_CLIPS = 20_000

_TABLE = {
    "per_class": ["array-like"],
    "accuracy": [object],
    "weighted": ["array-like", None],
    "supports": ["array-like", None],
    "decimals": [Interval(Integral, 1, 6, closed="both")],
}


@validate_params(
    {**_TABLE, "n": [Interval(Integral, 1, MOST_CLIPS, closed="both")]},
    prefer_skip_nested_validation=True,
)
def check_report_consistency(
    per_class, n, *, accuracy=None, weighted=None, supports=None, decimals=2
) -> ReportConsistency:
    """Tell whether a rounded classification table can come from `n` clips, and how.

    Parameters
    ----------
    per_class : array-like of shape (n_classes, 3)
        Precision, recall and F1 of each class, between 0 and 1, as printed (numbers or text).
    n : int
        Number of clips tested on, at most 20,000.
    accuracy : float or str, default=None
        Accuracy as printed, if it is.
    weighted : array-like of shape (3,), default=None
        Precision, recall and F1 averaged over classes with their supports as weights, if printed.
    supports : array-like of shape (n_classes,), default=None
        Clips of each class, where they are known. None: any.
    decimals : int, default=2
        Decimal places of every figure, 1 to 6.

    Returns
    -------
    ReportConsistency
        The answer, and one set of counts that prints as the table.

    See Also
    --------
    consistent_sizes : The same for many sizes.

    Notes
    -----
    The search is exhaustive: counts of each class that round to its row, combined with bounds on
    what the remaining classes can still add to the sums. Whatever passes is checked in exact
    arithmetic, and for a confusion matrix with those margins and that diagonal to exist.

    References
    ----------
    .. [1] N. J. L. Brown and J. A. J. Heathers. "The GRIM test: a simple technique detects
       numerous anomalies in the reporting of results in psychology". Social Psychological and
       Personality Science 8, 363-369, 2017. The same reasoning, for means.

    Examples
    --------
    >>> from skmer.studies import check_report_consistency
    >>> table = [(0.80, 1.00, 0.89), (1.00, 0.89, 0.94), (1.00, 0.67, 0.80), (0.80, 0.80, 0.80)]
    >>> summary = {"accuracy": 0.88, "weighted": (0.90, 0.88, 0.88)}
    >>> check_report_consistency(table, 16, **summary).consistent
    False
    >>> check_report_consistency(table, 25, **summary).supports
    (8, 9, 3, 5)
    """
    return _check(_search(per_class, n, accuracy, weighted, supports, decimals), int(n))


@validate_params({**_TABLE, "sizes": ["array-like", range]}, prefer_skip_nested_validation=True)
def consistent_sizes(
    per_class, sizes=range(1, 501), *, accuracy=None, weighted=None, supports=None, decimals=2
) -> list[int]:
    """Return the sample sizes that a rounded classification table can come from.

    Parameters
    ----------
    per_class : array-like of shape (n_classes, 3)
        Precision, recall and F1 of each class, between 0 and 1, as printed (numbers or text).
    sizes : iterable of int, default=range(1, 501)
        Numbers of clips to try, each at most 20,000.
    accuracy : float or str, default=None
        Accuracy as printed, if it is.
    weighted : array-like of shape (3,), default=None
        Precision, recall and F1 averaged over classes with their supports as weights, if printed.
    supports : array-like of shape (n_classes,), default=None
        Clips of each class, where they are known. None: any.
    decimals : int, default=2
        Decimal places of every figure, 1 to 6.

    Returns
    -------
    list of int
        Those of `sizes` that are possible, in their order.

    See Also
    --------
    check_report_consistency : One size, with the counts that make it possible.

    Examples
    --------
    >>> from skmer.studies import consistent_sizes
    >>> consistent_sizes([(0.67, 0.50, 0.57), (0.50, 0.67, 0.57)], range(2, 20), accuracy=0.57)
    [7, 14]
    """
    sizes = _whole_numbers(sizes, "sizes")
    search = _search(per_class, max(sizes, default=1), accuracy, weighted, supports, decimals)
    return [n for n in sizes if _check(search, n).consistent]


def _check(search, n):
    """Return what the search finds for `n` clips."""
    found = search.find(n)
    return ReportConsistency(n, bool(found), *(zip(*found) if found else (None, None, None)))


def _search(per_class, limit, accuracy, weighted, supports, decimals):
    """Return a search for the table as printed."""
    rows = np.asarray(per_class, dtype=object)
    if rows.ndim != 2 or rows.shape[1] != 3 or not len(rows):
        raise InputError(
            "'per_class' must have a row of precision, recall and F1 for each class. "
            f"Got shape {rows.shape} instead."
        )
    if weighted is None:
        weighted = (None, None, None)
    else:
        weighted = np.asarray(weighted, dtype=object)
        if weighted.shape != (3,):
            raise InputError(
                f"'weighted' must be precision, recall and F1. Got shape {weighted.shape} instead."
            )
        weighted = tuple(_rounded(figure, "weighted", decimals) for figure in weighted)
    if supports is not None:
        supports = _whole_numbers(supports, "supports")
        if len(supports) != len(rows):
            raise InputError(
                f"'supports' must have one number for each of the {len(rows)} classes. "
                f"Got {len(supports)} instead."
            )
    return Search(
        [tuple(_rounded(figure, "per_class", decimals) for figure in row) for row in rows],
        int(limit),
        accuracy=None if accuracy is None else _rounded(accuracy, "accuracy", decimals),
        weighted=weighted,
        supports=supports,
    )


def _rounded(figure, name, decimals):
    """Return what may have been printed as a figure, half rounding either way."""
    try:
        # The shortest text of a float is the figure that was typed.
        # Python takes 0.5_0 for 0.50.
        units = Decimal(str(figure).replace("_", " ")).scaleb(int(decimals))
        whole = int(units)
    except (InvalidOperation, ValueError, OverflowError):
        units, whole = None, -1
    if units != whole or not 0 <= whole <= 10 ** int(decimals):
        raise InputError(
            f"'{name}' must hold numbers from 0 to 1 with at most {decimals} decimals (see the "
            f"'decimals' parameter). Got {figure!r} instead."
        )
    return Rounded(max(0, 2 * whole - 1), 2 * whole + 1, 2 * 10 ** int(decimals))


def _whole_numbers(values, name):
    """Return a list of ints; what is too long for one is not gone through."""
    is_list = getattr(values, "ndim", 1) == 1 and len(values) <= MOST_CLIPS
    if not is_list or not all(
        isinstance(value, Integral) and 1 <= int(value) <= MOST_CLIPS for value in values
    ):
        raise InputError(
            f"'{name}' must be a list of whole numbers from 1 to {MOST_CLIPS}. "
            f"Got {cut_middle(repr(values), 100)} instead."
        )
    return [int(value) for value in values]

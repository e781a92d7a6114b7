"""The sample sizes that a published classification table can come from.

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

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from numbers import Integral
from typing import NamedTuple

import numpy as np

from skmer.exceptions import InputError
from skmer.utils.estimators import Interval, validate_params


@dataclass(frozen=True)
class ReportConsistency:
    """Outcome of :func:`check_report_consistency`.

    Attributes
    ----------
    n : int
        Number of clips asked about.
    consistent : bool
        Whether some confusion matrix of `n` clips prints as the table.
    supports, true_positives, predicted : tuple of int, or None
        One way to get there, class by class; None when there is none.
    """

    n: int
    consistent: bool
    supports: tuple[int, ...] | None
    true_positives: tuple[int, ...] | None
    predicted: tuple[int, ...] | None


# Bounds in floating point only prune, with this much room; what they let pass is checked exactly.
SLACK = 1e-6
# The most counts that are tried for one table and size: some ten seconds of work, and some 100 MB.
MOST_TRIED = 10**6


class Rounded(NamedTuple):
    """What may have been printed as one figure: from low to high over scale, ends included."""

    low: int
    high: int
    scale: int

    def holds(self, numerator, denominator):
        """Whether a fraction prints as this figure."""
        return self.low * denominator <= numerator * self.scale <= self.high * denominator


class Counts(NamedTuple):
    """What one class may have been: its clips, those found, and those called by its name."""

    support: int
    true_positives: int
    predicted: int


def class_counts(row, support, limit):
    """Return all counts of a class of `support` clips that prints as its row of the table."""
    precision, recall, f1 = row
    scale = precision.scale
    first = -(-recall.low * support // scale)
    last = min(support, recall.high * support // scale)
    found = []
    for hits in range(first, last + 1):
        lowest = max(hits, -(-scale * hits // precision.high)) if precision.high else limit + 1
        highest = min(limit, scale * hits // precision.low) if precision.low else limit
        if hits == 0:
            # Precision counts as 0 when the class is never called.
            lowest, highest = 0, limit if precision.low == 0 else -1
        found += [
            Counts(support, hits, predicted)
            for predicted in range(lowest, highest + 1)
            if f1.holds(2 * hits, support + predicted)
        ]
    return found


class Search:
    """Find counts for one table, for any number of clips up to `limit`."""

    def __init__(self, rows, limit, *, accuracy=None, weighted=(None, None, None), supports=None):
        self._n_tried = 0
        self.accuracy = accuracy
        self.weighted = weighted
        self.candidates = [
            [
                self._tried(class_counts(row, support, limit))
                if support and (supports is None or support == supports[k])
                else []
                for support in range(limit + 1)
            ]
            for k, row in enumerate(rows)
        ]
        self.terms = [
            [np.array([_terms(counts) for counts in found]) for found in by_support]
            for by_support in self.candidates
        ]
        self._bound(limit)

    def _tried(self, counts):
        """Return counts to try; raise for a table that allows too many of them."""
        self._n_tried += len(counts)
        if self._n_tried > MOST_TRIED:
            raise InputError(
                "Too many counts print as this table to try them all; give fewer clips, or the "
                "'accuracy', 'weighted' and 'supports' that were printed."
            )
        return counts

    def _bound(self, limit):
        """Bound what the classes from k on can add up to, for every number of their clips."""
        low = np.full((len(self.candidates) + 1, limit + 1, 4), np.inf)
        high = -low
        low[-1, 0] = high[-1, 0] = 0
        for k in range(len(self.candidates) - 1, -1, -1):
            for support, terms in enumerate(self.terms[k]):
                if terms.size:
                    least, most = low[k, support:], high[k, support:]
                    n_rest = limit + 1 - support
                    np.minimum(least, terms.min(axis=0) + low[k + 1, :n_rest], out=least)
                    np.maximum(most, terms.max(axis=0) + high[k + 1, :n_rest], out=most)
        self.low, self.high = low, high

    def find(self, n):
        """Return counts for each class that make the table with `n` clips, or None."""
        # Accuracy and weighted recall are one and the same.
        figures = [(), (self.accuracy, self.weighted[1]), self.weighted[:1], self.weighted[2:]]
        self._least, self._most = np.full(4, -np.inf), np.full(4, np.inf)
        self._least[0] = self._most[0] = n
        self._n_tried = 0
        for term, printed in enumerate(figures):
            for figure in filter(None, printed):
                self._least[term] = max(self._least[term], n * figure.low / figure.scale)
                self._most[term] = min(self._most[term], n * figure.high / figure.scale)
        self._least -= SLACK
        self._most += SLACK
        return self._extend(n, (), np.zeros(4))

    def _extend(self, remaining, chosen, total):
        """Return `chosen` completed by counts for the classes that follow, or None."""
        k = len(chosen)
        if k == len(self.candidates):
            return chosen if self._prints(chosen) else None
        within = []
        for support in self._tried(range(1, remaining + 1)):
            low, high = self.low[k + 1, remaining - support], self.high[k + 1, remaining - support]
            found = self.candidates[k][support]
            if not found or low[0] > high[0]:
                continue
            reached = total + self.terms[k][support]
            fits = (reached + low <= self._most) & (reached + high >= self._least)
            rows = np.flatnonzero(fits.all(axis=1))
            within += [(found[row], reached[row]) for row in self._tried(_from_the_middle(rows))]
        # The ends of what the bounds allow are the least likely to be right.
        for counts, reached in _from_the_middle(within):
            result = self._extend(remaining - counts.support, (*chosen, counts), reached)
            if result:
                return result
        return None

    def _prints(self, chosen):
        """Whether a confusion matrix with these counts exists and prints the summary rows."""
        n = sum(counts.support for counts in chosen)
        if sum(counts.predicted for counts in chosen) != n:
            return False
        wrong = n - sum(counts.true_positives for counts in chosen)
        # What a class misses must go to the others, and what it takes must come from them.
        if any(s - hits + p - hits > wrong for s, hits, p in chosen):
            return False
        precision = sum(Fraction(s * hits, p) for s, hits, p in chosen if p)
        f1 = sum(Fraction(2 * s * hits, s + p) for s, hits, p in chosen)
        right = Fraction(n - wrong)
        printed = [(self.accuracy, right), *zip(self.weighted, (precision, right, f1))]
        return all(
            figure is None or figure.holds(value.numerator, n * value.denominator)
            for figure, value in printed
        )


def _terms(counts):
    """Return predicted, found, support x precision and support x F1, as floats to add up."""
    s, hits, p = counts
    return p, hits, s * hits / p if p else 0.0, 2 * s * hits / (s + p)


def _from_the_middle(values):
    """Return values in the order of their distance from the middle one."""
    middle = (len(values) - 1) / 2
    return [values[i] for i in sorted(range(len(values)), key=lambda i: abs(i - middle))]


# More than any set of clips that such a table was printed of; what a table leaves open is bounded
# where it is tried.
MOST_CLIPS = 20_000

_DECIMALS = {"decimals": [Interval(Integral, 1, 6, closed="both")]}


@validate_params({**_DECIMALS, "n": [Interval(Integral, 1, MOST_CLIPS, closed="both")]})
def check_report_consistency(
    per_class, n, *, accuracy=None, weighted=None, supports=None, decimals=2
) -> ReportConsistency:
    """Check whether a rounded classification table can come from `n` clips, and how.

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
    what the remaining classes can still add to the sums. Each candidate that passes is checked in
    exact arithmetic, and for a confusion matrix with those margins and that diagonal to exist.

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
    found = _search(per_class, n, accuracy, weighted, supports, decimals).find(int(n))
    return ReportConsistency(int(n), bool(found), *(zip(*found) if found else (None, None, None)))


@validate_params(_DECIMALS)
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
    return [n for n in sizes if search.find(n)]


def _search(per_class, limit, accuracy, weighted, supports, decimals):
    """Return a search for the table as printed."""
    rows = np.asarray(per_class, dtype=object)
    if rows.ndim != 2 or rows.shape[1] != 3 or not len(rows):
        raise InputError(
            "'per_class' must have a row of precision, recall and F1 for each class. "
            f"Got shape {rows.shape} instead."
        )
    weighted = (None, None, None) if weighted is None else tuple(weighted)
    if len(weighted) != 3:
        raise InputError(f"'weighted' must be precision, recall and F1. Got {weighted} instead.")
    if supports is not None:
        supports = _whole_numbers(supports, "supports")
        if len(supports) != len(rows):
            raise InputError(
                f"'supports' must have one number for each of the {len(rows)} classes. "
                f"Got {len(supports)} instead."
            )

    def rounded(figure, name):
        return None if figure is None else _rounded(figure, name, int(decimals))

    return Search(
        [tuple(_rounded(figure, "per_class", int(decimals)) for figure in row) for row in rows],
        int(limit),
        accuracy=rounded(accuracy, "accuracy"),
        weighted=tuple(rounded(figure, "weighted") for figure in weighted),
        supports=supports,
    )


def _rounded(figure, name, decimals):
    """Return the range of values that print as a figure, half rounding either way."""
    try:
        # The shortest text of a float is the figure that was typed.
        units = Decimal(str(figure)).scaleb(decimals)
        whole = int(units)
    except (InvalidOperation, ValueError, OverflowError):
        units, whole = None, -1
    if units != whole or not 0 <= whole <= 10**decimals:
        raise InputError(
            f"'{name}' must hold numbers from 0 to 1 with at most {decimals} decimals (see the "
            f"'decimals' parameter). Got {figure!r} instead."
        )
    return Rounded(max(0, 2 * whole - 1), 2 * whole + 1, 2 * 10**decimals)


def _whole_numbers(values, name):
    """Return a list of ints; a list that is too long is not gone through."""
    if len(values) > MOST_CLIPS or not all(
        isinstance(value, Integral) and 1 <= int(value) <= MOST_CLIPS for value in values
    ):
        raise InputError(
            f"'{name}' must be a list of whole numbers from 1 to {MOST_CLIPS}. "
            f"Got {values!r} instead."
        )
    return [int(value) for value in values]

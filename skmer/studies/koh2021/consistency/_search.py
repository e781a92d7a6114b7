"""Search for the counts behind a rounded classification table, in exact arithmetic."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from skmer.exceptions import InputError

# Bounds in floating point only prune, with this much room; what they let pass is checked exactly.
SLACK = 1e-6
# What is looked at for one table and size: some ten seconds of work, and some 100 MB.
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
        """Return what is to be tried, and refuse a table for which there is too much of it."""
        self._n_tried += len(counts)
        if self._n_tried > MOST_TRIED:
            raise InputError(
                "Too many counts print as this table to try them all; give fewer clips, or the "
                "'accuracy', 'weighted' and 'supports' that are known."
            )
        return counts

    def _bound(self, limit):
        """Bound what the classes from k on can add up to, for every number of their clips."""
        low = np.full((len(self.candidates) + 1, limit + 1, 4), np.inf)
        high = -low
        low[-1, 0] = high[-1, 0] = 0
        for k in range(len(self.candidates) - 1, -1, -1):
            for support, found in enumerate(self.candidates[k]):
                if not found:
                    continue
                terms = self.terms[k][support]
                rest = slice(0, limit + 1 - support)
                np.minimum(
                    low[k, support:], terms.min(axis=0) + low[k + 1, rest], out=low[k, support:]
                )
                np.maximum(
                    high[k, support:], terms.max(axis=0) + high[k + 1, rest], out=high[k, support:]
                )
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
        # The ends of what the bounds allow are the least likely to findings out.
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
        printed = [
            (self.accuracy, Fraction(n - wrong)),
            *zip(self.weighted, (precision, Fraction(n - wrong), f1)),
        ]
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

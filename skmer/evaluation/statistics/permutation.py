"""The permutation test for labels that come in groups."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import exp, lgamma
from typing import Literal

import numpy as np
from sklearn.utils import check_consistent_length, check_random_state

from skmer.exceptions import InputError
from skmer.utils import estimators, labels, processes


@dataclass(frozen=True)
class GroupPermutationTest:
    """Outcome of :func:`group_block_permutation_test`.

    Attributes
    ----------
    statistic : float
        The statistic of the true labels.
    pvalue : float
        ``(1 + permutations that reach the statistic) / (1 + n_permutations)``.
    null_distribution : ndarray of shape (n_permutations,)
        The statistic of the permuted labels.
    scheme : {"between", "within"}
        What was permuted.
    n_fixed_rows : int
        Rows that kept their label in every permutation, since no exchange was possible for them.
    smallest_pvalue : float
        The smallest p-value that is possible for any data: one over the number of different
        arrangements of the labels, or over ``1 + n_permutations`` if that is larger.
    """

    statistic: float
    pvalue: float
    null_distribution: np.ndarray
    scheme: str
    n_fixed_rows: int
    smallest_pvalue: float


@estimators.checked
def group_block_permutation_test(
    statistic: Callable[[np.ndarray], float],
    y,
    *,
    groups,
    scheme: Literal["auto", "between", "within"] = "auto",
    n_permutations: estimators.Many = 999,
    random_state=None,
    n_jobs=None,
) -> GroupPermutationTest:
    """Test whether a score owes anything to the labels, when rows come in groups.

    Rows of one group (a singer, an artist) are alike, so shuffling single rows makes an
    impossible world to compare with, and shuffling within groups changes nothing where each
    group has one label. What is exchangeable is permuted instead [1]_:

    * "between", if every group has a single label: the labels are permuted among all
      groups of any size; all rows of a group receive the new label.
    * "between", otherwise: each group's labels are a block, kept in the order of its rows, and
      whole blocks are permuted among the groups with the same number of rows. A group whose
      size no other group has keeps its labels; ``n_fixed_rows`` counts such rows. They cost
      power, not validity.
    * "within": labels are shuffled inside each group, for designs where every group has every
      label (each singer sings each emotion). Groups with a single label stay as they are.

    Parameters
    ----------
    statistic : callable
        ``statistic(y) -> float``, higher for a better fit: the score of fixed out-of-fold
        predictions, or a whole cross-validation with the labels `y`.
    y : array-like of shape (n_rows,)
        True labels (or numbers).
    groups : array-like of shape (n_rows,)
        Group of each row.
    scheme : {"auto", "between", "within"}, default="auto"
        What to permute. "auto" is "between", unless that leaves each group with the labels it
        has, in any order: then "within".
    n_permutations : int, default=999
        Random permutations, beside the true labels; at most a million.
    random_state : int, RandomState instance or None, default=None
        Seed of the permutations. They do not depend on `n_jobs`.
    n_jobs : int or None, default=None
        Jobs that compute the statistic, in joblib's meaning.

    Returns
    -------
    GroupPermutationTest
        Statistic, one-sided p-value and the permuted statistics.

    Raises
    ------
    ValueError
        If no permutation of the scheme changes any label.

    References
    ----------
    .. [1] A. M. Winkler, M. A. Webster, D. Vidaurre, T. E. Nichols and S. M. Smith.
       "Multi-level block permutation". NeuroImage 123, 253-268, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.evaluation import group_block_permutation_test
    >>> artists = np.repeat(["a", "b", "c", "d", "e", "f"], 3)
    >>> y = np.repeat([0, 1], 9)
    >>> test = group_block_permutation_test(
    ...     lambda labels: np.mean(labels == y), y, groups=artists, random_state=0
    ... )
    >>> test.scheme, round(test.smallest_pvalue, 3)
    ('between', 0.05)
    """
    labels.check_order({"y": y, "groups": groups})
    y, groups = labels.check_labels(y, "The labels y"), labels.check_labels(groups, "The groups")
    check_consistent_length(y, groups)
    names, codes = np.unique(groups, return_inverse=True)
    blocks = [np.flatnonzero(codes == code) for code in range(len(names))]
    pools = _pools_between(y, blocks)
    if scheme == "auto":
        scheme = "between" if _moves_counts(y, pools) else "within"
    if scheme == "within":
        # Each row is a block of its own, exchanged inside its group.
        pools = [list(rows[:, None]) for rows in blocks]
    pools = [pool for pool in pools if len({_content(y, rows) for rows in pool}) > 1]
    if not pools:
        raise InputError(
            f"group_block_permutation_test found no labels that can change places {scheme} "
            "groups; give groups that differ in their labels, or try the other scheme."
        )
    rng = check_random_state(random_state)
    exchanges = [_exchange(pool) for pool in pools]
    permuted = [_permute(y, exchanges, rng) for _ in range(n_permutations)]
    observed = float(statistic(y))
    values = processes.run_parallel(statistic, ((one,) for one in permuted), n_jobs=n_jobs)
    null = np.array(list(values), dtype=float)
    if not (np.isfinite(observed) and np.isfinite(null).all()):
        raise InputError("The statistic must be a finite number for every permutation of 'y'.")
    # Sums in another order differ in the last bits, which must not decide a tie.
    reached = np.sum(null >= observed - 1e-12 * max(1.0, abs(observed)))
    return GroupPermutationTest(
        statistic=observed,
        pvalue=float((1 + reached) / (1 + n_permutations)),
        null_distribution=null,
        scheme=scheme,
        n_fixed_rows=len(y) - sum(len(rows) for pool in pools for rows in pool),
        smallest_pvalue=max(1 / (1 + n_permutations), exp(-_log_arrangements(y, pools))),
    )


def _content(y, rows):
    """Return a block's labels; one label stands for a block that has no other."""
    content = y[rows].tolist()
    return tuple(content) if len(set(content)) > 1 else (content[0],)


def _pools_between(y, blocks):
    """Return lists of blocks of rows that may exchange labels with each other."""
    if all(len(_content(y, rows)) == 1 for rows in blocks):
        return [blocks]
    sizes = dict.fromkeys(map(len, blocks))
    return [[rows for rows in blocks if len(rows) == size] for size in sizes]


def _moves_counts(y, pools):
    """Whether an exchange can give some group other labels than it has, in any order."""
    return any(len({tuple(sorted(_content(y, rows))) for rows in pool}) > 1 for pool in pools)


def _exchange(pool):
    """Return a pool's rows, the rows their labels may come from, and how often to repeat them."""
    sizes = [len(rows) for rows in pool]
    if len(set(sizes)) == 1:
        return np.concatenate(pool), np.array(pool), 1
    return np.concatenate(pool), np.array([rows[:1] for rows in pool]), sizes


def _permute(y, exchanges, rng):
    """Return labels after one random exchange of blocks within each pool."""
    permuted = y.copy()
    for rows, sources, repeats in exchanges:
        permuted[rows] = np.repeat(y[rng.permutation(sources)].ravel(), repeats)
    return permuted


def _log_arrangements(y, pools):
    """Return the logarithm of the number of different labellings within reach."""
    total = 0.0
    for pool in pools:
        total += lgamma(len(pool) + 1)
        counts = Counter(_content(y, rows) for rows in pool)
        total -= sum(lgamma(count + 1) for count in counts.values())
    return total

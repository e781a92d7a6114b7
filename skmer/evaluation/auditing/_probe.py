"""Can the group be read off the features?"""

from typing import NamedTuple

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state


class Probe(NamedTuple):
    """How well the group is read off the features, and how well it would be by chance."""

    accuracy: float
    chance: float
    pvalue: float


def identity_probe(X, strata, groups, *, n_permutations, random_state):
    """Guess each row's group to be that of its nearest neighbour, leaving the row itself out.

    Chance is the same guess after groups were shuffled among rows of one stratum (label), so that
    a group that shows only through its label does not count.
    """
    X = StandardScaler().fit_transform(np.asarray(X, dtype=float))
    nearest = NearestNeighbors(n_neighbors=1).fit(X).kneighbors(return_distance=False)[:, 0]
    codes, counts = np.unique(groups, return_inverse=True, return_counts=True)[1:]
    # A row that is alone in its group cannot be guessed.
    asked = counts[codes] > 1
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    rng = check_random_state(random_state)
    accuracy = np.mean((codes[nearest] == codes)[asked])
    by_chance = np.empty(n_permutations)
    for trial in range(n_permutations):
        shuffled = codes.copy()
        for rows in members:
            shuffled[rows] = rng.permutation(codes[rows])
        by_chance[trial] = np.mean((shuffled[nearest] == shuffled)[counts[shuffled] > 1])
    return Probe(
        float(accuracy),
        float(by_chance.mean()),
        float((1 + np.sum(by_chance >= accuracy)) / (1 + n_permutations)),
    )

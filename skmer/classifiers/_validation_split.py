"""The part of the training rows that decides which epoch is kept."""

import numpy as np
from sklearn.model_selection import GroupShuffleSplit, StratifiedShuffleSplit

from skmer.exceptions import InputError

_N_DRAWS = 50


def validation_split(y, groups, fraction, seed, *, owner):
    """Split rows into training and validation part, stratified and, given groups, by group.

    Every class stays in the training part. Returns two arrays of sorted row indices.
    """
    split = _split_rows if groups is None else _split_groups
    train, validation = split(y, groups, fraction, seed, owner)
    return np.sort(train), np.sort(validation)


def _split_rows(y, groups, fraction, seed, owner):
    classes, counts = np.unique(y, return_counts=True)
    n_validation = max(round(fraction * len(y)), classes.size)
    if counts.min() < 2 or len(y) - n_validation < classes.size:
        raise InputError(
            f"The 'validation_fraction' parameter of {owner} must leave samples of every class to "
            f"train on and to validate on. Got n_samples={len(y)}, {counts.min()} of the class "
            f"'{classes[counts.argmin()]}'. Add samples, or set validation_fraction=0."
        )
    splitter = StratifiedShuffleSplit(1, test_size=n_validation, random_state=seed)
    return next(splitter.split(y, y))


def _split_groups(y, groups, fraction, seed, owner):
    codes = np.unique(y, return_inverse=True)[1]
    counts = np.bincount(codes)
    wanted = fraction * counts
    best, best_distance = None, np.inf
    if np.unique(groups).size > 1:
        # Groups differ in size and classes: of many draws, the one nearest to a stratified split.
        splitter = GroupShuffleSplit(_N_DRAWS, test_size=fraction, random_state=seed)
        for train, validation in splitter.split(y, y, groups):
            held_out = np.bincount(codes[validation], minlength=counts.size)
            distance = np.abs(held_out - wanted).sum()
            if distance < best_distance and (held_out < counts).all():
                best, best_distance = (train, validation), distance
    if best is None:
        raise InputError(
            f"The 'validation_fraction' parameter of {owner} must leave groups to validate on and "
            f"every class in the others. Got {np.unique(groups).size} groups and {counts.size} "
            "classes. Add groups, call fit without groups, or set validation_fraction=0."
        )
    return best

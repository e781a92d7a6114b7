"""From one dataset to another: both as one, what they share, and which is fitted and tested."""

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from sklearn.utils import _safe_indexing

from skmer.datasets.tables import AXES, QUADRANTS, AffectScale, quadrants_of
from skmer.evaluation import folds, targets, tasks
from skmer.evaluation.features import is_transformer, with_names
from skmer.exceptions import InputError
from skmer.utils import estimators, floats, labels, messages

# The protocols: fitted on the first dataset and tested on the second, and the other way round.
ACROSS = "across"
BACK = "_back"


@dataclass(frozen=True)
class Across:
    """Two datasets that are evaluated as one, the clips of the first before those of the second.

    Clips of a class that only one of them has are left out of both; `facts` has what each has
    alone. Clips that are in both are left out of the larger one, the second of two of one size,
    wherever one is fitted and the other tested; `shared` has their rows by how they were found.
    """

    names: tuple[str, str]
    both_ways: bool
    has_groups: tuple[bool, bool]
    # What the manifest has of how they were put together.
    facts: dict
    shared: Mapping[str, Sequence[tuple[int, ...]]] = field(default_factory=dict)

    def left_out(self, clips: targets.Clips) -> np.ndarray:
        """Return a mask of the clips that are left out since the other dataset has them too."""
        larger = clips.is_second.mean() >= 0.5
        rows = [row for sets in self.shared.values() for rows in sets for row in rows]
        return np.isin(np.arange(clips.is_second.size), rows) & (clips.is_second == larger)

    def part(self, clips: targets.Clips, second: bool) -> targets.Clips:
        """Return the clips of one dataset, with groups in the order that they have there."""
        codes = clips.codes if self.has_groups[second] else None
        alone = replace(clips, X=None, groups=codes, codes=None).keep(clips.is_second == second)
        return replace(
            alone, is_second=None, datasets=None, published=None if second else alone.published
        )

    def make_protocols(self, make, clips: targets.Clips, seed: int) -> list[folds.Protocol]:
        """Return the protocols across, each before those within its first dataset."""
        left_out, none = self.left_out(clips), np.array([], dtype=np.intp)
        seeds = estimators.derive_seeds(estimators.derive_seeds(seed, 2)[1], 2)
        protocols = []
        for way, suffix in enumerate(("", BACK)[: 1 + self.both_ways]):
            rows = clips.is_second == bool(way)
            train, test = (np.flatnonzero(side & ~left_out) for side in (rows, ~rows))
            if not train.size or not test.size:
                raise InputError(
                    "Every clip of a dataset is in the other one as well, so that none is left to "
                    "fit on or to test on; give two datasets with other clips."
                )
            is_unseen = not np.isin(clips.groups[test], clips.groups[train]).any()
            is_grouped = is_unseen if all(self.has_groups) else None
            names, name = self.names if not way else self.names[::-1], ACROSS + suffix
            title = f"fitted on {names[0]}, tested on {names[1]}"
            split = folds.Split(name, 0, 0, seeds[way], train, none, test)
            protocols.append(
                folds.Protocol(name, title, (split,), is_grouped, self.has_groups[way], names)
            )
            # The rows that the clips of the dataset have among those of both.
            places = np.flatnonzero(rows)
            for one in make(self.part(clips, bool(way)), bool(way)):
                name = one.name + suffix
                renamed = (replace(split, protocol=name) for split in one.splits)
                splits = tuple(split.map_rows(places.__getitem__) for split in renamed)
                protocols.append(replace(one, name=name, splits=splits))
        if len({one.name for one in protocols}) < len(protocols):
            raise InputError(
                f"With X_test no protocol can be called {ACROSS!r}; give it another name.",
                param="protocol",
            )
        return protocols

    def describe(self, clips: targets.Clips, task: tasks.Task, named: dict) -> dict:
        """Return what the manifest has of the second dataset, and of the two together."""
        second = self.part(clips, True)
        left_out, is_second = self.left_out(clips), clips.is_second
        groups = [set(clips.groups[is_second == side].tolist()) for side in (False, True)]
        return {
            "dataset_test": second.describe(task, named),
            "across": {
                **self.facts,
                "shared_clips": {
                    how: [clips.original[list(rows)].tolist() for rows in sets]
                    for how, sets in self.shared.items()
                },
                "left_out": [int(left_out[is_second == side].sum()) for side in (False, True)],
                "shared_groups": sorted(groups[0] & groups[1]) if all(self.has_groups) else [],
            },
        }


def join_clips(
    task, first: targets.Clips, features, test, *, names, scales, rules, both_ways
) -> tuple[tasks.Task, targets.Clips, object, Across]:
    """Return the task of what two datasets have in common, their clips as one, and the features.

    `test` has X_test, y_test and groups_test. Features that are arrays have the rows of X_test
    behind their own then.
    """
    X_test, y_test, groups_test = test
    features, X_test = _join_features(features, X_test)
    ends = check_scales(scales)
    matched: targets.Matched = task.match(first.targets, y_test, None if None in ends else ends)
    masks = matched.kept or [np.ones(one.n_clips, dtype=bool) for one in matched.targets]
    try:
        second = targets.Clips.check(X_test, matched.targets[1], groups_test)
    except InputError as error:
        error.add_note("This is about X_test, y_test and groups_test.")
        raise
    if (first.X is None) != (X_test is None):
        raise InputError("Give the clips of both datasets, or arrays as features for both.")
    given = [os.fspath(name or default) for name, default in zip(names, ("X", "X_test"))]
    shown = [os.path.basename(os.path.normpath(name)) for name in given]
    if shown[0] == shown[1]:
        shown = given if given[0] != given[1] else [given[0], f"{given[0]} (test)"]
    published = first.published
    if published is not None:
        published = np.concatenate([published, np.full(second.original.size, "test")])
    groups, codes = _join_groups(first, second, shown[1])
    kept = np.concatenate(masks)
    n_first = first.original.size
    joined = targets.Clips(
        join_sequences(first.X, X_test),
        targets.join_targets(*matched.targets),
        groups,
        np.arange(kept.size),
        published,
        np.arange(kept.size) >= n_first,
        np.repeat(shown, [n_first, kept.size - n_first]),
        codes,
    )
    if both_ways and groups_test is None:
        rules += (f"{shown[1]} has no groups: its clips are split at random within it.",)
    has_groups = (first.groups is not None, groups_test is not None)
    n_alone = [int((~mask).sum()) for mask in masks]
    parts = [
        f"only {name} has {messages.shorten(lone)}" + (f" ({n_clips} clips)" if n_clips else "")
        for name, lone, n_clips in zip(shown, matched.alone, n_alone)
        if lone
    ]
    if parts:
        message = f"Left out of everything, as the other dataset has none: {'; '.join(parts)}."
        warnings.warn(message, stacklevel=3)
    facts = {"names": shown, "rules": [*rules, *matched.rules], "alone": [*matched.alone]}
    facts["n_without_partner"] = n_alone
    across = Across((shown[0], shown[1]), both_ways, has_groups, facts)
    if isinstance(features, Mapping) and not kept.all():
        features = {
            name: one if is_transformer(one) else _safe_indexing(one, np.flatnonzero(kept))
            for name, one in features.items()
        }
    return matched.task, joined.keep(kept), features, across


def _join_groups(first, second, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the groups of both by name, and the place of each in the order of its dataset.

    Of two datasets with names, groups of one name are one, see `plain_name`.
    Numbers are no names: those of one dataset have nothing to do with those of the other. A clip
    without a group is one of its own.
    """
    texts, codes, are_names = [], [], []
    for clips in (first, second):
        groups = clips.groups
        if groups is None:
            groups = np.array([f"clip {i:06}" for i in clips.original])
        are_names.append(clips.groups is not None and groups.dtype.kind == "U")
        codes.append(np.unique(groups, return_inverse=True)[1])
        texts.append(groups.astype(str).tolist())
    spelling = {}
    if all(are_names):
        spelling = {labels.plain_name(one): one for one in texts[0] if not one.isdecimal()}
    taken = set(texts[0])
    renamed = {
        one: spelling.get(labels.plain_name(one), f"{one} ({name})" if one in taken else one)
        for one in set(texts[1])
    }
    renamed |= {one: one for one in taken & set(spelling.values())}
    codes[1] = codes[1] + codes[0].max() + 1
    return np.array([*texts[0], *(renamed[one] for one in texts[1])]), np.concatenate(codes)


def join_sequences(first, second):
    """Return the clips of two datasets in one sequence; of frames a frame, of tables a table."""
    if first is None or second is None:
        return None
    if hasattr(first, "columns") and hasattr(second, "columns"):
        _check_columns("X and", first, second)
        return pd.DataFrame({name: [*first[name], *second[name]] for name in first.columns})
    shapes = [getattr(one, "shape", ())[1:] for one in (first, second)]
    if shapes[0] and shapes[0] == shapes[1]:
        return np.concatenate([np.asarray(first), np.asarray(second)])
    return [*first, *second]


def _check_columns(what: str, first, second) -> None:
    """Raise for tables whose columns do not have the same names."""
    if set(first.columns) != set(second.columns):
        raise InputError(
            f"{what} X_test must have the same columns. Got "
            f"{messages.shorten(first.columns)} and {messages.shorten(second.columns)}.",
            param="X_test",
        )


def _join_features(features, X_test):
    """Return features with the rows of X_test where it has arrays for those that are arrays."""
    if not isinstance(features, Mapping) or any(map(is_transformer, features.values())):
        return features, X_test
    is_one = len(features) == 1 and X_test is not None and not isinstance(X_test, Mapping)
    given = dict.fromkeys(features, X_test) if is_one and np.ndim(X_test) > 1 else X_test
    if not isinstance(given, Mapping):
        return features, X_test
    if set(given) != set(features):
        raise InputError(
            "X_test must have an array for each of the features that are arrays, "
            f"{messages.shorten(features)}. Got {messages.shorten(given)}.",
            param="X_test",
        )
    return {name: _join_arrays(name, features[name], given[name]) for name in features}, None


def _join_arrays(name: str, first, second):
    names = list(getattr(first, "columns", ()))
    if names and hasattr(second, "columns"):
        _check_columns(f"The feature {name!r} and that of", first, second)
        second = second[names]
    pair = [floats.to_floats(one, f"The feature {name!r}") for one in (first, second)]
    if any(one.ndim < 2 for one in pair) or len({(one.ndim, one.shape[-1]) for one in pair}) > 1:
        raise InputError(
            f"The feature {name!r} must have as many columns in X_test as in 'features'. Got the "
            f"shapes {pair[0].shape} and {pair[1].shape}.",
            param="X_test",
        )
    if pair[0].ndim == 3:
        # Frames that are not there are zeros.
        n_frames = max(one.shape[1] for one in pair)
        pair = [np.pad(one, ((0, 0), (0, n_frames - one.shape[1]), (0, 0))) for one in pair]
    return with_names(np.concatenate(pair), names)


def check_scales(scales) -> tuple:
    """Return the scales of two datasets, None where there is none."""
    if scales is None:
        return None, None
    try:
        return tuple(
            one
            if one is None or isinstance(one, AffectScale)
            else AffectScale(f"of {name}", *map(float, one))
            for one, name in zip(scales, ("y", "y_test"), strict=True)
        )
    except (TypeError, ValueError) as error:
        allowed = "the ends of the two scales, such as ((1, 9), (0, 1))"
        raise messages.wrong_parameter("", "scales", allowed, scales) from error


def make_quadrants(y, y_test, scales) -> tuple:
    """Make quadrants of the arousal and valence of one dataset where the other has quadrants."""
    axes = _axes_of(y), _axes_of(y_test)
    for side, (mine, other) in enumerate(((axes[0], y_test), (axes[1], y))):
        if mine is None or not _are_quadrants(other):
            continue
        scale = check_scales(scales)[side]
        if scale is None:
            ends = ("(1, 9), None", "None, (1, 9)")[side]
            raise InputError(
                "Quadrants are made of arousal and valence by the middle of their scale; give its "
                f"ends, as scales=({ends}).",
                param="scales",
            )
        middle = (scale.low + scale.high) / 2
        arousal, valence = (scale.check(one) for one in mine)
        made = quadrants_of(arousal, valence, middle).astype(str)
        rule = f"Quadrants are arousal and valence above {middle:g}, the middle of "
        rule += f"{scale.low:g} to {scale.high:g}, in the {('first', 'second')[side]} dataset."
        return (made, y_test, (rule,)) if side == 0 else (y, made, (rule,))
    return y, y_test, ()


def _axes_of(y):
    """Return arousal and valence, or None."""
    if isinstance(y, Mapping) or hasattr(y, "columns"):
        columns = {labels.plain_name(name): name for name in y}
        if not set(AXES) <= set(columns):
            return None
        found = [np.asarray(y[columns[axis]]) for axis in AXES]
        return found if all(one.ndim == 1 for one in found) else None
    is_pair = isinstance(y, np.ndarray) and y.shape[1:] == (2,) and y.dtype.kind == "f"
    return [*y.T] if is_pair else None


def _are_quadrants(y) -> bool:
    return np.ndim(y) == 1 and set(map(str, y)) <= set(QUADRANTS)

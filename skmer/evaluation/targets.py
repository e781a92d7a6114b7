"""The clips of an evaluation and their targets: labels, numbers, or numbers over time."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing

from skmer.audio.segment import segment_columns
from skmer.embeddings.clips import as_file, as_sequence
from skmer.exceptions import InputError
from skmer.utils import estimators, floats, labels, messages


@dataclass(frozen=True)
class Targets:
    """What is to be predicted: for each row its clip, and by name the value of each target.

    A clip has one row, or several where the target changes over time. Then `moment` is the place
    of each row among the `n_moments` of its clip, and `columns` has the time.
    """

    clip: np.ndarray
    values: dict[str, np.ndarray]
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    moment: np.ndarray | None = None
    n_moments: int = 1

    @classmethod
    def of_clips(cls, values: dict[str, np.ndarray]) -> "Targets":
        """Return targets with one row a clip."""
        return cls(np.arange(len(next(iter(values.values())))), values)

    @property
    def first(self) -> np.ndarray:
        """The values of the first target."""
        return next(iter(self.values.values()))

    @property
    def n_clips(self) -> int:
        """How many clips there are."""
        return int(self.clip[-1]) + 1

    @property
    def are_moments(self) -> bool:
        """Whether a clip has several rows, or is one of several clips that has none."""
        return not np.array_equal(self.clip, np.arange(self.clip.size))

    def keep_clips(self, kept: np.ndarray) -> "Targets":
        """Return the rows of the clips that a mask keeps; clips are numbered anew."""
        rows = kept[self.clip]
        return Targets(
            (np.cumsum(kept) - 1)[self.clip[rows]],
            {name: values[rows] for name, values in self.values.items()},
            {name: values[rows] for name, values in self.columns.items()},
            None if self.moment is None else self.moment[rows],
            self.n_moments,
        )

    def split_rows(self, split):
        """Return the split of rows that a split of clips makes."""
        if not self.are_moments:
            return split
        return split.map_rows(lambda clips: np.flatnonzero(np.isin(self.clip, clips)))

    def mean_by_clip(self, values: np.ndarray) -> np.ndarray:
        """Return the mean over each clip's rows."""
        if not self.are_moments:
            return values
        starts = np.flatnonzero(np.diff(self.clip, prepend=-1))
        counts = np.bincount(self.clip).reshape(-1, *[1] * (values.ndim - 1))
        return np.add.reduceat(values, starts, axis=0) / counts


@dataclass(frozen=True)
class Matched:
    """The targets of two datasets, as far as both have them, and what each has alone."""

    task: Any
    targets: tuple[Targets, Targets]
    alone: tuple[list[str], list[str]]
    # Clips of each that have a target in common with the other; None: all of them.
    kept: tuple[np.ndarray, np.ndarray] | None = None
    rules: tuple[str, ...] = ()


def join_targets(first: Targets, second: Targets) -> Targets:
    """Return the rows of both; the clips of the second are numbered on."""
    moments = [one.moment for one in (first, second) if one.moment is not None]
    return Targets(
        np.concatenate([first.clip, second.clip + first.n_clips]),
        {name: np.concatenate([one, second.values[name]]) for name, one in first.values.items()},
        {name: np.concatenate([one, second.columns[name]]) for name, one in first.columns.items()},
        np.concatenate(moments) if moments else None,
        max(first.n_moments, second.n_moments),
    )


# Targets of one unit whose ranges differ by more than this are not of one unit.
_WIDEST = 4


def match_numbers(task, first: Targets, second: Targets, scales) -> Matched:
    """Match numbers by their names, those of the second on the scale of the first."""
    found, alone, lone = labels.pair_names("targets", [*first.values], [*second.values], 1)
    mine = {name: values for name, values in first.values.items() if name not in alone}
    theirs = {name: second.values[other] for other, name in found.items()}
    rules: tuple[str, ...] = ()
    if scales is None:
        rules = ("No scales were given: the numbers of both are taken to be of one unit.",)
        _check_unit(mine, theirs)
    else:
        for name in mine:
            scales[0].check(mine[name], what=f"target {name!r}")
            theirs[name] = scales[1].convert(theirs[name], scales[0])
        if scales[0] != scales[1]:
            ends = [f"{one.low:g} to {one.high:g}" for one in scales]
            rules = (f"Numbers from {ends[1]} of the second dataset are moved to {ends[0]}.",)
    second = replace(second, values={name: theirs[name] for name in mine})
    return Matched(task, (replace(first, values=mine), second), (alone, lone), rules=rules)


def _check_unit(mine: Mapping, theirs: Mapping) -> None:
    """Raise where numbers cannot be of one unit."""
    for name, values in mine.items():
        ends = [(one.min(), one.max()) for one in (values, theirs[name])]
        widths = [high - low for low, high in ends]
        apart = ends[0][1] < ends[1][0] or ends[1][1] < ends[0][0]
        if apart or max(widths) > _WIDEST * min(widths):
            shown = [f"{low:g} to {high:g}" for low, high in ends]
            raise InputError(
                f"The target {name!r} must be of one unit in y and y_test. Got {shown[0]} and "
                f"{shown[1]}; give the ends of both scales, as scales=((1, 9), (0, 1)), or twice "
                "the same for one unit.",
                param="scales",
            )


def check_numbers(y) -> dict[str, np.ndarray]:
    """Return the numbers to predict by name: a frame's columns, or arousal and valence."""
    if hasattr(y, "columns") or isinstance(y, Mapping):
        targets = {
            name: floats.to_floats(values, f"The target {name!r}")
            for name, values in _by_name(y).items()
        }
    else:
        values = floats.to_floats(y, "The targets y")
        targets = {str(getattr(y, "name", None) or "target"): values}
        if values.ndim == 2 and values.shape[1] == 2:
            targets = {"arousal": values[:, 0], "valence": values[:, 1]}
    shapes = sorted({values.shape for values in targets.values()})
    if len(shapes) != 1 or len(shapes[0]) != 1 or not shapes[0][0]:
        raise InputError(
            "The targets y must have at least one column, all of one length, with one number for "
            "each clip: one, the two of arousal and valence, or a data frame or dict of named "
            f"ones. Got {f'shape {shapes[0]}' if len(shapes) == 1 else shapes} instead.",
            param="y",
        )
    for name, values in targets.items():
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            raise InputError(
                f"The target {name!r} has no value for clip {row}; leave that clip out of X, y and "
                "groups.",
                param="y",
            )
        if np.ptp(values) == 0:
            raise InputError(f"The target {name!r} is the same for every clip.", param="y")
    return targets


def check_curves(y, times) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return targets over time by name, all of one shape, and the seconds of their columns."""
    if not isinstance(y, Mapping) or not y:
        raise InputError(
            "The targets y must be a dict of name to an array of shape (n_clips, n_times). "
            f"Got {type(y).__name__} instead."
        )
    if times is None:
        lacking = [name for name, values in y.items() if not hasattr(values, "columns")]
        if lacking:
            raise InputError(
                "The 'times' parameter may be None only where the targets are data frames with "
                f"seconds as column names. Got no column names for {lacking[0]!r}.",
                param="times",
            )
        times = next(iter(y.values())).columns
    times = floats.to_floats(times, "The 'times' parameter")
    if times.ndim != 1 or not np.isfinite(times).all():
        raise messages.wrong_parameter("", "times", "a list of seconds", times)
    curves = {
        name: floats.to_floats(values, f"The target {name!r}")
        for name, values in _by_column(_by_name(y), times).items()
    }
    first = next(iter(curves.values()))
    n_clips = len(first) if first.ndim == 2 else "n_clips"
    for name, curve in curves.items():
        if not curve.size or curve.shape != (n_clips, times.size):
            raise InputError(
                f"The target {name!r} must have the shape ({n_clips}, {times.size}), a row for "
                f"each clip and a column for each time. Got {curve.shape} instead."
            )
        if not np.array_equal(np.isfinite(curve), np.isfinite(first)):
            raise InputError("The targets y must have values at the same clips and times.")
    empty = np.flatnonzero(~np.isfinite(first).any(axis=1))
    if empty.size:
        raise InputError(f"Clip {empty[0]} has no target at any time; leave it out of X and y.")
    return curves, times


def _by_column(y: Mapping, times: np.ndarray) -> dict:
    """Return targets over time with the columns of tables in one order, that of `times`."""
    tables = {name: list(one.columns) for name, one in y.items() if hasattr(one, "columns")}
    order = next(iter(tables.values()), [])
    if set(order) == set(times.tolist()):
        order = times.tolist()
    for name, columns in tables.items():
        if len(columns) == len(order) and set(columns) != set(order):
            raise InputError(
                f"The targets y must have the same columns. Got {messages.shorten(columns)} in "
                f"{name!r}, and {messages.shorten(order)} in others or in 'times'.",
                param="y",
            )
    moved = {name: y[name][order] for name, columns in tables.items() if set(columns) == set(order)}
    return {**y, **moved}


def _by_name(y) -> dict:
    """Return targets by name as text; raise for names that are one then, as 1 and "1" are."""
    names = [labels.plain_text(str(name)) for name in y]
    labels.check_text("The names of the targets y", *names)
    labels.warn_of_alike(names, "The targets y")
    if len(set(names)) < len(names):
        fault = f"The names of the targets y must differ. Got {messages.shorten(names)} instead."
        raise InputError(fault, param="y")
    named = {name: y[given] for name, given in zip(names, y)}
    labels.check_order(named)
    return named


@dataclass(frozen=True)
class Clips:
    """The clips that are evaluated: themselves, their targets and groups, their numbers in X."""

    X: Any
    targets: Targets
    # An array, or None.
    groups: Any
    original: np.ndarray
    published: np.ndarray | None = None
    # Of two datasets: which clips are of the second, the name of each clip's dataset, and of each
    # group its place in the order of the names there, by which a dataset is split as it is alone.
    is_second: Any = None
    datasets: np.ndarray | None = None
    codes: np.ndarray | None = None
    # The column of X with the clips, where there are others beside it.
    column: str | None = None

    @classmethod
    def check(cls, X, targets: Targets, groups, split=None) -> "Clips":
        """Return clips, or raise where X, y and groups are not of one length."""
        n_clips = targets.n_clips
        groups = None if groups is None else labels.check_labels(groups, "The groups")
        split = None if split is None else labels.check_labels(split, "The 'split' parameter")
        for what, values in (("clips in X", X), ("groups", groups), ("parts in 'split'", split)):
            n_given = n_clips if values is None else estimators._num_samples(values)
            if n_given != n_clips:
                raise InputError(
                    f"There are {n_given} {what} and {n_clips} labels in y; there must be one of "
                    "each for every clip."
                )
        return cls(X, targets, groups, np.arange(n_clips), split)

    def keep(self, kept: np.ndarray) -> "Clips":
        """Return the clips that a mask keeps."""
        X = None if self.X is None else _safe_indexing(self.X, np.flatnonzero(kept))
        names = ("groups", "original", "published", "is_second", "datasets", "codes")
        arrays = {name: getattr(self, name) for name in names}
        arrays = {name: None if one is None else one[kept] for name, one in arrays.items()}
        return replace(self, X=X, targets=self.targets.keep_clips(kept), **arrays)

    @property
    def paths(self) -> np.ndarray | None:
        """The path or the segment of each clip; None where some clip is neither."""
        X = self.X if self.column is None else self.X[self.column]
        try:
            clips = [None] if X is None else [as_file(clip) for clip in as_sequence(X)]
        except InputError:  # A table with further columns.
            return None
        return np.array(clips, dtype=object) if clips and None not in clips else None

    def columns(self) -> dict[str, np.ndarray]:
        """Return what a table of predictions has of each row, beside targets and predictions."""
        clip = self.targets.clip
        columns = {"row": self.original[clip]}
        if self.paths is not None:
            parts = segment_columns(list(self.paths))
            columns |= {
                name: np.array(values, dtype=object if name == "path" else float)[clip]
                for name, values in parts.items()
            }
        columns |= self.targets.columns
        if self.datasets is not None:
            columns["dataset"] = self.datasets[clip]
        return columns if self.groups is None else columns | {"group": self.groups[clip]}

    def describe(self, task, named: dict) -> dict:
        """Return what the manifest has about a dataset: its name, its targets and its groups."""
        groups = {} if self.groups is None else {"n_groups": int(np.unique(self.groups).size)}
        return named | task.describe(self.targets) | groups

    def groups_in_fit(self, apart: bool | None) -> np.ndarray | None:
        """Return what stays together inside a fit: groups, or else the moments of a clip."""
        if apart:
            # A protocol can only keep groups apart where there are some.
            groups = self.groups if self.codes is None else self.codes
            return groups[self.targets.clip]
        return self.targets.clip if self.targets.are_moments else None

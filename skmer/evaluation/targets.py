"""What is predicted, and for which clips, as plain arrays of the right length."""

from collections.abc import Mapping

import numpy as np
from sklearn.utils.multiclass import type_of_target

from skmer.exceptions import InputError
from skmer.utils.floats import to_floats
from skmer.utils.labels import check_labels, check_text


def check_classes_of(y) -> np.ndarray:
    """Return class labels as an array of one label for each clip."""
    y = check_labels(y, "The labels y")
    if type_of_target(y).startswith("continuous"):
        raise InputError(
            "The labels y must be classes, and are numbers with decimals; give them to "
            "evaluate_regression, or make classes of them."
        )
    if np.unique(y).size < 2:
        raise InputError(
            f"The labels y must hold at least two classes. Got {np.unique(y).tolist()} instead."
        )
    return y


def check_numbers(y) -> dict[str, np.ndarray]:
    """Return the numbers to predict by name: a frame's columns, or arousal and valence."""
    if hasattr(y, "columns") or isinstance(y, Mapping):
        _check_names(y)
        targets = {str(name): to_floats(y[name], f"The target {str(name)!r}") for name in y}
    else:
        values = to_floats(y, "The targets y")
        if values.ndim == 1:
            targets = {str(getattr(y, "name", None) or "target"): values}
        elif values.ndim == 2 and values.shape[1] == 2:
            targets = {"arousal": values[:, 0], "valence": values[:, 1]}
        else:
            raise InputError(
                "The targets y must be one column, the two columns arousal and valence, or a "
                f"data frame or dict of named columns. Got shape {values.shape} instead."
            )
    if not targets:
        raise InputError("The targets y must have at least one column. Got none.")
    n_clips = {values.shape for values in targets.values()}
    if not all(values.size for values in targets.values()):
        raise InputError("The targets y must have at least one clip. Got none.")
    if len(n_clips) > 1 or any(values.ndim != 1 for values in targets.values()):
        raise InputError("The targets y must be columns of one length, one number for each clip.")
    for name, values in targets.items():
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            raise InputError(
                f"The target {name!r} has no value for clip {row}; leave that clip out of X, y and "
                "groups."
            )
        if np.ptp(values) == 0:
            raise InputError(f"The target {name!r} is the same for every clip.")
    return targets


def check_curves(y, times) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return targets over time by name, all of one shape, and the seconds of their columns."""
    if not isinstance(y, Mapping) or not y:
        raise InputError(
            "The targets y must be a dict of name to an array of shape (n_clips, n_times). "
            f"Got {type(y).__name__} instead."
        )
    if times is None:
        columns = {name: getattr(values, "columns", None) for name, values in y.items()}
        lacking = [name for name, values in columns.items() if values is None]
        if lacking:
            raise InputError(
                "The 'times' parameter may be None only where the targets are data frames with "
                f"seconds as column names. Got no column names for {lacking[0]!r}."
            )
        times = next(iter(columns.values()))
    times = to_floats(times, "The 'times' parameter")
    if times.ndim != 1 or not np.isfinite(times).all():
        raise InputError(f"The 'times' parameter must be a list of seconds. Got {times!r:.100}.")
    _check_names(y)
    curves = {
        str(name): to_floats(values, f"The target {str(name)!r}") for name, values in y.items()
    }
    first = next(iter(curves.values()))
    n_clips = len(first) if first.ndim == 2 else "n_clips"
    for name, curve in curves.items():
        if curve.ndim != 2 or not curve.size or curve.shape != (n_clips, times.size):
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


def _check_names(y) -> None:
    """Refuse names that are one as text, as 1 and "1" are."""
    names = [str(name) for name in y]
    check_text("The names of the targets y", *names)
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"The targets y have the name {name!r} twice.")

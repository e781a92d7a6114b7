"""Picking rows out of the frames of scores and predictions."""

import numpy as np

from skmer.exceptions import InputError, InputTypeError
from skmer.utils._checks import check_choice
from skmer.utils._labels import check_labels
from skmer.utils._words import cut_middle, shorten


def random_features(frame) -> set:
    """Return the features whose network was never trained, where the frame tells."""
    if "random_weights" not in frame:
        return set()
    return set(frame.loc[frame["random_weights"].astype(bool), "feature"])


def check_columns(frame, *columns) -> None:
    """Refuse what is no data frame, or one that lacks a column."""
    if not hasattr(frame, "columns") or not hasattr(frame, "groupby"):
        raise InputTypeError(
            "A display is drawn from a data frame of pandas, such as the scores of a result. "
            f"Got {cut_middle(repr(frame), 100)} instead."
        )
    for column in columns:
        if not isinstance(column, str) or column not in frame.columns:
            raise InputError(
                f"The frame has no column {cut_middle(repr(column), 100)}. Its columns are "
                f"{shorten(frame.columns, 12)}."
            )


def check_classes(labels, y_true, y_pred) -> np.ndarray:
    """Return the classes to draw, all of them where `labels` is None."""
    y_true, y_pred = (check_labels(one, "The labels y") for one in (y_true, y_pred))
    classes = np.union1d(y_true, y_pred)
    labels = classes if labels is None else check_labels(labels, "The 'labels'")
    if not np.isin(labels, y_true).any():
        raise InputError(
            "The 'labels' parameter must hold classes that are there, "
            f"{shorten(classes, 12)}. Got {shorten(labels, 12)}."
        )
    return labels


def select(frame, **conditions):
    """Return the rows that meet the conditions; None picks the only value there is."""
    check_columns(frame, *conditions)
    for column, value in conditions.items():
        there = list(dict.fromkeys(frame[column]))
        if value is not None or len(there) > 1:
            check_choice("the display", there, **{column: value})
            frame = frame[frame[column] == value]
    return frame

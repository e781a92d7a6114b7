"""Picking rows out of the frames of scores and predictions."""

from skmer.exceptions import InputError


def random_features(frame) -> set:
    """Return the features whose network was never trained, where the frame tells."""
    if "random_weights" not in frame:
        return set()
    return set(frame.loc[frame["random_weights"].astype(bool), "feature"])


def select(frame, **conditions):
    """Return the rows that meet the conditions; None picks the only value there is."""
    for column, value in conditions.items():
        there = list(dict.fromkeys(frame[column]))
        if value is None:
            if len(there) > 1:
                raise InputError(f"The {column!r} parameter must be one of {there}. Got None.")
            continue
        if value not in there:
            raise InputError(f"The {column!r} parameter must be one of {there}. Got {value!r}.")
        frame = frame[frame[column] == value]
    return frame

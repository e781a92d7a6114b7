"""What every loader takes, and how it hands a dataset over."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import Bunch

COMMON_CONSTRAINTS: dict[str, list] = {
    "data_home": [str, os.PathLike, None],
    "return_X_y": ["boolean"],
    "as_frame": ["boolean"],
}
FETCH_CONSTRAINTS = COMMON_CONSTRAINTS | {"download_if_missing": ["boolean"]}


def make_bunch(
    frame,
    *,
    descr: str,
    target_names: Sequence[str],
    target_columns: str | list[str] = "label",
    return_X_y: bool,
    as_frame: bool,
    **particular: Any,
):
    """Bunch, or (data, target), from a frame with the columns path, label and maybe group."""
    data, target = frame["path"], frame[target_columns]
    groups = frame.get("group")
    if not as_frame:
        data = data.to_numpy(dtype=object)
        # Plain unicode: scikit-learn refuses some object arrays of labels.
        target = target.to_numpy(dtype=str if target_columns == "label" else float)
        groups = None if groups is None else np.array(groups.tolist())
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        target_names=list(target_names),
        groups=groups,
        frame=frame,
        DESCR=descr,
        **particular,
    )

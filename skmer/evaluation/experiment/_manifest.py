"""What a result rests on: seeds, versions, weights, splits, parameters, counts."""

import platform
from datetime import UTC, datetime
from math import isfinite

import numpy as np

from skmer.utils._versions import versions


def make_manifest(*, settings, features, models, protocols, dataset, seconds, audit=None) -> dict:
    """Collect everything but the numbers themselves; what it holds is ready for JSON."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "platform": platform.platform(),
        "versions": versions(),
        "settings": settings,
        "dataset": dataset,
        "features": features,
        "models": {name: describe(model) for name, model in models.items()},
        "audit": audit,
        "protocols": {protocol.name: _describe_protocol(protocol) for protocol in protocols},
    }


def describe(estimator) -> dict:
    """Return class and parameters of an estimator, those of its parts too."""
    parameters = estimator.get_params() if hasattr(estimator, "get_params") else {}
    return {
        "class": f"{type(estimator).__module__}.{type(estimator).__qualname__}",
        "parameters": {
            name: value if _is_json(value) else repr(value)
            for name, value in sorted(parameters.items())
        },
    }


def _is_json(value) -> bool:
    """Whether a parameter can be written as it is; JSON has no word for NaN or infinity."""
    return isinstance(value, int | str | None) or (isinstance(value, float) and isfinite(value))


def count_groups(groups) -> dict:
    """Count groups, where there are any."""
    return {} if groups is None else {"n_groups": int(np.unique(groups).size)}


def _describe_protocol(protocol) -> dict:
    return {
        "splitter": repr(protocol.splitter),
        "groups_kept_apart": protocol.grouped,
        "splits": [
            {
                "repeat": split.repeat,
                "fold": split.fold,
                "seed": split.seed,
                "n_train": int(split.train.size),
                "validation": split.validation.tolist(),
                "test": split.test.tolist(),
            }
            for split in protocol.splits
        ],
    }

"""What a result records of an evaluation beside its numbers, ready for JSON."""

import os
from math import isfinite

from skmer.utils.digest import file_digest


def describe_dataset(dataset) -> dict:
    """Return the name of a dataset and, where it is the path of a file, the SHA-256 of that."""
    if dataset is None:
        return {}
    # A name may be one that no file can have.
    path = os.path.expanduser(dataset)
    is_file = os.path.isfile(path)
    return {"name": str(dataset)} | ({"digest": file_digest(path)} if is_file else {})


def describe_estimator(estimator) -> dict:
    """Return class and parameters of an estimator, those of its parts too."""
    parameters = estimator.get_params() if hasattr(estimator, "get_params") else {}
    return {
        "class": f"{type(estimator).__module__}.{type(estimator).__qualname__}",
        "parameters": {
            name: value if _is_json(value) else repr(value)
            for name, value in sorted(parameters.items())
        },
    }


def describe_feature(feature, computed) -> dict:
    """Return a feature's transformer, its network's weights, and the shapes of its inputs."""
    return {
        "transformer": describe_estimator(feature) if hasattr(feature, "get_params") else None,
        "weights": computed.weights.label,
        "weights_digest": computed.weights.digest,
        "random_weights": computed.weights.random,
        "shapes": {name: list(values.shape) for name, values in computed.inputs.items()},
    }


def _is_json(value) -> bool:
    """Whether a parameter can be written as it is; JSON has neither NaN nor infinity."""
    return isinstance(value, int | str | None) or (isinstance(value, float) and isfinite(value))


def describe_protocol(protocol, original, n_repeats: int) -> dict:
    """Describe the first repeats of a protocol; clips have the numbers of their places in X."""
    return {
        "splitter": repr(protocol.splitter),
        "groups_kept_apart": protocol.grouped,
        **({} if protocol.across is None else {"across": list(protocol.across)}),
        "splits": [
            {
                "repeat": split.repeat,
                "fold": split.fold,
                "seed": split.seed,
                "n_train": int(split.train.size),
                "validation": original[split.validation].tolist(),
                "test": original[split.test].tolist(),
            }
            for split in protocol.splits
            if split.repeat < n_repeats
        ],
    }

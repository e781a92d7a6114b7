"""How a table was made: its key, its description, and whether it has what a model learnt from."""

import numpy as np

from skmer._version import __version__
from skmer.exceptions import InputError
from skmer.utils.digest import settings_digest

# Parameters of transformers that change no number.
_CHANGE_NO_NUMBER = ("memory", "n_jobs", "on_error", "verbose")


def column_names(transformers) -> list[str]:
    """Return the names of all numbers, each there once."""
    names = [str(name) for one in transformers for name in one.get_feature_names_out()]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"Two transformers give a column {twice!r}; write a table for each.")
    return names


def recipe_key(recipes, names: list[str]) -> str:
    """Return a short digest of all that decides the numbers of a table."""
    keys = [recipe.key() for recipe in recipes]
    return settings_digest({"recipes": keys, "columns": names})[:16]


def feature_key(transformer, *, frames: bool) -> str:
    """Return the digest of all that decides the numbers of one transformer in a table."""
    return recipe_key([transformer._recipe(pooled=not frames)], column_names([transformer]))


def describe_run(transformers, key: str, *, frames: bool) -> dict:
    """Return what is stored with a table of how it was made."""
    import soxr

    return {
        "features": [
            describe_transformer(one) | {"key": feature_key(one, frames=frames)}
            for one in transformers
        ],
        "rows": "frames" if frames else "clips",
        "versions": {"skmer": __version__, "numpy": np.__version__, "soxr": soxr.__version__},
        "key": key,
    }


def describe_transformer(transformer) -> dict:
    """Return how a fitted transformer was set, and which weights it has, as JSON has it."""
    return {
        "transformer": type(transformer).__name__,
        "parameters": {
            # The representation of a function holds an address, another one in every process.
            name: value
            if isinstance(value, int | float | str | None)
            else getattr(value, "__qualname__", repr(value))
            for name, value in transformer.get_params().items()
            if name not in _CHANGE_NO_NUMBER
        },
        "weights": getattr(transformer, "weights_label_", None),
        "weights_digest": getattr(transformer, "weights_digest_", None),
    }


def check_same(name: str, settings, transformers, *, frames: bool) -> None:
    """Raise where the numbers of a table are not those that a model learnt from."""
    again = "extract the clips again with the model's own transformer"
    rows = "frames" if frames else "clips"
    if settings.get("rows") != rows:
        if "rows" not in settings:
            raise InputError(f"The table '{name}' is not one that extract wrote; {again}.")
        has = "a row a frame" if settings["rows"] == "frames" else "a row a clip"
        raise InputError(
            f"The table '{name}' has {has}, and with frames={frames} the predictions "
            f"are of {rows}; change 'frames', or {again}.",
            param="frames",
        )
    made = settings.get("features", [])
    for one in transformers:
        if feature_key(one, frames=frames) not in [feature.get("key") for feature in made]:
            reason = _difference(describe_transformer(one), made)
            raise InputError(f"The table '{name}' {reason}; {again}.")


def _difference(wanted: dict, made: list[dict]) -> str:
    """Return in what a table differs from what a model needs."""
    name = wanted["transformer"]
    same = next((one for one in made if one.get("transformer") == name), None)
    if same is None:
        found = ", ".join(str(one.get("transformer")) for one in made)
        return f"has numbers of {found or 'no transformer'}, and the model needs {name}"
    if same.get("weights_digest") != wanted["weights_digest"]:
        return (
            f"was made with weights {same.get('weights')} ({same.get('weights_digest')!s:.16}), "
            f"and the model with {wanted['weights']} ({wanted['weights_digest']!s:.16})"
        )
    for parameter, value in wanted["parameters"].items():
        other = same["parameters"].get(parameter)
        if other != value and parameter not in ("engine", "batch_size", "random_state"):
            return f"was made with {parameter} {other}, and the model with {value}"
    return f"was made by another version of {name} or of what resamples"

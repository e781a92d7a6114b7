"""What decides the numbers of a table: as its key, and in words for who reads it."""

from dataclasses import fields

import numpy as np

from skmer._version import __version__
from skmer.embeddings._base import BaseClipTransformer
from skmer.embeddings.recipes._base import Recipe, resampler_version
from skmer.embeddings.recipes._clip_function import function_name
from skmer.utils.files._digest import settings_digest

# Parameters of transformers, and fields of recipes, that change no number.
_CHANGE_NO_NUMBER = ("memory", "n_jobs", "on_error", "verbose")
_NO_PART_OF_KEY = ("weights", "batch_size")


def recipe_key(recipes: list[Recipe], names: list[str]) -> str:
    """Name all that decides the numbers: parts of another key never reach this table."""
    decisive = {
        "recipes": [
            {
                "recipe": recipe.kind,
                "resampler_version": resampler_version(recipe.resampler),
            }
            | _deciding_fields(recipe)
            for recipe in recipes
        ],
        "columns": names,
        "skmer": __version__,
    }
    return settings_digest(decisive)[:16]


def _deciding_fields(recipe: Recipe) -> dict:
    return {
        one.name: getattr(recipe, one.name)
        for one in fields(recipe)
        if one.name not in _NO_PART_OF_KEY and one.metadata.get("key", True)
    }


def settings_of(transformers: list[BaseClipTransformer], frames: bool) -> dict:
    """Say in the table what it holds."""
    import soxr

    described = [
        {
            "transformer": type(one).__name__,
            "parameters": {
                name: _describe_value(value)
                for name, value in one.get_params().items()
                if name not in _CHANGE_NO_NUMBER
            },
            "weights": getattr(one, "weights_label_", None),
            "weights_digest": getattr(one, "weights_digest_", None),
        }
        for one in transformers
    ]
    return {
        "features": described,
        "rows": "frames" if frames else "clips",
        "versions": {"skmer": __version__, "numpy": np.__version__, "soxr": soxr.__version__},
    }


def _describe_value(value):
    if isinstance(value, int | float | str | None):
        return value
    # The representation of a function holds an address, another one in every process.
    return function_name(value) if callable(value) else repr(value)

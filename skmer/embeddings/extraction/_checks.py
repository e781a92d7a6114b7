"""The arguments of an extraction, checked before any work."""

import os
from collections.abc import Mapping
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.base import clone

from skmer.embeddings._base import BaseClipTransformer
from skmer.exceptions import InputError, InputTypeError, bounded
from skmer.utils._checks import check_flags, is_iterable
from skmer.utils._labels import check_text
from skmer.utils._words import cut_middle, escape_undecodable
from skmer.utils.files._paths import expand_path

# What a table says of a clip, and of a frame, beside the path and the columns of the user's own.
FACTS = {
    "digest": "string",
    "duration": "double",
    "sr": "int64",
    "error": "string",
    "notes": "string",
}
FRAME_FACTS = {"frame": "int64", "time": "double"}
SUFFIXES = (".parquet", ".npz", ".csv")
# Arrays that a npz file holds beside the columns.
_ARRAYS = ("columns", "embeddings", "settings")


def check_paths(paths) -> list[str]:
    """Return the paths as strings."""
    if isinstance(paths, str | bytes | os.PathLike):
        raise InputError(f"'paths' must be a sequence of paths, got a lone one, {paths!r:.200}.")
    if not is_iterable(paths) or isinstance(paths, dict | set):
        raise InputTypeError(f"'paths' must be a sequence of paths, got {paths!r:.200}.")
    checked = []
    for row, path in enumerate(paths):
        if not isinstance(path, str | os.PathLike):
            raise InputTypeError(f"Entry {row} of 'paths' must be a path, got {path!r:.100}.")
        checked.append(os.path.expanduser(os.fspath(path)))
    if not checked:
        raise InputError("'paths' must hold at least one path, got none.")
    return checked


def check_columns(columns: Mapping | None, n_clips: int, names: list[str]) -> dict[str, list]:
    """Return the user's own columns as lists of values that every kind of table can hold."""
    if columns is not None and not hasattr(columns, "items"):
        raise InputTypeError(
            "'columns' must be a dict of name to values. "
            f"Got {cut_middle(repr(columns), 100)} instead."
        )
    checked = {}
    taken = {"path", *FACTS, *FRAME_FACTS, *_ARRAYS, *names}
    for name, values in ({} if columns is None else columns).items():
        if not isinstance(name, str) or not name:
            raise InputTypeError(
                f"The names of 'columns' must be texts of at least one letter. Got {name!r}."
            )
        check_text("The names of 'columns'", name)
        if "\0" in name:
            raise InputError(f"The column {name!r} has a null character in its name; rename it.")
        if name in taken:
            raise InputError(f"A column of the table is called {name!r} already; rename yours.")
        if not is_iterable(values) or isinstance(values, str | bytes | dict | set):
            raise InputTypeError(
                f"The column {name!r} must be a sequence of values. Got {values!r:.100}."
            )
        checked[name] = [_plain(value) for value in values]
        if len(checked[name]) != n_clips:
            raise InputError(
                f"The column {name!r} must have one entry for each of the {n_clips} paths. "
                f"Got {len(checked[name])}."
            )
    return checked


def column_types(columns: Mapping[str, list]) -> dict[str, str]:
    """Return what each column holds: "string", "int64", "double" or "bool"."""
    return {name: _column_type(name, values) for name, values in columns.items()}


def _plain(value):
    """A numpy number as Python's own, a text that can be written, None for a missing value."""
    value = value.item() if hasattr(value, "item") and not hasattr(value, "__len__") else value
    import pandas as pd

    missing = pd.isna(value)
    if isinstance(missing, bool | np.bool_) and missing:
        return None
    return escape_undecodable(value) if isinstance(value, str) else value


def _column_type(name: str, values: list) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool} and None not in values:
        return "bool"
    whole = kinds == {int} and None not in values
    if whole and all(-(2**63) <= value < 2**63 for value in values):
        return "int64"
    if (
        kinds
        and kinds <= {int, float}
        and all(
            value is None or type(value) is float or -(2**63) <= value < 2**63 for value in values
        )
    ):
        return "double"
    if all(issubclass(kind, str) for kind in kinds):
        return "string"
    listed = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise InputTypeError(
        f"The column {name!r} must hold texts, or whole numbers, or numbers, or truth values. "
        f"Got values of {listed}."
    )


def settings_beside(table: Path) -> Path:
    """Where the settings of a table are that has no room for them itself."""
    return table.with_name(f"{table.name}.json")


def check_out(out: str | os.PathLike) -> Path:
    """Return the table's path, which can be written."""
    path = expand_path(out)
    if path.suffix not in SUFFIXES:
        raise InputError(f"The table must end in {', '.join(SUFFIXES)}. Got '{path}'.")
    for written in [path, settings_beside(path)] if path.suffix == ".csv" else [path]:
        if written.is_dir():
            raise IsADirectoryError(
                bounded(f"The table cannot be written to '{written}', which is a folder.")
            )
    return path


def check_chunk_size(chunk_size: int) -> int:
    """Refuse chunks without clips."""
    if isinstance(chunk_size, bool) or not isinstance(chunk_size, Integral) or chunk_size < 1:
        raise InputError(
            f"The 'chunk_size' parameter must be an integer of at least 1. Got {chunk_size!r}."
        )
    return int(chunk_size)


def prepare_transformers(transformer, frames: bool) -> list[BaseClipTransformer]:
    """Return unfitted copies that pool where a row is a clip, and not where it is a frame."""
    check_flags("extract", frames=frames)
    given = list(transformer) if isinstance(transformer, list | tuple) else [transformer]
    if not given or not all(isinstance(one, BaseClipTransformer) for one in given):
        wrong = next((one for one in given if not isinstance(one, BaseClipTransformer)), given)
        raise InputTypeError(
            "'transformer' must be a transformer of clips, such as MFCCStatsTransformer(), or a "
            f"list of those. Got {wrong!r:.100}."
        )
    if frames and len(given) > 1:
        raise InputError(
            "With frames=True one transformer fills a table, since each has frames of its own "
            f"length; write a table for each. Got {len(given)} transformers."
        )
    return [_prepare(clone(one), frames) for one in given]


def _prepare(transformer, frames):
    transformer._check_can_be_kept()
    parameters = transformer.get_params()
    pooling = "pooling" if "pooling" in parameters else "statistics"
    if frames:
        return transformer.set_params(**{pooling: None})
    if parameters[pooling] is None:
        raise InputError(
            f"With {pooling}=None a clip has many rows; pass frames=True for one row a frame, or "
            f"set {pooling}."
        )
    return transformer


def column_names(transformers: list[BaseClipTransformer]) -> list[str]:
    """Return the names of all numbers, each there once."""
    names = [str(name) for one in transformers for name in one.get_feature_names_out()]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(
            f"Two of the transformers give a column {twice!r}; write a table for each of them."
        )
    return names

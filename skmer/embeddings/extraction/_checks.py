"""The arguments of an extraction, checked before any work."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from sklearn.base import clone

from skmer.embeddings._base import BaseClipTransformer
from skmer.exceptions import InputError, InputTypeError

# What a table says of a clip, and of a frame, beside the path and the columns of the user's own.
FACTS = {
    "digest": "string",
    "duration": "double",
    "sr": "int64",
    "error": "string",
    "notes": "string",
}
FRAME_FACTS = {"frame": "int64", "time": "double"}
SUFFIXES = (".parquet", ".npz")


def check_paths(paths) -> list[str]:
    """Return the paths as strings."""
    if isinstance(paths, str | bytes | os.PathLike):
        raise InputError(f"'paths' must be a sequence of paths, got a lone one, {paths!r}.")
    checked = []
    for row, path in enumerate(paths):
        if not isinstance(path, str | os.PathLike):
            raise InputTypeError(f"Entry {row} of 'paths' must be a path, got {path!r}.")
        checked.append(os.fspath(path))
    if not checked:
        raise InputError("'paths' must hold at least one path, got none.")
    return checked


def check_columns(
    columns: Mapping[str, Sequence[str]] | None, n_clips: int
) -> dict[str, list[str]]:
    """Return the user's own columns as lists."""
    checked = {name: list(values) for name, values in (columns or {}).items()}
    taken = ("path", *FACTS, *FRAME_FACTS)
    for name, values in checked.items():
        if name in taken:
            raise InputError(f"A column of the table is called {name!r} already; rename yours.")
        if len(values) != n_clips:
            raise InputError(
                f"The column {name!r} must have one entry for each of the {n_clips} paths. "
                f"Got {len(values)}."
            )
    return checked


def check_out(out: str | os.PathLike) -> Path:
    """Return the table's path, which can be written."""
    path = Path(out)
    if path.suffix not in SUFFIXES:
        raise InputError(f"The table must end in {' or '.join(SUFFIXES)}. Got '{path}'.")
    if path.is_dir():
        raise IsADirectoryError(f"The table cannot be written to '{path}', which is a folder.")
    return path


def check_chunk_size(chunk_size: int) -> int:
    """Refuse chunks without clips."""
    if isinstance(chunk_size, bool) or not isinstance(chunk_size, int) or chunk_size < 1:
        raise InputError(
            f"The 'chunk_size' parameter must be an integer of at least 1. Got {chunk_size!r}."
        )
    return chunk_size


def settle_transformer(transformer, frames: bool) -> BaseClipTransformer:
    """Return an unfitted copy that pools where a row is a clip, and not where it is a frame."""
    if not isinstance(transformer, BaseClipTransformer):
        raise InputTypeError(
            "'transformer' must be an L3Transformer, VGGishTransformer or MFCCStatsTransformer. "
            f"Got {transformer!r}."
        )
    transformer = clone(transformer)
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

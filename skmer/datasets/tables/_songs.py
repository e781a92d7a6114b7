"""What tables of songs have to hold: numbers, every song, each once."""

import numpy as np

from skmer.exceptions import InputError
from skmer.utils._floats import parse_floats
from skmer.utils._words import cut_middle, shorten

ANEW = "get the published file anew"


def numbers(values, table: str) -> np.ndarray:
    """A column, or a frame, of text as floats; empty cells are NaN."""
    try:
        return parse_floats(values.where(values != "", "nan").to_numpy(dtype=object))
    except ValueError as error:
        raise InputError(
            f"{table} must hold numbers. Got: {cut_middle(str(error), 100)}; {ANEW}."
        ) from error


def by_song(frame, column: str, table: str):
    """A table by the code of the song, each there once."""
    codes = frame[column]
    if (codes == "").any():
        raise InputError(f"{table} must have a {column!r} in every row; {ANEW}.")
    twice = codes[codes.duplicated()]
    if len(twice):
        raise InputError(
            f"{table} must hold every song once. Got {shorten(twice)} more than once; {ANEW}."
        )
    return frame.set_index(column)


def require_songs(songs, table, name: str, of: str) -> None:
    """Raise where the table `name` lacks songs that the table `of` has."""
    missing = songs.difference(table)
    if len(missing):
        raise InputError(
            f"{name} must hold every song of {of}. It lacks the songs {shorten(missing)}, "
            f"{len(missing)} of {len(songs)}; {ANEW}."
        )

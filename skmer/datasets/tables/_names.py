"""Artists and quadrants, as they are compared."""

import re
from collections.abc import Iterable

from skmer.exceptions import InputError
from skmer.utils._words import cut_middle

QUADRANTS = ("Q1", "Q2", "Q3", "Q4")


def normalise_name(name: str) -> str:
    """Artist's name without differences in case and white space."""
    return " ".join(name.casefold().split())


def artist_groups(artists, songs):
    """Normalised artists; a song without one is a group of its own."""
    groups = artists.map(normalise_name)
    return groups.where(groups != "", songs.astype(str))


def read_quadrants(values: Iterable[str], table: str) -> list[str]:
    """Quadrants written as Q1, q1, 1 or 1.0."""
    values = list(values)
    if not values:
        raise InputError(f"{table} must list songs. Got none; put the published file there.")
    matches = [re.fullmatch(r"Q?([1-4])(\.0)?", str(value).strip().upper()) for value in values]
    for value, match in zip(values, matches):
        if match is None:
            raise InputError(
                f"The column 'Quadrant' of {table} must hold Q1, Q2, Q3, Q4 or 1, 2, 3, 4. "
                f"Got {cut_middle(repr(value), 50)}; put the published file there."
            )
    return [f"Q{match[1]}" for match in matches if match]


def quadrants_of(arousal, valence, middle: float) -> list[str]:
    """Quadrants of Russell's plane: what is not above the middle is low."""
    names = {(True, True): "Q1", (True, False): "Q2", (False, False): "Q3", (False, True): "Q4"}
    return [names[a > middle, v > middle] for a, v in zip(arousal, valence)]

"""How an invented artist plays an emotion: one number per trait.

Three things shape a clip. The emotion is the same for every artist: arousal makes the music
faster, its drums louder, its attack harder, its notes shorter and brighter; valence raises the
register, makes the mode major and takes roughness and vibrato away. The artist has a timbre and
a key. And every artist plays each quadrant in a manner of their own, which shows most in the
timbre: what tells the quadrants of one artist apart there says nothing about the next artist.
"""

from typing import NamedTuple

import numpy as np

ARTISTS = ("ada", "ben", "cleo", "dov", "eva", "finn", "gus", "hana", "ivo", "june")
N_TAKES = 2
SEED = 20212
# Arousal and valence of the four quadrants.
SIGNS = {"Q1": (1, 1), "Q2": (1, -1), "Q3": (-1, -1), "Q4": (-1, 1)}

EMOTION_STRENGTH = 0.65
EMOTION_SPREAD = 0.35
ARTIST_STRENGTH = 0.7
MANNER_STRENGTH = 1.0
TAKE_SPREAD = 0.2
MODE_SPREAD = 0.9


class Traits(NamedTuple):
    """How a clip is played: one number per trait, 0 = average, about -3 to 3."""

    tempo: float
    drums: float
    attack: float
    staccato: float
    brightness: float
    roughness: float
    register: float
    formant: float
    hiss: float
    vibrato: float
    sustain: float
    loudness: float


class Style(NamedTuple):
    """Everything that is decided before the first note."""

    traits: Traits
    major: bool
    key: int
    chords: tuple[int, ...]


# What a trait takes from arousal, from valence, from the manner and from the artist.
_WEIGHTS = {
    "tempo": (1.0, 0.2, 0.5, 0.3),
    "drums": (1.0, 0.0, 0.5, 0.4),
    "attack": (0.8, 0.0, 0.5, 0.4),
    "staccato": (0.7, 0.4, 0.5, 0.4),
    "brightness": (0.5, 0.1, 0.8, 0.6),
    "roughness": (0.2, -0.8, 0.5, 0.4),
    "register": (0.0, 0.5, 0.6, 0.8),
    "formant": (0.0, 0.0, 1.0, 1.0),
    "hiss": (0.0, 0.0, 1.0, 0.8),
    "vibrato": (0.0, -0.4, 0.8, 0.8),
    "sustain": (-0.2, 0.0, 0.8, 1.0),
    "loudness": (0.5, 0.0, 1.0, 0.5),
}


def stream(*numbers: int) -> np.random.Generator:
    """Random numbers that belong to these numbers; only ``random`` of it may be drawn from.

    That method alone gives the same numbers in every version of numpy.
    """
    return np.random.Generator(np.random.PCG64([SEED, *numbers]))


def style_of(artist: int, quadrant: str, rng: np.random.Generator) -> Style:
    """Style of one take; what the take has of its own comes from `rng`."""
    n_traits = len(Traits._fields)
    place = list(SIGNS).index(quadrant)
    manner, person = stream(artist, 100 + place), stream(artist, 200)
    # The listeners who "labelled" the clip heard the emotion as strongly as this.
    heard = EMOTION_STRENGTH + EMOTION_SPREAD * _spread(rng, 2)
    arousal, valence = SIGNS[quadrant] * heard
    from_arousal, from_valence, from_manner, from_artist = np.array(
        [_WEIGHTS[name] for name in Traits._fields]
    ).T
    traits = (
        arousal * from_arousal
        + valence * from_valence
        + MANNER_STRENGTH * from_manner * _spread(manner, n_traits)
        + ARTIST_STRENGTH * from_artist * _spread(person, n_traits)
        + TAKE_SPREAD * _spread(rng, n_traits)
    )
    return Style(
        Traits(*traits.tolist()),
        major=bool(valence + MODE_SPREAD * _spread(rng, 1)[0] > 0),
        key=int(12 * person.random()) - 6,
        chords=tuple((4 * manner.random(4)).astype(int).tolist()),
    )


def _spread(rng, size):
    """Symmetric random numbers of variance 1 between -2.4 and 2.4, from uniform ones only."""
    return (rng.random((2, size)).sum(axis=0) - 1) * np.sqrt(6)

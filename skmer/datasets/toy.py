"""Toy emotions: generated clips of ten invented artists in the four quadrants.

There is no original: the clips are computed, the same to the byte everywhere, and written to
the data folder the first time they are asked for. They are meant for examples and tests: small,
made in seconds, long enough for every network, and hard enough that no classifier is right on all
of them. Every artist plays the four quadrants in a manner of their own, so a classifier that has
heard the artist does much better than one that has not, as with real music.
"""

import io
import os
import uuid
from pathlib import Path
from typing import NamedTuple

import numpy as np

from skmer.datasets.fetch import get_data_home
from skmer.datasets.info import COMMON_CONSTRAINTS, DatasetInfo, describe, make_bunch
from skmer.datasets.tables import QUADRANTS
from skmer.datasets.validate import Finding, find_extra
from skmer.exceptions import bounded
from skmer.utils.estimators import validate_params
from skmer.utils.progress import track

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


SR = 16000


def tone(note: float, length: int, traits: Traits, rng) -> np.ndarray:
    """One note: harmonics under a spectral envelope, with attack, decay and vibrato."""
    # Multiples of 1/64 Hz: the phase is then exact on every platform.
    pitch = np.round(64 * 440 * 2 ** ((note - 69) / 12)) / 64
    time = np.arange(length) / SR
    wobble = 0.05 * 2 ** (1.2 * traits.vibrato) * np.sin(2 * np.pi * 5.5 * time)
    harmonics = np.arange(1, 11)
    frequencies = pitch * harmonics
    octaves = np.log2(frequencies / (900 * 2 ** (0.6 * traits.formant)))
    levels = harmonics ** (0.45 * traits.brightness - 1.5) * (1 + 4 * np.exp(-3 * octaves**2))
    levels[frequencies > 0.45 * SR] = 0
    phases = np.exp(2j * np.pi * rng.random(10))
    sound = _harmonics(levels * phases, 2 * np.pi * pitch * time + wobble)
    rough = limit(0.25 + 0.3 * traits.roughness, 0, 1)
    if rough:
        # A second, slightly mistuned string is heard as roughness.
        beat = np.round(64 * 2.5 * 2**traits.roughness) / 64
        sound += rough * _harmonics(levels, 2 * np.pi * (pitch + beat) * time + wobble)
    rise = limit(0.03 * 2 ** (-1.3 * traits.attack), 0.002, 0.25)
    decay = limit(3 * 2**-traits.sustain, 0.5, 12)
    end = (length - np.arange(length)) / (0.02 * SR)
    return sound * np.minimum(time / rise, 1) * np.exp(-time * decay) * np.minimum(end, 1)


def drum(duration: float, rng, *, deep: bool) -> np.ndarray:
    """A burst of noise that dies away, over a low beat where it is deep."""
    time = np.arange(round(SR * duration)) / SR
    sound = (rng.random(len(time)) - 0.5) * np.exp(-6 * time / duration)
    if deep:
        sound += 1.2 * np.sin(2 * np.pi * 60 * time) * np.exp(-20 * time)
    return sound


def hiss(length: int, rng) -> np.ndarray:
    """Noise with more in the high frequencies than in the low ones."""
    noise = rng.random(length + 3) - 0.5
    return noise[3:] + 0.5 * (noise[2:-1] - noise[:-3])


def limit(value: float, low: float, high: float) -> float:
    """The value, or the end of the range that it is beyond."""
    return float(min(max(value, low), high))


def _harmonics(amplitudes, phase):
    """Sum of sines at the multiples of a phase, by Horner's rule."""
    turn = np.exp(1j * phase)
    total = np.zeros_like(turn)
    for amplitude in amplitudes[::-1]:
        total += amplitude
        total *= turn
    return total.imag


# Two patches of 3 s, the longest frame of any network here, and a little.
DURATION = 6.5
N_SAMPLES = round(SR * DURATION)


def toy_clip(artist: int, quadrant: str, take: int) -> np.ndarray:
    """Waveform of one clip as 16-bit integers, shape=(104000,), the same on every platform."""
    rng = stream(artist, list(SIGNS).index(quadrant), take)
    style = style_of(artist, quadrant, rng)
    audio = _play(style, rng)
    audio += 0.02 * 2 ** (1.5 * style.traits.hiss) * hiss(N_SAMPLES, rng)
    peak = limit(0.35 * 2 ** (0.6 * style.traits.loudness), 0.05, 0.95)
    return np.round(peak * 32767 * audio / np.abs(audio).max()).astype(np.int16)


def _play(style: Style, rng) -> np.ndarray:
    """A bar of four beats on each chord, until the clip is full."""
    traits = style.traits
    audio = np.zeros(N_SAMPLES)
    scale = (0, 2, 4, 5, 7, 9, 11) if style.major else (0, 2, 3, 5, 7, 8, 10)
    roots = (0, 5, 7, scale[5])
    lowest = 50 + style.key + round(3 * traits.register)
    beat = round(SR * limit(0.5 * 2 ** (-0.5 * traits.tempo), 0.22, 1.2))
    length = round(beat * limit(1.2 * 2 ** (-0.7 * traits.staccato), 0.3, 2.2))
    drums = 0.5 * 2 ** (0.9 * traits.drums)

    def add(sound, start):
        audio[start : start + len(sound)] += sound[: N_SAMPLES - start]

    step = int(7 * rng.random())
    first = round(0.05 * SR * rng.random())
    for number, start in enumerate(range(first, N_SAMPLES, beat)):
        root = lowest + roots[style.chords[number // 4 % 4]]
        if number % 2 == 0:
            for interval in (0, scale[2], 7):
                add(0.5 * tone(root + interval, 2 * length, traits, rng), start)
        if number % 4 == 0:
            add(0.8 * tone(root - 12, 2 * length, traits, rng), start)
        # The melody goes up to two steps of the scale up or down.
        step = min(max(step + int(5 * rng.random()) - 2, -5), 10)
        melody = lowest + 12 + 12 * (step // 7) + scale[step % 7]
        add(0.9 * tone(melody, length, traits, rng), start)
        strong = number % 2 == 0
        add((1 if strong else 0.7) * drums * drum(0.24, rng, deep=strong), start)
        if start + beat // 2 < N_SAMPLES:
            add(0.4 * drums * drum(0.08, rng, deep=False), start + beat // 2)
    return audio


INFO = DatasetInfo(
    name="toy",
    title="Toy emotions",
    n_clips=len(QUADRANTS) * len(ARTISTS) * N_TAKES,
    class_counts=dict.fromkeys(QUADRANTS, len(ARTISTS) * N_TAKES),
    groups=f"{len(ARTISTS)} invented artists",
    licence="BSD-3-Clause (generated by skmer)",
    citation="",
    url="",
    downloadable=False,
)
# The number changes with the clips, so that clips of two versions never mix.
FOLDER = "toy-2"
CHECKED = "every clip against the same clip computed anew"

_HEADER_BYTES = 44


@validate_params(COMMON_CONSTRAINTS, prefer_skip_nested_validation=True)
def load_toy_emotions(
    *,
    data_home: str | os.PathLike | None = None,
    return_X_y: bool = False,
    as_frame: bool = False,
):
    """Load generated, music-like clips of the four quadrants of emotion.

    =========   =================================
    Clips       80, of 6.5 s, 16000 Hz, mono
    Classes     Q1, Q2, Q3, Q4, 20 clips each
    Groups      10 invented artists, 8 clips each
    Licence     BSD-3-Clause
    =========   =================================

    The clips are written to the data folder the first time, which takes seconds and
    17 MB, and are the same on every machine. Several processes may do so at once.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder of the datasets; by default the environment variable ``SKMER_DATA``,
        else the user's data folder. The clips are in ``<data_home>/toy-2``.

    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    as_frame : bool, default=False
        If True, ``data``, ``target`` and ``groups`` are pandas Series.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : ndarray of str, shape (80,)
            Paths of the wav files.
        target : ndarray of str, shape (80,)
            The quadrants.
        target_names : list of str
            Q1 (arousal and valence high), Q2 (arousal high, valence low), Q3 (both
            low), Q4 (arousal low, valence high).
        groups : ndarray of str, shape (80,)
            The artists.
        frame : DataFrame, shape (80, 4)
            path, label, group, take.
        DESCR : str
            Description and counts.

    (data, target) : tuple
        If ``return_X_y`` is True.

    Raises
    ------
    OSError
        If the clips cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from skmer.datasets import load_toy_emotions
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     toy = load_toy_emotions(data_home=folder)
    >>> len(toy.data), toy.target_names
    (80, ['Q1', 'Q2', 'Q3', 'Q4'])
    """
    import pandas as pd

    folder = get_data_home(data_home) / FOLDER
    rows = [
        {"path": str(folder / name), "label": quadrant, "group": ARTISTS[artist], "take": take}
        for name, (artist, quadrant, take) in clip_names().items()
    ]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, clip in clip_names().items():
            _write_unless_there(folder / name, clip)
    except OSError as error:
        raise OSError(
            bounded(
                f"The toy clips must be written to {folder}, and that failed: {error}. "
                "Choose another folder by 'data_home' or the environment variable SKMER_DATA."
            )
        ) from error
    return make_bunch(
        pd.DataFrame(rows),
        descr=describe(INFO),
        target_names=QUADRANTS,
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


def validate(folder: Path, *, verbose: bool) -> list[Finding]:
    """Compare every clip with the same clip computed anew."""
    findings = []
    clips = track(clip_names().items(), description="comparing", enabled=verbose)
    for name, clip in clips:
        path = folder / name
        if not path.is_file():
            findings.append(Finding(name, "missing"))
        else:
            findings.append(Finding(name, "ok" if _is_same(path, clip) else "wrong"))
    return findings + find_extra(folder, {folder / name for name in clip_names()})


def _is_same(path: Path, clip: tuple[int, str, int]) -> bool:
    """Whether a file holds a clip, to one step of its 16 bits."""
    import soundfile

    try:
        audio, sr = soundfile.read(path, dtype="int16")
    except soundfile.LibsndfileError:
        return False
    expected = toy_clip(*clip)
    if sr != SR or audio.shape != expected.shape:
        return False
    return bool(np.abs(audio.astype(int) - expected).max() <= 1)


def clip_names() -> dict[str, tuple[int, str, int]]:
    """Files of the dataset, each with its artist, quadrant and take."""
    return {
        f"{name}_{quadrant}_{take + 1}.wav": (artist, quadrant, take)
        for artist, name in enumerate(ARTISTS)
        for quadrant in QUADRANTS
        for take in range(N_TAKES)
    }


def _write_unless_there(path: Path, clip: tuple[int, str, int]) -> None:
    """Write one clip through a temporary file, so that no process ever reads half of it."""
    import soundfile

    if path.is_file() and path.stat().st_size == _HEADER_BYTES + 2 * N_SAMPLES:
        return
    temporary = path.with_name(f".{path.stem}-{uuid.uuid4().hex}.wav")
    try:
        # By way of memory: of a full disk libsndfile says nothing but "System error".
        stream = io.BytesIO()
        soundfile.write(stream, toy_clip(*clip), SR, format="WAV", subtype="PCM_16")
        temporary.write_bytes(stream.getvalue())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)

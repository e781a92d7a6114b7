"""Music-like clips of invented artists, computed from a seed.

A clip is a run of chords. Two things shape it: the emotion (tempo, brightness, attack, mode,
roughness: a little, and the same for every artist) and the artist (register, spectral
envelope, vibrato, hiss, and a habit of playing each quadrant in a way of their own: a lot).
So most of what tells the quadrants of one artist apart says nothing about the next artist.

The numbers are the same on every platform: only ``Generator.random`` is drawn from, and what
enters a phase is rounded to binary fractions, so that the last bits of ``exp2`` or ``exp``,
which differ between processors, are lost in the rounding to 16 bits.
"""

from dataclasses import dataclass

import numpy as np

SR = 22050
DURATION = 2.0
ARTISTS = ("ada", "ben", "cleo", "dov", "eva", "finn", "gus", "hana", "ivo", "june")
N_TAKES = 2
SEED = 20211
# Arousal and valence of the four quadrants.
SIGNS = {"Q1": (1, 1), "Q2": (1, -1), "Q3": (-1, -1), "Q4": (-1, 1)}

EMOTION_STRENGTH = 0.8
EMOTION_SPREAD = 0.25
ARTIST_STRENGTH = 0.7
HABIT_STRENGTH = 1.0
TAKE_SPREAD = 0.1


@dataclass(frozen=True)
class Style:
    """How a clip is played: one number per trait, 0 = average, about -2 to 2."""

    tempo: float
    brightness: float
    attack: float
    roughness: float
    register: float
    formant: float
    hiss: float
    vibrato: float
    loudness: float


N_TRAITS = 9


def toy_clip(artist: int, quadrant: str, take: int) -> np.ndarray:
    """Waveform of one clip as 16-bit integers, shape=(44100,)."""
    arousal, valence = SIGNS[quadrant]
    rng = np.random.Generator(np.random.PCG64([SEED, artist, list(SIGNS).index(quadrant), take]))
    # The listeners who "labelled" the clip heard the emotion as strongly as this.
    heard = EMOTION_STRENGTH + EMOTION_SPREAD * _spread(rng, 2)
    arousal, valence = arousal * heard[0], valence * heard[1]
    emotion = np.zeros(N_TRAITS)
    emotion[:5] = arousal, arousal, arousal - 0.3 * valence, -valence, 0.6 * valence
    emotion[8] = arousal
    habit_rng = np.random.Generator(
        np.random.PCG64([SEED, artist, 100 + list(SIGNS).index(quadrant)])
    )
    artist_rng = np.random.Generator(np.random.PCG64([SEED, artist, 200]))
    traits = (
        ARTIST_STRENGTH * _spread(artist_rng, N_TRAITS)
        + HABIT_STRENGTH * _spread(habit_rng, N_TRAITS)
        + TAKE_SPREAD * _spread(rng, N_TRAITS)
        + emotion
    )
    return _play(
        Style(*traits),
        major=valence + 0.5 * _spread(rng, 1)[0] > 0,
        degrees=(4 * habit_rng.random(4)).astype(int),
        rng=rng,
    )


def _spread(rng, size):
    """Symmetric random numbers of variance 1 between -2.4 and 2.4, from uniform ones only."""
    return (rng.random((2, size)).sum(axis=0) - 1) * np.sqrt(6)


def _play(style: Style, *, major: bool, degrees, rng) -> np.ndarray:
    """Chords in a style, shape=(SR * DURATION,) as int16."""
    n_samples = round(SR * DURATION)
    audio = np.zeros(n_samples)
    step = round(SR * _clip(0.34 * 2 ** (-0.45 * style.tempo), 0.12, 1.0))
    triad = (0, 4, 7) if major else (0, 3, 7)
    steps = (0, 5, 7, 9 if major else 8)
    root = 51 + 3 * style.register
    onset = round(0.05 * SR * rng.random())
    n_chords = int(4 * rng.random())
    while onset < n_samples:
        degree = steps[degrees[n_chords % 4]]
        n_chords += 1
        length = min(round(1.4 * step), n_samples - onset)
        for interval in triad:
            note = root + degree + interval
            audio[onset : onset + length] += _tone(note, length, style, rng)
        onset += step
    noise = rng.random(n_samples + 3) - 0.5
    noise = noise[3:] + 0.5 * (noise[2:-1] - noise[:-3])
    audio += 0.02 * 2 ** (1.2 * style.hiss) * noise
    peak = 0.35 * 2 ** (0.5 * style.loudness)
    return np.round(_clip(peak, 0.05, 0.95) * 32767 * audio / np.abs(audio).max()).astype(np.int16)


def _tone(note: float, length: int, style: Style, rng) -> np.ndarray:
    """One note: harmonics under a spectral envelope, with attack, decay and vibrato."""
    # Multiples of 1/64 Hz: the phase is then exact on every platform.
    pitch = np.round(64 * 440 * 2 ** ((note - 69) / 12)) / 64
    time = np.arange(length) / SR
    wobble = 0.02 * 2 ** (1.5 * style.vibrato) * np.sin(2 * np.pi * 5.5 * time)
    # A second, slightly mistuned string is heard as roughness.
    beat = np.round(64 * 1.5 * 2**style.roughness) / 64
    rough = _clip(0.3 + 0.3 * style.roughness, 0, 1)
    frequencies = pitch * np.arange(1, 11)
    octaves = np.log2(frequencies / (900 * 2 ** (0.6 * style.formant)))
    levels = np.arange(1, 11) ** (0.45 * style.brightness - 1.7) * (1 + 4 * np.exp(-3 * octaves**2))
    levels[frequencies > 0.45 * SR] = 0
    phases = np.exp(2j * np.pi * rng.random(10))
    tone = _harmonics(levels * phases, 2 * np.pi * pitch * time + wobble)
    tone += rough * _harmonics(levels, 2 * np.pi * (pitch + beat) * time + wobble)
    rise = _clip(0.02 * 2 ** (-1.2 * style.attack), 0.002, 0.2)
    return tone * np.minimum(time / rise, 1) * np.exp(-time * 3)


def _harmonics(amplitudes, phase):
    """Sum of sines at the multiples of a phase, by Horner's rule."""
    turn = np.exp(1j * phase)
    total = np.zeros_like(turn)
    for amplitude in amplitudes[::-1]:
        total += amplitude
        total *= turn
    return total.imag


def _clip(value, low, high):
    return float(min(max(value, low), high))

"""One toy clip: chords, bass, a melody and drums in the style of an artist."""

import numpy as np

from skmer.datasets.synthesis._style import SIGNS, Style, stream, style_of
from skmer.datasets.synthesis._tone import SR, drum, hiss, limit, tone

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

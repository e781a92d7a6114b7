"""The sounds of the toy clips: notes, drums and hiss.

What enters a phase is rounded to binary fractions, so that the last bits of ``exp2`` or ``exp``,
which differ between processors, are lost in the rounding to 16 bits.
"""

import numpy as np

from skmer.datasets.synthesis._style import Traits

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

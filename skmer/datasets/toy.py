"""Generated clips of ten invented artists in the four quadrants.

:Clips: 80 of 6.5 s, 16000 Hz, mono, 16 bit; 17 MB
:Classes: Q1 20, Q2 20, Q3 20, Q4 20
:Groups: 10 invented artists, 8 clips each, 2 of every quadrant
:Licence: BSD-3-Clause; the clips are computed by skmer

Chords, bass, a melody and drums, generated from a seed and the same on every machine. Q1 is high
arousal and high valence, Q2 high arousal and low valence, Q3 low arousal and low valence,
Q4 low arousal and high valence.

Arousal makes a clip faster, its drums louder, its attack harder, its notes shorter and brighter;
valence moves the mode between minor and major, raises the register, and takes roughness and
vibrato away. Every artist has a timbre and a key of their own, and plays each quadrant in a manner
of their own, mostly different in timbre, hiss and loudness. The manner does not help with other
artists: a classifier that was trained on the artist is much better than one that was not. Compare
random splits with splits by artist before you trust a score.

Rhythm, articulation and harmony are the same for every artist, and a network trained on music
represents them better than an average spectrum. Accuracy of a scaled SVC(C=10), a random forest and
naive Bayes with artists held out, by chance .25: ``MusiCNNTransformer()`` .55, .55, .52;
``MFCCStatsTransformer()`` .38, .39, .37. By random splits of the same clips: .71, .62, .57 and
.53, .52, .42.
"""

import io
from types import SimpleNamespace

import numpy as np

from skmer.datasets import fetch, files, registry, tables
from skmer.datasets.validate import Finding, Status, find_extra
from skmer.utils.files import atomic_write
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


# How a clip is played: traits of 0 on the average, from about -3 to 3, and what each takes from
# arousal, from valence, from the manner and from the artist.
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


def style_of(artist: int, quadrant: str, rng: np.random.Generator) -> SimpleNamespace:
    """Everything about one take that is decided before its first note: traits, mode, key, chords.

    What the take has of its own comes from `rng`.
    """
    n_traits = len(_WEIGHTS)
    place = list(SIGNS).index(quadrant)
    manner, person = stream(artist, 100 + place), stream(artist, 200)
    # How strongly the invented listeners rated the emotion.
    rated = EMOTION_STRENGTH + EMOTION_SPREAD * _spread(rng, 2)
    arousal, valence = SIGNS[quadrant] * rated
    from_arousal, from_valence, from_manner, from_artist = np.array(list(_WEIGHTS.values())).T
    traits = (
        arousal * from_arousal
        + valence * from_valence
        + MANNER_STRENGTH * from_manner * _spread(manner, n_traits)
        + ARTIST_STRENGTH * from_artist * _spread(person, n_traits)
        + TAKE_SPREAD * _spread(rng, n_traits)
    )
    return SimpleNamespace(
        **dict(zip(_WEIGHTS, traits.tolist())),
        major=bool(valence + MODE_SPREAD * _spread(rng, 1)[0] > 0),
        key=int(12 * person.random()) - 6,
        chords=(4 * manner.random(4)).astype(int).tolist(),
    )


def _spread(rng, size):
    """Symmetric random numbers of variance 1 between -2.4 and 2.4, from uniform ones only."""
    return (rng.random((2, size)).sum(axis=0) - 1) * np.sqrt(6)


SR = 16000


def tone(note: float, length: int, style, rng) -> np.ndarray:
    """One note: harmonics under a spectral envelope, with attack, decay and vibrato."""
    # Multiples of 1/64 Hz: the phase is then exact on every platform.
    pitch = np.round(64 * 440 * 2 ** ((note - 69) / 12)) / 64
    time = np.arange(length) / SR
    wobble = 0.05 * 2 ** (1.2 * style.vibrato) * np.sin(2 * np.pi * 5.5 * time)
    harmonics = np.arange(1, 11)
    frequencies = pitch * harmonics
    octaves = np.log2(frequencies / (900 * 2 ** (0.6 * style.formant)))
    levels = harmonics ** (0.45 * style.brightness - 1.5) * (1 + 4 * np.exp(-3 * octaves**2))
    levels[frequencies > 0.45 * SR] = 0
    phases = np.exp(2j * np.pi * rng.random(10))
    sound = _harmonics(levels * phases, 2 * np.pi * pitch * time + wobble)
    rough = np.clip(0.25 + 0.3 * style.roughness, 0, 1)
    if rough:
        # A second, slightly mistuned string is heard as roughness.
        beat = np.round(64 * 2.5 * 2**style.roughness) / 64
        sound += rough * _harmonics(levels, 2 * np.pi * (pitch + beat) * time + wobble)
    rise = np.clip(0.03 * 2 ** (-1.3 * style.attack), 0.002, 0.25)
    decay = np.clip(3 * 2**-style.sustain, 0.5, 12)
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
    audio += 0.02 * 2 ** (1.5 * style.hiss) * hiss(N_SAMPLES, rng)
    peak = np.clip(0.35 * 2 ** (0.6 * style.loudness), 0.05, 0.95)
    return np.round(peak * 32767 * audio / np.abs(audio).max()).astype(np.int16)


def _play(style: SimpleNamespace, rng) -> np.ndarray:
    """A bar of four beats on each chord, until the clip is full."""
    audio = np.zeros(N_SAMPLES)
    scale = (0, 2, 4, 5, 7, 9, 11) if style.major else (0, 2, 3, 5, 7, 8, 10)
    roots = (0, 5, 7, scale[5])
    lowest = 50 + style.key + round(3 * style.register)
    beat = round(SR * np.clip(0.5 * 2 ** (-0.5 * style.tempo), 0.22, 1.2))
    length = round(beat * np.clip(1.2 * 2 ** (-0.7 * style.staccato), 0.3, 2.2))
    drums = 0.5 * 2 ** (0.9 * style.drums)

    def add(sound, start):
        audio[start : start + len(sound)] += sound[: N_SAMPLES - start]

    step = int(7 * rng.random())
    first = round(0.05 * SR * rng.random())
    for number, start in enumerate(range(first, N_SAMPLES, beat)):
        root = lowest + roots[style.chords[number // 4 % 4]]
        if number % 2 == 0:
            for interval in (0, scale[2], 7):
                add(0.5 * tone(root + interval, 2 * length, style, rng), start)
        if number % 4 == 0:
            add(0.8 * tone(root - 12, 2 * length, style, rng), start)
        # The melody goes up to two steps of the scale up or down.
        step = min(max(step + int(5 * rng.random()) - 2, -5), 10)
        melody = lowest + 12 + 12 * (step // 7) + scale[step % 7]
        add(0.9 * tone(melody, length, style, rng), start)
        strong = number % 2 == 0
        add((1 if strong else 0.7) * drums * drum(0.24, rng, deep=strong), start)
        if start + beat // 2 < N_SAMPLES:
            add(0.4 * drums * drum(0.08, rng, deep=False), start + beat // 2)
    return audio


INFO = registry.DatasetInfo(
    name="toy",
    title="Toy emotions",
    n_clips=len(tables.QUADRANTS) * len(ARTISTS) * N_TAKES,
    class_counts=dict.fromkeys(tables.QUADRANTS, len(ARTISTS) * N_TAKES),
    groups=f"{len(ARTISTS)} invented artists",
    licence="BSD-3-Clause (generated by skmer)",
    # The number changes with the clips, so that clips of two versions never mix.
    folder="toy-2",
    layout="``toy-2/*.wav``",
    checked="every clip against the same clip computed again",
)


def clip_names() -> dict[str, tuple[int, str, int]]:
    """Files of the dataset, each with its artist, quadrant and take."""
    return {
        f"{name}_{quadrant}_{take + 1}.wav": (artist, quadrant, take)
        for artist, name in enumerate(ARTISTS)
        for quadrant in tables.QUADRANTS
        for take in range(N_TAKES)
    }


def validate(folder, verbose: bool) -> list[Finding]:
    """Compare every clip with the same clip computed again."""
    clips = track(clip_names().items(), description="comparing", enabled=verbose)
    findings = [Finding(name, _compare(folder / name, clip)) for name, clip in clips]
    known = {folder / name for name in clip_names()}
    return findings + find_extra(files.find_audio_files(folder).paths, known, folder)


def _compare(path, clip: tuple[int, str, int]) -> Status:
    """Status of the file of a clip, to one step of its 16 bits."""
    import soundfile

    if not path.is_file():
        return "missing"
    try:
        audio, sr = soundfile.read(path, dtype="int16")
    except soundfile.LibsndfileError:
        return "wrong"
    expected = toy_clip(*clip)
    is_alike = sr == SR and audio.shape == expected.shape
    return "ok" if is_alike and np.allclose(audio, expected, rtol=0, atol=1) else "wrong"


@registry.register_dataset(INFO, validate=validate)
def load_toy_emotions(
    *,
    data_home: registry.DataHome = None,
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
    >>> from skmer.datasets import load_toy_emotions
    >>> toy = load_toy_emotions()
    >>> len(toy.data), toy.target_names
    (80, ['Q1', 'Q2', 'Q3', 'Q4'])
    """
    import pandas as pd

    folder = INFO.place(data_home)
    rows = [
        {"path": str(folder / name), "label": quadrant, "group": ARTISTS[artist], "take": take}
        for name, (artist, quadrant, take) in clip_names().items()
    ]
    with fetch.writing_to(folder, "toy clips"):
        for name, clip in clip_names().items():
            _write_unless_there(folder / name, clip)
    return registry.make_bunch(pd.DataFrame(rows), INFO, target_names=tables.QUADRANTS)


def _write_unless_there(path, clip: tuple[int, str, int]) -> None:
    """Write one clip, whole or not at all."""
    import soundfile

    # A header of 44 bytes, and two bytes a sample.
    if path.is_file() and path.stat().st_size == 44 + 2 * N_SAMPLES:
        return
    # By way of memory: libsndfile's error for a full disk is just "System error".
    stream = io.BytesIO()
    soundfile.write(stream, toy_clip(*clip), SR, format="WAV", subtype="PCM_16")
    with atomic_write(path) as temporary:
        temporary.write_bytes(stream.getvalue())

"""Reading files beside soundfile, PyAV and librosa, and long arrays beside the same file."""

import av
import numpy as np
import soundfile
from _measure import check_equal, share, speedup, take_turns
from originals import _librosa_way

from skmer import MFCCStatsTransformer
from skmer.audio import read_audio


def mp3(quick, folder):
    """A stereo mp3 to a mono waveform, against soundfile's float32 samples, which it starts from."""
    path = write_mp3(folder / "stereo.mp3", seconds=30)
    expected, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_allclose(read_audio(path)[0], expected.mean(axis=1), atol=1e-6)
    functions = {
        "skmer": lambda: read_audio(path),
        "soundfile": lambda: soundfile.read(path, dtype="float32"),
    }
    yield share(
        "Reading a stereo mp3 of 30 s, against soundfile.read",
        take_turns(functions, 9 if quick else 25),
        "skmer",
        "soundfile",
        at_most=1.2,
    )


def m4a(quick, folder):
    """A stereo m4a to a mono waveform, against PyAV's frames alone, which it starts from."""
    path = write_m4a(folder / "stereo.m4a", seconds=30)
    expected = _frames_of_pyav(path).mean(axis=0)
    np.testing.assert_allclose(read_audio(path)[0], expected, atol=1e-6)
    functions = {"skmer": lambda: read_audio(path), "PyAV": lambda: _frames_of_pyav(path)}
    yield share(
        "Reading a stereo m4a of 30 s, against PyAV's frames",
        take_turns(functions, 9 if quick else 25),
        "skmer",
        "PyAV",
        at_most=1.5,
    )


def _frames_of_pyav(path):
    with av.open(path) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


def mfcc_of_mp3(quick, folder):
    """Files to 120 numbers, against librosa alone, one process each."""
    n_clips = 20 if quick else 200
    paths = [write_mp3(folder / f"{i}.mp3", seconds=30, seed=i) for i in range(min(n_clips, 20))]
    paths *= n_clips // len(paths)
    transformer = MFCCStatsTransformer().fit(paths)
    check_equal(transformer.transform(paths[:5]), _librosa_way.embed(paths[:5]))
    functions = {
        "skmer": lambda: transformer.transform(paths),
        "librosa": lambda: _librosa_way.embed(paths),
    }
    yield speedup(
        f"MFCC, {n_clips} stereo mp3 of 30 s, one process, warm",
        take_turns(functions, 3),
        "skmer",
        "librosa",
        count=n_clips,
        unit="clips/s",
        at_least=1.0,
    )


def long_array(quick, folder):
    """An hour as an array, which comes in one block, against the same hour in a file."""
    sr, seconds = 44100, 600 if quick else 3600
    rng = np.random.default_rng(0)
    audio = np.tile(0.1 * rng.standard_normal(60 * sr).astype(np.float32), seconds // 60)
    path = folder / "hour.wav"
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, sr, subtype="FLOAT")
    transformer = MFCCStatsTransformer().fit([path])
    check_equal(transformer.transform([(audio, sr)]), transformer.transform([path]))
    functions = {
        "array": lambda: transformer.transform([(audio, sr)]),
        "file": lambda: transformer.transform([path]),
    }
    yield share(
        f"MFCC of {seconds // 60} min at 44.1 kHz: an array against the same in a file",
        take_turns(functions, 3),
        "array",
        "file",
        at_most=1.2,
    )


def write_mp3(path, *, seconds, seed=0, sr=44100):
    """Write tones and noise, two channels; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, _tones_and_noise(seconds, seed, sr), sr)
    return str(path)


def write_m4a(path, *, seconds, seed=0, sr=44100):
    """Write the same as AAC; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    planes = np.ascontiguousarray(_tones_and_noise(seconds, seed, sr).T, np.float32)
    with av.open(str(path), "w", format="ipod") as container:
        stream = container.add_stream("aac", rate=sr, layout="stereo")
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout="stereo")
        frame.sample_rate = sr
        for source in (frame, None):
            container.mux(stream.encode(source))
    return str(path)


def _tones_and_noise(seconds, seed, sr):
    t = np.arange(seconds * sr) / sr
    tones = 0.2 * np.sin(2 * np.pi * np.outer(t, [220 + 10 * seed, 330]))
    return tones + 0.02 * np.random.default_rng(seed).standard_normal(tones.shape)

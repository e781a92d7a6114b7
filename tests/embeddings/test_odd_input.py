"""Numbers of numpy in few bits, and tables that hold no waveforms."""

import numpy as np
import pytest
import soundfile

from skmer import ClipFunctionTransformer, MFCCStatsTransformer
from skmer.audio import Framing, read_audio, stream_audio

NOISE = 0.1 * np.random.default_rng(0).standard_normal(6 * 16000).astype(np.float32)


def rms(frames):
    return np.sqrt(np.square(frames).mean(axis=1, keepdims=True))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    soundfile.write("a.wav", NOISE, 16000, subtype="FLOAT")
    return tmp_path


# 5 s at 16 kHz are 80,000 samples: more than 16 bits hold.
@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.uint64])
def test_numbers_of_numpy_are_numbers(folder, kind):
    plain = read_audio("a.wav", offset=5, duration=1)[0]
    assert np.array_equal(read_audio("a.wav", offset=kind(5), duration=kind(1))[0], plain)
    pair = (NOISE, 16000)
    part = list(stream_audio(pair, sr=16000, offset=kind(5), duration=kind(1)))
    assert np.array_equal(np.concatenate(part), plain)
    assert Framing(kind(200), kind(100)).n_frames(96000) == 959
    blocks = Framing(kind(200), kind(100)).blocks([NOISE], size=kind(255))
    assert sum(map(len, blocks)) == 959
    for few, many in (
        (
            MFCCStatsTransformer(offset=kind(5), duration=kind(1), hop_length=kind(200)),
            MFCCStatsTransformer(offset=5, duration=1, hop_length=200),
        ),
        (
            ClipFunctionTransformer(
                rms, target_sr=16000, frame_size=kind(2), hop_size=kind(1), batch_size=kind(3)
            ),
            ClipFunctionTransformer(rms, target_sr=16000, frame_size=2, hop_size=1, batch_size=3),
        ),
    ):
        assert np.array_equal(few.fit_transform([pair]), many.fit_transform([pair]))
        assert np.array_equal(few.frame_times(9), many.frame_times(9))

"""The front-ends called with arrays of one's own: what is wrong is said, and nothing is NaN."""

import numpy as np
import pytest

from skmer.audio import (
    Framing,
    l3_spectrogram,
    mel_power_columns,
    mfcc_deltas,
    mfcc_from_mel,
    musicnn_log_mel,
    vggish_log_mel,
)
from skmer.exceptions import InputError, InputTypeError

FRAMES = np.zeros((2, 48000), np.float32)
MEL = np.ones((12, 20), np.float32)
BLOCK = np.zeros(800, np.float32)


def columns(waveform, **changes):
    settings = {"sr": 16000, "n_fft": 512, "hop_length": 256, "n_mels": 20}
    return mel_power_columns(waveform, **settings | changes)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: l3_spectrogram(FRAMES[:, :44100]), "shape (n, 48000)"),
        (lambda: l3_spectrogram(FRAMES[0]), "shape (n, 48000)"),
        (lambda: l3_spectrogram("a.wav"), "l3_spectrogram takes real numbers"),
        (lambda: l3_spectrogram(FRAMES + np.nan), "NaN"),
        (lambda: l3_spectrogram(FRAMES + 1j), "real numbers"),
        (lambda: l3_spectrogram(FRAMES, input_repr="mel"), "'input_repr'"),
        (lambda: l3_spectrogram(FRAMES, frontend=None), "'frontend'"),
        (lambda: vggish_log_mel(FRAMES), "shape (n, 15600)"),
        (lambda: columns(np.array(2.0)), "must be an iterable of arrays"),
        (lambda: columns([BLOCK], sr=10**9), "'sr'"),
        (lambda: vggish_log_mel(FRAMES[:, :15600] - np.inf), "infinity"),
        (lambda: mfcc_from_mel(MEL, n_mfcc=21), "'n_mfcc'"),
        (lambda: mfcc_from_mel(MEL[0], n_mfcc=2), "mfcc_from_mel takes real numbers"),
        (lambda: mfcc_deltas(MEL, order=3), "'order'"),
        (lambda: mfcc_deltas(MEL, order=True), "'order'"),
        (lambda: mfcc_deltas(None, order=1), "mfcc_deltas takes real numbers"),
        *((lambda name=name, value=value: columns([BLOCK], **{name: value}), f"'{name}'")
          for name in ("sr", "n_fft", "hop_length", "n_mels") for value in (0, None, 2.5, "512")),
        (lambda: columns(BLOCK), "such as [waveform]"),
        (lambda: columns(3), "such as [waveform]"),
        (lambda: list(musicnn_log_mel(BLOCK)), "such as [waveform]"),
        (lambda: list(musicnn_log_mel("a.wav")), "such as [waveform]"),
        (lambda: Framing(0, 1), "'frame_length'"),
        (lambda: Framing(4, 2.0), "'hop_length'"),
        (lambda: Framing(4, 2, left_padding=-1), "'left_padding'"),
        (lambda: Framing(4, 2).n_frames(None), "'n_samples'"),
        # It would never end.
        (lambda: list(Framing(4, 2).blocks([BLOCK], size=0)), "'size'"),
        (lambda: list(Framing(4, 2).blocks(BLOCK, size=1)), "such as [waveform]"),
    ],
)  # fmt: skip
def test_refused_in_a_sentence(call, said):
    with pytest.raises((InputError, InputTypeError)) as caught:
        call()
    assert said in str(caught.value)


def test_numpy_integers_are_integers():
    framing = Framing(np.int16(4), np.uint8(2))
    assert framing.n_frames(np.int64(7)) == 3
    assert len(next(framing.blocks([BLOCK], size=np.int32(2)))) == 2
    assert columns([BLOCK], sr=np.int32(16000), n_mels=np.int64(20)).shape == (4, 20)

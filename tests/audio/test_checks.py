"""Front-ends and framing called with other arrays: an error instead of NaN or of wrong frames."""

import numpy as np
import pytest

from skmer.audio import Framing, l3_spectrogram, musicnn_log_mel, vggish_log_mel
from skmer.exceptions import InputError

FRAMES = np.zeros((2, 48000), np.float32)
BLOCK = np.zeros(800, np.float32)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: l3_spectrogram(FRAMES[:, :44100]), "shape (n, 48000)"),
        (lambda: l3_spectrogram(FRAMES[0]), "shape (n, 48000)"),
        (lambda: l3_spectrogram(FRAMES + np.nan), "NaN"),
        (lambda: l3_spectrogram(FRAMES + 1j), "real numbers"),
        (lambda: l3_spectrogram(FRAMES, input_repr="mel"), "'input_repr'"),
        (lambda: vggish_log_mel(FRAMES), "shape (n, 15600)"),
        (lambda: vggish_log_mel(FRAMES[:, :15600] - np.inf), "infinity"),
        (lambda: vggish_log_mel(FRAMES[0, :15600]), "shape (n, 15600)"),
        (lambda: vggish_log_mel(FRAMES[:, :15600] + 0j), "dtype complex"),
        (lambda: list(musicnn_log_mel(BLOCK)), "such as [waveform]"),
        (lambda: Framing(0, 1), "'frame_length'"),
        (lambda: Framing(2**28 + 1, 1), "'frame_length'"),
        (lambda: Framing(4, 2.0), "'hop_length'"),
        (lambda: Framing(4, 2, left_padding=-1), "'left_padding'"),
        # It would never end.
        (lambda: list(Framing(4, 2).blocks([BLOCK], size=0)), "'size'"),
        (lambda: list(Framing(4, 2).blocks(BLOCK, size=1)), "such as [waveform]"),
    ],
)
def test_what_would_be_a_wrong_number_is_an_error(call, message):
    with pytest.raises(InputError) as caught:
        call()
    assert message in str(caught.value)


def test_numpy_integers_are_integers():
    framing = Framing(np.int16(4), np.uint8(2))
    assert framing.n_frames(np.int64(7)) == 3
    assert len(next(framing.blocks([BLOCK], size=np.int32(2)))) == 2

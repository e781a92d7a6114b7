"""From files and arrays to float32 mono waveforms, frames, and spectrograms."""

from skmer.audio.framing import Framing
from skmer.audio.l3 import l3_spectrogram
from skmer.audio.mfcc import mel_power_columns, mfcc_deltas, mfcc_from_mel
from skmer.audio.musicnn import musicnn_log_mel
from skmer.audio.reading import read_audio, stream_audio
from skmer.audio.vggish import vggish_log_mel
from skmer.audio.waveform import as_waveform

__all__ = [
    "Framing",
    "as_waveform",
    "l3_spectrogram",
    "mel_power_columns",
    "mfcc_deltas",
    "mfcc_from_mel",
    "musicnn_log_mel",
    "read_audio",
    "stream_audio",
    "vggish_log_mel",
]

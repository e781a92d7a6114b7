"""From files and arrays to float32 mono waveforms, frames, and spectrograms."""

from importlib import import_module
from typing import TYPE_CHECKING

from skmer.audio.framing import Framing
from skmer.audio.reading import read_audio, stream_audio
from skmer.audio.segment import Segment
from skmer.audio.waveform import as_waveform
from skmer.utils.messages import deprecated_names

if TYPE_CHECKING:
    from skmer.embeddings.l3 import l3_spectrogram
    from skmer.embeddings.musicnn import musicnn_log_mel
    from skmer.embeddings.vggish import vggish_log_mel

__all__ = [
    "Framing",
    "Segment",
    "as_waveform",
    "l3_spectrogram",
    "musicnn_log_mel",
    "read_audio",
    "stream_audio",
    "vggish_log_mel",
]

# Front-ends are in the files of their networks, and loaded when they are first used.
_FRONT_ENDS = {
    "l3_spectrogram": "skmer.embeddings.l3",
    "musicnn_log_mel": "skmer.embeddings.musicnn",
    "vggish_log_mel": "skmer.embeddings.vggish",
}
_find_deprecated = deprecated_names(
    __name__,
    dict.fromkeys(("mel_power_columns", "mfcc_deltas", "mfcc_from_mel"), "skmer.embeddings.mfcc"),
)


def __getattr__(name: str):
    if name in _FRONT_ENDS:
        return getattr(import_module(_FRONT_ENDS[name]), name)
    return _find_deprecated(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

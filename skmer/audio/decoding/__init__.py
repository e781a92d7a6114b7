"""One file -> blocks of samples: by libsndfile, to what the file really holds, or by ffmpeg."""

from skmer.audio.decoding._source import BLOCK_LENGTH, HIGHEST_SR, SoundSource, check_rate

__all__ = ["BLOCK_LENGTH", "HIGHEST_SR", "SoundSource", "check_rate"]

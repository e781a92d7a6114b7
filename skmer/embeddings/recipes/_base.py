"""A recipe: all that decides the numbers of a clip. Small, immutable, sent to worker processes."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skmer.audio import stream_audio
from skmer.embeddings._clips import Clip
from skmer.exceptions import AudioDecodeError, WeightsIntegrityError
from skmer.pooling import pool_frames
from skmer.utils import ClipCache


@dataclass(frozen=True, kw_only=True)
class Recipe(ABC):
    """Base of the recipes, one a transformer."""

    offset: float
    duration: float | None
    pooling: str | tuple[str, ...] | None
    # Length to pad or cut to without pooling; None = that of the longest clip.
    n_frames: int | None = None
    # The rate that `compute` wants [Hz].
    sr: int
    # The name in cache keys.
    kind: ClassVar[str]

    def settings(self) -> dict:
        """Return what decides the frames, for the cache key: not the pooling."""
        return {"offset": self.offset, "duration": self.duration, "sr": self.sr}

    @abstractmethod
    def compute(
        self, waveform: Iterable[np.ndarray], n_threads: int | None
    ) -> tuple[np.ndarray, set[str]]:
        """Turn blocks of a waveform into frames (n_frames, d), and notes on the clip."""

    def finish(self, frames: np.ndarray) -> np.ndarray:
        """Turn frames, computed or from the cache, into the row that users see."""
        return frames if self.pooling is None else pool_frames(frames, self.pooling)


def check_digest(loaded, digest: str) -> None:
    """Raise where the weights are not those that `fit` saw."""
    if loaded.digest != digest:
        raise WeightsIntegrityError(
            f"The weights {loaded.label!r} have changed since fit: their digest was {digest} and "
            f"is {loaded.digest}. Fit the transformer again."
        )


def embed_clip(recipe: Recipe, clip: Clip, cache: ClipCache | None, n_threads: int | None):
    """Return (row, notes, None), or (None, [], error) for a clip that cannot be read."""
    try:
        frames, notes = _frames(recipe, clip, cache, n_threads)
    except AudioDecodeError as error:
        return None, [], AudioDecodeError(str(error), row=clip.row)
    return recipe.finish(frames), notes, None


def failed_row(recipe: Recipe, frame_size: int) -> np.ndarray:
    """Return the row of NaN that stands for a clip that cannot be read."""
    return recipe.finish(np.full((1, frame_size), np.nan, np.float32))


def _frames(recipe, clip, cache, n_threads):
    def compute():
        listened = _Listener(
            stream_audio(
                clip.source,
                sr=recipe.sr,
                offset=recipe.offset,
                duration=recipe.duration,
                name=clip.name,
            )
        )
        frames, notes = recipe.compute(listened, n_threads)
        return frames, sorted(notes | ({"silent"} if listened.silent else set()))

    if cache is None:
        return compute()
    try:
        content = clip.digest()
    except OSError:
        # Reading the audio says better than the digest what is wrong with the file.
        return compute()
    import soxr

    settings = {"recipe": recipe.kind, **recipe.settings(), "soxr": soxr.__version__}
    return cache.remember({"content": content, **settings}, compute)


class _Listener:
    """Pass blocks on, and remember whether anything was to be heard."""

    def __init__(self, blocks: Iterator[np.ndarray]):
        self.blocks = blocks
        self.silent = True

    def __iter__(self):
        for block in self.blocks:
            self.silent = self.silent and not block.any()
            yield block

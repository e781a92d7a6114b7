"""A recipe: all that decides the numbers of a clip. Small, immutable, sent to worker processes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.metadata import version
from typing import ClassVar

import numpy as np

from skmer.audio import stream_audio
from skmer.audio.resampling import RESAMPLERS
from skmer.embeddings.clips import Clip
from skmer.exceptions import AudioDecodeError, WeightsIntegrityError
from skmer.pooling import pool_frames
from skmer.utils import CacheEntry, ClipCache
from skmer.utils.digest import AudioDigest
from skmer.utils.processes import one_blas_thread


@dataclass(frozen=True, kw_only=True)
class Recipe(ABC):
    """Base of the recipes, one a transformer: all that decides the numbers of a clip.

    See `BaseClipTransformer`, which says what a subclass has to have. One that adds settings adds
    them to `settings` too, unless they matter to `finish` alone.

    Parameters
    ----------
    offset, duration : float
        The part of the clip to use [s].
    pooling : str, tuple of str, or None
        Statistics over frames.
    n_frames : int, default=None
        Length to pad or cut to without pooling; None = that of the longest clip.
    sr : int
        The rate that `compute` wants [Hz].
    resampler : str, default="soxr_hq"
        How the clip gets there.
    frame_size : int, default=None
        How many numbers a frame has; None = not known.
    """

    offset: float
    duration: float | None
    pooling: str | Sequence[str] | None
    n_frames: int | None = None
    sr: int
    resampler: str = "soxr_hq"
    frame_size: int | None = None
    # The name in cache keys.
    kind: ClassVar[str]
    # What joblib's workers had better be, where neither the user nor a cluster says.
    prefer: ClassVar[str | None] = None

    def __post_init__(self):
        # Numbers of numpy compute in as few bits as they have: 5 s at 16 kHz overflow a uint16.
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, np.generic):
                object.__setattr__(self, one.name, value.item())

    def settings(self) -> dict:
        """Return what decides the frames, for the cache key: not the pooling."""
        duration = None if self.duration is None else float(self.duration)
        return {
            "offset": float(self.offset),
            "duration": duration,
            "sr": int(self.sr),
            "resampler": self.resampler,
            "resampler_version": resampler_version(self.resampler),
        }

    @abstractmethod
    def compute(
        self, waveform: Iterable[np.ndarray], n_threads: int | None
    ) -> tuple[np.ndarray, set[str]]:
        """Turn a waveform into frames.

        Parameters
        ----------
        waveform : iterable of ndarray [shape=(n,), dtype=float32]
            Consecutive blocks of the clip, mono, at `sr` (float64 for an array of float64).
        n_threads : int or None
            How many threads may be used; None = any number.

        Returns
        -------
        frames : ndarray of shape (n_frames, d), dtype float32
            At least one.
        notes : set of str
            "short" where the clip was shorter than one frame and was padded.
        """

    def is_valid(self, frames: np.ndarray) -> bool:
        """Whether an array from a cache can be frames of this recipe."""
        return (
            frames.ndim == 2
            and frames.dtype == np.float32
            and len(frames) > 0
            and self.frame_size in (None, frames.shape[1])
        )

    def finish(self, frames: np.ndarray) -> np.ndarray:
        """Turn frames, computed or from the cache, into the row that users see."""
        return frames if self.pooling is None else pool_frames(frames, self.pooling)


@cache
def resampler_version(resampler: str) -> str:
    """Return the version of the package that resamples."""
    return version(RESAMPLERS[resampler])


@dataclass(frozen=True)
class StatedWeights:
    """Weights whose digest `fit` has stated, and which are read when an engine wants them."""

    digest: str
    load: Callable

    @property
    def arrays(self):
        """The arrays, where they are still those that `fit` saw."""
        loaded = self.load()
        if loaded.digest != self.digest:
            raise WeightsIntegrityError(
                f"The weights {loaded.label!r} have changed since fit: their digest was "
                f"{self.digest} and is {loaded.digest}. Fit the transformer again."
            )
        return loaded.arrays


@dataclass(frozen=True)
class EmbeddedClip:
    """What became of one clip: its row, or none and the error that kept it from being read.

    `audio_digest` is `AudioDigest`'s of the part of the clip that was used, which has `n_samples`
    at its own rate, `sr`. `trouble` says why the cache could not be used, and `is_new` is False for
    what came from it.
    """

    row: np.ndarray
    notes: list[str]
    error: AudioDecodeError | None = None
    audio_digest: str | None = None
    trouble: str | None = None
    sr: int | None = None
    n_samples: int | None = None
    is_new: bool = True


def embed_clip(
    recipe: Recipe, clip: Clip, cache: ClipCache | None, n_threads: int | None
) -> EmbeddedClip:
    """Embed one clip, in whatever process."""
    try:
        entry = _remember(recipe, clip, cache, n_threads)
    except AudioDecodeError as error:
        said = str(error).removeprefix(f"{clip.name}: ")
        nothing = np.zeros(0, np.float32)
        return EmbeddedClip(nothing, [], AudioDecodeError(f"{clip.name}: {said}", row=clip.row))
    except Exception as error:
        error.add_note(f"This happened at the clip {clip.name}.")
        raise
    row = recipe.finish(entry.array)
    return EmbeddedClip(row, entry.notes, None, *entry[2:])


def failed_row(recipe: Recipe, frame_size: int) -> np.ndarray:
    """Return the row of NaN that stands for a clip that cannot be read."""
    return recipe.finish(np.full((1, frame_size), np.nan, np.float32))


def _remember(recipe, clip, cache, n_threads):
    """Take the frames of a clip from the cache, or compute them."""
    before = clip.status()

    def compute():
        entry = _compute(recipe, clip, n_threads)
        # Else the numbers of one content would be kept under the digest of another.
        if clip.status() != before:
            raise AudioDecodeError(
                f"{clip.name}: the file changed while it was read; read it again when it is whole."
            )
        return entry

    if cache is None:
        return compute()
    try:
        content = clip.digest()
    except (OSError, ValueError, TypeError):
        # Reading the audio says better than the digest what is wrong with the file.
        return compute()
    settings = {"content": content, "recipe": recipe.kind, **recipe.settings()}
    return cache.get_or_compute(settings, compute, is_valid=recipe.is_valid)


def _compute(recipe, clip, n_threads):
    digest = AudioDigest()
    heard: set[str] = set()
    blocks = stream_audio(
        clip.open(),
        sr=recipe.sr,
        offset=recipe.offset,
        duration=recipe.duration,
        resampler=recipe.resampler,
        name=clip.name,
        on_decoded=digest.update,
        on_note=heard.add,
    )
    # Several threads would share out products in another way, and round otherwise at the seams:
    # what a worker process gives would not be what is computed here.
    with one_blas_thread():
        frames, notes = recipe.compute(blocks, n_threads)
    return CacheEntry(
        frames,
        sorted(notes | heard),
        digest.hexdigest(),
        sr=digest.sr,
        n_samples=digest.n_samples,
    )


class SampleCounter:
    """Pass blocks on, and count their samples."""

    def __init__(self, blocks):
        self.blocks = blocks
        self.n_samples = 0

    def __iter__(self):
        for block in self.blocks:
            self.n_samples += len(block)
            yield block

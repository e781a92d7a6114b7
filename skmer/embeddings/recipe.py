"""From a clip to its frames: recipes, which hold all that decides the numbers, and the cache."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from skmer.audio import resampling, stream_audio
from skmer.embeddings.engines import get_engine, layers
from skmer.embeddings.weights import WeightsFile
from skmer.exceptions import AudioDecodeError, WeightsIntegrityError
from skmer.pooling import pool_frames
from skmer.utils import CacheEntry, floats, processes
from skmer.utils.digest import FILE_KEY, AudioDigest, key_of, version

# A clip as it is read: consecutive blocks of mono samples.
Blocks = Iterable[np.ndarray]
# Of a field of a recipe that decides no number, or only through another one.
NOT_IN_KEY = {"key": False}


@dataclass(frozen=True, kw_only=True)
class Recipe(ABC):
    """All that decides the numbers of a clip: small, immutable, and handed to the workers.

    A subclass is a dataclass of the same kind; see `BaseClipTransformer`, which has an example.

    Parameters
    ----------
    offset, duration : float
        The segment of the clip to use [s].
    pooling : str, tuple of str, or None
        Statistics over frames.
    n_frames : int, default=None
        Length to pad or cut to without pooling; None = that of the longest clip.
    sr : int
        The rate that `compute` wants [Hz].
    resampler : str, default="soxr_hq"
        What resamples the clip.
    frame_size : int, default=None
        How many numbers a frame has; None = unknown.

    Attributes
    ----------
    kind : str
        What the key of the cache calls the recipes of a class.
    decisive : tuple of str
        The fields of the subclass that decide the frames. They are part of the key of the cache;
        fields that matter to `finish` alone are not. A path among them stands for the content of
        its file or folder. The key of a table has all fields but those with
        ``field(metadata={"key": False})``.
    numbers_version : int
        Raise it when a change to the code changes the numbers of this recipe: what was kept, in
        caches and tables, is then computed again.
    prefer : {"threads", "processes"}
        Which workers joblib takes, where neither the user nor a cluster decides.
    """

    offset: float
    duration: float | None
    pooling: str | Sequence[str] | None
    n_frames: int | None = None
    sr: int
    resampler: str = "soxr_hq"
    frame_size: int | None = None
    kind: ClassVar[str]
    decisive: ClassVar[tuple[str, ...]] = ()
    numbers_version: ClassVar[int] = 1
    prefer: ClassVar[str | None] = "threads"

    def __post_init__(self):
        # Numbers of numpy compute in as few bits as they have: 5 s at 16 kHz overflow a uint16.
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, np.generic):
                object.__setattr__(self, one.name, value.item())

    def settings(self) -> dict:
        """Return what decides the frames, for the key of the cache."""
        return {
            "offset": float(self.offset),
            "duration": None if self.duration is None else float(self.duration),
            "sr": int(self.sr),
            "resampler": self.resampler,
            "resampler_version": version(resampling.RESAMPLERS[self.resampler]),
            "numbers_version": self.numbers_version,
            **self._decisive_keys,
        }

    @cached_property
    def _decisive_keys(self) -> dict[str, Any]:
        # Once for all clips of a call: each value that may be a path asks the disk.
        return {name: key_of(getattr(self, name)) for name in self.decisive}

    def files(self) -> dict[str, Any]:
        """Return the digests of the files and folders that decide the frames, by their fields."""
        return {name: key for name, key in self._decisive_keys.items() if FILE_KEY in repr(key)}

    def key(self) -> dict:
        """Return what decides the row, for the key of a table: all fields that are not left out."""
        return {"recipe": self.kind, "settings": self.settings()} | {
            one.name: key_of(getattr(self, one.name))
            for one in fields(self)
            if one.metadata.get("key", True)
        }

    @abstractmethod
    def compute(self, waveform: Blocks, n_threads: int | None) -> tuple[np.ndarray, set[str]]:
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
        """Return whether an array from a cache can be frames of this recipe."""
        are_rows = frames.ndim == 2 and frames.dtype == np.float32 and len(frames) > 0
        return are_rows and self.frame_size in (None, frames.shape[1])

    def finish(self, frames: np.ndarray) -> np.ndarray:
        """Turn frames, computed or from the cache, into the row that users get."""
        return frames if self.pooling is None else pool_frames(frames, self.pooling)


@dataclass(frozen=True, kw_only=True)
class NetworkRecipe(Recipe):
    """Base of the recipes of skmer's own networks, which an engine runs."""

    file: WeightsFile = field(metadata=NOT_IN_KEY)
    # What these two give is in the digest.
    weights: str | None = field(metadata=NOT_IN_KEY)
    seed: int = field(metadata=NOT_IN_KEY)
    digest: str
    engine: str = field(metadata=NOT_IN_KEY)
    batch_size: int = field(metadata=NOT_IN_KEY)

    def load(self, n_threads: int | None):
        """Return the engine, loaded once in a process for equal weights and settings."""
        key = (self.file.name, self.digest)
        return get_engine(self.engine, key, self._describe, n_threads=n_threads)

    def _describe(self) -> layers.Network:
        arrays, digest = self.file.load(self.weights, self.seed)
        check_unchanged(f"The file of the weights {self.weights!r}", self.digest, digest)
        assert self.file.describe is not None
        return self.file.describe(arrays)


def check_unchanged(what: str, fitted: str | None, found: str) -> None:
    """Raise WeightsIntegrityError where a file is not what it was at fit."""
    if found != fitted:
        raise WeightsIntegrityError(
            f"{what} has changed since fit: its digest was {fitted} and is {found}. Fit the "
            "transformer again."
        )


# Seconds that a segment may end after its file without a note, since tables round.
END_TOLERANCE = 0.1


def note_short(waveform: Blocks, length: int, notes: set[str]) -> Generator[np.ndarray, None, int]:
    """Yield the blocks of a waveform, note one shorter than `length`, and return what it lacks."""
    lacking = length
    for block in waveform:
        lacking -= len(block)
        yield block
    if lacking > 0:
        notes.add("short")
    return max(lacking, 0)


def pad_short(waveform: Blocks, length: int, notes: set[str]) -> Iterator[np.ndarray]:
    """Yield the blocks of a waveform; after one shorter than `length` add silence, and note it."""
    lacking = yield from note_short(waveform, length, notes)
    if lacking:
        yield np.zeros(lacking, np.float32)


@floats.numpy_defaults
def embed_clip(recipe, clip, cache, n_threads) -> CacheEntry | AudioDecodeError:
    """Embed one `Clip`, in any thread or process: return its row as the array of an entry.

    If the clip cannot be read, the error is returned, not raised, since the traceback of a raised
    error holds references to the arrays that were in memory.
    """
    # Taken before the digest: the numbers of one content must not be kept under that of another.
    before = clip.status()
    try:
        clip = clip.local()
        # A segment has the numbers, and the key, of a transformer with its offset and duration.
        span = offset, duration = clip.span(recipe.offset, recipe.duration)
        if span != (recipe.offset, recipe.duration):
            recipe = replace(recipe, offset=offset, duration=duration)
        entry = _remember(recipe, clip, cache, lambda: _compute(recipe, clip, before, n_threads))
    except AudioDecodeError as error:
        reason = str(error).removeprefix(f"{clip.name}: ")
        return AudioDecodeError(f"{clip.name}: {reason}", row=clip.row)
    except Exception as error:
        error.add_note(f"This happened at the clip {clip.name}.")
        raise
    notes = entry.notes
    wanted = 0.0 if clip.end is None else (duration or 0) - END_TOLERANCE
    if (entry.n_samples or 0) < wanted * (entry.sr or 0):
        notes = sorted({*notes, "cut"})
    return entry._replace(array=recipe.finish(entry.array), notes=notes)


def _remember(recipe, clip, cache, compute: Callable[[], CacheEntry]) -> CacheEntry:
    """Take the frames of a clip from the cache, or compute them."""
    if cache is None:
        return compute()
    try:
        content = clip.digest()
    except (OSError, ValueError, TypeError):
        # Reading the audio gives a better reason than the digest does.
        return compute()
    settings = {"content": content, "recipe": recipe.kind, **recipe.settings()}
    return cache.get_or_compute(settings, compute, is_valid=recipe.is_valid)


def _compute(recipe, clip, before, n_threads) -> CacheEntry:
    digest = AudioDigest()
    noticed: set[str] = set()
    blocks = stream_audio(
        clip.open(),
        sr=recipe.sr,
        offset=recipe.offset,
        duration=recipe.duration,
        resampler=recipe.resampler,
        name=clip.name,
        on_decoded=digest.update,
        on_note=noticed.add,
    )
    # Several threads would share out products in another way, and round otherwise at the seams:
    # what a worker gives would not be what is computed here.
    with processes.one_blas_thread():
        frames, notes = recipe.compute(blocks, n_threads)
    if clip.status() != before:
        raise AudioDecodeError("the file changed while it was read; read it again.")
    stated: dict = {"sr": digest.sr, "n_samples": digest.n_samples}
    return CacheEntry(frames, sorted(notes | noticed), digest.hexdigest(), **stated)

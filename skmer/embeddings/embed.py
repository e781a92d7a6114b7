"""Many clips to their rows: jobs, cache, bad clips, and one warning of each kind."""

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from skmer.embeddings.clips import Clip
from skmer.embeddings.recipe import EmbeddedClip, Recipe, embed_clip
from skmer.exceptions import (
    FailedClipsWarning,
    SampleScaleWarning,
    ShortClipWarning,
    SilentClipWarning,
    TruncatedClipWarning,
)
from skmer.utils.cache import open_cache, warn_of_cache
from skmer.utils.messages import shorten
from skmer.utils.processes import run_parallel, threads_per_worker
from skmer.utils.progress import track

# The warning of each note of a recipe.
_NOTES = {
    "short": ("Clips shorter than one frame were padded with zeros", ShortClipWarning),
    "silent": ("Clips whose channels cancel, or that hold nothing but zeros", SilentClipWarning),
    "cut": (
        "Files end before their sound or their segment does, and what is there was read",
        TruncatedClipWarning,
    ),
    "loud": ("Clips have samples far beyond full scale, which is 1", SampleScaleWarning),
    "faint": (
        "Clips of 32-bit integers are as small as PCM of 16 or 24 bits, which is to be divided by "
        "its own full scale",
        SampleScaleWarning,
    ),
}
# From `_warn` to the line of the user's code.
_STACKLEVEL = 6


def embed_clips(
    clips: Sequence[Clip],
    recipe: Recipe,
    *,
    frame_size: int,
    memory,
    n_jobs: int | None,
    on_error: str,
    description: str,
    verbose: bool,
) -> list[EmbeddedClip]:
    """Embed clips as the parameters of a transformer require; one that failed has a row of NaN."""
    cache = open_cache(memory)
    n_threads = threads_per_worker(n_jobs)
    results = run_parallel(
        embed_clip,
        ((recipe, clip, cache, n_threads) for clip in clips),
        n_jobs=n_jobs,
        prefer=recipe.prefer,
    )
    embedded = []
    # The results first in zip: they are asked once more at the end, so that the bar reaches it.
    bar = track(results, total=len(clips), description=description, enabled=verbose)
    for one, _ in zip(bar, clips):
        if one.error is not None:
            if on_error == "raise":
                raise one.error
            nothing = np.full((1, recipe.frame_size or frame_size), np.nan, np.float32)
            one = replace(one, row=recipe.finish(nothing))
        embedded.append(one)
    _warn(clips, embedded)
    return embedded


def _warn(clips: Sequence[Clip], embedded: Sequence[EmbeddedClip]) -> None:
    """Warn of each kind of note, of the cache and of failures, once for all clips."""
    for note, (what, category) in _NOTES.items():
        names = [clip.name for clip, one in zip(clips, embedded) if note in one.notes]
        if names:
            warnings.warn(
                f"{what}: {shorten(names, 10, separator='; ')}.", category, stacklevel=_STACKLEVEL
            )
    warn_of_cache([one.cache_error for one in embedded if one.cache_error], stacklevel=_STACKLEVEL)
    failures = {clip.row: str(one.error) for clip, one in zip(clips, embedded) if one.error}
    if failures:
        message = (
            f"{len(failures)} of {len(clips)} clips could not be read, and their rows are NaN: "
            + shorten(list(failures.values()), 10, width=350, separator=" ")
        )
        warnings.warn(FailedClipsWarning(message, failures), stacklevel=_STACKLEVEL)

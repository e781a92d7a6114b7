"""Many clips to their rows: jobs, cache, bad clips, and one warning of each kind."""

import warnings
from collections.abc import Sequence
from dataclasses import replace

from skmer.embeddings.clips import Clip
from skmer.embeddings.recipe import EmbeddedClip, Recipe, embed_clip, failed_row
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

# What a recipe notes about a clip, as users read it.
_NOTES = {
    "short": ("Clips shorter than one frame were padded with zeros", ShortClipWarning),
    "silent": ("Clips whose channels cancel, or that hold nothing but zeros", SilentClipWarning),
    "cut": ("Files end before their sound does, and what is there was read", TruncatedClipWarning),
    "loud": ("Clips have samples far beyond full scale, which is 1", SampleScaleWarning),
    "faint": (
        "Clips of 32-bit integers are as small as PCM of 16 or 24 bits, which is to be divided by "
        "its own full scale",
        SampleScaleWarning,
    ),
}
# From here to the line of the user's that is warned of.
_STACKLEVEL = 5


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
    """Embed clips as the parameters of a transformer say; one that failed has a row of NaN."""
    cache = open_cache(memory)
    n_threads = threads_per_worker(n_jobs)
    results = run_parallel(
        embed_clip,
        ((recipe, clip, cache, n_threads) for clip in clips),
        n_jobs=n_jobs,
        prefer=recipe.prefer,
    )
    results = track(results, total=len(clips), description=description, enabled=verbose)
    embedded = []
    notes: dict[str, list[str]] = {}
    failures: dict[int, str] = {}
    troubles, nan_row = [], None
    # The results first: they are to be asked once more, so that the bar reaches its end.
    for result, clip in zip(results, clips):
        if result.error is not None:
            if on_error == "raise":
                raise result.error
            failures[clip.row] = str(result.error)
            if nan_row is None:
                nan_row = failed_row(recipe, recipe.frame_size or frame_size)
            result = replace(result, row=nan_row.copy())
        if result.trouble is not None:
            troubles.append(result.trouble)
        for note in result.notes:
            notes.setdefault(note, []).append(clip.name)
        embedded.append(result)
    for note, names in notes.items():
        what, category = _NOTES[note]
        warnings.warn(
            f"{what}: {shorten(names, 10, separator='; ')}.", category, stacklevel=_STACKLEVEL
        )
    warn_of_cache(troubles, stacklevel=_STACKLEVEL)
    if failures:
        message = (
            f"{len(failures)} of {len(clips)} clips could not be read, and their rows are NaN: "
            + shorten(list(failures.values()), 10, width=350, separator=" ")
        )
        warnings.warn(FailedClipsWarning(message, failures), stacklevel=_STACKLEVEL)
    return embedded

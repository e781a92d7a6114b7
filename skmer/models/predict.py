"""Predictions for clips, one row a clip or one a moment."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import is_classifier

from skmer.audio.segment import segment_columns
from skmer.classifiers import TagClassifier
from skmer.embeddings import sources
from skmer.embeddings.extraction import embed_sources
from skmer.embeddings.tables import ClipRows
from skmer.exceptions import InputError
from skmer.models.file import split_pipeline
from skmer.pooling import align_frames, pad_frames, pool_frames
from skmer.utils.cache import warn_of_cache

if TYPE_CHECKING:
    import pandas as pd


def predict_clips(
    model,
    paths,
    *,
    frames: bool = False,
    hop_size: float | None = None,
    targets: Sequence[str] | None = None,
    strict: bool = False,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> "pd.DataFrame":
    """Predict the emotion of audio files; one that cannot be read is a row with an error.

    Parameters
    ----------
    model : sklearn.pipeline.Pipeline
        Fitted, as from `load_model`; the first step embeds clips.
    paths : sequence of str or path-like, of length n_clips
        Audio files, or `Segment` parts of them.
    frames : bool, default=False
        A row for every frame of the embedding, with its time, instead of one for the clip.
    hop_size : float, default=None
        With `frames`, seconds between two rows of a clip, each predicted from the mean of the
        frames within half of it: the step of the targets that the model was fitted to. None = a row
        for every frame.
    targets : sequence of str, default=None
        Names of what a regressor predicts; None = arousal and valence where it is two numbers,
        else "target".
    strict : bool, default=False
        Whether a clip with a note gets that as its error, and no prediction.
    n_jobs : int, default=None
        Number of jobs over clips, in joblib's meaning.
    verbose : bool, default=False
        Show a progress bar on standard error.

    Returns
    -------
    predictions : pandas.DataFrame
        The columns path; of segments start and end [s]; with `frames` time [s]; of a classifier
        label and ``proba_*`` for each class, where it gives probabilities, of a `TagClassifier`
        tags (with semicolons between them) and ``proba_*`` for each tag, of a regressor one column
        for each target; error, the reason why a clip could not be read, missing for the others; and
        notes, of what makes a prediction doubtful ("silent", "short" of one frame, "cut", "loud" or
        "faint", as in the tables of `extract`), missing where there are none.

    Raises
    ------
    InputError, InputTypeError
        For a model or paths that are not as above, or with `frames` a pooling that a single frame
        does not have.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.pipeline import make_pipeline
    >>> from skmer import MFCCStatsTransformer
    >>> from skmer.datasets import load_toy_emotions
    >>> from skmer.models import predict_clips
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     toy = load_toy_emotions(data_home=folder)
    ...     model = make_pipeline(MFCCStatsTransformer(), GaussianNB())
    ...     model = model.fit(toy.data[::8], toy.target[::8])
    ...     predicted = predict_clips(model, [toy.data[0], "missing.wav"])
    >>> predicted["label"].notna().tolist(), predicted["error"][1]
    ([True, False], 'the file does not exist.')
    """
    import pandas as pd

    transformers, rest = split_pipeline(model)
    first = transformers[0]
    if frames:
        _check_frames(transformers)
    if hop_size is not None and not (frames and hop_size > 0):
        raise InputError(
            "The 'hop_size' parameter must be a number of seconds above 0, and is for frames=True. "
            f"Got {hop_size!r}.",
            param="hop_size",
        )
    paths = list(sources.check_clips(paths))
    clips = [
        clip
        for _, clip in embed_sources(
            sources.stream(paths, transformers),
            [one._recipe(pooled=not frames) for one in transformers],
            memory=first.memory,
            n_jobs=first.n_jobs if n_jobs is None else n_jobs,
        )
    ]
    if strict:
        clips = [_noted_as_error(clip) for clip in clips]
    warn_of_cache(
        [clip.cache_error for clip in clips if clip.cache_error is not None], stacklevel=2
    )
    if frames:
        times = [first.frame_times(len(clip.rows)) for clip in clips]
        if hop_size is not None:
            steps = [_steps(one, hop_size) for one in times]
            aligned = map(align_frames, (clip.rows for clip in clips), times, steps)
            clips = [replace(clip, rows=rows) for clip, rows in zip(clips, aligned)]
            times = steps
    # One row of the result a clip, or a frame; one for a clip that failed.
    clip_of_row = np.repeat(np.arange(len(clips)), [max(1, len(c.rows) * frames) for c in clips])
    table = pd.DataFrame(segment_columns([paths[i] for i in clip_of_row]))
    errors = pd.Series([clips[i].error for i in clip_of_row], dtype=object)
    good = [clip.rows for clip in clips if clip.error is None]
    if frames:
        table["time"] = np.concatenate([one if len(one) else [np.nan] for one in times])
        numbers = [_as_pooled(rows, _statistics(first)) for rows in good]
    elif _statistics(first) is None:
        numbers = [pad_frames(good, getattr(first, "n_frames", None))] if good else []
    else:
        numbers = good
    at = np.flatnonzero(errors.isna())
    for name, values in _predict(rest, numbers, targets).items():
        table[name] = pd.Series(values, index=at).reindex(table.index)
    notes = pd.Series([clips[i].notes for i in clip_of_row], dtype=object)
    return table.assign(error=errors, notes=notes)


def _steps(times: np.ndarray, hop_size: float) -> np.ndarray:
    """Return the multiples of a step that frames at some times are near to."""
    if not len(times):
        return times
    first, last = times[0] / hop_size, times[-1] / hop_size
    return hop_size * np.arange(round(first), max(round(first), round(last)) + 1)


def _noted_as_error(clip: ClipRows) -> ClipRows:
    if clip.error is not None or clip.notes is None:
        return clip
    error = f"the clip is {clip.notes}, which is an error where 'strict' is set."
    return replace(clip, error=error, rows=clip.rows[:0])


def _statistics(transformer):
    """Return what a transformer takes over the frames of a clip; None = it leaves the frames."""
    parameters = transformer.get_params(deep=False)
    return parameters["pooling"] if "pooling" in parameters else parameters["statistics"]


def _check_frames(transformers) -> None:
    taken = _statistics(transformers[0])
    names = (taken,) if isinstance(taken, str) else tuple(taken or ())
    network = "pooling" in transformers[0].get_params(deep=False) or names == ("mean",)
    if len(transformers) > 1 or not network or not names or "std" in names:
        raise InputError(
            "Predictions for each frame need a model on one network whose pooling a single frame "
            "has (mean, max or min); a deviation over time, a union or a sequence has none. "
            "Predict for whole clips, or cut them.",
            param="frames",
        )


def _as_pooled(frames: np.ndarray, pooling) -> np.ndarray:
    """Give each frame the columns that a clip of this one frame would have."""
    return np.stack([pool_frames(frame[None], pooling) for frame in frames])


def _predict(rest, numbers: list[np.ndarray], targets) -> dict[str, np.ndarray]:
    """Return the columns that are predicted; without any clip, the first of them, empty."""
    if is_classifier(rest):
        tagger = rest[-1] if isinstance(rest[-1], TagClassifier) else None
        if not numbers:
            return {"tags" if tagger else "label": np.zeros(0, dtype=object)}
        rows = np.concatenate(numbers)
        if tagger:
            names, shares = tagger.target_names_, rest.predict_proba(rows)
            tags = [
                ";".join(itertools.compress(names, row)) for row in shares >= tagger.thresholds_
            ]
            columns = {f"proba_{name}": shares[:, i] for i, name in enumerate(names)}
            return {"tags": np.array(tags, dtype=object), **columns}
        predicted = {"label": rest.predict(rows)}
        if hasattr(rest, "predict_proba"):
            shares = rest.predict_proba(rows)
            predicted |= {f"proba_{label}": shares[:, i] for i, label in enumerate(rest.classes_)}
        return predicted
    values = rest.predict(np.concatenate(numbers)) if numbers else np.zeros((0, 1))
    values = values.reshape(len(values), -1)
    if targets is None:
        targets = ("arousal", "valence") if values.shape[1] == 2 else ("target",)
    if len(targets) != values.shape[1]:
        raise InputError(
            f"The 'targets' parameter must name what the model predicts, {values.shape[1]} "
            f"numbers. Got {list(targets)}.",
            param="targets",
        )
    return {name: values[:, i] for i, name in enumerate(targets)}

"""Predictions for clips, one row a clip or one a moment."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.base import is_classifier

from skmer.embeddings import extract
from skmer.exceptions import InputError
from skmer.models.file import split_pipeline
from skmer.pooling import pad_frames, pool_frames
from skmer.utils.messages import check_flags


def predict_clips(
    model,
    paths,
    *,
    frames: bool = False,
    targets: Sequence[str] | None = None,
    n_jobs: int | None = None,
    verbose: bool = False,
):
    """Predict the emotion of audio files; one that cannot be read is a row with an error.

    Parameters
    ----------
    model : sklearn.pipeline.Pipeline
        Fitted, as from `load_model`; the first step embeds clips.
    paths : sequence of str or path-like, of length n_clips
        Audio files.
    frames : bool, default=False
        A row for every frame of the embedding, with its time, instead of one for the clip.
    targets : sequence of str, default=None
        Names of what a regressor predicts; None = arousal and valence where it is two numbers,
        else "target".
    n_jobs : int, default=None
        Number of jobs over clips, in joblib's meaning.
    verbose : bool, default=False
        Show a progress bar on standard error.

    Returns
    -------
    predictions : pandas.DataFrame
        The columns path; with `frames` time [s]; of a classifier label and ``proba_*`` for each
        class, where it gives probabilities, of a regressor one column for each target; and error,
        which says why a clip could not be read, and is missing else.

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
    check_flags("predict_clips", frames=frames)
    transformers, rest = split_pipeline(model)
    sequence = _statistics(transformers[0]) is None
    if frames:
        _check_frames(transformers)
    with tempfile.TemporaryDirectory(prefix="skmer-") as folder:
        done = extract(
            paths,
            transformers,
            Path(folder, "clips.npz"),
            frames=frames or sequence,
            n_jobs=n_jobs,
            verbose=verbose,
        )
        with np.load(done.path) as table:
            arrays = {name: table[name] for name in table.files}
    import pandas as pd

    numbers = arrays["embeddings"]
    error = np.array([text or None for text in arrays["error"].tolist()], dtype=object)
    known = pd.DataFrame({"path": arrays["path"]})
    if frames:
        known["time"] = arrays["time"]
        numbers = _as_pooled(numbers, _statistics(transformers[0]))
    elif sequence:
        first = np.flatnonzero(arrays["frame"] <= 0)
        blocks = np.split(numbers, first[1:])
        known, error = known.iloc[first].reset_index(drop=True), error[first]
        numbers = pad_frames(blocks, getattr(transformers[0], "n_frames", None))
    good = np.array([text is None for text in error], dtype=bool)
    predicted = _predict(rest, numbers[good], targets)
    columns = {
        name: pd.Series(values, index=np.flatnonzero(good)).reindex(range(len(known)))
        for name, values in predicted.items()
    }
    return known.assign(**columns, error=error)


def _statistics(transformer):
    """Return what a transformer takes over the frames of a clip; None = it leaves the frames."""
    parameters = transformer.get_params(deep=False)
    return parameters["pooling"] if "pooling" in parameters else parameters["statistics"]


def _check_frames(transformers) -> None:
    taken = _statistics(transformers[0])
    names = (taken,) if isinstance(taken, str) else tuple(taken or ())
    network = "pooling" in transformers[0].get_params(deep=False)
    if len(transformers) > 1 or not network or not names or "std" in names:
        raise InputError(
            "Predictions for each frame need a model on one network whose pooling a single frame "
            "has (mean, max or min); a deviation over time, a union or a sequence has none. "
            "Predict for whole clips, or cut them."
        )


def _as_pooled(numbers: np.ndarray, pooling) -> np.ndarray:
    """Give each frame the columns that a clip of this one frame would have."""
    if isinstance(pooling, str):
        return numbers
    return np.stack([pool_frames(frame[None], pooling) for frame in numbers])


def _predict(rest, numbers: np.ndarray, targets) -> dict[str, np.ndarray]:
    if is_classifier(rest):
        if not len(numbers):
            return {"label": np.zeros(0, dtype=object)}
        predicted = {"label": rest.predict(numbers)}
        if hasattr(rest, "predict_proba"):
            shares = rest.predict_proba(numbers)
            predicted |= {f"proba_{label}": shares[:, i] for i, label in enumerate(rest.classes_)}
        return predicted
    values = rest.predict(numbers) if len(numbers) else np.zeros((0, 1))
    values = values.reshape(len(values), -1)
    if targets is None:
        targets = ("arousal", "valence") if values.shape[1] == 2 else ("target",)
    if len(targets) != values.shape[1]:
        raise InputError(
            f"The 'targets' parameter must name what the model predicts, {values.shape[1]} "
            f"numbers. Got {list(targets)}."
        )
    return {name: values[:, i] for i, name in enumerate(targets)}

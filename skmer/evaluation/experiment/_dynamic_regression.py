"""Targets that change over time: a number for each clip and moment."""

import time
from dataclasses import replace

import numpy as np
from sklearn.base import clone

from skmer.evaluation.experiment._features import (
    View,
    check_view,
    describe_feature,
    make_transformers,
)
from skmer.evaluation.experiment._manifest import count_groups, make_manifest
from skmer.evaluation.experiment._protocols import Split, make_protocols
from skmer.evaluation.experiment._regression import make_regressors, regression_protocols
from skmer.evaluation.experiment._runner import Task, run_tasks
from skmer.evaluation.experiment._targets import check_curves, check_lengths
from skmer.evaluation.results._dynamic_regression import DynamicRegressionResult
from skmer.evaluation.statistics._scores import dynamic_scores
from skmer.exceptions import InputError
from skmer.utils._seeds import settle_seed

# A moment further than this from every frame, in seconds, has no frame: the clip is too short.
FARTHEST = 1.0


def evaluate_dynamic_regression(
    features,
    regressors,
    X,
    y,
    *,
    times=None,
    groups=None,
    protocol="grouped",
    n_folds: int = 10,
    n_repeats: int = 1,
    weights="pretrained",
    random_state: int | None = 0,
    memory=None,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> DynamicRegressionResult:
    """Predict targets moment by moment; clips stay whole in every split.

    Each moment is predicted from the frames nearest to it. No search inside a fit sees two moments
    of one clip in different folds.

    Parameters
    ----------
    features : list of {"l3", "vggish", "mfcc"} or dict
        Names, or a dict of name to transformer, or to an array of shape (n_clips, n_times, d) that
        holds the feature of each moment already.
    regressors : list of {"svr", "ridge"} or dict
        Names, or a dict of name to estimator. "svr" takes hours on tens of thousands of moments.
    X : sequence of length n_clips, or None
        The clips, in any form that the transformers take. None where all features are arrays.
    y : dict of array-like of shape (n_clips, n_times)
        The targets by name, such as arousal and valence; NaN where a clip has no value.
    times : array-like of shape (n_times,), default=None
        Seconds from the start of the clip. None = the column names of the frames in `y`.
    groups : array-like of shape (n_clips,), default=None
        The artist or the like of each clip.
    protocol : {"grouped", "shuffled"}, splitter, or list or dict of those, default="grouped"
        As in `evaluate_regression`; it splits clips.
    n_folds, n_repeats, weights, random_state, memory, n_jobs, verbose : object
        As in `evaluate_regression`.

    Returns
    -------
    result : DynamicRegressionResult
        With `scores`, `predictions`, `song_scores()`, `summary()`, `report(path)`, `save(folder)`.

    Raises
    ------
    ValueError
        When the data and the protocol do not go together, in one sentence that says why.

    See Also
    --------
    evaluate_regression : One number for each clip.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.evaluation import evaluate_dynamic_regression
    >>> rng = np.random.default_rng(0)
    >>> feature = rng.normal(size=(12, 5, 3))
    >>> result = evaluate_dynamic_regression(
    ...     {"mine": feature}, ["ridge"], None, {"arousal": feature[..., 0]},
    ...     times=np.arange(5) / 2, protocol="shuffled", n_folds=3,
    ... )
    >>> result.summary()[["target", "protocol", "r2"]].round(1)
        target  protocol   r2
    0  arousal  shuffled  1.0
    """
    started = time.perf_counter()
    curves, times = check_curves(y, times)
    annotated = np.isfinite(next(iter(curves.values())))
    n_clips = len(annotated)
    check_lengths(n_clips, X=X, groups=groups)
    groups = None if groups is None else np.asarray(groups)
    random_state = settle_seed(random_state)
    protocols = make_protocols(
        protocol,
        known=regression_protocols(n_folds, n_repeats),
        strata=np.zeros(n_clips),
        groups=groups,
        random_state=random_state,
    )
    models = make_regressors(regressors)
    transformers = make_transformers(
        features,
        preset="tuned",
        weights=weights,
        random_state=random_state,
        memory=memory,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    clips, moments = np.nonzero(annotated)
    tasks, described = [], {}
    for feature, transformer in transformers.items():
        view = _extract_moments(transformer, X, times, clips, moments, feature)
        described[feature] = describe_feature(transformer, {"moments": view})
        tasks += [
            Task(
                {"feature": feature, "regressor": name, "target": target},
                view.weights_label,
                _split_moments(split, clips),
                view.X,
                curve[annotated],
                groups[clips] if one.grouped else clips,
                model,
            )
            for name, model in models.items()
            for target, curve in curves.items()
            for one in protocols
            for split in one.splits
        ]
    columns = {"row": clips, "time": times[moments]}
    scores, predictions = run_tasks(
        tasks,
        columns=columns | ({} if groups is None else {"group": groups[clips]}),
        score=dynamic_scores,
        classes=None,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    manifest = make_manifest(
        settings={
            "preset": "tuned",
            "random_state": random_state,
            "n_folds": n_folds,
            "n_repeats": n_repeats,
            "labels_are_text": False,
        },
        features=described,
        models=models,
        protocols=protocols,
        dataset={"n_clips": n_clips, "n_moments": clips.size, "targets": list(curves)}
        | count_groups(groups),
        seconds=time.perf_counter() - started,
    )
    return DynamicRegressionResult(scores, predictions, manifest)


def _split_moments(split: Split, clips: np.ndarray) -> Split:
    """Return the split of moments that a split of clips makes."""

    def moments(rows):
        return np.flatnonzero(np.isin(clips, rows))

    return replace(
        split,
        train=moments(split.train),
        validation=moments(split.validation),
        test=moments(split.test),
    )


def _extract_moments(feature, X, times, clips, moments, name: str) -> View:
    """Compute the feature of each annotated moment."""
    if not hasattr(feature, "get_params"):
        frames = np.asarray(feature)
        expected = (clips.max() + 1, times.size)
        if frames.ndim != 3 or frames.shape[1] != times.size or len(frames) < expected[0]:
            raise InputError(
                f"The feature {name!r} must have the shape (n_clips, n_times, d), here "
                f"{(*expected, 'd')}. Got {frames.shape} instead."
            )
        return check_view(View(frames[clips, moments]), name, clips.size)
    feature = clone(feature).fit(X)
    aligned = [
        align_frames(frames, feature.frame_times(len(frames)), times[moments[clips == clip]], clip)
        for clip, frames in enumerate(feature.transform_frames(X))
    ]
    view = View(
        np.concatenate(aligned),
        getattr(feature, "weights_label_", None),
        getattr(feature, "weights_digest_", None),
    )
    return check_view(view, name, clips.size)


def align_frames(frames, frame_times, times, clip: int) -> np.ndarray:
    """Average, for each moment, the frames within half a step of it, or take the nearest."""
    step = np.diff(times).min() if times.size > 1 else 0.0
    distances = np.abs(np.subtract.outer(times, frame_times))
    nearest = distances.min(axis=1, initial=np.inf)
    if times.size and nearest.max() > FARTHEST:
        late = times[nearest.argmax()]
        raise InputError(
            f"Clip {clip} has a target at {late:g} s and no frame within {FARTHEST:g} s of it; "
            "give the whole clip, or set that target to NaN."
        )
    near = distances <= np.maximum(step / 2, nearest)[:, None]
    return near @ frames / near.sum(axis=1, keepdims=True)

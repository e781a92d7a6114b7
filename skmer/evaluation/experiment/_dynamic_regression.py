"""Targets that change over time: a number for each clip and moment."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn.base import clone

from skmer.evaluation.experiment._features import (
    VECTOR,
    ComputedFeature,
    collect_failures,
    is_transformer,
    weights_of,
)
from skmer.evaluation.experiment._regression import Regression, make_regressors
from skmer.evaluation.experiment._rows import Rows
from skmer.evaluation.experiment._targets import check_curves
from skmer.evaluation.results._dynamic_regression import DynamicRegressionResult
from skmer.evaluation.statistics._scores import dynamic_scores
from skmer.exceptions import InputError
from skmer.utils._types import Memory

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
    dataset=None,
    scoring=None,
    weights="pretrained",
    random_state: int | None = 0,
    memory: Memory = None,
    n_jobs: int | None = None,
    on_error: Literal["raise", "skip"] = "raise",
    audit: bool = True,
    verbose: bool = False,
) -> DynamicRegressionResult:
    """Predict targets moment by moment; clips stay whole in every split.

    Each moment is predicted from the frames nearest to it. No search inside a fit sees two moments
    of one clip in different folds.

    Parameters
    ----------
    features : list of {"musicnn", "l3", "vggish", "mfcc"}, dict, or None
        Names, or a dict of name to transformer, or to an array of shape (n_clips, n_times, d) that
        holds the feature of each moment already; see `evaluate`.
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
    n_folds, n_repeats : int
        As in `evaluate_regression`.
    dataset, scoring, weights, random_state, memory, n_jobs, on_error, audit, verbose : object
        As in `evaluate`.

    Returns
    -------
    result : DynamicRegressionResult
        With `scores`, `predictions`, `song_scores()`, `summary()`, `report(path)`, `save(folder)`.

    Raises
    ------
    InputError
        When the data, the models and the protocol do not go together, in one sentence that says
        why.
    WeightsNotFoundError
        When the weights of a feature that was asked for by name cannot be had.

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
    curves, times = check_curves(y, times)
    annotated = np.isfinite(next(iter(curves.values())))
    clips, moments = np.nonzero(annotated)
    return _DynamicRegression(
        features=features,
        models=make_regressors(regressors),
        X=X,
        rows=Rows(
            clips,
            {name: curve[annotated] for name, curve in curves.items()},
            {"time": times[moments]},
        ),
        moments=moments,
        times=times,
        groups=groups,
        dataset=dataset,
        protocol=protocol,
        preset="tuned",
        n_folds=n_folds,
        n_repeats=n_repeats,
        scoring=scoring,
        weights=weights,
        random_state=random_state,
        memory=memory,
        n_jobs=n_jobs,
        on_error=on_error,
        audit=audit,
        verbose=verbose,
    ).run()


@dataclass(kw_only=True)
class _DynamicRegression(Regression):
    """The evaluation of regressors on moments of clips."""

    moments: np.ndarray
    times: np.ndarray

    result_class = DynamicRegressionResult
    score = staticmethod(dynamic_scores)

    def describe_targets(self):
        return super().describe_targets() | {"n_moments": self.rows.clip.size}

    def compute(self, name, feature, inputs):
        if is_transformer(feature):
            return compute_moments(feature, self.X, self.rows)
        expected = (self.n_clips, self.times.size)
        if feature.ndim != 3 or feature.shape[:2] != expected:
            raise InputError(
                f"The feature {name!r} must have the shape (n_clips, n_times, d), here "
                f"{(*expected, 'd')}. Got {feature.shape} instead."
            )
        return ComputedFeature({VECTOR: feature[self.rows.clip, self.moments]})


def compute_moments(feature, X, rows: Rows) -> ComputedFeature:
    """Compute the feature of each annotated moment; NaN for a clip that cannot be read."""
    feature = clone(feature)
    frames, failures = collect_failures(feature, lambda made: made.fit(X).transform_frames(X))
    moments = []
    for clip, of_clip in enumerate(frames):
        times = rows.columns["time"][rows.clip == clip]
        if clip in failures:
            moments.append(np.full((times.size, of_clip.shape[1]), np.nan))
        else:
            frame_times = feature.frame_times(len(of_clip))
            moments.append(align_frames(of_clip, frame_times, times, clip))
    return ComputedFeature({VECTOR: np.concatenate(moments)}, weights_of(feature), failures)


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

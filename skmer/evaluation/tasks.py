"""Features x classifiers x protocols, by scikit-learn's own machinery."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, RepeatedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from skmer.classifiers import CLASSIFIERS, make_classifier
from skmer.evaluation.evaluate import Experiment, Rows
from skmer.evaluation.features import (
    VECTOR,
    ComputedFeature,
    check_filled,
    check_names,
    choose_input,
    collect_failures,
    is_transformer,
    weights_of,
)
from skmer.evaluation.folds import check_classes
from skmer.evaluation.result import DynamicRegressionResult, EvaluationResult, RegressionResult
from skmer.evaluation.splitters import RepeatedStratifiedGroupKFold, StratifiedThreeWaySplit
from skmer.evaluation.statistics.scores import (
    classification_scores,
    dynamic_scores,
    regression_scores,
)
from skmer.evaluation.targets import check_classes_of, check_curves, check_numbers
from skmer.exceptions import InputError
from skmer.utils.estimators import Memory, Preset
from skmer.utils.messages import check_choice

PRESETS = ("tuned", "koh2021")


def evaluate(
    features,
    classifiers,
    X,
    y,
    *,
    groups=None,
    dataset=None,
    protocol="grouped",
    preset: Preset = "tuned",
    n_folds: int = 5,
    n_repeats: int | None = None,
    scoring=None,
    weights="pretrained",
    random_state: int | None = 0,
    memory: Memory = None,
    n_jobs: int | None = None,
    on_error: Literal["raise", "skip"] = "raise",
    audit: bool = True,
    verbose: bool = False,
) -> EvaluationResult:
    """Score every feature with every classifier under every protocol.

    The transformers train nothing, so each feature is computed once, before any fold. Whatever
    learns (scaling, search, early stopping) does so inside the training part of each split.

    Parameters
    ----------
    features : list of {"musicnn", "l3", "vggish", "mfcc"}, dict, or None
        Names, or a dict of name to transformer, or to an array that holds the feature already.
        None: all names whose weights can be had; each of the others is left out with a warning
        that says how to get it.
    classifiers : list of {"svm", "nb", "rf", "mlp", "cnn", "lstm"} or dict
        Names, or a dict of name to estimator. Named classifiers that take sequences under the
        preset get the frames of a feature; estimators of your own, whatever you call them, get
        what the transformer gives.
    X : sequence of length n_clips, or None
        The clips, in any form that the transformers take. None where all features are arrays.
    y : array-like of shape (n_clips,)
        The label of each clip.
    groups : array-like of shape (n_clips,), default=None
        The singer, artist or the like of each clip.
    dataset : str or path-like, default=None
        What the data are called in the manifest and the report. For the path of a file, such as
        the table that lists the clips, its SHA-256 is kept too.
    protocol : {"grouped", "koh2021"}, splitter, or list or dict of those, default="grouped"
        "grouped" is repeated stratified group k-fold; "koh2021" the study's 20 shuffles into 80 %
        training, 10 % validation and 10 % test. Where a protocol keeps the groups apart, so does
        whatever splits the training part again inside a classifier (searches, calibration,
        stacking, early stopping); one that cannot is refused.
    preset : {"tuned", "koh2021"}, default="tuned"
        Settings of the features and classifiers that are given by name.
    n_folds : int, default=5
        Folds of the "grouped" protocol.
    n_repeats : int, default=None
        Draws of the named protocols; None = 20 for "koh2021" and 4 times the folds for "grouped",
        20 fits each.
    scoring : str, callable, list or dict, default=None
        Further scores, by scikit-learn's names or as its scorers, in the forms that
        `sklearn.model_selection.cross_validate` takes; each is a column beside the usual ones.
    weights : {"pretrained", None}, path, or dict, default="pretrained"
        Weights of the features that are given by name; a dict has them by name, and names that
        are not in it are pretrained.
    random_state : int or None, default=0
        Where every other seed comes from: splits, classifiers, random weights.
    memory : None, path or joblib.Memory, default=None
        Cache of the features that are given by name.
    n_jobs : int, default=None
        Number of fits at once, in joblib's meaning. The numbers do not depend on it.
    on_error : {"raise", "skip"}, default="raise"
        What clips do that cannot be read, or whose feature is not finite. "raise": one error
        names all of them, after the features of the others were computed. "skip": they are left
        out of everything; ``manifest["skipped_clips"]`` and the report say which and why.
    audit : bool, default=True
        Look for leaks in every protocol: clips and groups on both sides of a split, duplicates,
        groups that can be read off the features. What is found is in the manifest and the report.
    verbose : bool, default=False
        Show progress on standard error.

    Returns
    -------
    result : EvaluationResult
        With `scores`, `predictions`, `summary()`, `compare()`, `report(path)`, `to_latex()`,
        `save(folder)`.

    Raises
    ------
    InputError
        When the data, the models and the protocol do not go together, in one sentence that says
        why.
    WeightsNotFoundError
        When the weights of a feature that was asked for by name cannot be had; it says how to get
        them.

    See Also
    --------
    evaluate_regression : The same for arousal and valence.

    References
    ----------
    Koh, E., & Dubnov, S. (2021). Comparison and analysis of deep audio embeddings for music
    emotion recognition. arXiv:2104.06517.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skmer.evaluation import evaluate
    >>> rng = np.random.default_rng(0)
    >>> y, singers = np.tile(["calm", "sad"], 20), np.repeat(np.arange(10), 4)
    >>> feature = rng.normal(size=(40, 3)) + (y == "sad")[:, None]
    >>> result = evaluate({"mine": feature}, {"nb": GaussianNB()}, None, y, groups=singers)
    >>> result.summary()[["feature", "classifier", "protocol", "n_splits"]]
      feature classifier protocol  n_splits
    0    mine         nb  grouped        20
    """
    check_choice("evaluate", PRESETS, preset=preset)
    y = check_classes_of(y)
    return _Classification(
        features=features,
        models=_make_classifiers(classifiers, preset),
        classifiers_have_table_names=not isinstance(classifiers, Mapping),
        X=X,
        rows=Rows(np.arange(y.size), {"label": y}),
        groups=groups,
        dataset=dataset,
        protocol=protocol,
        preset=preset,
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


def classification_protocols(n_folds: int, n_repeats: int | None) -> dict:
    """Return what makes the splitter of each named protocol from a seed."""
    return {
        "grouped": lambda seed: RepeatedStratifiedGroupKFold(
            n_folds, n_repeats=4 if n_repeats is None else n_repeats, random_state=seed
        ),
        "koh2021": lambda seed: StratifiedThreeWaySplit(
            20 if n_repeats is None else n_repeats, random_state=seed
        ),
    }


@dataclass(kw_only=True)
class _Classification(Experiment):
    """The evaluation of classifiers."""

    classifiers_have_table_names: bool

    result_class = EvaluationResult
    model_kind = "classifier"
    score = staticmethod(classification_scores)

    @property
    def known_protocols(self):
        return classification_protocols(self.n_folds, self.n_repeats)

    @property
    def strata(self):
        return self.rows.targets["label"]

    @property
    def classes(self):
        return np.unique(self.strata)

    def check_protocols(self, protocols):
        check_classes(self.strata, self.groups, protocols)

    def choose_input(self, transformer, model):
        own = not self.classifiers_have_table_names
        return choose_input(transformer, None if own else model, preset=self.preset)

    def describe_targets(self):
        labels, counts = np.unique(self.strata, return_counts=True)
        classes = {str(label): int(n) for label, n in zip(labels, counts)}
        return {"n_clips": self.n_clips, "classes": classes}


def _make_classifiers(classifiers, preset: Preset) -> dict:
    """Return the classifiers by name."""
    if isinstance(classifiers, Mapping):
        return check_filled("classifiers", classifiers)
    return {
        name: make_classifier(name, preset=preset)
        for name in check_names("classifiers", classifiers, CLASSIFIERS)
    }


# The targets are scaled, so that one grid serves every unit.
GRIDS: dict[str, tuple[BaseEstimator, dict[str, list[float]]]] = {
    "svr": (SVR(), {"C": [0.3, 1, 3, 10], "gamma": [0.0005, 0.002, 0.00625]}),
    "ridge": (Ridge(), {"alpha": [1, 10, 100, 1000]}),
}
REGRESSORS = tuple(GRIDS)


def evaluate_regression(
    features,
    regressors,
    X,
    y,
    *,
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
) -> RegressionResult:
    """Predict numbers, each target by itself, with every feature and regressor.

    Parameters
    ----------
    features : list of {"musicnn", "l3", "vggish", "mfcc"}, dict, or None
        Names, or a dict of name to transformer, or to an array that holds the feature already; see
        `evaluate`.
    regressors : list of {"svr", "ridge"} or dict
        Names, or a dict of name to estimator. The named ones scale features and target and search
        their parameters inside the training part of each split.
    X : sequence of length n_clips, or None
        The clips, in any form that the transformers take. None where all features are arrays.
    y : array-like of shape (n_clips,) or (n_clips, 2), data frame, or dict
        The targets: one, or arousal and valence, or named columns. Predictions are in their unit.
    groups : array-like of shape (n_clips,), default=None
        The artist or the like of each clip.
    protocol : {"grouped", "shuffled"}, splitter, or list or dict of those, default="grouped"
        "grouped" is k-fold with whole groups, "shuffled" k-fold with single clips. Where a
        protocol keeps the groups apart, so do the searches inside it.
    n_folds : int, default=10
        Folds of the named protocols.
    n_repeats : int, default=1
        Times that the folds of the named protocols are drawn.
    dataset, scoring, weights, random_state, memory, n_jobs, on_error, audit, verbose : object
        As in `evaluate`.

    Returns
    -------
    result : RegressionResult
        With `scores`, `predictions`, `summary()`, `compare()`, `report(path)`, `to_latex()`,
        `save(folder)`.

    Raises
    ------
    InputError
        When the data, the models and the protocol do not go together, in one sentence that says
        why.
    WeightsNotFoundError
        When the weights of a feature that was asked for by name cannot be had.

    See Also
    --------
    evaluate : The same for classes.
    evaluate_dynamic_regression : The same for targets that change over time.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.evaluation import evaluate_regression
    >>> rng = np.random.default_rng(0)
    >>> feature, artists = rng.normal(size=(60, 3)), np.repeat(np.arange(20), 3)
    >>> y = feature[:, :2] + rng.normal(scale=0.1, size=(60, 2))
    >>> result = evaluate_regression(
    ...     {"mine": feature}, ["ridge"], None, y, groups=artists, n_folds=3
    ... )
    >>> result.summary()[["target", "protocol", "r2"]].round(1)
        target protocol   r2
    0  arousal  grouped  1.0
    1  valence  grouped  1.0
    """
    targets = check_numbers(y)
    n_clips = next(iter(targets.values())).size
    return Regression(
        features=features,
        models=make_regressors(regressors),
        X=X,
        rows=Rows(np.arange(n_clips), targets),
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
class Regression(Experiment):
    """The evaluation of regressors."""

    result_class = RegressionResult
    model_kind = "regressor"
    score: ClassVar[Callable[..., dict[str, float]]] = staticmethod(regression_scores)

    @property
    def known_protocols(self):
        return regression_protocols(self.n_folds, self.n_repeats)

    @property
    def strata(self):
        # All the same, so that the grouped protocol only balances the folds.
        return np.zeros(self.n_clips)


def regression_protocols(n_folds: int, n_repeats: int) -> dict:
    """Return what makes the splitter of each named protocol from a seed."""
    return {
        "grouped": lambda seed: RepeatedStratifiedGroupKFold(
            n_folds, n_repeats=n_repeats, random_state=seed
        ),
        "shuffled": lambda seed: RepeatedKFold(
            n_splits=n_folds, n_repeats=n_repeats, random_state=seed
        ),
    }


def make_regressors(regressors) -> dict:
    """Return the regressors by name."""
    if isinstance(regressors, Mapping):
        return check_filled("regressors", regressors)
    return {
        name: make_regressor(name) for name in check_names("regressors", regressors, tuple(GRIDS))
    }


def make_regressor(name: str) -> GridSearchCV:
    """Return scaling, regressor and search; predictions are in the unit of the target."""
    regressor, grid = GRIDS[name]
    scaled = TransformedTargetRegressor(
        Pipeline([("scale", StandardScaler()), (name, regressor)]), transformer=StandardScaler()
    )
    return GridSearchCV(
        scaled, {f"regressor__{name}__{key}": values for key, values in grid.items()}
    )


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

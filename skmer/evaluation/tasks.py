"""What the kinds of evaluation differ in, one object each: labels, numbers, numbers over time.

A task defines how the target is checked, stratified and scored, what a prediction is, what guessing
gives, which models fit, and which words and charts of the report show it. Everything else asks the
task. A further kind is one subclass of `Task`, with one call of `register_task`.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, RepeatedKFold, RepeatedStratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.utils import _safe_indexing
from sklearn.utils.multiclass import type_of_target

from skmer.classifiers import CLASSIFIERS, FeatureScaler, make_classifier
from skmer.evaluation.features import VECTOR, ColumnsFeature, ComputedFeature, Feature, choose_input
from skmer.evaluation.splitters import RepeatedStratifiedGroupKFold, StratifiedThreeWaySplit
from skmer.evaluation.statistics import bootstrap, scores
from skmer.evaluation.targets import Matched, Targets, check_curves, check_numbers, match_numbers
from skmer.exceptions import InputError
from skmer.pooling import align_frames
from skmer.utils import labels, messages


class Task:
    """One kind of evaluation.

    Attributes
    ----------
    name : str
        By which `evaluate` takes it and a saved result names it.
    model_kind : str
        The column of the tables that names the model; with an "s", the parameter that has them.
    configuration : tuple of str
        Columns that identify a configuration. With "target" among them, each target is fitted by
        itself and has a sentence of its own in the headline.
    metrics : tuple of str
        The scores, the headline first.
    compute_scores : callable
        Returns them for y_true, y_pred and the clip of each row.
    headline_score : TotalsScore
        The headline in the form that its interval and the comparison of features are computed
        from; None for a score that does not add up over groups.
    further_scores : dict of str to TotalsScore
        Others of the metrics in that form, which features can be compared by too.
    is_pooled : bool
        Whether a score is that of all predictions together; else it is the mean over the splits.
    n_folds, n_repeats : int, int or None
        Defaults of `evaluate`; None is 4 times the folds.
    group_folds, folds : type
        The splitters of "grouped" and "shuffled".
    models : tuple of str
        Names that `make_model` takes.
    dummy : estimator
        Fits every target of this kind; scorers are tried on it before any work.
    charts : tuple of str
        Parts of the report that show this kind, beside scores and tables: of "map", "confusions",
        "hard_clips", "plane", "scatter", "curves" and "tags".
    scores_start_at_zero : bool
        Whether the axis of the scores has to show zero.
    n_digits : int
        With how many digits the report writes the headline score.
    result_class : type or None
        The class of the results; None: `EvaluationResult`.
    headline_words, guess_words : dict of str to str
        What the best configuration does and what guessing gives, by score; "" is any other
        score. The report fills in ``{value}`` (with the interval), ``{hundred}`` (a
        share of a hundred), ``{between}`` (the interval of that, in brackets) and ``{whose}``.
    """

    name: str
    model_kind: str
    configuration: tuple[str, ...]
    metrics: tuple[str, ...]
    compute_scores: Callable[..., dict[str, float]]
    headline_score: Any = None
    further_scores: Mapping[str, bootstrap.TotalsScore] = {}
    is_pooled = False
    n_folds = 5
    n_repeats: int | None = None
    group_folds: type = RepeatedStratifiedGroupKFold
    folds: type = RepeatedKFold
    models: tuple[str, ...] = ()
    dummy: BaseEstimator
    charts: tuple[str, ...] = ("map",)
    scores_start_at_zero = True
    n_digits = 2
    result_class: type | None = None
    headline_words: Mapping[str, str] = {"": "reaches {value} on {whose}"}
    guess_words: Mapping[str, str] = {"": "guessing gives {value}"}

    def takes(self, y) -> bool:
        """Whether this is the task of a target, where the user names none."""
        return False

    def bind(self, y, target_names=None) -> "Task":
        """Return the task with the names of what is predicted; only tags have any."""
        if target_names is not None:
            raise InputError(
                f"The 'target_names' parameter is for tags. Got it for the task {self.name!r}.",
                param="target_names",
            )
        return self

    def check(self, y) -> Targets:
        """Return the target in plain arrays, or raise for one that cannot be predicted."""
        raise NotImplementedError

    def match(self, targets: Targets, y, scales) -> Matched:
        """Return these targets and those of another dataset, as far as both have them.

        `scales` are those of the two, or None where the unit is one.
        """
        raise InputError(f"The task {self.name!r} cannot be tested on another dataset.")

    def strata(self, targets: Targets) -> np.ndarray:
        """Return what splits are stratified by, for each clip; all the same balances sizes only."""
        return np.zeros(targets.n_clips)

    def splitters(self, n_folds: int, n_repeats: int | None) -> dict[str, Callable[[int], object]]:
        """Return what makes the splitter of each named protocol from a seed."""
        options = {"n_splits": n_folds, "n_repeats": 4 if n_repeats is None else n_repeats}
        return {
            "grouped": lambda seed: self.group_folds(**options, random_state=seed),
            "shuffled": lambda seed: self.folds(**options, random_state=seed),
        }

    def check_protocols(self, targets: Targets, groups, protocols) -> None:
        """Raise for protocols that this target cannot be evaluated under."""

    def make_model(self, name: str, preset):
        """Return the model of a name."""
        raise NotImplementedError

    def fits(self, model) -> bool:
        """Whether a model is of the kind that this task takes."""
        return is_classifier(model) or (hasattr(model, "predict") and not is_regressor(model))

    def wrap(self, model):
        """Return what is fitted for a model of the user's, or of a name."""
        return model

    def input_of(self, transformer, model: str | None, preset) -> str:
        """Return which input of a feature a model gets; None is a model of the user's own."""
        return VECTOR

    def compute(self, feature: Feature, X, targets: Targets) -> ComputedFeature:
        """Return the inputs of a feature, a row for each row of the targets."""
        return feature.compute(X)

    def before(self, transformer):
        """Return the transformer of clips that stands before a model which is fitted to all."""
        return transformer

    def predict(self, model, X: np.ndarray, y: np.ndarray, test: np.ndarray) -> dict:
        """Return the columns of the predictions of the test rows, of a fitted model."""
        predicted = check_output(model, "predict", _safe_indexing(X, test), y[test].shape)
        return {"y_true": y[test], "y_pred": predicted}

    def score(self, predictions: Mapping, clips: np.ndarray) -> dict[str, float]:
        """Return the scores of predictions; `clips` has the clip of each row."""
        answers = (np.asarray(predictions[name]) for name in ("y_true", "y_pred"))
        return self.compute_scores(*answers, clips)

    def guess(self, dataset: Mapping, score: str, predictions) -> float | None:
        """Return what the best guess that looks at no clip scores; None where that is unknown."""
        return None

    def interval(self, predictions, **options) -> tuple[float, float, float]:
        """Return the headline score of one configuration's predictions, and its 95 % interval.

        The options are the `n_resamples` and the `random_state` of the bootstrap.
        """
        columns = ("y_true", "y_pred", "group" if "group" in predictions else "row")
        arrays = [predictions[name].to_numpy() for name in columns]
        weights = None if self.is_pooled else bootstrap.equal_by_split(predictions)
        return bootstrap.bootstrap_interval(
            self.headline_score, *arrays, weights=weights, **options
        )

    def find_unscored(self, predictions) -> dict[str, dict[str, int]]:
        """Return, by protocol, what has no score in how many test sets."""
        return {}

    def describe(self, targets: Targets) -> dict:
        """Return what the manifest has about the targets."""
        return {"n_clips": targets.n_clips, "targets": list(targets.values)}


TASKS: dict[str, Task] = {}


def register_task(task: Task) -> Task:
    """Let `evaluate` find a task by its name or by the target, and `load` read its results."""
    TASKS[task.name] = task
    return task


def find_task(task: str | Task | None, y) -> Task:
    """Return the task that was asked for, or the one of the target; the last registered first."""
    if isinstance(task, Task):
        return task
    if task is not None:
        messages.check_choice("evaluate", tuple(TASKS), task=task)
        return TASKS[task]
    return next(one for one in reversed(TASKS.values()) if one.takes(y))


def kind_of(y) -> str:
    """Return what scikit-learn's `type_of_target` says, "unknown" where it raises."""
    try:
        # A missing value is no integer; it is the check of labels that raises for it.
        with np.errstate(invalid="ignore"):
            return type_of_target(y)
    except (ValueError, TypeError):
        return "unknown"


def check_output(model, method: str, X, shape: tuple[int, ...]) -> np.ndarray:
    """Return what a model gives for some rows; other classes than skmer's may err."""
    output = np.asarray(getattr(model, method)(X))
    if output.shape != shape:
        raise InputError(
            f"{type(model).__name__}.{method} must return an array of shape {shape} for "
            f"{shape[0]} clips. Got shape {output.shape} instead."
        )
    if output.dtype.kind == "f" and not np.isfinite(output).all():
        n_bad = (~np.isfinite(output.reshape(len(output), -1))).any(axis=1).sum()
        raise InputError(
            f"{type(model).__name__}.{method} must return finite numbers. Got NaN or infinity for "
            f"{n_bad} of {shape[0]} clips."
        )
    return output


class LabelTask(Task):
    """What tasks for classifiers have in common: one label a clip, or several tags."""

    model_kind = "classifier"
    configuration = ("feature", "classifier")
    models = CLASSIFIERS
    dummy = DummyClassifier()

    def strata(self, targets):
        return targets.first

    def input_of(self, transformer, model, preset):
        return choose_input(transformer, model, preset=preset)


class Classification(LabelTask):
    """One label a clip."""

    name = "classification"
    metrics = scores.CLASSIFICATION_METRICS
    compute_scores = staticmethod(scores.classification_scores)
    headline_score = bootstrap.ACCURACY
    folds = RepeatedStratifiedKFold
    charts = ("map", "confusions", "hard_clips")
    headline_words = {
        "accuracy": "names the emotion of {whose} in {hundred} of 100 cases{between}",
        "": "reaches {value} on {whose}",
    }
    guess_words = {"accuracy": "guessing gives {hundred}", "": "guessing gives {value}"}

    def takes(self, y):
        # It is asked last, and its check raises for what is no label.
        return True

    def check(self, y):
        y = labels.check_labels(y, "The labels y")
        labels.warn_of_alike(y, "The labels y")
        if type_of_target(y).startswith("continuous"):
            raise InputError(
                "The labels y must be classes, and are numbers with decimals; give them to "
                "evaluate_regression, or make classes of them.",
                param="y",
            )
        if np.unique(y).size < 2:
            raise InputError(
                f"The labels y must hold at least two classes. Got {np.unique(y).tolist()}.",
                param="y",
            )
        return Targets.of_clips({"label": y})

    def match(self, targets, y, scales):
        other = self.check(y)
        mine, theirs = (np.unique(one.first) for one in (targets, other))
        found, alone, lone = labels.pair_names("classes", mine.tolist(), theirs.tolist())
        kept = ~np.isin(targets.first.astype(str), alone), ~np.isin(other.first.astype(str), lone)
        # Those that are left out need a label of the same type until they are.
        names = np.array([found.get(one, mine[0]) for one in other.first.tolist()], mine.dtype)
        both = (targets, Targets.of_clips({"label": names}))
        return Matched(self, both, (alone, lone), kept)

    def splitters(self, n_folds, n_repeats):
        n_draws = 20 if n_repeats is None else n_repeats
        known = super().splitters(n_folds, n_repeats)
        return {
            "grouped": known.pop("grouped"),
            "koh2021": lambda seed: StratifiedThreeWaySplit(n_draws, random_state=seed),
            **known,
        }

    def check_protocols(self, targets, groups, protocols):
        labels, counts = np.unique(targets.first, return_counts=True)
        if counts.min() < 2 and any(protocol.name == "shuffled" for protocol in protocols):
            raise InputError(
                f"The class {str(labels[counts.argmin()])!r} has one clip only, so that it is "
                "never both trained on and tested; add clips of it, or leave it out."
            )
        for label in labels if any(protocol.grouped for protocol in protocols) else ():
            if np.unique(groups[targets.first == label]).size < 2:
                raise InputError(
                    f"The class {str(label)!r} occurs in one group only, so that with groups kept "
                    "apart it is never both trained on and tested; add groups with that class, "
                    "leave it out, or choose another protocol."
                )
        for protocol in protocols:
            _check_training_classes(targets.first, protocol)

    def make_model(self, name, preset):
        return make_classifier(name, preset=preset)

    def predict(self, model, X, y, test):
        columns = super().predict(model, X, y, test)
        classes = np.unique(y)
        if y.dtype.kind == "U":
            columns["y_pred"] = columns["y_pred"].astype(str)
        if not hasattr(model, "predict_proba"):
            return columns | {f"proba_{label}": np.nan for label in classes}
        shape = (test.size, len(model.classes_))
        proba = check_output(model, "predict_proba", _safe_indexing(X, test), shape)
        trained = dict(zip(model.classes_, proba.T))
        # A class that the model was not trained on is impossible to it.
        return columns | {f"proba_{label}": trained.get(label, 0.0) for label in classes}

    def guess(self, dataset, score, predictions):
        counts = np.array(list(dataset["classes"].values()))
        most = float(counts.max() / counts.sum())
        return {"accuracy": most, "balanced_accuracy": 1 / counts.size}.get(score)

    def describe(self, targets):
        labels, counts = np.unique(targets.first, return_counts=True)
        classes = {str(label): int(n) for label, n in zip(labels, counts)}
        return {"n_clips": targets.n_clips, "classes": classes}


def _check_training_classes(y: np.ndarray, protocol) -> None:
    """Raise for a training set of one class, and warn of sets without a class that is tested."""
    lacking: Counter = Counter()
    for split in protocol.splits:
        trained = np.unique(y[split.train])
        lacking.update(np.setdiff1d(y[split.test], trained).tolist())
        if trained.size < 2:
            raise InputError(
                f"The {protocol.name!r} protocol has a training set of one class, "
                f"{str(trained[0])!r}; take more folds (n_folds), add groups of the other classes, "
                "or choose another protocol.",
                param="protocol",
            )
    if lacking:
        listed = [f"{label} in {n} of {len(protocol.splits)}" for label, n in lacking.items()]
        warnings.warn(
            f"The {protocol.name!r} protocol has training sets without a class that is tested: "
            f"{messages.shorten(listed)}. Take more folds (n_folds), or add groups of that class.",
            stacklevel=5,
        )


# The targets are scaled, so that one grid serves every unit.
GRIDS: dict[str, tuple[BaseEstimator, dict[str, list[float]]]] = {
    "svr": (SVR(), {"C": [0.3, 1, 3, 10], "gamma": [0.0005, 0.002, 0.00625]}),
    "ridge": (Ridge(), {"alpha": [1, 10, 100, 1000]}),
}
REGRESSORS = tuple(GRIDS)


class Regression(Task):
    """One number a clip, for each of the targets."""

    name = "regression"
    model_kind = "regressor"
    configuration = ("feature", "regressor", "target")
    metrics: tuple[str, ...] = scores.REGRESSION_METRICS
    compute_scores: Callable[..., dict[str, float]] = staticmethod(scores.regression_scores)
    headline_score = bootstrap.R2
    further_scores = {"ccc": bootstrap.CCC, "rmse": bootstrap.RMSE, "pearson": bootstrap.PEARSON}
    is_pooled = True
    n_folds = 10
    n_repeats = 1
    models = REGRESSORS
    dummy = DummyRegressor()
    charts: tuple[str, ...] = ("map", "plane", "scatter")
    scores_start_at_zero = False
    headline_words = {"r2": "explains {hundred} % (r² {value})", "": "reaches {value}"}
    guess_words = {"r2": "guessing the mean explains nothing", "": "guessing gives {value}"}

    def takes(self, y):
        return isinstance(y, Mapping) or kind_of(y).startswith("continuous")

    def check(self, y):
        return Targets.of_clips(check_numbers(y))

    def match(self, targets, y, scales):
        return match_numbers(self, targets, self.check(y), scales)

    def make_model(self, name, preset):
        return make_regressor(name)

    def fits(self, model):
        return is_regressor(model) or (hasattr(model, "predict") and not is_classifier(model))

    def guess(self, dataset, score, predictions):
        return 0.0 if score == "r2" else None


class DynamicRegression(Regression):
    """Numbers over time: each row is a moment, and a clip is whole in every split.

    Parameters
    ----------
    times : array-like of shape (n_times,), default=None
        Seconds from the start of the clip; None = the column names of the frames in y.
    """

    name = "dynamic_regression"
    metrics = scores.DYNAMIC_METRICS
    compute_scores = staticmethod(scores.dynamic_scores)
    charts = ("map", "plane", "scatter", "curves")

    def __init__(self, times=None):
        self.times = times

    def takes(self, y):
        return isinstance(y, Mapping) and any(np.ndim(values) == 2 for values in y.values())

    def check(self, y):
        curves, times = check_curves(y, self.times)
        annotated = np.isfinite(next(iter(curves.values())))
        clips, moments = np.nonzero(annotated)
        values = {name: curve[annotated] for name, curve in curves.items()}
        return Targets(clips, values, {"time": times[moments]}, moments, times.size)

    def match(self, targets, y, scales):
        # Its own times are in the names of its columns.
        has_times = isinstance(y, Mapping) and all(hasattr(one, "columns") for one in y.values())
        other = DynamicRegression() if has_times else self
        return match_numbers(self, targets, other.check(y), scales)

    def compute(self, feature, X, targets):
        if isinstance(feature, ColumnsFeature):
            raise InputError(
                f"The feature {feature.name!r} is a ColumnTransformer, which gives no frames for "
                "the moments of a clip."
            )
        if feature.array is None:
            return compute_moments(feature, X, targets)
        expected = (targets.n_clips, targets.n_moments)
        if feature.array.ndim != 3 or feature.array.shape[:2] != expected:
            raise InputError(
                f"The feature {feature.name!r} must have the shape (n_clips, n_times, d), here "
                f"{(*expected, 'd')}. Got {feature.array.shape} instead."
            )
        steps = np.diff(targets.columns["time"])[np.diff(targets.clip) == 0]
        if self.times is None and (steps < 0).any():
            raise InputError(
                f"The feature {feature.name!r} is an array whose moments go by their place, and "
                "the columns of y are not in the order of their seconds. Sort them, or give the "
                "seconds of the array's moments as 'times'.",
                param="times",
            )
        return ComputedFeature({VECTOR: feature.array[targets.clip, targets.moment]})

    def before(self, transformer):
        # A mean over frames is in the space of the moments, which are means of some of them; the
        # frames of MFCC have no differences.
        if "pooling" in transformer.get_params(deep=False):
            return transformer.set_params(pooling="mean")
        return transformer.set_params(statistics=("mean",), deltas=0)

    def describe(self, targets):
        # The smallest distance between two moments [s].
        times = np.unique(targets.columns["time"])
        step = {"step": float(np.diff(times).min())} if times.size > 1 else {}
        return super().describe(targets) | {"n_moments": targets.clip.size} | step


CLASSIFICATION = register_task(Classification())
REGRESSION = register_task(Regression())
DYNAMIC_REGRESSION = register_task(DynamicRegression())


def make_regressor(name: str) -> GridSearchCV:
    """Return scaling, regressor and search; predictions are in the unit of the target."""
    regressor, grid = GRIDS[name]
    scaled = TransformedTargetRegressor(
        Pipeline([("scale", FeatureScaler()), (name, regressor)]),
        # The target stays an array, for any `transform_output` of the user.
        transformer=StandardScaler().set_output(transform="default"),
    )
    grid = {f"regressor__{name}__{key}": values for key, values in grid.items()}
    return GridSearchCV(scaled, grid)


# A moment further than this from every frame, in seconds, has no frame: the clip is too short.
_FARTHEST = 1.0


def compute_moments(feature: Feature, X, targets: Targets) -> ComputedFeature:
    """Compute a feature at each annotated moment; NaN for a clip that cannot be read."""
    frames, computed = feature.compute_frames(X)
    transformer, moments = feature.fitted[VECTOR], []
    # Half a frame before the first centre, and what is less than a frame at the end, have no frame
    # of their own.
    reach = max(_FARTHEST, transformer.frame_times(2)[1] - transformer.offset)
    for clip, of_clip in enumerate(frames):
        times = targets.columns["time"][targets.clip == clip]
        if clip in computed.failures:
            moments.append(np.full((times.size, of_clip.shape[1]), np.nan))
        else:
            frame_times = transformer.frame_times(len(of_clip))
            distances = np.abs(np.subtract.outer(times, frame_times)).min(axis=1, initial=np.inf)
            if distances.max(initial=0) > reach:
                raise InputError(
                    f"Clip {clip} has a target at {times[distances.argmax()]:g} s and no frame "
                    f"within {reach:g} s of it; give the whole clip, or set that target to NaN."
                )
            moments.append(align_frames(of_clip, frame_times, times))
    return replace(computed, inputs={VECTOR: np.concatenate(moments)})

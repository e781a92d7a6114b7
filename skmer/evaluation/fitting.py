"""The fits of an evaluation: which there are, and one fit of a model to one split.

Nothing of the test set is seen before it is scored.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.ensemble import VotingClassifier
from sklearn.metrics import check_scoring
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import _safe_indexing

from skmer.evaluation import features as inputs
from skmer.evaluation import folds, targets, tasks
from skmer.evaluation.across import Across
from skmer.evaluation.auditing import audit, copies
from skmer.exceptions import InputError
from skmer.utils import estimators, floats, labels, messages


@dataclass(frozen=True)
class Fit:
    """One fit to do; `key` identifies its configuration, `groups` stay apart inside the fit."""

    task: tasks.Task
    key: dict[str, str]
    weights: inputs.NetworkWeights
    split: folds.Split
    X: Any
    y: np.ndarray
    groups: np.ndarray | None
    model: object
    # Gives the scores that the user asked for beside the usual ones.
    scorer: Any = None

    def __str__(self) -> str:
        return f"{' + '.join(self.key.values())}, {self.split}"

    @property
    def names(self) -> dict:
        """The columns that every row of scores and of predictions begins with."""
        split = self.split
        return {**self.key, "protocol": split.protocol, "repeat": split.repeat, "fold": split.fold}


@dataclass(frozen=True)
class Fitted:
    """What one fit gave: columns of predictions of the test rows, further scores, what it took."""

    predictions: dict
    scores: dict[str, float]
    costs: dict[str, float]


# What a row of scores has beside its configuration and its scores.
COSTS = ("n_train", "n_test", "fit_time", "score_time")
COLUMNS = ("protocol", "repeat", "fold", *COSTS, "seed", "weights", "random_weights")


@floats.numpy_defaults
def fit_and_predict(fit: Fit) -> Fitted:
    """Fit a copy of the model on one split and predict its test rows.

    With groups, every further split of the training rows inside the fit keeps the groups apart.
    """
    X, y, split = fit.X, fit.y, fit.split
    # Entered here, not by the caller: the setting does not travel to worker processes.
    with config_context(enable_metadata_routing=True):
        try:
            model = clone(fit.model)
            rows = training_rows(model, split)
            times = [time.perf_counter()]
            groups = None if fit.groups is None else fit.groups[rows]
            model = fit_model(model, _safe_indexing(X, rows), y[rows], groups, split.seed)
            times.append(time.perf_counter())
            predictions = fit.task.predict(model, X, y, split.test)
            times.append(time.perf_counter())
            scores = {} if fit.scorer is None else _score(fit, model)
        except Exception as error:
            error.add_note(f"This happened while fitting {fit}.")
            raise
    costs = dict(zip(COSTS, (rows.size, split.test.size, *np.diff(times).tolist())))
    return Fitted(predictions, scores, costs)


def _score(fit: Fit, model) -> dict[str, float]:
    """Return further scores; NaN for one that needs a class which was not trained on or tested."""
    X, y = _safe_indexing(fit.X, fit.split.test), fit.y[fit.split.test]
    has_classes = np.ndim(y) == 1 and hasattr(model, "classes_")
    if not has_classes or min(len(model.classes_), len(np.unique(y))) == len(np.unique(fit.y)):
        return fit.scorer(model, X, y)
    scores = {}
    for name, one in fit.scorer._scorers.items():
        try:
            scores[name] = one(model, X, y)
        except ValueError:
            scores[name] = np.nan
    return scores


def fit_model(model, X, y, groups, seed: int):
    """Return `model`, fitted with this seed; its inner folds keep groups apart if there are any.

    A classifier that takes the labels 0, 1, 2, ... only, as those of xgboost, gets them encoded.
    """
    with config_context(enable_metadata_routing=True):
        set_seed(model, seed)
        routed = {}
        if groups is None:
            folds.shuffle_inner_folds(model, seed)
        elif folds.keep_groups_apart(model, X, y, groups, seed):
            routed = {"groups": groups}
        try:
            model.fit(X, y, **routed)
        except InputError:
            raise
        except (ValueError, TypeError):
            voting = "soft" if hasattr(model, "predict_proba") else "hard"
            encoded = VotingClassifier([("encoded", clone(model))], voting=voting)
            with suppress(Exception):
                return encoded.fit(X, y, **routed)
            raise
        return model


def set_seed(model, seed: int) -> None:
    """Give every estimator in `model` that draws the seed of the split."""
    names = [name for name in model.get_params() if name.split("__")[-1] == "random_state"]
    model.set_params(**dict.fromkeys(names, seed))
    for nested in estimators.nested_estimators(model):
        # A search's folds are no parameters of it; those drawn from a seed of the user's own stay.
        if folds.is_search(nested) and getattr(nested.cv, "random_state", seed) is None:
            nested.cv.random_state = seed


def training_rows(model, split: folds.Split) -> np.ndarray:
    """Return the rows that `model` is given to fit on.

    Where the protocol has a validation set, a model that holds clips out to stop early is given
    that set too, and is set to hold out as many: it trains on as many as every other model does.
    """
    if split.validation.size:
        rows = np.sort(np.concatenate([split.train, split.validation]))
        nested = estimators.nested_estimators(model)
        stopping = [one for one in nested if folds.stops_early(one, rows.size)]
        for one in stopping:
            one.set_params(validation_fraction=split.validation.size / rows.size)
        if stopping:
            return rows
    return split.train


def tabulate(fits: Sequence[Fit], fitted: Sequence[Fitted], columns: Mapping[str, np.ndarray]):
    """Return the frames of scores and of predictions of fits, in their order.

    `columns` are further columns of the predictions, one entry for each row of X; `row` among them
    has the clip of each row of X.
    """
    scores, predictions = [], []
    for fit, one in zip(fits, fitted):
        further = {name: values[fit.split.test] for name, values in columns.items()}
        predictions.append(pd.DataFrame({**fit.names, **further, **one.predictions}))
        of_task = fit.task.score(one.predictions, further["row"])
        ends = zip(COLUMNS[-3:], (fit.split.seed, fit.weights.label, fit.weights.random))
        scores.append({**fit.names, **of_task, **one.scores, **one.costs, **dict(ends)})
    return pd.DataFrame(scores), labels.stack_frames(predictions)


def make_scorer(scoring, task: tasks.Task, targets, models: Mapping):
    """Return a callable of (model, X, y) to a dict of scores, and the names of the scores.

    Names of usual scores are dropped, since those are there anyway. A scorer that cannot score
    targets such as these, or a model, is an error here, before hours of work.
    """
    given = _by_name(scoring).items()
    scoring = {name: one for name, one in given if name != one or name not in task.metrics}
    if not scoring:
        return None, ()
    taken = [*task.metrics, *task.configuration, *COLUMNS]
    for name in scoring:
        if name in taken:
            raise InputError(
                f"The 'scoring' parameter has a score of the name {name!r}, which is a column of "
                "the scores already; give it another name.",
                param="scoring",
            )
    y, dummy = targets.first, clone(task.dummy)
    X = np.zeros((len(y), 1))
    try:
        scorer = check_scoring(dummy, scoring=scoring)
        scorer(dummy.fit(X, y), X, y)
        classes = np.unique(y) if y.ndim == 1 and is_classifier(dummy) else None
        scorer = estimators.prepare_scorer(scorer, models, classes)
        scorer(dummy, X, y)
    except InputError:
        raise
    except (TypeError, ValueError) as error:
        raise InputError(
            "The 'scoring' parameter must have scores that scikit-learn has and that suit the "
            f"targets, by name or as scorers. Got {list(scoring)}: {str(error).splitlines()[0]}",
            param="scoring",
        ) from error
    labels.check_text("The names in the 'scoring' parameter", *scoring)
    return scorer, tuple(scoring)


def _by_name(scoring) -> dict:
    """Return scorers by the names of their columns."""
    if callable(scoring):
        return {"score": scoring}
    if scoring is None or isinstance(scoring, Mapping):
        return dict(scoring or {})
    is_one = isinstance(scoring, str) or not messages.is_iterable(scoring)
    return {name: name for name in ([scoring] if is_one else scoring)}


def make_evidence(clips, transformers, computed, n_jobs, verbose) -> copies.Evidence:
    """Return what the audit looks at."""
    targets, vector, vectors, columns = clips.targets, None, {}, {}
    for name, one in computed.items():
        if one.arrays.get(inputs.VECTOR, np.empty(0)).ndim != 2:
            continue
        values = vectors[name] = targets.mean_by_clip(one.arrays[inputs.VECTOR])
        # Rows that are all the same are no copies of a clip.
        if vector is None and len(values) > 3 and np.ptp(values, axis=0).any():
            vector = values
        # What is computed of sound alone does not have the target in it, and columns beside it may.
        table = one.inputs[inputs.VECTOR]
        if one.front is not None:
            # They stand before the embeddings.
            columns[name] = [*table.columns][: table.shape[1] - values.shape[1]]
            beside = [_to_numbers(table[column]) for column in columns[name]]
            vectors[name] = np.column_stack([*beside, values])
        elif not inputs.is_transformer(transformers[name]):
            columns[name] = [*getattr(table, "columns", range(values.shape[1]))]
    of_targets = [targets.mean_by_clip(values) for values in targets.values.values()]
    digests = (one.audio_digests for one in computed.values())
    return copies.Evidence(
        vector,
        of_targets[0] if len(of_targets) == 1 else np.column_stack(of_targets),
        clips.groups,
        clips.paths,
        datasets=clips.datasets,
        audio_hashes=next((one for one in digests if one), None),
        n_jobs=n_jobs,
        verbose=verbose,
        features=vectors,
        columns=columns,
    )


def _to_numbers(column) -> np.ndarray:
    """Return a column of a data frame as numbers, of text the place of each value."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=float, na_value=np.nan)
    return pd.factorize(column.astype(str), sort=True)[0].astype(float)


@dataclass(frozen=True)
class Experiment:
    """All that the fits rest on; a result keeps it to fit further models and to draw maps."""

    task: tasks.Task
    clips: targets.Clips
    transformers: dict[str, Any]
    features: dict[str, inputs.ComputedFeature]
    models: dict[str, Any]
    # By feature and model.
    inputs: dict[tuple[str, str], str]
    seed: int
    n_jobs: int | None
    across: Across | None = None

    def list_fits(self, protocols: list[folds.Protocol], scorer) -> list[Fit]:
        """Return every fit: features x models x targets x splits."""
        targets = self.clips.targets
        splits = [(one, targets.split_rows(split)) for one in protocols for split in one.splits]
        return [
            Fit(
                self.task,
                dict(zip(self.task.configuration, (feature, name, target))),
                computed.weights,
                split,
                computed.inputs[self.inputs[feature, name]],
                y,
                self.clips.groups_in_fit(one.grouped_in_fit),
                model if computed.front is None else make_pipeline(computed.front, model),
                scorer,
            )
            for feature, computed in self.features.items()
            for name, model in self.models.items()
            for target, y in targets.values.items()
            for one, split in splits
        ]

    def audit(self, protocols: list[folds.Protocol], evidence) -> dict:
        """Look for leaks in every protocol, among the clips of the datasets that it is of."""
        reports: dict[str, dict] = {}
        for one in protocols:
            seen, is_second = evidence, self.clips.is_second
            if is_second is not None and one.across is None:
                rows = np.flatnonzero(is_second == is_second[one.splits[0].test[0]])
                splits = [split.map_rows(rows.searchsorted) for split in one.splits]
                seen, one = evidence.keep(rows), replace(one, splits=tuple(splits))
            reports |= audit.audit_protocols(seen, [one])
        return reports

    @property
    def first(self) -> targets.Clips:
        """The clips that a model is fitted to: of two datasets those of the first."""
        return self.clips if self.across is None else self.across.part(self.clips, False)

    def make_maps(self):
        """Lay the clips out on a map for each feature."""
        mean_by_clip = self.clips.targets.mean_by_clip
        vectors = {name: mean_by_clip(one.vectors) for name, one in self.features.items()}
        return inputs.map_clips(vectors, self.clips.original, seed=self.seed, n_jobs=self.n_jobs)

    def fit_to_all(self, feature: str, model: str, target: str | None) -> Pipeline:
        """Fit a model to all clips and put the transformer of its feature before it."""
        fitted, targets = clone(self.models[model]), self.first.targets
        values = targets.values if target is None else {target: targets.values[target]}
        y = next(iter(values.values()))
        if len(values) > 1:
            fitted = MultiOutputRegressor(fitted)
            y = np.column_stack(list(values.values()))
        chosen, given = self.inputs[feature, model], self.transformers[feature]
        groups = self.first.groups_in_fit(self.first.groups is not None)
        # The third seed; the first two are those of the splits and of the fits.
        seed = estimators.derive_seeds(self.seed, 3)[2]
        if self.features[feature].front is not None:
            steps = [("transformer", clone(given)), (self.task.model_kind, fitted)]
            X = _safe_indexing(self.clips.X, np.arange(len(y)))
            pipeline = fit_model(Pipeline(steps), X, y, groups, seed)
        else:
            # The clips of a second dataset are behind those of the first.
            rows = self.features[feature].inputs[chosen][: len(y)]
            pipeline = Pipeline([(self.task.model_kind, fit_model(fitted, rows, y, groups, seed))])
            if inputs.is_transformer(given):
                transformer = self.task.before(inputs.Feature.transformer(given, chosen))
                pipeline.steps.insert(0, ("transformer", transformer.fit(self.clips.X)))
        if self.task.model_kind == "regressor":
            # For `predict_clips`, which cannot see which number is which.
            pipeline[-1].target_names_ = list(values)
        return pipeline

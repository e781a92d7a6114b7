"""One evaluation from its parameters to its result: what the three kinds of it share."""

import os
import platform
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sklearn import config_context
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.pipeline import Pipeline

from skmer.evaluation.auditing.audit import audit_protocols
from skmer.evaluation.features import (
    INPUT_PARAMETERS,
    VECTOR,
    ComputedFeature,
    compute_feature,
    find_unusable,
    is_transformer,
    keep_available,
    make_transformers,
    refuse_unusable,
)
from skmer.evaluation.fitting import Task, fit_model, make_scorer_of, run_tasks
from skmer.evaluation.folds import Protocol, Split, keep_groups_apart, make_protocols
from skmer.evaluation.result import BaseResult
from skmer.exceptions import InputError, InputTypeError
from skmer.utils.digest import file_digest, versions
from skmer.utils.estimators import Preset, derive_seeds, num_samples, recorded_seed
from skmer.utils.labels import check_labels
from skmer.utils.messages import check_choice, check_flags, cut_middle
from skmer.utils.processes import check_n_jobs, run_parallel

# A map of more points than these is slow to make and too full to read.
MOST = 2000
# With fewer clips there is nothing to arrange.
FEWEST = 5


def find_paths(X) -> np.ndarray | None:
    """Return the path of each clip as text; None where some clip is no path."""
    clips = [] if X is None or hasattr(X, "columns") else list(X)
    if not clips or not all(isinstance(clip, str | os.PathLike) for clip in clips):
        return None
    # A name of bytes that are no text has marks in their place, so that every table can hold it.
    texts = [str(os.fspath(clip)).encode(errors="replace").decode() for clip in clips]
    return np.array(texts, dtype=object)


def map_clips(vectors: dict[str, np.ndarray], rows: np.ndarray, *, seed: int, n_jobs):
    """Lay the clips out by t-SNE, once for each feature.

    Parameters
    ----------
    vectors : dict of str to array of shape (n_clips, d)
        One vector a clip, by the name of the feature.
    rows : array of shape (n_clips,)
        What the clips are called.
    seed : int
        Of the maps, and of which clips are drawn where there are more than `MOST`.
    n_jobs : int or None
        Maps at once.

    Returns
    -------
    maps : pandas.DataFrame
        A row for each feature and clip: feature, row, x, y. Without a feature whose clips are all
        the same.
    """
    import pandas as pd

    chosen = np.arange(len(rows))
    if len(rows) > MOST:
        chosen = np.sort(np.random.default_rng(seed).choice(len(rows), MOST, replace=False))
    places = run_parallel(
        _place, ((values[chosen], seed) for values in vectors.values()), n_jobs=n_jobs
    )
    parts = [
        pd.DataFrame({"feature": name, "row": rows[chosen], "x": place[:, 0], "y": place[:, 1]})
        for name, place in zip(vectors, places)
        if place is not None
    ]
    return pd.concat(parts, ignore_index=True) if parts else None


def _place(vectors: np.ndarray, seed: int) -> np.ndarray | None:
    from sklearn.preprocessing import StandardScaler

    from skmer.evaluation.statistics.purity import tsne_map

    scaled = StandardScaler().fit_transform(vectors.astype(float))
    if len(scaled) < FEWEST or not np.ptp(scaled, axis=0).any():
        return None
    if scaled.shape[1] == 1:
        scaled = np.column_stack([scaled, np.zeros(len(scaled))])
    perplexity = min(30, (len(scaled) - 1) / 3)
    return tsne_map(scaled, perplexity=perplexity, random_state=seed).astype(float)


def make_manifest(
    *,
    settings,
    dataset,
    skipped,
    features,
    left_out,
    models,
    protocols,
    original: np.ndarray,
    audit,
    seconds,
) -> dict:
    """Collect everything but the numbers themselves; what it holds is ready for JSON."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": seconds,
        "platform": platform.platform(),
        "versions": versions(),
        "settings": settings,
        "dataset": dataset,
        "skipped_clips": [{"row": row, "reason": reason} for row, reason in skipped.items()],
        "features": features,
        "left_out_features": left_out,
        "models": {name: describe_estimator(model) for name, model in models.items()},
        "audit": audit,
        "protocols": {
            protocol.name: _describe_protocol(protocol, original) for protocol in protocols
        },
    }


def describe_dataset(dataset) -> dict:
    """Return the name of a dataset and, where it is the path of a file, the SHA-256 of that."""
    if dataset is None:
        return {}
    if not isinstance(dataset, str | os.PathLike):
        raise InputTypeError(
            "The 'dataset' parameter must be a name, the path of a table, or None. "
            f"Got {dataset!r} instead."
        )
    # A name may be one that no file can have.
    path = os.path.expanduser(dataset)
    is_file = os.path.isfile(path)
    return {"name": str(dataset)} | ({"digest": file_digest(Path(path))} if is_file else {})


def describe_estimator(estimator) -> dict:
    """Return class and parameters of an estimator, those of its parts too."""
    parameters = estimator.get_params() if hasattr(estimator, "get_params") else {}
    return {
        "class": f"{type(estimator).__module__}.{type(estimator).__qualname__}",
        "parameters": {
            name: value if _is_json(value) else repr(value)
            for name, value in sorted(parameters.items())
        },
    }


def describe_feature(feature, computed) -> dict:
    """Say what a feature is and what its network's weights are."""
    return {
        "transformer": describe_estimator(feature) if hasattr(feature, "get_params") else None,
        "weights": computed.weights.label,
        "weights_digest": computed.weights.digest,
        "random_weights": computed.weights.random,
        "shapes": {name: list(values.shape) for name, values in computed.inputs.items()},
    }


def _is_json(value) -> bool:
    """Whether a parameter can be written as it is; JSON has no word for NaN or infinity."""
    return isinstance(value, int | str | None) or (isinstance(value, float) and isfinite(value))


def _describe_protocol(protocol, original: np.ndarray) -> dict:
    """Describe a protocol; clips have the numbers of their places in X."""
    return {
        "splitter": repr(protocol.splitter),
        "groups_kept_apart": protocol.grouped,
        "splits": [
            {
                "repeat": split.repeat,
                "fold": split.fold,
                "seed": split.seed,
                "n_train": int(split.train.size),
                "validation": original[split.validation].tolist(),
                "test": original[split.test].tolist(),
            }
            for split in protocol.splits
        ],
    }


@dataclass(frozen=True)
class Rows:
    """The clip of each row, and for each row its targets and further columns of predictions."""

    clip: np.ndarray
    targets: dict[str, np.ndarray]
    columns: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def are_moments(self) -> bool:
        """Whether a clip has several rows, or is one of several clips that has none."""
        return not np.array_equal(self.clip, np.arange(self.clip.size))

    def of_clips(self, kept: np.ndarray) -> "Rows":
        """Return the rows of some clips, which are numbered anew."""
        chosen = kept[self.clip]
        return Rows(
            (np.cumsum(kept) - 1)[self.clip[chosen]],
            {name: values[chosen] for name, values in self.targets.items()},
            {name: values[chosen] for name, values in self.columns.items()},
        )

    def split(self, split: Split) -> Split:
        """Return the split of rows that a split of clips makes."""
        if not self.are_moments:
            return split

        def rows_of(clips):
            return np.flatnonzero(np.isin(self.clip, clips))

        return replace(
            split,
            train=rows_of(split.train),
            validation=rows_of(split.validation),
            test=rows_of(split.test),
        )

    def mean_by_clip(self, values: np.ndarray) -> np.ndarray:
        """Return the mean over each clip's rows."""
        if not self.are_moments:
            return values
        starts = np.flatnonzero(np.diff(self.clip, prepend=-1))
        counts = np.bincount(self.clip).reshape(-1, *[1] * (values.ndim - 1))
        return np.add.reduceat(values, starts, axis=0) / counts


@dataclass(kw_only=True)
class Experiment(ABC):
    """Features x models x splits of the clips; the fields are the parameters of `evaluate`."""

    features: Any
    models: dict[str, Any]
    X: Any
    rows: Rows
    dataset: Any
    groups: Any
    protocol: Any
    preset: Preset
    n_folds: int
    n_repeats: Any
    scoring: Any
    weights: Any
    random_state: Any
    memory: Any
    n_jobs: int | None
    on_error: str
    audit: bool
    verbose: bool
    # Filled in by `run`.
    transformers: dict[str, Any] = field(default_factory=dict, init=False)
    computed: dict[str, ComputedFeature] = field(default_factory=dict, init=False)

    # What each kind of evaluation says.

    result_class: ClassVar[type[BaseResult]]
    model_kind: ClassVar[str]
    # The usual scores of one test part.
    score: ClassVar[Callable[..., dict[str, float]]]

    @property
    @abstractmethod
    def known_protocols(self) -> dict[str, Callable[[int], object]]:
        """What makes the splitter of each named protocol from a seed."""

    @property
    @abstractmethod
    def strata(self) -> np.ndarray:
        """What the splits are stratified by, for each clip."""

    @property
    def classes(self) -> np.ndarray | None:
        """The classes, in the order of their probabilities; None for numbers."""
        return None

    def check_protocols(self, protocols: list[Protocol]) -> None:  # noqa: B027
        """Refuse protocols that the targets do not go with."""

    def choose_input(self, transformer, model: str) -> str:
        """Which input of a feature a model gets."""
        return VECTOR

    def compute(self, name: str, feature, inputs: set[str]) -> ComputedFeature:
        """Compute the inputs of a feature, a row for each of `rows`."""
        return compute_feature(feature, inputs, self.X)

    # What they share.

    @property
    def n_clips(self) -> int:
        """How many clips there are."""
        return int(self.rows.clip[-1]) + 1

    def run(self):
        """Check everything that can be checked, compute, fit, and return the result."""
        times = [time.perf_counter()]
        self.random_state = recorded_seed(self.random_state)
        dataset = describe_dataset(self.dataset)
        self._check_clips()
        protocols = self._make_protocols()
        self._check_models(protocols)
        scorer, extra = make_scorer_of(
            self.scoring,
            usual=self.result_class.metrics,
            columns=(*self.result_class.configuration, *Task.columns),
            targets=self.rows.targets,
        )
        transformers = make_transformers(
            self.features,
            preset=self.preset,
            weights=self.weights,
            random_state=self.random_state,
            memory=self.memory,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
        )
        self.transformers, left_out = keep_available(
            transformers, self.X, may_leave_out=self.features is None
        )
        for name, feature in self.transformers.items():
            inputs = {self.choose_input(feature, model) for model in self.models}
            self.computed[name] = self.compute(name, feature, inputs)
        original, skipped = np.arange(self.n_clips), find_unusable(self.computed, self.rows.clip)
        if self.on_error == "raise":
            refuse_unusable(skipped, self.n_clips)
        elif skipped:
            original = self._leave_out(skipped)
            protocols = self._make_protocols()
        times.append(time.perf_counter())
        leaks = self._audit(protocols) if self.audit else None
        times.append(time.perf_counter())
        scores, predictions = run_tasks(
            self._tasks(protocols),
            columns=self._columns(original),
            score=self.score,
            scorer=scorer,
            classes=self.classes,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
        )
        times.append(time.perf_counter())
        manifest = make_manifest(
            settings={
                "preset": self.preset,
                "random_state": self.random_state,
                "n_folds": int(self.n_folds),
                "n_repeats": None if self.n_repeats is None else int(self.n_repeats),
                "on_error": self.on_error,
                "scoring": list(extra),
            },
            dataset=dataset
            | self.describe_targets()
            | ({} if self.groups is None else {"n_groups": int(np.unique(self.groups).size)}),
            skipped=skipped,
            features={
                name: describe_feature(feature, self.computed[name])
                for name, feature in self.transformers.items()
            },
            left_out=left_out,
            models=self.models,
            protocols=protocols,
            original=original,
            audit=leaks,
            seconds=dict(zip(("features", "audit", "fits"), np.diff(times).round(3).tolist())),
        )
        result = self.result_class(scores, predictions, manifest)
        result.fit_configuration = self.fit_configuration
        result.make_maps = lambda: self._make_maps(original)
        return result

    def describe_targets(self) -> dict:
        """Count clips, and name the targets."""
        return {"n_clips": self.n_clips, "targets": list(self.rows.targets)}

    def _check_clips(self) -> None:
        check_choice("evaluate", ("raise", "skip"), on_error=self.on_error)
        check_flags("evaluate", audit=self.audit, verbose=self.verbose)
        check_n_jobs(self.n_jobs)
        if self.groups is not None:
            self.groups = check_labels(self.groups, "The groups")
        for what, values in (("clips in X", self.X), ("groups", self.groups)):
            n_given = self.n_clips if values is None else num_samples(values)
            if n_given != self.n_clips:
                raise InputError(
                    f"There are {n_given} {what} and {self.n_clips} labels in y; there must be one "
                    "of each for every clip."
                )

    def _make_protocols(self) -> list[Protocol]:
        protocols = make_protocols(
            self.protocol,
            known=self.known_protocols,
            strata=self.strata,
            groups=self.groups,
            random_state=self.random_state,
        )
        self.check_protocols(protocols)
        return protocols

    def _groups_in_fit(self, grouped: bool | None) -> np.ndarray | None:
        """Return what stays together inside a fit: groups, or else the moments of a clip."""
        if grouped:
            return self.groups[self.rows.clip]
        return self.rows.clip if self.rows.are_moments else None

    def _check_models(self, protocols) -> None:
        """Refuse models of another kind, and those whose own splits break the protocol."""
        is_own, is_other = is_classifier, is_regressor
        if self.model_kind == "regressor":
            is_own, is_other = is_other, is_own
        for name, model in self.models.items():
            # Not every classifier says that it is one, and not every one has `predict` before it
            # is fitted. Tags are what scikit-learn tells them apart by.
            is_model = not isinstance(model, type) and hasattr(model, "__sklearn_tags__")
            if not is_model or is_other(model) or not (is_own(model) or hasattr(model, "predict")):
                raise InputTypeError(
                    f"{name!r} of the '{self.model_kind}s' parameter must be a {self.model_kind} "
                    f"in scikit-learn's manner. Got {cut_middle(repr(model), 100)} instead."
                )
        y = next(iter(self.rows.targets.values()))
        for one in protocols:
            groups = self._groups_in_fit(one.grouped)
            if groups is None:
                continue
            parts = [self.rows.split(split).train for split in one.splits]
            fewest = min(parts, key=lambda rows: np.unique(groups[rows]).size)
            for model in self.models.values():
                with config_context(enable_metadata_routing=True):
                    keep_groups_apart(clone(model), fewest, y[fewest], groups[fewest], seed=0)

    def _leave_out(self, clips: Mapping[int, str]) -> np.ndarray:
        """Leave clips out of everything; return the numbers that the others had."""
        kept = np.ones(self.n_clips, dtype=bool)
        kept[list(clips)] = False
        if kept.sum() < 2:
            raise InputError(
                f"All but {kept.sum()} of {kept.size} clips cannot be used. The first: "
                f"{next(iter(clips.values()))[:250]}"
            )
        in_kept = kept[self.rows.clip]
        self.computed = {
            name: ComputedFeature(
                {key: values[in_kept] for key, values in one.inputs.items()},
                one.weights,
                audio_digests=one.audio_digests
                and [digest for digest, stays in zip(one.audio_digests, kept) if stays],
            )
            for name, one in self.computed.items()
        }
        original = np.flatnonzero(kept)
        self.rows = self.rows.of_clips(kept)
        self.groups = None if self.groups is None else self.groups[kept]
        if self.X is not None:
            items = self.X.iloc if hasattr(self.X, "iloc") else self.X
            self.X = (
                items[original]
                if hasattr(items, "shape") or hasattr(self.X, "iloc")
                else [items[row] for row in original]
            )
        return original

    def _make_maps(self, original: np.ndarray):
        vectors = {}
        for name, one in self.computed.items():
            values = one.inputs.get(VECTOR, next(iter(one.inputs.values())))
            values = values.mean(axis=tuple(range(1, values.ndim - 1)))
            vectors[name] = self.rows.mean_by_clip(values)
        return map_clips(vectors, original, seed=self.random_state, n_jobs=self.n_jobs)

    def _audit(self, protocols) -> dict:
        inputs = [one.inputs[VECTOR] for one in self.computed.values() if VECTOR in one.inputs]
        vectors = (self.rows.mean_by_clip(values) for values in inputs)
        targets = [self.rows.mean_by_clip(values) for values in self.rows.targets.values()]
        return audit_protocols(
            next((one for one in vectors if one.ndim == 2), None),
            targets[0] if len(targets) == 1 else np.column_stack(targets),
            groups=self.groups,
            paths=find_paths(self.X),
            audio_digests=next(
                (one.audio_digests for one in self.computed.values() if one.audio_digests), None
            ),
            protocols=protocols,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
        )

    def _columns(self, original: np.ndarray) -> dict[str, np.ndarray]:
        def of_rows(**of_clips):
            return {
                name: values[self.rows.clip]
                for name, values in of_clips.items()
                if values is not None
            }

        clips = of_rows(row=original, path=find_paths(self.X))
        return clips | self.rows.columns | of_rows(group=self.groups)

    def _tasks(self, protocols) -> list[Task]:
        splits = {one.name: [self.rows.split(split) for split in one.splits] for one in protocols}
        return [
            Task(
                {"feature": feature, self.model_kind: name}
                | ({} if self.classes is not None else {"target": target}),
                self.computed[feature].weights,
                split,
                self.computed[feature].inputs[self.choose_input(transformer, name)],
                y,
                self._groups_in_fit(one.grouped),
                model,
            )
            for feature, transformer in self.transformers.items()
            for name, model in self.models.items()
            for target, y in self.rows.targets.items()
            for one in protocols
            for split in splits[one.name]
        ]

    def fit_configuration(self, feature: str, model: str, target: str | None = None) -> Pipeline:
        """Fit a model to all clips and put the transformer of its feature before it."""
        from sklearn.multioutput import MultiOutputRegressor

        fitted = clone(self.models[model])
        targets = self.rows.targets if target is None else {target: self.rows.targets[target]}
        y = next(iter(targets.values()))
        if len(targets) > 1:
            fitted = MultiOutputRegressor(fitted)
            y = np.column_stack(list(targets.values()))
        transformer = self.transformers[feature]
        chosen = self.choose_input(transformer, model)
        groups = None if self.groups is None else self._groups_in_fit(True)
        # The third seed; the first two are those of the splits and of the fits.
        seed = derive_seeds(self.random_state, 3)[2]
        fit_model(fitted, self.computed[feature].inputs[chosen], y, groups, seed)
        steps = [(self.model_kind, fitted)]
        if is_transformer(transformer):
            transformer = clone(transformer).set_params(**INPUT_PARAMETERS[chosen])
            steps.insert(0, ("transformer", transformer.fit(self.X)))
        return Pipeline(steps)

"""What was evaluated: the task, the clips, the features and models, and the fits that they need."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline, make_pipeline

from skmer.evaluation import features as inputs
from skmer.evaluation.across import Across
from skmer.evaluation.auditing.audit import audit_protocols
from skmer.evaluation.auditing.copies import Evidence
from skmer.evaluation.features import VECTOR, ComputedFeature, Feature
from skmer.evaluation.fitting import Fit, fit_model
from skmer.evaluation.folds import Protocol
from skmer.evaluation.targets import Clips
from skmer.evaluation.tasks import Task
from skmer.utils.estimators import derive_seeds


def make_evidence(
    clips: Clips, transformers, computed, across: Across | None, n_jobs, verbose
) -> Evidence:
    """Return what the audit looks at."""
    targets = clips.targets
    vectors = {
        name: targets.mean_by_clip(one.arrays[VECTOR])
        for name, one in computed.items()
        if VECTOR in one.arrays and one.arrays[VECTOR].ndim == 2
    }
    # Rows that are all the same are no copies of a clip.
    differ = (one for one in vectors.values() if len(one) > 3 and np.ptp(one, axis=0).any())
    vector = next(differ, None)
    values = [targets.mean_by_clip(values) for values in targets.values.values()]
    digests = (one.audio_digests for one in computed.values())
    # What is computed of sound alone does not have the target in it.
    columns = {
        name: list(getattr(computed[name].inputs[VECTOR], "columns", range(one.shape[1])))
        for name, one in vectors.items()
        if not inputs.is_transformer(transformers[name])
    }
    return Evidence(
        vector,
        values[0] if len(values) == 1 else np.column_stack(values),
        clips.groups,
        clips.paths,
        datasets=None if across is None else clips.datasets,
        audio_hashes=next((one for one in digests if one), None),
        n_jobs=n_jobs,
        verbose=verbose,
        features=vectors,
        columns=columns,
    )


@dataclass(frozen=True)
class Experiment:
    """All that the fits rest on; a result keeps it to fit further models and to draw maps."""

    task: Task
    clips: Clips
    transformers: dict[str, Any]
    features: dict[str, ComputedFeature]
    models: dict[str, Any]
    # By feature and model.
    inputs: dict[tuple[str, str], str]
    seed: int
    n_jobs: int | None
    across: Across | None = None

    def list_fits(self, protocols: list[Protocol], scorer) -> list[Fit]:
        """Return every fit: features x models x targets x splits."""
        targets = self.clips.targets
        splits = {
            one.name: [targets.split_rows(split) for split in one.splits] for one in protocols
        }
        has_target = "target" in self.task.configuration
        return [
            Fit(
                self.task,
                {"feature": feature, self.task.model_kind: name}
                | ({"target": target} if has_target else {}),
                computed.weights,
                split,
                computed.inputs[self.inputs[feature, name]],
                y,
                self.clips.groups_in_fit(one.keeps_apart_in_fit),
                model if computed.front is None else make_pipeline(computed.front, model),
                scorer,
            )
            for feature, computed in self.features.items()
            for name, model in self.models.items()
            for target, y in targets.values.items()
            for one in protocols
            for split in splits[one.name]
        ]

    def audit(self, protocols: list[Protocol], evidence: Evidence) -> dict:
        """Look for leaks in every protocol, among the clips of the datasets that it is of."""
        is_second = self.clips.is_second
        if is_second is None:
            return audit_protocols(evidence, protocols)
        reports: dict[str, dict] = {}
        for one in protocols:
            if one.across is None:
                rows = np.flatnonzero(is_second == is_second[one.splits[0].test[0]])
                splits = [split.map_rows(rows.searchsorted) for split in one.splits]
                reports |= audit_protocols(
                    evidence.keep(rows), [replace(one, splits=tuple(splits))]
                )
            else:
                reports |= audit_protocols(evidence, [one])
        return reports

    @property
    def first(self) -> Clips:
        """The clips that a model is fitted to: of two datasets those of the first."""
        return self.clips if self.across is None else self.across.part(self.clips, False)

    def describe(self, named: dict) -> dict:
        """Return what the manifest has about the clips."""
        return named | self.task.describe(self.first.targets) | self.first.count_groups()

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
        seed = derive_seeds(self.seed, 3)[2]
        if self.features[feature].front is not None:
            whole = Pipeline([("transformer", clone(given)), (self.task.model_kind, fitted)])
            return fit_model(whole, self.clips.X.iloc[: len(y)], y, groups, seed)
        # The clips of a second dataset are behind those of the first.
        rows = self.features[feature].inputs[chosen][: len(y)]
        fit_model(fitted, rows, y, groups, seed)
        steps = [(self.task.model_kind, fitted)]
        if inputs.is_transformer(given):
            transformer = self.task.before(Feature.transformer(given, chosen))
            steps.insert(0, ("transformer", transformer.fit(self.clips.X)))
        return Pipeline(steps)

"""The features of the study: which can be had, and what each classifier sees of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from skmer.evaluation.experiment import (
    INPUT_PARAMETERS,
    MATRIX,
    check_finite_feature,
    choose_input,
    describe_estimator,
    make_transformers,
)
from skmer.exceptions import WeightsNotFoundError
from skmer.studies.koh2021._editions import EDITIONS, Budget, Edition

# The study's larger embedding, compared with the smaller one by a single classifier.
LARGE, LARGE_CLASSIFIER = "l3-6144", "svm"
# They change how fast the numbers come, not the numbers.
_SPEED_PARAMETERS = ("memory", "n_jobs", "verbose", "batch_size")


@dataclass(frozen=True)
class Feature:
    """A transformer of one edition, and the weights that its network has."""

    name: str
    edition: Edition
    transformer: Any
    weights_label: str | None
    weights_digest: str | None

    @property
    def is_random(self) -> bool:
        """Whether the network was never trained."""
        return getattr(self.transformer, "weights_are_random_", False)

    def view(self, classifier: str) -> str:
        """Which view of the feature a classifier gets."""
        return choose_input(self.transformer, classifier, preset=self.edition.preset)


def make_features(
    names, *, edition: Edition, budget: Budget, weights, random_state, memory, n_jobs, verbose
) -> tuple[dict[str, Feature], dict[str, str]]:
    """Return the features that can be had, and why the others cannot."""
    transformers: dict[str, Any] = make_transformers(
        names,
        preset=edition.preset,
        weights=weights,
        random_state=random_state,
        memory=memory,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    if "l3" in transformers:
        transformers["l3"].set_params(hop_size=budget.l3_hops[EDITIONS.index(edition)])
    features, left_out = {}, {}
    for name, transformer in transformers.items():
        try:
            # Fitting reads no clip; it only sees that the weights are there.
            features[name] = _fit(name, edition, transformer)
        except WeightsNotFoundError as error:
            left_out[name] = str(error)
    if "l3" in features:
        large = clone(features["l3"].transformer).set_params(embedding_size=6144)
        features[LARGE] = _fit(LARGE, edition, large)
    return features, left_out


def _fit(name: str, edition: Edition, transformer) -> Feature:
    transformer.fit([np.zeros(1, np.float32)])
    label = getattr(transformer, "weights_label_", None)
    return Feature(name, edition, transformer, label, getattr(transformer, "weights_digest_", None))


def view_parameters(view: str, budget: Budget) -> dict[str, object]:
    """Return the parameters of the transformer for a view."""
    if view != MATRIX:
        return INPUT_PARAMETERS[view]
    n_frames, milliseconds = budget.matrix
    # At the 22050 Hz of the MFCC, as everywhere in skmer.
    hop_length = round(22050 * milliseconds / 1000)
    return INPUT_PARAMETERS[MATRIX] | {"n_frames": n_frames, "hop_length": hop_length}


def describe_view(feature: Feature, view: str, budget: Budget) -> dict:
    """Say what decides the numbers of a view."""
    transformer = clone(feature.transformer).set_params(**view_parameters(view, budget))
    described = describe_estimator(transformer)
    for name in _SPEED_PARAMETERS:
        described["parameters"].pop(name, None)
    return described | {"weights_digest": feature.weights_digest}


class FeatureExtractor:
    """Computes a view of the clips of one dataset, and keeps the last one at hand."""

    def __init__(self, budget: Budget):
        self.budget = budget
        self._key: tuple | None = None
        self._values = np.empty(0)

    def __call__(self, feature: Feature, view: str, clips) -> np.ndarray:
        """Return the view, a row for each clip."""
        key = feature.name, feature.edition.name, view, id(clips)
        if key != self._key:
            parameters = view_parameters(view, self.budget)
            transformer = clone(feature.transformer).set_params(**parameters)
            self._values = np.asarray(transformer.fit_transform(clips.data))
            check_finite_feature(feature.name, self._values)
            self._key = key
        return self._values

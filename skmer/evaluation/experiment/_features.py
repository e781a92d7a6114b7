"""What each classifier gets to see of each feature, computed once before any fold.

This is allowed because the transformers train nothing: a row depends on its own clip alone.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags

from skmer.evaluation.experiment._manifest import describe
from skmer.exceptions import InputError, InputTypeError

# The views of a feature, and what the transformer's parameters are for each. The matrix is the
# study's: 1500 frames of 20 ms at the transformer's 22050 Hz.
GIVEN, VECTOR, FRAMES, MATRIX = "given", "vector", "frames", "matrix"
VIEWS: dict[str, dict[str, object]] = {
    VECTOR: {},
    FRAMES: {"pooling": None},
    MATRIX: {"statistics": None, "n_frames": 1500, "hop_length": 441},
}


@dataclass(frozen=True)
class View:
    """A feature as some of the classifiers see it."""

    X: np.ndarray
    weights_label: str | None = None
    weights_digest: str | None = None


def make_transformers(
    features, *, preset: str, weights, random_state: int, memory, n_jobs, verbose: bool
) -> dict[str, object]:
    """Give each feature a name and a transformer, or the array that the user has already."""
    if isinstance(features, Mapping):
        for name, feature in features.items():
            _check_feature(name, feature)
        return check_filled("features", dict(features))
    from skmer.embeddings import FEATURES, make_transformer

    each = weights if isinstance(weights, Mapping) else dict.fromkeys(FEATURES, weights)
    return {
        name: make_transformer(
            name,
            preset=preset,
            weights=each.get(name, "pretrained"),
            random_state=random_state,
            memory=memory,
            n_jobs=n_jobs,
            verbose=verbose,
        )
        for name in check_names("features", features, FEATURES)
    }


def check_filled(parameter: str, items: dict) -> dict:
    """Refuse an empty dict."""
    if not items:
        raise InputError(f"The {parameter!r} parameter must hold at least one entry. Got none.")
    return items


def check_names(parameter: str, names, known: Sequence[str]) -> list[str]:
    """Return the names asked for, each known and there once."""
    listed = [names] if isinstance(names, str) else list(names)
    if not listed:
        raise InputError(f"The {parameter!r} parameter must hold at least one entry. Got none.")
    for name in listed:
        if name not in known:
            raise InputError(
                f"The {parameter!r} parameter must be a list of names from "
                f"{', '.join(repr(one) for one in known)}, or a dict of your own. "
                f"Got {name!r} instead."
            )
        if listed.count(name) > 1:
            raise InputError(f"The {parameter!r} parameter has {name!r} twice.")
    return listed


def _check_feature(name, feature) -> None:
    """Refuse what is neither an array nor a transformer that trains nothing."""
    if not hasattr(feature, "fit_transform"):
        if np.ndim(feature) < 2:
            raise InputTypeError(
                f"The feature {name!r} must be a transformer, or an array of at least two "
                f"dimensions with one row per clip. Got {feature!r} instead."
            )
    elif _learns(feature):
        raise InputError(
            f"The feature {name!r} ({type(feature).__name__}) learns from the clips it is fitted "
            "on, and features are computed before the folds are made; put it in front of the "
            "classifier instead, as in classifiers={'pca+svm': make_pipeline(PCA(), SVC())}."
        )


def _learns(transformer) -> bool:
    """Whether a row that comes out may depend on other rows that went in."""
    if isinstance(transformer, Pipeline):
        parts = [part for _, part in transformer.steps]
    elif isinstance(transformer, FeatureUnion):
        parts = [part for _, part in transformer.transformer_list]
    elif get_tags(transformer).requires_fit:
        from skmer.embeddings import BaseClipTransformer

        return not isinstance(transformer, BaseClipTransformer)
    else:
        return False
    return any(_learns(part) for part in parts if part is not None and not isinstance(part, str))


def view_name(feature, classifier: str, *, preset: str, sequences: bool) -> str:
    """Which view of `feature` the classifier of that name gets under `preset`."""
    if not hasattr(feature, "get_params"):
        return GIVEN
    parameters = feature.get_params(deep=False)
    if preset == "koh2021" and classifier in ("cnn", "lstm") and "n_mfcc" in parameters:
        return MATRIX
    return FRAMES if sequences and "pooling" in parameters else VECTOR


def extract(feature, views: set[str], X, *, name: str, n_clips: int) -> dict[str, View]:
    """Compute the views of one feature, each clip passing the network once."""
    if GIVEN in views:
        return {GIVEN: check_view(View(np.asarray(feature)), name, n_clips)}
    feature = clone(feature)
    extracted = {}
    with ExitStack() as stack:
        if {VECTOR, FRAMES} <= views and feature.get_params(deep=False)["memory"] is None:
            feature.set_params(memory=stack.enter_context(TemporaryDirectory(prefix="skmer-")))
        for view in sorted(views):
            transformer = clone(feature).set_params(**VIEWS[view])
            values = View(
                np.asarray(transformer.fit_transform(X)),
                getattr(transformer, "weights_label_", None),
                getattr(transformer, "weights_digest_", None),
            )
            extracted[view] = check_view(values, name, n_clips)
    return extracted


def check_view(view: View, name: str, n_clips: int) -> View:
    """Refuse a feature that does not give finite numbers for every clip."""
    if len(view.X) != n_clips:
        raise InputError(
            f"The feature {name!r} has {len(view.X)} rows for {n_clips} labels; there must be one "
            "for each clip, in the same order."
        )
    finite = np.isfinite(view.X).reshape(n_clips, -1).all(axis=1)
    if not finite.all():
        rows = np.flatnonzero(~finite)
        listed = ", ".join(str(row) for row in rows[:10]) + (", ..." if rows.size > 10 else "")
        raise InputError(
            f"The feature {name!r} is not finite for {rows.size} of {n_clips} clips (rows "
            f"{listed}); leave those clips out of X, y and groups."
        )
    return view


def describe_feature(feature, extracted: dict[str, View]) -> dict:
    """Say what a feature is and what its network's weights are."""
    view = next(iter(extracted.values()))
    return {
        "transformer": describe(feature) if hasattr(feature, "get_params") else None,
        "weights": view.weights_label,
        "weights_digest": view.weights_digest,
        "shapes": {name: list(one.X.shape) for name, one in extracted.items()},
    }

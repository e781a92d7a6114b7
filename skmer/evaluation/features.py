"""What each model gets of each feature, computed once before any fold.

This is allowed because the transformers train nothing: a row depends on its own clip alone.
"""

import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import _safe_indexing, get_tags

from skmer import exceptions
from skmer.classifiers import FeatureScaler, takes_sequences
from skmer.embeddings import BaseClipTransformer, resolve_features
from skmer.evaluation.statistics.purity import tsne_map
from skmer.utils import estimators, floats, labels, messages, processes

# The inputs that a model may get of a feature, and the parameters of the transformer that make
# them. The matrix is the study's: 1500 frames of 20 ms at the transformer's 22050 Hz.
VECTOR, FRAMES, MATRIX = "vector", "frames", "matrix"
INPUT_PARAMETERS: dict[str, dict[str, object]] = {
    VECTOR: {},
    FRAMES: {"pooling": None},
    MATRIX: {"statistics": None, "n_frames": 1500, "hop_length": 441},
}


@dataclass(frozen=True)
class NetworkWeights:
    """The weights behind a feature: their label, their digest, whether any were drawn."""

    label: str | None = None
    digest: str | None = None
    random: bool = False

    @classmethod
    def join(cls, parts: Iterable["NetworkWeights"]) -> "NetworkWeights":
        """Return the weights of several networks, together; parts without a network have none."""
        named = [part for part in parts if part.label]
        label = " + ".join(dict.fromkeys(str(part.label) for part in named))
        digest = " + ".join(dict.fromkeys(str(part.digest) for part in named))
        return cls(label or None, digest or None, any(part.random for part in named))


@dataclass(frozen=True)
class ComputedFeature:
    """The inputs that a feature gives, a row for each clip, and the clips that it has none for.

    Of a feature whose columns have names the input is a data frame, and `embeddings` are its
    numbers. Of a feature of columns it has embeddings and other columns, and `front` is what learns
    from these, to be fitted before the model.
    """

    inputs: dict
    weights: NetworkWeights = NetworkWeights()
    failures: dict[int, str] = field(default_factory=dict)
    # Of each clip's decoded audio, where the pass that embeds it gives one.
    audio_digests: list[str | None] | None = None
    front: ColumnTransformer | None = None
    embeddings: np.ndarray | None = None

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The inputs as arrays; of a data frame its embeddings."""
        return self.inputs | ({} if self.embeddings is None else {VECTOR: self.embeddings})

    @property
    def vectors(self) -> np.ndarray:
        """One vector a row: the input of this name, else the mean over the frames of another."""
        values = self.arrays.get(VECTOR, next(iter(self.inputs.values())))
        return values.mean(axis=tuple(range(1, values.ndim - 1)))

    def keep_rows(self, rows: np.ndarray, clips: np.ndarray) -> "ComputedFeature":
        """Return the rows and the clips that two masks keep."""
        digests = self.audio_digests
        return replace(
            self,
            inputs={name: values[rows] for name, values in self.inputs.items()},
            failures={},
            embeddings=None if self.embeddings is None else self.embeddings[rows],
            audio_digests=digests and [one for one, stays in zip(digests, clips) if stays],
        )


def make_transformers(features, **options) -> dict:
    """Return a transformer, or the array that the user has already, for each feature by name.

    The options are those of `resolve_features`, for features that are given by name.
    """
    if not isinstance(features, Mapping):
        return resolve_features(features, **options)
    check_filled("features", features)
    return {name: _check_feature(name, feature) for name, feature in features.items()}


def check_filled(parameter: str, items: Mapping) -> None:
    """Raise for an empty dict, and for names that are not text."""
    if not items or not all(isinstance(name, str) for name in items):
        raise (exceptions.InputTypeError if items else exceptions.InputError)(
            f"The names in the {parameter!r} parameter must be text, and at least one. "
            f"Got {messages.shorten(items) or 'none'}.",
            param=parameter,
        )
    labels.check_text(f"The names in the {parameter!r} parameter", *items)


def check_names(parameter: str, names, known: Collection[str]) -> list[str]:
    """Return the names that were asked for, each of them known and there once."""
    are_names = messages.is_iterable(names) and all(isinstance(name, str) for name in names)
    listed = [names] if isinstance(names, str) else list(names) if are_names else []
    got = [repr(name) for name in listed if name not in known]
    got += [f"{name!r} twice" for name in listed if listed.count(name) > 1]
    if not listed or got:
        error = exceptions.InputError if are_names else exceptions.InputTypeError
        got = got or ["an empty list" if are_names else f"an object of type {type(names).__name__}"]
        raise error(
            f"The {parameter!r} parameter must be a list of at least one name from "
            f"{', '.join(map(repr, known))}, or a dict of your own, {{'mine': ...}}. Got {got[0]}.",
            param=parameter,
        )
    return listed


def _check_feature(name, feature):
    """Return a transformer that trains nothing as it is, anything else as an array of numbers."""
    if hasattr(feature, "fit_transform") and not isinstance(feature, type):
        if _learns(feature) and not isinstance(feature, ColumnTransformer):
            raise exceptions.InputError(
                f"The feature {name!r} ({type(feature).__name__}) learns from the clips it is "
                "fitted on, and features are computed before the folds are made; put it in front "
                "of the classifier instead, as in "
                "classifiers={'pca+svm': make_pipeline(PCA(), SVC())}."
            )
        return feature
    if isinstance(feature, str) or not hasattr(feature, "__len__"):
        got = repr(feature)
    else:
        array = floats.check_floats(feature, f"features[{name}]", finite=False)
        if array.ndim > 1 and all(array.shape[1:]):
            return with_names(array, list(getattr(feature, "columns", ())))
        got = f"an array of shape {array.shape}"
    raise exceptions.InputTypeError(
        f"The feature {name!r} must be a transformer, or an array of at least two dimensions with "
        f"one row per clip. Got {got} instead."
    )


def with_names(values: np.ndarray, names: Sequence):
    """Return rows as a data frame, where their columns have names that models may go by."""
    is_named = values.ndim == 2 and len(names) > 0 and all(isinstance(one, str) for one in names)
    return pd.DataFrame(values, columns=list(names)) if is_named else values


def _learns(transformer) -> bool:
    """Whether a row that comes out may depend on other rows that went in."""
    if not isinstance(transformer, Pipeline | FeatureUnion):
        return get_tags(transformer).requires_fit and not _embeds_clips(transformer)
    parts = getattr(transformer, "steps", None) or transformer.transformer_list
    return any(_learns(part) for _, part in parts if hasattr(part, "get_params"))


def _embeds_clips(part) -> bool:
    return isinstance(part, BaseClipTransformer)


def is_transformer(feature) -> bool:
    """Whether a feature is to be computed; else it is an array."""
    return hasattr(feature, "get_params")


def choose_input(transformer, classifier: str | None, *, preset: estimators.Preset) -> str:
    """Return which input of a feature a classifier gets.

    `classifier` is its name in the table of `make_classifier`; None for one of the user's own,
    under any name, which gets the output of the transformer.
    """
    if classifier is None or not is_transformer(transformer):
        return VECTOR
    parameters = transformer.get_params(deep=False)
    if preset == "koh2021" and classifier in ("cnn", "lstm") and "n_mfcc" in parameters:
        return MATRIX
    if takes_sequences(classifier, preset=preset) and "pooling" in parameters:
        return FRAMES
    return VECTOR


class Feature:
    """A feature of one evaluation: an array, or a transformer that was fitted for each input.

    Parameters
    ----------
    name : str
        Its name in the tables.
    given : transformer or array
        As `make_transformers` returns it.
    inputs : collection of str
        Which inputs the models get.
    X : sequence of clips, or None
        The clips to fit to, which shows whether weights and engine are there.
    """

    # The column of X with the clips, where there are others beside it.
    clip_column = None

    def __init__(self, name: str, given, inputs: Collection[str], X):
        self.name = name
        self.array = None if is_transformer(given) else given
        self.fitted: dict = {}
        if self.array is not None:
            return
        if X is None:
            raise exceptions.InputError(
                f"The feature {name!r} is a transformer and needs clips, and X is None; give the "
                "clips as X, or an array in place of the transformer.",
                param="X",
            )
        self.fitted = {one: self.transformer(given, one) for one in sorted(inputs)}
        # Fitting the whole of a pipeline would compute it.
        for transformer in self.fitted.values():
            for part in filter(_embeds_clips, estimators.nested_estimators(transformer)):
                (part if part is transformer else clone(part)).fit(X)

    @staticmethod
    def transformer(given, chosen: str):
        """Return a transformer of its own for one of the inputs."""
        return clone(given).set_params(**INPUT_PARAMETERS[chosen])

    def compute(self, X) -> ComputedFeature:
        """Compute the inputs, each clip passing the network once."""
        if self.array is not None:
            named = self.array.to_numpy() if hasattr(self.array, "columns") else None
            return ComputedFeature({VECTOR: self.array}, embeddings=named)
        computed, embeddings = {}, None
        failures: dict[int, str] = {}
        with TemporaryDirectory(prefix="skmer-") as folder:
            are_two = {VECTOR, FRAMES} <= set(self.fitted)
            is_shared = are_two and self.fitted[FRAMES].memory is None
            for one, transformer in self.fitted.items():
                if is_shared:
                    transformer.set_params(memory=folder)
                (values, digests), failed = collect_failures(transformer, lambda t: _embed(t, X))
                computed[one] = np.asarray(values)
                failures |= failed
                # A pipeline has no setting of its own.
                names = getattr(values, "columns", ())
                if not estimators.output_is_default(transformer):
                    names = transformer.get_feature_names_out()
                if one == VECTOR and len(names):
                    embeddings = computed[one]
                    computed[one] = with_names(embeddings, names)
        weights = weights_of(transformer)
        return ComputedFeature(computed, weights, failures, digests, embeddings=embeddings)

    def compute_frames(self, X) -> tuple[list[np.ndarray], ComputedFeature]:
        """Compute the frames of each clip, and all of a computed feature but its inputs."""
        transformer = self.fitted[VECTOR]
        frames, failures = collect_failures(transformer, lambda one: one.transform_frames(X))
        return frames, ComputedFeature({}, weights_of(transformer), failures)


class ColumnsFeature(Feature):
    """A feature of a data frame: clips are embedded before the folds, the rest is learnt in them.

    Parameters
    ----------
    name : str
        Its name in the tables.
    given : ColumnTransformer
        Unfitted. What embeds clips is computed once; steps of a pipeline behind it, and what works
        on other columns, are fitted with each model.
    inputs : collection of str
        The vector alone.
    X : DataFrame
        The columns.
    """

    def __init__(self, name: str, given: ColumnTransformer, inputs: Collection[str], X):
        if not hasattr(X, "columns"):
            raise exceptions.InputError(
                f"The feature {name!r} is a ColumnTransformer and needs X as a data frame. "
                f"Got {type(X).__name__}.",
                param="X",
            )
        self.name, self.given, self.array, self.fitted = name, given, None, {}
        self.embedded: dict[str, tuple] = {}
        # Name, what is fitted with the model, and columns; None: all of the embedding.
        self.learnt: list[tuple] = []
        for part, transformer, columns in given.transformers:
            columns = columns(X) if callable(columns) else columns
            head, tail = _split_learning(name, part, transformer)
            if head is not None:
                clips = _safe_indexing(X, columns, axis=1)
                self.embedded[part] = Feature(f"{name}: {part}", head, inputs, clips), columns
                names = getattr(clips, "columns", [getattr(clips, "name", None)])
                if self.clip_column is None and len(names) == 1:
                    self.clip_column = names[0]
                columns = None
            self.learnt.append((part, tail, columns))

    def compute(self, X) -> ComputedFeature:
        """Compute the embeddings, and put them beside the other columns."""
        frame = pd.DataFrame({str(name): list(X[name]) for name in X.columns})
        used = {name for _, _, one in self.learnt if one is not None for name in _names(X, one)}
        parts, blocks = [], {}
        for part, (feature, columns) in self.embedded.items():
            parts.append(feature.compute(_safe_indexing(X, columns, axis=1)))
            blocks[part] = pd.DataFrame(parts[-1].arrays[VECTOR]).add_prefix(f"{part}__")
            unused = [one for one in _names(X, columns) if one not in used]
            # Several networks may embed one column.
            frame = frame.drop(columns=unused, errors="ignore")
        steps = [
            (part, tail, list(blocks[part]) if columns is None else _named(X, columns))
            for part, tail, columns in self.learnt
        ]
        return ComputedFeature(
            {VECTOR: pd.concat([frame, *blocks.values()], axis=1)},
            NetworkWeights.join(one.weights for one in parts),
            {row: why for one in parts for row, why in one.failures.items()},
            next((one.audio_digests for one in parts if one.audio_digests), None),
            clone(self.given).set_params(transformers=steps),
            np.concatenate([np.zeros((len(frame), 0)), *blocks.values()], axis=1),
        )


def _split_learning(name: str, part: str, transformer) -> tuple:
    """Return what embeds clips, if anything does, and what is fitted with each model."""
    if isinstance(transformer, str) or not any(
        map(_embeds_clips, estimators.nested_estimators(transformer))
    ):
        return None, transformer
    if not _learns(transformer):
        return transformer, "passthrough"
    steps = transformer.steps if isinstance(transformer, Pipeline) else []
    n_fixed = next((i for i, (_, step) in enumerate(steps) if _learns(step)), 0)
    if not n_fixed:
        raise exceptions.InputError(
            f"{part!r} of the feature {name!r} learns and embeds clips at once; give a pipeline in "
            "which what learns comes after what embeds."
        )
    return Pipeline(steps[:n_fixed]), Pipeline(steps[n_fixed:])


def _named(X, columns):
    """Return the name of a single column, or the names of several, as text."""
    picked = _safe_indexing(X, columns, axis=1)
    return [str(one) for one in picked.columns] if hasattr(picked, "columns") else str(picked.name)


def _names(X, columns) -> list[str]:
    return np.atleast_1d(_named(X, columns)).tolist()


def _embed(transformer, X):
    """Return what the transformer makes of the clips, and digests of their audio where it can."""
    if _embeds_clips(transformer):
        return transformer._transform_with_digests(X)
    return transformer.fit_transform(X), None


def make_features(transformers, inputs, X, *, optional: bool) -> tuple[dict, dict[str, str]]:
    """Fit all features, which shows before any work that their weights and engines are there.

    Where they are `optional`, a feature that cannot be had is left out, with one warning, and its
    name is returned with the reason, which names what to do.
    """
    features: dict[str, Feature] = {}
    left_out: dict[str, str] = {}
    for name, given in transformers.items():
        try:
            kind = ColumnsFeature if isinstance(given, ColumnTransformer) else Feature
            features[name] = kind(name, given, inputs[name], X)
        except (exceptions.WeightsNotFoundError, exceptions.EngineNotAvailableError) as error:
            # A file of weights was asked for by the user, who has to learn that it is missing.
            named = {getattr(part, "weights", None) for part in estimators.nested_estimators(given)}
            if not optional or named - {"pretrained", None}:
                raise
            left_out[name] = str(error)
            message = f"The feature {name!r} is left out: {error}"
            warnings.warn(message, exceptions.FeatureLeftOutWarning, stacklevel=4)
    return features, left_out


def collect_failures(transformer, compute: Callable):
    """Return what `compute` makes with the transformer, and why which clips could not be read.

    Clips that cannot be read do not stop the others, so that all of them are reported at once.
    """
    names = [name for name in transformer.get_params() if name.split("__")[-1] == "on_error"]
    transformer.set_params(**dict.fromkeys(names, "nan"))
    failures: dict[int, str] = {}
    with warnings.catch_warnings():
        warnings.filterwarnings("always", category=exceptions.FailedClipsWarning)
        show = warnings.showwarning

        def collect(message, *details):
            if isinstance(message, exceptions.FailedClipsWarning):
                failures.update(message.failures)
            else:
                show(message, *details)

        warnings.showwarning = collect
        values = compute(transformer)
    return values, failures


def weights_of(transformer) -> NetworkWeights:
    """Return the weights of every network in a fitted transformer, together."""
    return NetworkWeights.join(
        NetworkWeights(
            getattr(part, "weights_label_", None),
            getattr(part, "weights_digest_", None),
            getattr(part, "weights_are_random_", False),
        )
        for part in estimators.nested_estimators(transformer)
    )


def find_unusable(features, targets, on_error: str) -> dict[int, str]:
    """Return the clips for which a feature has no finite numbers, and why, in their order."""
    unusable: dict[int, str] = {}
    for name, feature in features.items():
        fault = f"the feature {name!r} is not finite, or beyond {floats.LARGEST:g}."
        for values in feature.arrays.values():
            if len(values) != targets.clip.size:
                raise exceptions.InputError(
                    f"The feature {name!r} has {messages.counted(len(values), 'row')} for "
                    f"{targets.clip.size} labels; there must be one for each clip, in one order."
                )
            for clip in np.unique(targets.clip[~floats.usable_rows(values)]).tolist():
                unusable.setdefault(clip, feature.failures.get(clip, f"Row {clip}: {fault}"))
    unusable = dict(sorted(unusable.items()))
    if unusable and on_error == "raise":
        raise exceptions.InputError(
            f"{len(unusable)} of {targets.n_clips} clips cannot be used (rows "
            f"{messages.shorten(unusable, 20)}); leave them out of X, y and groups, or let "
            f"on_error='skip' do it. The first: {next(iter(unusable.values()))}"
        )
    return unusable


# A map of more points than these is slow to make and too full to read; fewer cannot be arranged.
MAX_POINTS, MIN_POINTS = 2000, 5


def map_clips(vectors: Mapping[str, np.ndarray], rows: np.ndarray, *, seed: int, n_jobs):
    """Lay the clips out by t-SNE, once for each feature.

    Parameters
    ----------
    vectors : dict of str to array of shape (n_clips, d)
        One vector a clip, by the name of the feature.
    rows : array of shape (n_clips,)
        The numbers of the clips.
    seed : int
        Of the maps, and of which clips are drawn where there are more than `MAX_POINTS`.
    n_jobs : int or None
        Maps at once.

    Returns
    -------
    maps : pandas.DataFrame
        A row for each feature and clip: feature, row, x, y. Without a feature whose clips are all
        the same.
    """
    chosen = np.arange(len(rows))
    if len(rows) > MAX_POINTS:
        chosen = np.random.default_rng(seed).choice(len(rows), MAX_POINTS, replace=False)
        chosen.sort()
    work = ((values[chosen], seed) for values in vectors.values())
    places = processes.run_parallel(_place, work, n_jobs=n_jobs)
    maps = [
        pd.DataFrame({"feature": name, "row": rows[chosen], "x": place[:, 0], "y": place[:, 1]})
        for name, place in zip(vectors, places)
        if place is not None
    ]
    empty = pd.DataFrame(columns=["feature", "row", "x", "y"])
    return pd.concat(maps, ignore_index=True) if maps else empty


@config_context(transform_output="default")
def _place(vectors: np.ndarray, seed: int) -> np.ndarray | None:
    scaled = FeatureScaler().fit_transform(vectors.astype(float))
    if len(scaled) < MIN_POINTS or not np.ptp(scaled, axis=0).any():
        return None
    if scaled.shape[1] == 1:
        scaled = np.column_stack([scaled, np.zeros(len(scaled))])
    perplexity = min(30, (len(scaled) - 1) / 3)
    return tsne_map(scaled, perplexity=perplexity, random_state=seed).astype(float)

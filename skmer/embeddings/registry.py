"""The features that have a name: skmer's networks, those of installed packages, and your own.

A network is one file in this folder, which ends with its `Feature`; its name in `NETWORKS` makes
it available everywhere. Another package adds a network by an entry point of the group
``skmer.features``, and ``mine=package.module:factory`` names one for a single call.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from importlib import metadata
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, NamedTuple

from skmer.exceptions import InputError, InputTypeError

if TYPE_CHECKING:
    from skmer.embeddings.base import BaseClipTransformer
    from skmer.utils.estimators import Memory, Preset, RandomState, Weights

# Where the `Feature` of each network is. The order is that of tables and pictures.
NETWORKS = {one: f"skmer.embeddings.{one}:FEATURE" for one in ("musicnn", "l3", "vggish", "mfcc")}
# They need torch, and are computed only when they are named.
HUB = {one: f"skmer.embeddings.hub:{one.upper()}" for one in ("mert", "clap", "ast")}
FEATURES = tuple(NETWORKS)
ENTRY_POINTS = "skmer.features"
PRESETS = ("koh2021", "tuned")


class Picture(NamedTuple):
    """How a clip is drawn as a network takes it.

    `compute` turns a waveform at `sr` [Hz] into an image (bands, columns) of numbers in `unit`,
    with `column_size` seconds a column.
    """

    sr: int
    column_size: float
    unit: str
    compute: Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One kind of feature that has a name, and all that is to be known of it elsewhere.

    Parameters
    ----------
    name : str
        As users and the command write it.
    make : callable
        Returns an unfitted transformer of clips when it is called without arguments; a class.
    label : str, default=None
        What reports and pictures call it; None = `name`.
    color : str, default=None
        Of its bars, as ``"#0072B2"``; None = the next one of the palette.
    licence : str, default=None
        Of the weights, as their authors state it.
    bibtex : str, default=None
        The entry to cite.
    weights : tuple of WeightsFile, default=()
        The published files.
    verify : callable, default=None
        Compares what a published file gives with published numbers:
        ``verify(file) -> list of WeightsCheck``.
    picture : Picture, default=None
        How `SpectrogramDisplay` draws a clip.
    study : dict, default={}
        Parameters of the transformer by which it is as in the study of Koh and Dubnov (2021).
    is_baseline : bool, default=False
        Whether networks are compared with it.

    Examples
    --------
    A module ``my_package.timbre`` may end with this, and its ``setup.cfg`` name it under
    ``skmer.features`` as ``timbre = my_package.timbre:FEATURE``:

    >>> from skmer import MFCCStatsTransformer
    >>> from skmer.embeddings import Feature
    >>> FEATURE = Feature(name="timbre", make=MFCCStatsTransformer, label="Timbre")
    """

    name: str
    make: Callable[[], Any]
    label: str | None = None
    color: str | None = None
    licence: str | None = None
    bibtex: str | None = None
    weights: tuple[Any, ...] = ()
    verify: Callable[[Any], list] | None = None
    picture: Picture | None = None
    study: Mapping[str, Any] = field(default_factory=dict)
    is_baseline: bool = False


# What was named as mine=package.module:factory in this process.
_own: dict[str, Feature] = {}


def find_feature(name: str) -> Feature:
    """Return the feature that a name means.

    Parameters
    ----------
    name : str
        One of `feature_names`; ``hub:NAME@REVISION#LAYER`` with a model of the hub or a folder; or
        ``mine=package.module:factory``, where a factory is a `Feature`, a transformer or its
        class, or a function that returns one.

    Returns
    -------
    feature : Feature

    Raises
    ------
    InputError
        For an unknown name, or a factory that cannot be imported.
    """
    name, target = split_name(name)
    if target is not None and target.startswith("hub:"):
        return resolve_name("skmer.embeddings.hub:hub_feature")(name, target)
    targets = _entry_points() | NETWORKS | HUB | ({} if target is None else {name: target})
    if name not in targets:
        raise InputError(
            f"The 'features' parameter must be one or several of {', '.join(targets)}, "
            f"hub:NAME@REVISION#LAYER, or mine=package.module:factory. Got {name!r} instead."
        )
    try:
        found: Any = resolve_name(targets[name])
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise InputError(
            f"The feature {name!r} cannot be imported from {targets[name]!r}, which must be "
            f"package.module:factory ({error}); check the name, and that the package is installed."
        ) from error
    if not isinstance(found, Feature):
        if hasattr(found, "get_params") and not isinstance(found, type):
            from sklearn.base import clone

            found = partial(clone, found)
        if not callable(found):
            raise InputTypeError(
                f"The feature {name!r} must be a Feature, a transformer or its class, or a "
                f"function that returns one. Got {type(found).__name__} from {targets[name]!r}."
            )
        found = Feature(name=name, make=found)
    return found if target is None else replace(found, name=name)


def split_name(name: str) -> tuple[str, str | None]:
    """Return what a feature is called, and its target where the name has one of its own."""
    if name.startswith("hub:"):
        return name, name
    short, is_own, target = name.partition("=")
    return short, target if is_own else None


@cache
def _entry_points() -> dict[str, str]:
    return {one.name: one.value for one in metadata.entry_points(group=ENTRY_POINTS)}


def feature_names() -> tuple[str, ...]:
    """Return the names of all features: skmer's own first, then those of installed packages."""
    known = (*NETWORKS, *HUB)
    return (*known, *(name for name in _entry_points() if name not in known))


def known_features() -> list[Feature]:
    """Return the features of all names that can be imported, also those of this process alone."""
    features = list(_own.values())
    for name in feature_names():
        try:
            features.append(find_feature(name))
        except (InputError, InputTypeError):
            # A package of others that is broken must not break those that are not.
            if name in (*NETWORKS, *HUB):
                raise
    return features


def feature_of(transformer) -> Feature | None:
    """Return the feature that a transformer belongs to; None where it has no name."""
    model = getattr(transformer, "model_name", None)
    for one in known_features():
        made = one.make if isinstance(one.make, type) else one.make()
        if type(transformer) in (made, type(made)) and getattr(made, "model_name", None) == model:
            return one
    return None


def transformer_names() -> set[str]:
    """Return the full names of the transformers' classes of all features."""
    makers = (one.make for one in known_features())
    made = (make if isinstance(make, type) else type(make()) for make in makers)
    return {f"{one.__module__}.{one.__qualname__}" for one in made}


def label_of(name: str) -> str:
    """Return what reports and pictures call a feature; the name itself where it is unknown."""
    return next((one.label or name for one in known_features() if one.name == name), name)


def resolve_features(
    names: Iterable[str] | None = None,
    *,
    weights: "Weights | Mapping[str, Weights]" = "pretrained",
    **settings: Any,
) -> "dict[str, BaseClipTransformer]":
    """Make the transformers of features by their names.

    Parameters
    ----------
    names : iterable of str, default=None
        Each a name, ``hub:NAME@REVISION#LAYER``, or ``mine=package.module:factory``; None = all of
        `FEATURES`.
    weights : {"pretrained", None}, path, or dict, default="pretrained"
        Of all features, or of each by its name; those that a dict does not name are pretrained.
    **settings
        `preset`, `random_state`, `memory`, `n_jobs`, `verbose` and `trust_remote_code`, as of
        `make_transformer`.

    Returns
    -------
    transformers : dict of BaseClipTransformer
        By the name of the feature, which for ``mine=package.module:factory`` is "mine".

    Raises
    ------
    InputError
        If a name is unknown, or there twice.

    Examples
    --------
    >>> from skmer.embeddings import resolve_features
    >>> resolve_features(["mfcc", "plain=skmer:MFCCStatsTransformer"])
    {'mfcc': MFCCStatsTransformer(), 'plain': MFCCStatsTransformer()}
    """
    names = [names] if isinstance(names, str) else list(NETWORKS if names is None else names)
    for name in names:
        if not isinstance(name, str):
            raise InputTypeError(
                "The 'features' parameter must be a list of names, such as ['l3', 'mfcc'], or a "
                f"dict of transformers and arrays. Got the name {name!r}."
            )
    short = [split_name(name)[0] for name in names]
    if not names:
        raise InputError("The 'features' parameter must hold at least one entry. Got none.")
    for name in short:
        if short.count(name) > 1:
            raise InputError(f"The 'features' parameter has {name!r} twice.")
    if not isinstance(weights, Mapping):
        weights = dict.fromkeys(short, weights)
    for name in weights:
        if name not in (*feature_names(), *short):
            raise InputError(
                "The 'weights' parameter must be 'pretrained', None, a path, or a dict of paths by "
                f"features, whose keys are of {', '.join(feature_names())}. Got the key {name!r}."
            )
    return {
        key: make_transformer(name, weights=weights.get(key, "pretrained"), **settings)
        for key, name in zip(short, names)
    }


def make_transformer(
    name: str,
    *,
    preset: "Preset" = "tuned",
    weights: "Weights" = "pretrained",
    random_state: "RandomState" = None,
    memory: "Memory" = None,
    n_jobs: int | None = None,
    verbose: bool = False,
    trust_remote_code: bool = False,
) -> "BaseClipTransformer":
    """Return the transformer of a feature that has a name, unfitted.

    Parameters
    ----------
    name : str
        "musicnn", "l3", "vggish" or "mfcc" (statistics of mel-frequency cepstral coefficients),
        which `FEATURES` lists; "mert", "clap" or "ast", and ``hub:NAME@REVISION#LAYER`` for any
        model of the Hugging Face hub or in a folder (see `HubTransformer`); the name of a feature
        that an installed package has registered; or ``mine=package.module:factory`` for one of
        your own.
    preset : {"tuned", "koh2021"}, default="tuned"
        "tuned" is the transformer as it comes. "koh2021" is what the study did: its L3-Net has a
        hop of 0.1 s and the spectrogram of its time; the others are the same. It had no MusiCNN.
    weights : {"pretrained", None} or path, default="pretrained"
        Weights of the network, as of the transformer; "mfcc" has none.
    random_state : int, RandomState instance or None, default=None
        Seed of random weights.
    memory : str, path-like, joblib.Memory or None, default=None
        Folder of the cache.
    n_jobs : int, default=None
        Number of jobs over clips, in joblib's meaning.
    verbose : bool, default=False
        Show a progress bar over clips.
    trust_remote_code : bool, default=False
        Run the code that comes with a model of the hub, see `HubTransformer`.

    Returns
    -------
    transformer : BaseClipTransformer
        With the settings of `preset`.

    Raises
    ------
    InputError
        If the name or the preset is unknown.

    See Also
    --------
    skmer.classifiers.make_classifier : The same for classifiers.

    References
    ----------
    Koh, E., & Dubnov, S. (2021). Comparison and analysis of deep audio embeddings for music
    emotion recognition. arXiv:2104.06517.

    Examples
    --------
    >>> from skmer.embeddings import make_transformer
    >>> make_transformer("l3", preset="koh2021")
    L3Transformer(frontend='trained', hop_size=0.1)
    >>> make_transformer("mfcc", memory="my_cache")
    MFCCStatsTransformer(memory='my_cache')
    >>> make_transformer("timbre=skmer:MFCCStatsTransformer")
    MFCCStatsTransformer()
    """
    # numpy comes with it, which the help of the command does not need.
    from skmer.utils.messages import check_choice

    check_choice("make_transformer", PRESETS, preset=preset)
    feature = find_feature(name)
    try:
        transformer = feature.make()
    except Exception as error:
        raise InputError(
            f"The feature {name!r} must be made by a call without arguments, which raised "
            f"{type(error).__name__}: {error}"
        ) from error
    if not hasattr(transformer, "get_params"):
        raise InputTypeError(
            f"The feature {name!r} must make a transformer of clips. "
            f"Got {type(transformer).__name__} instead."
        )
    if split_name(name)[1] is not None:
        _own[feature.name] = feature
    settings: dict[str, Any] = {"memory": memory, "n_jobs": n_jobs, "verbose": verbose}
    # What nobody asked for stays as the transformer has it; a seed decides random weights alone.
    settings |= {} if weights == "pretrained" else {"weights": weights}
    settings |= {"random_state": random_state} if weights is None else {}
    settings |= {"trust_remote_code": True} if trust_remote_code else {}
    settings |= feature.study if preset == "koh2021" else {}
    known = transformer.get_params(deep=False)
    return transformer.set_params(**{key: value for key, value in settings.items() if key in known})

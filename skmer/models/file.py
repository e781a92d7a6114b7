"""The file of a model: a zip archive of the pipeline, written by skops, and its card.

Nothing in it is a pickle, and nothing in it is code: an estimator is rebuilt from its class, which
must be one of scikit-learn's, skmer's or those that the user names, and from arrays and plain
values.
"""

import copy
import hashlib
import io
import json
import re
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils.validation import check_is_fitted

from skmer import exceptions
from skmer.audio.resampling import RESAMPLERS
from skmer.embeddings import BaseClipTransformer, engines, registry
from skmer.models.card import ModelCard, engine_of, make_card, to_markdown
from skmer.utils import cache, digest, files

# Classes and functions, by themselves or by their names with modules.
Trusted = Sequence[type | Callable | str]
# What skops asks about beside classes of scikit-learn: parts that hold numbers, and run nothing.
_PARTS = (
    "numpy.dtype",
    "scipy.interpolate._bsplines.BSpline",
    "scipy.interpolate._bsplines._BSpline",
    "scipy.sparse._csr.csr_array",
    "scipy.sparse._csr.csr_matrix",
)
# Functions of scikit-learn are trusted here alone: scores, which searches and selections hold.
_FUNCTIONS = ("sklearn.metrics.", "sklearn.feature_selection.")
# Where scikit-learn keeps what is not its own.
_NOT_ITS_OWN = ("sklearn.externals.", "sklearn.utils._testing.", "sklearn.datasets.")
_FORMAT = 1


def split_pipeline(model) -> tuple[list[BaseClipTransformer], Pipeline]:
    """Return the transformers of clips at the start of a pipeline or of the best of a search."""
    model = getattr(model, "best_estimator_", model)
    steps = model.steps if isinstance(model, Pipeline) else []
    transformers: list = [steps[0][1] if len(steps) > 1 else None]
    if isinstance(union := transformers[0], FeatureUnion) and not union.transformer_weights:
        transformers = [one for _, one in union.transformer_list]
    if not all(isinstance(one, BaseClipTransformer) for one in transformers):
        raise exceptions.InputTypeError(
            "The model must be a pipeline that starts with a transformer of clips, or a union of "
            "those, as make_pipeline(MusiCNNTransformer(), SVC()) does. "
            f"Got {type(model).__name__}."
        )
    return transformers, Pipeline(steps[1:])


def trusted_types(model, *, trusted: Trusted = ()) -> list[str]:
    """Return the types of a model that skops is to trust, for tools that call skops themselves.

    Parameters
    ----------
    model : sklearn.pipeline.Pipeline
        Fitted; the first step is a transformer of clips, or a union of those.
    trusted : sequence of class, function or str, default=()
        One's own, or those of other packages, that the model may hold; see `save_model`.

    Returns
    -------
    types : list of str
        Names with modules, as ``skops_trusted_types`` of ``mlflow.sklearn.log_model`` takes them.

    Raises
    ------
    InputError
        For a model that holds another type than scikit-learn's, skmer's and the trusted ones.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> from skmer import MFCCStatsTransformer
    >>> from skmer.models import trusted_types
    >>> trusted_types(make_pipeline(MFCCStatsTransformer(), SVC()))
    ['skmer.embeddings.mfcc.MFCCStatsTransformer']
    """
    split_pipeline(model)
    return _check_types(_dump(model), "The model", _names(trusted))


def _names(trusted) -> list[str]:
    """Return the names that skops has for classes and functions."""
    given = [trusted] if isinstance(trusted, str) or not isinstance(trusted, Iterable) else trusted
    return [
        one if isinstance(one, str) else f"{one.__module__}.{one.__qualname__}" for one in given
    ]


def _check_types(model: bytes, what: str, trusted: Sequence[str]) -> list[str]:
    """Return the types in what skops wrote; raise where one could run code."""
    import skops.io

    types = skops.io.get_untrusted_types(data=model)
    foreign = [name for name in types if name not in trusted and not _is_known(name)]
    if foreign:
        raise exceptions.InputError(
            f"{what} holds types that are neither scikit-learn's nor skmer's, and that are not "
            f"loaded because they could run code: {', '.join(foreign[:5])}. Name those that you "
            "trust in the 'trusted' parameter, when it is saved and when it is loaded.",
            param="trusted",
        )
    return types


def _is_known(name: str) -> bool:
    """Return whether a type is scikit-learn's or skmer's own, by what it is."""
    module, _, attribute = name.rpartition(".")
    package = module.split(".")[0]
    if package not in ("skmer", "sklearn"):
        # Of a package whose features are registered here, its user has decided to run the code.
        return name in (*_PARTS, *registry.transformer_names())
    if name.startswith(_NOT_ITS_OWN) or ".tests" in name:
        return False
    try:
        found = getattr(import_module(module), attribute, None)
    except ImportError:
        return False
    if str(getattr(found, "__module__", None)).split(".")[0] != package:
        return False
    if package == "skmer":
        return isinstance(found, type) and issubclass(
            found, (BaseEstimator, BaseCrossValidator, BaseShuffleSplit)
        )
    return isinstance(found, type) or name.startswith(_FUNCTIONS)


def save_model(pipeline, path, *, card: Mapping | None = None, trusted: Trusted = ()) -> Path:
    """Write a fitted pipeline to one file, with a card that describes it.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        Fitted; the first step is a transformer of clips, or a union of those.
    path : str or path-like
        The file to write, such as ``calm-or-sad.skmer``; replaced where it exists. The card is
        written beside it as well, for people: ``calm-or-sad.md``.
    card : mapping, default=None
        What else describes the model, as values that JSON has: name, data, scores,
        audit. The settings of the embedding, its engine, the digest of its weights, the versions
        of the packages that decide the numbers, the classes and the licence of the weights are
        added.
    trusted : sequence of class, function or str, default=()
        One's own classes and functions, or those of other packages, that the model holds, by
        themselves or by their names with modules. Their names are in the card; their code is not in
        the file, and must be importable where it is loaded. scikit-learn's and skmer's need not be
        named.

    Returns
    -------
    path : pathlib.Path
        The file.

    Raises
    ------
    InputError, InputTypeError
        For a pipeline that is not as above, or holds what cannot be loaded safely.
    NotFittedError
        For a pipeline that is not fitted.

    See Also
    --------
    load_model : Reads it.
    predict_clips : Predicts with it.

    References
    ----------
    The skops package, https://skops.readthedocs.io, writes estimators without pickles. Mitchell,
    M., et al. (2019). Model cards for model reporting. FAT*, 220-229.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.pipeline import make_pipeline
    >>> from skmer import MFCCStatsTransformer
    >>> from skmer.datasets import load_toy_emotions
    >>> from skmer.models import load_model, read_card, save_model
    >>> toy = load_toy_emotions()
    >>> model = make_pipeline(MFCCStatsTransformer(), GaussianNB())
    >>> model = model.fit(toy.data[::8], toy.target[::8])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save_model(model, f"{folder}/toy.skmer", card={"data": {"name": "toy"}})
    ...     again = load_model(path).predict(toy.data[:5])
    ...     bool((again == model.predict(toy.data[:5])).all()), read_card(path)["task"]
    (True, 'classification')
    """
    pipeline = getattr(pipeline, "best_estimator_", pipeline)
    transformers, rest = split_pipeline(pipeline)
    check_is_fitted(pipeline)
    path = files.check_output_file(path)
    beside = files.check_output_file(path.with_suffix(".md"))
    if path == beside:
        raise exceptions.InputError(
            f"The model '{path}' and its card would be one file; let its name end in .skmer."
        )
    model = _dump(pipeline)
    own = _names(trusted)
    types = _check_types(model, "The model", own)
    whole = make_card(transformers, rest, card, _deciding_versions(transformers, types))
    whole |= {"trusted": sorted(set(own) & set(types)), "format": _FORMAT}
    try:
        whole["card_sha256"] = _card_digest(json.loads(json.dumps(whole, allow_nan=False)))
        whole["model_sha256"] = hashlib.sha256(model).hexdigest()
        text = json.dumps(whole, indent=2, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise exceptions.InputError(
            f"The 'card' must hold values that JSON has: {error}; turn the others into text.",
            param="card",
        ) from error
    markdown = to_markdown(whole)
    with files.atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        archive.writestr("model.skops", model)
        archive.writestr("card.json", text)
        archive.writestr("card.md", markdown)
    with files.atomic_write(beside) as temporary:
        temporary.write_text(markdown, encoding="utf-8")
    return path


def _deciding_versions(transformers, types: Iterable[str]) -> dict[str, str]:
    """Return the versions of Python, and of the packages that decide the numbers of a model."""
    packages = {"numpy", "scipy", "scikit-learn", "soundfile"}
    for transformer in transformers:
        packages |= {RESAMPLERS[transformer.resampler], *transformer._packages()}
        packages |= set(engines.packages_of(engine_of(transformer)))
    if any(name.startswith("skmer.classifiers.Keras") or ".networks." in name for name in types):
        packages |= {"tensorflow", "keras", "scikeras"}
    if "tensorflow" in packages:
        packages.add("tensorflow-cpu")
    return digest.versions(packages)


def _card_digest(card: Mapping) -> str:
    """Return the digest of a card but for the two digests in it."""
    described = {name: card[name] for name in card if not name.endswith("_sha256")}
    return digest.settings_digest(described)


def _dump(pipeline: Pipeline) -> bytes:
    """Return what skops writes of a pipeline without what a loaded model has no use for.

    That is the cache folder and the jobs of this machine, and what the steps were to be given at
    fit (groups, weights): requests point at their owners in circles, which no file can hold.
    """
    import skops.io

    copies: dict = {}
    slim = copy.deepcopy(pipeline, copies)
    for one in split_pipeline(slim)[0]:
        one.set_params(memory=None, n_jobs=None, verbose=False)
    for one in copies.values():
        if hasattr(one, "__dict__"):
            vars(one).pop("_metadata_request", None)
            # Of a FeatureUnion of data frames: skops 0.16 cannot write an index of pandas. A
            # ColumnTransformer has an array.
            if isinstance(names := vars(one).get("_transformers_feature_names_out"), list):
                one._transformers_feature_names_out = [list(columns) for columns in names]
    return skops.io.dumps(slim)


def read_card(path) -> ModelCard:
    """Read the card of a model, without loading the model.

    Parameters
    ----------
    path : str or path-like
        The file that `save_model` wrote.

    Returns
    -------
    card : ModelCard
        The description of the model: a dict, which notebooks show as a page.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    InputError
        When the file is no model.

    Examples
    --------
    >>> from skmer.models import read_card
    >>> read_card("emotions.skmer")["scores"]  # doctest: +SKIP
    {'accuracy': 0.57, 'low': 0.49, 'high': 0.65}
    """
    return ModelCard(_read(files.expand_path(path))[0])


def load_model(path, *, trusted: Trusted = (), trust_remote_code: bool = False) -> Pipeline:
    """Read a model that `save_model` wrote, and check that it is what it was.

    Parameters
    ----------
    path : str or path-like
        The file.
    trusted : sequence of class, function or str, default=()
        Classes and functions that are neither scikit-learn's nor skmer's, and that may be imported
        and run; see `save_model`. Those that the model needs are in its card, as "trusted".
    trust_remote_code : bool, default=False
        Run the code of a network of the hub that has code of its own, see `HubTransformer`. That
        it was run where the model was made is no reason to run it here.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Fitted; it predicts from clips.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    InputError
        When the file is no model, is damaged, holds types that could run code, or needs
        `trust_remote_code`.
    WeightsNotFoundError
        When the weights of its network cannot be had on this machine.
    WeightsIntegrityError
        When they are others than those that it was trained on.

    Warns
    -----
    ModelVersionWarning
        When its engine, or packages that decide its numbers, are others than where it was made.

    See Also
    --------
    save_model : Writes it, and has an example.

    Examples
    --------
    >>> from skmer.models import load_model
    >>> load_model("emotions.skmer").predict(["song.mp3"])  # doctest: +SKIP
    array(['calm'], dtype='<U4')
    """
    import skops.io

    path = files.expand_path(path)
    card, model = _read(path)
    with _unless_changed(path):
        types = _check_types(model, f"The model '{path}'", _names(trusted))
        with warnings.catch_warnings():
            # One warning, below, is about all packages; this one is about each estimator.
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            pipeline = skops.io.loads(model, trusted=types)
        transformers = split_pipeline(pipeline)[0]
        for transformer in transformers:
            if getattr(transformer, "trust_remote_code", False) and not trust_remote_code:
                name = transformer.get_params()["model_name"]
                raise exceptions.InputError(
                    f"The model '{path}' rests on '{name}', which comes with code of its own that "
                    "would run here with all your rights; read it, then pass "
                    "trust_remote_code=True.",
                    param="trust_remote_code",
                )
            _check_weights(transformer, path)
        if card.get("targets"):
            # Models of skmer 0.2 have them in the card only.
            pipeline[-1].target_names_ = card["targets"]
    others = _differences(card, transformers, types)
    if others:
        made = f"The model '{path}' was made with {', '.join(others)}"
        message = f"{made}; its numbers may differ here."
        warnings.warn(message, exceptions.ModelVersionWarning, stacklevel=2)
    return pipeline


def _differences(card: dict, transformers, types: list[str]) -> list[str]:
    """Return which engines and packages of the card are others here."""
    made, now = card["versions"], _deciding_versions(transformers, types)
    features = [one for one in card.get("features", ()) if isinstance(one, Mapping)]
    engines = [
        f"the engine {stated['engine']!r} (here {here!r})"
        for stated, here in zip(features, map(engine_of, transformers))
        if stated.get("engine") not in (None, here)
    ]
    return engines + [
        f"{name} {made[name]} (here {now[name]})"
        for name in now
        if name in made and name != "python" and made[name] != now[name]
    ]


def _read(path: Path) -> tuple[dict, bytes]:
    """Return the card of a model, and what skops wrote, whose digest is that in the card."""
    try:
        with digest.open_regular(path) as file, zipfile.ZipFile(file) as archive:
            _check_size(archive)
            card = json.loads(archive.read("card.json"))
            model = archive.read("model.skops")
        if card["model_sha256"] != hashlib.sha256(model).hexdigest():
            raise exceptions.InputError(f"The model '{path}' is damaged; get another copy of it.")
        if int(card["format"]) > _FORMAT:
            raise exceptions.InputError(
                f"The model '{path}' has format {int(card['format'])}, of a newer skmer than this "
                f"one, which reads up to {_FORMAT}; update skmer."
            )
        if card.get("card_sha256", _card_digest(card)) != _card_digest(card):
            raise ValueError("the card was changed")
        card["versions"] = {name: str(made) for name, made in card.get("versions", {}).items()}
        return card, _with_new_modules(model)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(exceptions.bounded(f"There is no model '{path}'.")) from None
    except exceptions.InputError:
        raise
    except cache.DAMAGE as error:
        raise exceptions.InputError(
            f"The file '{path}' is not a model that save_model wrote."
        ) from error


def _check_size(archive: zipfile.ZipFile) -> None:
    """Raise for an archive that may unpack to more than it takes; `save_model` packs nothing."""
    if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
        raise ValueError("a member of the archive is compressed")


def moved(module: str) -> str:
    """Return where the classes of a module are now, which models that skmer 0.2 saved may name."""
    if module.endswith(("._calibrated_search", "._group_aware_kfold")):
        return "skmer.classifiers.search"
    return re.sub(r"^(skmer\.\w+)(\.splitters)?\._\w+$", r"\1", module)


def _with_new_modules(model: bytes) -> bytes:
    """Return what skops wrote, with the modules that the classes of skmer 0.2 are in now."""
    with zipfile.ZipFile(io.BytesIO(model)) as archive:
        _check_size(archive)
        tree = archive.read("schema.json").decode()
        new = re.sub(r'"(skmer[.\w]+)"', lambda name: f'"{moved(name[1])}"', tree)
        if new == tree:
            return model
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as rewritten:
            for name in archive.namelist():
                rewritten.writestr(name, new if name == "schema.json" else archive.read(name))
    return buffer.getvalue()


@contextmanager
def _unless_changed(path) -> Iterator[None]:
    """Convert any error of a class that is built again from its saved state to InputError."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise exceptions.MissingPackageError(
            f"The model '{path}' needs the package {error.name}, which is not installed; install "
            "the version in the card of the model."
        ) from error
    except Exception as error:
        if isinstance(error, exceptions._OneSentence):
            raise
        raise exceptions.InputError(
            f"The model '{path}' cannot be built again ({type(error).__name__}: {error}); "
            "it was changed after it was saved, or needs other versions of the packages in its "
            "card."
        ) from error


def _check_weights(transformer, path) -> None:
    """Make sure that the network's weights are here, and are those of the training."""
    trained_on = getattr(transformer, "weights_digest_", None)
    if trained_on is None:
        return
    here = copy.copy(transformer)
    try:
        here._fit_network()
        if not hasattr(here, "weights_digest_"):
            label = transformer.weights_label_
            raise exceptions.WeightsNotFoundError(f"There is no file '{label}'; put it in place")
    except exceptions.WeightsNotFoundError as error:
        # Random weights, which the message offers, are not those of the model.
        reason = str(error).partition(", or pass weights=None")[0].rstrip(".")
        raise exceptions.WeightsNotFoundError(
            f"{reason}; the model '{path}' was trained on them."
        ) from error
    if here.weights_digest_ != trained_on:
        raise exceptions.WeightsIntegrityError(
            f"The model '{path}' was trained on weights with the digest {trained_on:.16}..., and "
            f"{type(transformer).__name__} has '{here.weights_label_}' with "
            f"{here.weights_digest_:.16}... here; put the file in place that it was trained on."
        )

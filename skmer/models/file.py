"""The file of a model: a zip archive of the pipeline, written by skops, and its card.

Nothing in it is a pickle, and nothing in it is code: an estimator is rebuilt from its class, which
must be one of scikit-learn's or skmer's, and from arrays and plain values.
"""

import copy
import hashlib
import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils.validation import check_is_fitted

from skmer.embeddings import BaseClipTransformer
from skmer.embeddings.registry import transformer_names
from skmer.exceptions import (
    EngineNotAvailableError,
    InputError,
    InputTypeError,
    MissingPackageError,
    ModelVersionWarning,
    WeightsIntegrityError,
    WeightsNotFoundError,
    bounded,
)
from skmer.models.card import ModelCard, make_card, to_markdown
from skmer.utils.cache import DAMAGE
from skmer.utils.digest import open_regular, versions
from skmer.utils.files import atomic_write, check_output_file, expand_path

# Where the classes of models that skmer 0.2 saved are now, by the modules that they were in.
_MOVED = {
    "skmer.classifiers._calibrated_search": "skmer.classifiers.search",
    "skmer.classifiers._cnn": "skmer.classifiers",
    "skmer.classifiers._group_aware_kfold": "skmer.classifiers.search",
    "skmer.classifiers._lstm": "skmer.classifiers",
    "skmer.classifiers._mlp": "skmer.classifiers",
    "skmer.classifiers._sequence_scaler": "skmer.classifiers",
    "skmer.embeddings._l3": "skmer.embeddings",
    "skmer.embeddings._mfcc": "skmer.embeddings",
    "skmer.embeddings._musicnn": "skmer.embeddings",
    "skmer.embeddings._vggish": "skmer.embeddings",
    "skmer.evaluation.splitters._repeated_stratified_group_kfold": "skmer.evaluation",
}
_KINDS = (BaseEstimator, BaseCrossValidator, BaseShuffleSplit)
# What scikit-learn's searches, forests and calibrations hold beside estimators.
_PARTS = frozenset(
    {
        "skmer.classifiers.search.GroupAwareKFold",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.metrics._classification.accuracy_score",
        "sklearn.metrics._classification.balanced_accuracy_score",
        "sklearn.metrics._classification.f1_score",
        "sklearn.metrics._regression.r2_score",
        "sklearn.metrics._scorer._PassthroughScorer",
        "sklearn.metrics._scorer._Scorer",
        "sklearn.tree._tree.Tree",
    }
)


_FORMAT = 1
# Packages whose other versions may give other numbers.
_DECISIVE = ("skmer", "scikit-learn", "numpy", "keras", "tensorflow")
_DECISIVE_OF_HUB = ("torch", "transformers")


def split_pipeline(model) -> tuple[list[BaseClipTransformer], Pipeline]:
    """Return the transformers of clips at the start of a pipeline, and the rest of it."""
    steps = model.steps if isinstance(model, Pipeline) else []
    first: Any = steps[0][1] if len(steps) > 1 else None
    is_union = isinstance(first, FeatureUnion) and not first.transformer_weights
    transformers = [one for _, one in first.transformer_list] if is_union else [first]
    if not all(isinstance(one, BaseClipTransformer) for one in transformers):
        raise InputTypeError(
            "The model must be a pipeline that starts with a transformer of clips, or a union of "
            "those, as make_pipeline(MusiCNNTransformer(), SVC()) does. "
            f"Got {type(model).__name__}."
        )
    return transformers, Pipeline(steps[1:])


def _trusted_types(model: bytes, what: str) -> list[str]:
    """Return the types in what skops wrote; raise where one could run code."""
    import skops.io

    types = skops.io.get_untrusted_types(data=model)
    foreign = [name for name in types if name not in _PARTS and not _is_estimator(name)]
    if foreign:
        raise InputError(
            f"{what} holds types that are neither scikit-learn's nor skmer's, and that are not "
            f"loaded because they could run code: {', '.join(foreign[:5])}. Save and load "
            "such a model with a tool of your own."
        )
    return types


def _is_estimator(name: str) -> bool:
    # Of a package whose features are registered here, its user has decided to run the code.
    if name in transformer_names():
        return True
    module, _, attribute = name.rpartition(".")
    if module.split(".")[0] not in ("skmer", "sklearn"):
        return False
    try:
        found = getattr(import_module(module), attribute, None)
    except ImportError as error:
        if error.name is None or error.name.split(".")[0] in ("skmer", "sklearn"):
            return False
        # A package that the class needs.
        raise
    return isinstance(found, type) and issubclass(found, _KINDS)


def save_model(pipeline, path, *, card: Mapping | None = None) -> Path:
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
        audit. The settings of the embedding, the digest of its weights, the versions, the classes
        and the licence of the weights are added.

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
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     toy = load_toy_emotions(data_home=folder)
    ...     model = make_pipeline(MFCCStatsTransformer(), GaussianNB())
    ...     model = model.fit(toy.data[::8], toy.target[::8])
    ...     path = save_model(model, f"{folder}/toy.skmer", card={"data": {"name": "toy"}})
    ...     again = load_model(path).predict(toy.data[:5])
    ...     bool((again == model.predict(toy.data[:5])).all()), read_card(path)["task"]
    (True, 'classification')
    """
    import skops.io

    transformers, rest = split_pipeline(pipeline)
    check_is_fitted(pipeline)
    path = check_output_file(path)
    beside = check_output_file(path.with_suffix(".md"))
    if path == beside:
        raise InputError(
            f"The model '{path}' and its card would be one file; let its name end in .skmer."
        )
    model = skops.io.dumps(_ready_to_save(pipeline))
    _trusted_types(model, "The model")
    whole = make_card(transformers, rest, card)
    whole |= {"format": _FORMAT, "model_sha256": hashlib.sha256(model).hexdigest()}
    try:
        text = json.dumps(whole, indent=2, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The 'card' must hold values that JSON has: {error}; turn the others into text.",
            param="card",
        ) from error
    markdown = to_markdown(whole)
    with atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        archive.writestr("model.skops", model)
        archive.writestr("card.json", text)
        archive.writestr("card.md", markdown)
    with atomic_write(beside) as temporary:
        temporary.write_text(markdown, encoding="utf-8")
    return path


def _ready_to_save(pipeline: Pipeline) -> Pipeline:
    """Return the pipeline without what a loaded model has no use for.

    That is the cache folder and the jobs of this machine, and what the steps were to be given at
    fit (groups, weights): requests point at their owners in circles, which no file can hold.
    """
    copies: dict = {}
    slim = copy.deepcopy(pipeline, copies)
    for one in split_pipeline(slim)[0]:
        one.set_params(memory=None, n_jobs=None, verbose=False)
    for one in copies.values():
        if hasattr(one, "__dict__"):
            vars(one).pop("_metadata_request", None)
    return slim


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
    return ModelCard(_read(expand_path(path))[0])


def load_model(path, *, trust_remote_code: bool = False) -> Pipeline:
    """Read a model that `save_model` wrote, and check that it is what it was.

    Parameters
    ----------
    path : str or path-like
        The file.
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
        When packages that decide its numbers have other versions than where it was made.

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

    path = expand_path(path)
    card, model = _read(path)
    with _unless_changed(path):
        types = _trusted_types(model, f"The model '{path}'")
        with warnings.catch_warnings():
            # One warning, below, is about all packages; this one is about each estimator.
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            pipeline = skops.io.loads(model, trusted=types)
        for transformer in split_pipeline(pipeline)[0]:
            if getattr(transformer, "trust_remote_code", False) and not trust_remote_code:
                raise InputError(
                    f"The model '{path}' rests on '{transformer.model_name}', which comes with "
                    "code of its own that would run here with all your rights; read it, then pass "
                    "trust_remote_code=True.",
                    param="trust_remote_code",
                )
            _check_weights(transformer, path)
    uses_hub = any(hasattr(one, "model_name") for one in split_pipeline(pipeline)[0])
    made, now = card.get("versions", {}), versions()
    others = [
        f"{name} {made[name]:.30} (here {now.get(name, 'none')})"
        for name in _DECISIVE + (_DECISIVE_OF_HUB if uses_hub else ())
        if name in made and made[name] != now.get(name)
    ]
    if others:
        warnings.warn(
            f"The model '{path}' was made with {', '.join(others)}; its numbers may differ here.",
            ModelVersionWarning,
            stacklevel=2,
        )
    return pipeline


def _read(path: Path) -> tuple[dict, bytes]:
    """Return the card of a model, and what skops wrote, whose digest is that in the card."""
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            _check_size(archive)
            card = json.loads(archive.read("card.json"))
            model = archive.read("model.skops")
        if card["model_sha256"] != hashlib.sha256(model).hexdigest():
            raise InputError(f"The model '{path}' is damaged; get another copy of it.")
        if int(card["format"]) > _FORMAT:
            raise InputError(
                f"The model '{path}' has format {int(card['format'])}, of a newer skmer than this "
                f"one, which reads up to {_FORMAT}; update skmer."
            )
        card["versions"] = {name: str(made) for name, made in card.get("versions", {}).items()}
        return card, _with_new_modules(model)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(bounded(f"There is no model '{path}'.")) from None
    except InputError:
        raise
    except DAMAGE as error:
        raise InputError(f"The file '{path}' is not a model that save_model wrote.") from error


def _check_size(archive: zipfile.ZipFile) -> None:
    """Raise for an archive that may unpack to more than it takes; `save_model` packs nothing."""
    if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
        raise ValueError("a member of the archive is compressed")


def _with_new_modules(model: bytes) -> bytes:
    """Return what skops wrote, with the modules that the classes of skmer 0.2 are in now."""
    with zipfile.ZipFile(io.BytesIO(model)) as archive:
        _check_size(archive)
        tree = archive.read("schema.json").decode()
        new = re.sub(r'"(skmer[.\w]+)"', lambda name: f'"{_MOVED.get(name[1], name[1])}"', tree)
        if new == tree:
            return model
        moved = io.BytesIO()
        with zipfile.ZipFile(moved, "w") as rewritten:
            for name in archive.namelist():
                rewritten.writestr(name, new if name == "schema.json" else archive.read(name))
    return moved.getvalue()


@contextmanager
def _unless_changed(path) -> Iterator[None]:
    """Raise InputError for whatever a class raises about what it is built again from."""
    try:
        yield
    except (InputError, InputTypeError, WeightsNotFoundError, EngineNotAvailableError):
        raise
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"The model '{path}' needs the package {error.name}, which is not installed; install "
            "the version in the card of the model."
        ) from error
    except Exception as error:
        raise InputError(
            f"The model '{path}' cannot be built again ({type(error).__name__}: {error!s:.100}); "
            "it was changed after it was saved, or needs other versions of the packages in its "
            "card."
        ) from error


def _check_weights(transformer, path) -> None:
    """Make sure that the network's weights are here, and are those of the training."""
    digest = getattr(transformer, "weights_digest_", None)
    if digest is None:
        return
    here = copy.copy(transformer)
    try:
        here._fit_network()
    except WeightsNotFoundError as error:
        # Random weights, which the message offers, are not those of the model.
        reason = str(error).partition(", or pass weights=None")[0].rstrip(".")
        raise WeightsNotFoundError(f"{reason}; the model '{path}' was trained on them.") from error
    if here.weights_digest_ != digest:
        raise WeightsIntegrityError(
            f"The model '{path}' was trained on weights with the digest {digest:.16}..., and "
            f"{type(transformer).__name__} has '{here.weights_label_:.100}' with "
            f"{here.weights_digest_:.16}... here; put the file in place that it was trained on."
        )

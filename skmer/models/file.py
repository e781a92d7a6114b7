"""The file of a model: a zip archive of the pipeline, written by skops, and its card.

Nothing in it is a pickle, and nothing in it is code: an estimator is rebuilt from its class, which
must be one of scikit-learn's or skmer's, and from arrays and plain values.
"""

import copy
import hashlib
import io
import json
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from sklearn.base import BaseEstimator, clone
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
    ModelVersionWarning,
    WeightsIntegrityError,
    WeightsNotFoundError,
    bounded,
)
from skmer.models.card import ModelCard, make_card, to_markdown
from skmer.utils.cache import DAMAGE
from skmer.utils.digest import versions
from skmer.utils.files import atomic_folder, check_output_file, expand_path, open_placed
from skmer.utils.messages import cut_middle


def split_pipeline(model) -> tuple[list[BaseClipTransformer], Pipeline]:
    """Return the transformers of clips at the start of a pipeline, and the rest of it."""
    steps = model.steps if isinstance(model, Pipeline) else []
    transformers = transformers_of(steps[0][1]) if len(steps) > 1 else []
    if not transformers:
        raise InputTypeError(
            "The model must be a pipeline that starts with a transformer of clips, or a union of "
            "those, as make_pipeline(MusiCNNTransformer(), SVC()) does. "
            f"Got {type(model).__name__}."
        )
    return transformers, Pipeline(steps[1:])


def transformers_of(step) -> list[BaseClipTransformer]:
    """Return the transformers of clips that a step holds, in the order of their columns."""
    if isinstance(step, BaseClipTransformer):
        return [step]
    if isinstance(step, FeatureUnion) and not step.transformer_weights:
        parts = [part for _, part in step.transformer_list]
        if all(isinstance(part, BaseClipTransformer) for part in parts):
            return parts
    return []


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


def check_types(names: list[str], *, what: str) -> list[str]:
    """Return the names of types, each one of an estimator of skmer or scikit-learn, or refuse."""
    foreign = [name for name in names if name not in _PARTS and not _is_estimator(name)]
    if foreign:
        raise InputError(
            f"{what} holds types that are neither scikit-learn's nor skmer's, and that are not "
            f"loaded because they could run code: {', '.join(foreign[:5]):.200}. Save and load "
            "such a model with a tool of your own."
        )
    return names


def _is_estimator(name: str) -> bool:
    # Of a package whose features are registered here, its user has decided to run the code.
    if name in transformer_names():
        return True
    module, _, attribute = name.rpartition(".")
    if module.split(".")[0] not in ("skmer", "sklearn"):
        return False
    try:
        found = getattr(import_module(module), attribute, None)
    except ImportError:
        return False
    return isinstance(found, type) and issubclass(found, _KINDS)


_FORMAT = 1
# Packages whose other versions may give other numbers.
_DECISIVE = ("skmer", "scikit-learn", "numpy", "keras", "tensorflow")


def save_model(pipeline, path, *, card: Mapping | None = None) -> Path:
    """Write a fitted pipeline to one file, with a card that says what it is.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        Fitted; the first step is a transformer of clips, or a union of those.
    path : str or path-like
        The file to write, such as ``calm-or-sad.skmer``; replaced where it exists. The card is
        written beside it as well, for people: ``calm-or-sad.md``.
    card : mapping, default=None
        What is known of the model beside its parts, as values that JSON knows: name, data, scores,
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
    types = skops.io.get_untrusted_types(data=model)
    check_types(types, what="The model")
    whole = make_card(transformers, rest, card)
    whole |= {"format": _FORMAT, "model_sha256": hashlib.sha256(model).hexdigest()}
    try:
        text = json.dumps(whole, indent=2, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The 'card' must hold values that JSON knows: {error}; turn the others into text."
        ) from error
    markdown = to_markdown(whole)
    with atomic_folder(path.parent) as folder:
        with zipfile.ZipFile(folder / path.name, "w") as archive:
            archive.writestr("model.skops", model)
            archive.writestr("card.json", text)
            archive.writestr("card.md", markdown)
        (folder / beside.name).write_text(markdown, encoding="utf-8")
    return path


def _ready_to_save(pipeline: Pipeline) -> Pipeline:
    """Return the pipeline without what a loaded model has no use for.

    That is the cache folder and the jobs of this machine, and what the parts were to be given at
    fit (groups, weights): requests point at their owners in circles, which no file can hold.
    """
    slim = copy.deepcopy(pipeline)
    step = slim.steps[0][1]
    changes = {"memory": None, "n_jobs": None, "verbose": False}
    names = [name for name in step.get_params() if name.rpartition("__")[2] in changes]
    step.set_params(**{name: changes[name.rpartition("__")[2]] for name in names})
    _forget_requests(slim, set())
    return slim


def _forget_requests(thing, seen: set[int]) -> None:
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, dict):
        parts = list(thing.values())
    elif isinstance(thing, list | tuple):
        parts = list(thing)
    elif type(thing).__module__.split(".")[0] in ("skmer", "sklearn") and hasattr(
        thing, "__dict__"
    ):
        vars(thing).pop("_metadata_request", None)
        parts = list(vars(thing).values())
    else:
        return
    for part in parts:
        _forget_requests(part, seen)


def read_card(path) -> ModelCard:
    """Read the card of a model, without loading the model.

    Parameters
    ----------
    path : str or path-like
        The file that `save_model` wrote.

    Returns
    -------
    card : ModelCard
        What the model says of itself: a dict, which notebooks show as a page.

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
    return ModelCard(_read(path)[0])


def load_model(path) -> Pipeline:
    """Read a model that `save_model` wrote, and check that it is what it was.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Fitted; it predicts from clips.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    InputError
        When the file is no model, is damaged, or holds types that could run code.
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

    card, model = _read(path)
    with _unless_changed(path):
        types = skops.io.get_untrusted_types(data=model)
        check_types(types, what=f"The model '{path}'")
        with warnings.catch_warnings():
            # One warning, below, says of all packages what this one says of each estimator.
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            pipeline = skops.io.loads(model, trusted=types)
        transformers, _ = split_pipeline(pipeline)
        for transformer in transformers:
            _check_weights(transformer, path)
    made, now = card.get("versions", {}), versions()
    others = [
        f"{name} {made[name]:.30} (here {now.get(name, 'none')})"
        for name in _DECISIVE
        if name in made and made[name] != now.get(name)
    ]
    if others:
        warnings.warn(
            f"The model '{path}' was made with {', '.join(others)}; its numbers may differ here.",
            ModelVersionWarning,
            stacklevel=2,
        )
    return pipeline


def _read(path) -> tuple[dict, bytes]:
    path = expand_path(path)
    try:
        with open_placed(path.parent, path.name) as file, zipfile.ZipFile(file) as archive:
            _refuse_bombs(archive)
            card = json.loads(archive.read("card.json"))
            model = archive.read("model.skops")
        whole = card["model_sha256"] == hashlib.sha256(model).hexdigest()
        if whole:
            with zipfile.ZipFile(io.BytesIO(model)) as archive:
                _refuse_bombs(archive)
        is_newer = int(card["format"]) > _FORMAT
        card["versions"] = {name: str(made) for name, made in card.get("versions", {}).items()}
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(bounded(f"There is no model '{path}'.")) from None
    except DAMAGE as error:
        raise InputError(f"The file '{path}' is not a model that save_model wrote.") from error
    if is_newer:
        raise InputError(
            f"The model '{path}' was written by a newer skmer (format {int(card['format'])}, known "
            f"are up to {_FORMAT}); update skmer."
        )
    if not whole:
        raise InputError(f"The model '{path}' is damaged; get another copy of it.")
    return card, model


def _refuse_bombs(archive: zipfile.ZipFile) -> None:
    """Raise for an archive that may unpack to more than it takes; `save_model` packs nothing."""
    if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
        raise ValueError


@contextmanager
def _unless_changed(path) -> Iterator[None]:
    """Whatever a rebuilt class raises about what was put into it is one sentence."""
    try:
        yield
    except (InputError, InputTypeError, WeightsNotFoundError, EngineNotAvailableError):
        raise
    except Exception as error:
        raise InputError(
            f"The model '{path}' cannot be built again ({type(error).__name__}: "
            f"{cut_middle(' '.join(str(error).split()), 100)}); it was changed after it was saved, "
            "or needs other versions of the packages in its card."
        ) from error


def _check_weights(transformer, path) -> None:
    """Make sure that the network's weights are here, and are those of the training."""
    digest = getattr(transformer, "weights_digest_", None)
    if digest is None:
        return
    here = clone(transformer).fit(["clip"]).weights_digest_
    if here != digest:
        raise WeightsIntegrityError(
            f"The model '{path}' was trained on weights with the digest {digest:.16}..., and "
            f"{type(transformer).__name__}(weights={transformer.weights!r:.100}) has "
            f"{here:.16}... here; put the file in place that it was trained on."
        )

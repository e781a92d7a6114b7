"""Features x classifiers x protocols, by scikit-learn's own machinery."""

import time
from collections.abc import Mapping

import numpy as np
from sklearn.base import clone

from skmer.classifiers import CLASSIFIERS, make_classifier, takes_sequences
from skmer.evaluation.experiment._audit import audit_protocols
from skmer.evaluation.experiment._features import (
    View,
    check_filled,
    check_names,
    describe_feature,
    extract,
    make_transformers,
    view_name,
)
from skmer.evaluation.experiment._manifest import count_groups, make_manifest
from skmer.evaluation.experiment._protocols import check_classes, make_protocols
from skmer.evaluation.experiment._runner import Task, run_tasks
from skmer.evaluation.experiment._targets import check_labels, check_lengths
from skmer.evaluation.results._classification import EvaluationResult
from skmer.evaluation.splitters._repeated_stratified_group_kfold import RepeatedStratifiedGroupKFold
from skmer.evaluation.splitters._stratified_three_way_split import StratifiedThreeWaySplit
from skmer.evaluation.statistics._scores import classification_scores
from skmer.exceptions import InputError
from skmer.utils._seeds import settle_seed

PRESETS = ("tuned", "koh2021")


def evaluate(
    features,
    classifiers,
    X,
    y,
    *,
    groups=None,
    protocol="grouped",
    preset: str = "tuned",
    n_folds: int = 5,
    n_repeats: int | None = None,
    weights="pretrained",
    random_state: int | None = 0,
    memory=None,
    n_jobs: int | None = None,
    audit: bool = True,
    verbose: bool = False,
) -> EvaluationResult:
    """Score every feature with every classifier under every protocol.

    The transformers train nothing, so each feature is computed once, before any fold. Whatever
    learns (scaling, search, early stopping) does so inside the training part of each split.

    Parameters
    ----------
    features : list of {"l3", "vggish", "mfcc"} or dict
        Names, or a dict of name to transformer, or to an array that holds the feature already.
    classifiers : list of {"svm", "nb", "rf", "mlp", "cnn", "lstm"} or dict
        Names, or a dict of name to estimator. Named classifiers that take sequences under the
        preset get the frames of a feature; estimators of your own get what the transformer gives.
    X : sequence of length n_clips, or None
        The clips, in any form that the transformers take. None where all features are arrays.
    y : array-like of shape (n_clips,)
        The label of each clip.
    groups : array-like of shape (n_clips,), default=None
        The singer, artist or the like of each clip.
    protocol : {"grouped", "koh2021"}, splitter, or list or dict of those, default="grouped"
        "grouped" is repeated stratified group k-fold; "koh2021" the study's 20 shuffles into 80 %
        training, 10 % validation and 10 % test. Where a protocol keeps the groups apart, so do the
        searches and the early stopping inside it.
    preset : {"tuned", "koh2021"}, default="tuned"
        Settings of the features and classifiers that are given by name.
    n_folds : int, default=5
        Folds of the "grouped" protocol.
    n_repeats : int, default=None
        Draws of the named protocols; None = 20 for "koh2021" and 4 times the folds for "grouped",
        20 fits each.
    weights : {"pretrained", None}, path, or dict, default="pretrained"
        Weights of the features that are given by name; a dict has one for each name.
    random_state : int or None, default=0
        Where every other seed comes from: splits, classifiers, random weights.
    memory : None, path or joblib.Memory, default=None
        Cache of the features that are given by name.
    n_jobs : int, default=None
        Number of fits at once, in joblib's meaning. The numbers do not depend on it.
    audit : bool, default=True
        Look for leaks in every protocol: clips and groups on both sides of a split, duplicates,
        groups that can be read off the features. What is found is in the manifest and the report.
        Where X holds paths, each file is read once more for it.
    verbose : bool, default=False
        Show progress on standard error.

    Returns
    -------
    result : EvaluationResult
        With `scores`, `predictions`, `summary()`, `compare()`, `report(path)`, `save(folder)`.

    Raises
    ------
    ValueError
        When the data and the protocol do not go together, in one sentence that says why.

    See Also
    --------
    evaluate_regression : The same for arousal and valence.

    References
    ----------
    Koh, E., & Dubnov, S. (2021). Comparison and analysis of deep audio embeddings for music
    emotion recognition. arXiv:2104.06517.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skmer.evaluation import evaluate
    >>> rng = np.random.default_rng(0)
    >>> y, singers = np.tile(["calm", "sad"], 20), np.repeat(np.arange(10), 4)
    >>> feature = rng.normal(size=(40, 3)) + (y == "sad")[:, None]
    >>> result = evaluate({"mine": feature}, {"nb": GaussianNB()}, None, y, groups=singers)
    >>> result.summary()[["feature", "classifier", "protocol", "n_splits"]]
      feature classifier protocol  n_splits
    0    mine         nb  grouped        20
    """
    started = time.perf_counter()
    if preset not in PRESETS:
        raise InputError(
            f"The 'preset' parameter of evaluate must be 'tuned' or 'koh2021'. Got {preset!r} "
            "instead."
        )
    y = check_labels(y)
    check_lengths(y.size, X=X, groups=groups)
    groups = None if groups is None else np.asarray(groups)
    random_state = settle_seed(random_state)
    protocols = make_protocols(
        protocol,
        known=known_protocols(n_folds, n_repeats),
        strata=y,
        groups=groups,
        random_state=random_state,
    )
    check_classes(y, groups, protocols)
    models, sequences = make_classifiers(classifiers, preset)
    transformers = make_transformers(
        features,
        preset=preset,
        weights=weights,
        random_state=random_state,
        memory=memory,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    if not isinstance(features, Mapping):
        # Weights that cannot be had are told of before hours of work on another feature.
        for transformer in transformers.values():
            clone(transformer).fit(X)
    tasks, described = [], {}
    seen: list[View] = []
    for feature, transformer in transformers.items():
        views = {
            name: view_name(transformer, name, preset=preset, sequences=name in sequences)
            for name in models
        }
        extracted = extract(transformer, set(views.values()), X, name=feature, n_clips=y.size)
        described[feature] = describe_feature(transformer, extracted)
        seen += extracted.values()
        tasks += [
            Task(
                {"feature": feature, "classifier": name},
                described[feature]["weights"],
                split,
                extracted[views[name]].X,
                y,
                groups if one.grouped else None,
                model,
            )
            for name, model in models.items()
            for one in protocols
            for split in one.splits
        ]
    leaks = audit_protocols(X, y, groups, seen, protocols, n_jobs=n_jobs) if audit else None
    columns = {"row": np.arange(y.size)} | ({} if groups is None else {"group": groups})
    scores, predictions = run_tasks(
        tasks,
        columns=columns,
        score=classification_scores,
        classes=np.unique(y),
        n_jobs=n_jobs,
        verbose=verbose,
    )
    manifest = make_manifest(
        settings={
            "preset": preset,
            "random_state": random_state,
            "n_folds": n_folds,
            "n_repeats": n_repeats,
            "labels_are_text": y.dtype.kind not in "biuf",
        },
        features=described,
        models=models,
        protocols=protocols,
        dataset=describe_labels(y, groups),
        audit=leaks,
        seconds=time.perf_counter() - started,
    )
    return EvaluationResult(scores, predictions, manifest)


def known_protocols(n_folds: int, n_repeats: int | None) -> dict:
    """Return what makes the splitter of each named protocol from a seed."""
    return {
        "grouped": lambda seed: RepeatedStratifiedGroupKFold(
            n_folds, n_repeats=4 if n_repeats is None else n_repeats, random_state=seed
        ),
        "koh2021": lambda seed: StratifiedThreeWaySplit(
            20 if n_repeats is None else n_repeats, random_state=seed
        ),
    }


def make_classifiers(classifiers, preset: str) -> tuple[dict, set[str]]:
    """Return the classifiers by name, and the names of those that take sequences."""
    if isinstance(classifiers, Mapping):
        return check_filled("classifiers", dict(classifiers)), set()
    names = check_names("classifiers", classifiers, CLASSIFIERS)
    models = {name: make_classifier(name, preset=preset) for name in names}
    return models, {name for name in names if takes_sequences(name, preset=preset)}


def describe_labels(y, groups) -> dict:
    """Count clips, classes and groups."""
    labels, counts = np.unique(y, return_counts=True)
    classes = {str(label): int(n) for label, n in zip(labels, counts)}
    return {"n_clips": int(y.size), "classes": classes} | count_groups(groups)

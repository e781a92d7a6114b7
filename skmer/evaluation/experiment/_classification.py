"""Features x classifiers x protocols, by scikit-learn's own machinery."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from skmer.classifiers import CLASSIFIERS, make_classifier
from skmer.evaluation.experiment._experiment import Experiment
from skmer.evaluation.experiment._features import check_filled, check_names, choose_input
from skmer.evaluation.experiment._protocols import check_classes
from skmer.evaluation.experiment._rows import Rows
from skmer.evaluation.experiment._targets import check_classes_of
from skmer.evaluation.results._classification import EvaluationResult
from skmer.evaluation.splitters._repeated_stratified_group_kfold import RepeatedStratifiedGroupKFold
from skmer.evaluation.splitters._stratified_three_way_split import StratifiedThreeWaySplit
from skmer.evaluation.statistics._scores import classification_scores
from skmer.utils._checks import check_choice
from skmer.utils._types import Memory, Preset

PRESETS = ("tuned", "koh2021")


def evaluate(
    features,
    classifiers,
    X,
    y,
    *,
    groups=None,
    dataset=None,
    protocol="grouped",
    preset: Preset = "tuned",
    n_folds: int = 5,
    n_repeats: int | None = None,
    scoring=None,
    weights="pretrained",
    random_state: int | None = 0,
    memory: Memory = None,
    n_jobs: int | None = None,
    on_error: Literal["raise", "skip"] = "raise",
    audit: bool = True,
    verbose: bool = False,
) -> EvaluationResult:
    """Score every feature with every classifier under every protocol.

    The transformers train nothing, so each feature is computed once, before any fold. Whatever
    learns (scaling, search, early stopping) does so inside the training part of each split.

    Parameters
    ----------
    features : list of {"musicnn", "l3", "vggish", "mfcc"}, dict, or None
        Names, or a dict of name to transformer, or to an array that holds the feature already.
        None: all names whose weights can be had; each of the others is left out with a warning
        that says how to get it.
    classifiers : list of {"svm", "nb", "rf", "mlp", "cnn", "lstm"} or dict
        Names, or a dict of name to estimator. Named classifiers that take sequences under the
        preset get the frames of a feature; estimators of your own, whatever you call them, get
        what the transformer gives.
    X : sequence of length n_clips, or None
        The clips, in any form that the transformers take. None where all features are arrays.
    y : array-like of shape (n_clips,)
        The label of each clip.
    groups : array-like of shape (n_clips,), default=None
        The singer, artist or the like of each clip.
    dataset : str or path-like, default=None
        What the data are called in the manifest and the report. For the path of a file, such as
        the table that lists the clips, its SHA-256 is kept too.
    protocol : {"grouped", "koh2021"}, splitter, or list or dict of those, default="grouped"
        "grouped" is repeated stratified group k-fold; "koh2021" the study's 20 shuffles into 80 %
        training, 10 % validation and 10 % test. Where a protocol keeps the groups apart, so does
        whatever splits the training part again inside a classifier (searches, calibration,
        stacking, early stopping); one that cannot is refused.
    preset : {"tuned", "koh2021"}, default="tuned"
        Settings of the features and classifiers that are given by name.
    n_folds : int, default=5
        Folds of the "grouped" protocol.
    n_repeats : int, default=None
        Draws of the named protocols; None = 20 for "koh2021" and 4 times the folds for "grouped",
        20 fits each.
    scoring : str, callable, list or dict, default=None
        Further scores, by scikit-learn's names or as its scorers, in the forms that
        `sklearn.model_selection.cross_validate` takes; each is a column beside the usual ones.
    weights : {"pretrained", None}, path, or dict, default="pretrained"
        Weights of the features that are given by name; a dict has them by name, and names that
        are not in it are pretrained.
    random_state : int or None, default=0
        Where every other seed comes from: splits, classifiers, random weights.
    memory : None, path or joblib.Memory, default=None
        Cache of the features that are given by name.
    n_jobs : int, default=None
        Number of fits at once, in joblib's meaning. The numbers do not depend on it.
    on_error : {"raise", "skip"}, default="raise"
        What clips do that cannot be read, or whose feature is not finite. "raise": one error
        names all of them, after the features of the others were computed. "skip": they are left
        out of everything; ``manifest["skipped_clips"]`` and the report say which and why.
    audit : bool, default=True
        Look for leaks in every protocol: clips and groups on both sides of a split, duplicates,
        groups that can be read off the features. What is found is in the manifest and the report.
    verbose : bool, default=False
        Show progress on standard error.

    Returns
    -------
    result : EvaluationResult
        With `scores`, `predictions`, `summary()`, `compare()`, `report(path)`, `to_latex()`,
        `save(folder)`.

    Raises
    ------
    InputError
        When the data, the models and the protocol do not go together, in one sentence that says
        why.
    WeightsNotFoundError
        When the weights of a feature that was asked for by name cannot be had; it says how to get
        them.

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
    check_choice("evaluate", PRESETS, preset=preset)
    y = check_classes_of(y)
    return _Classification(
        features=features,
        models=_make_classifiers(classifiers, preset),
        classifiers_have_table_names=not isinstance(classifiers, Mapping),
        X=X,
        rows=Rows(np.arange(y.size), {"label": y}),
        groups=groups,
        dataset=dataset,
        protocol=protocol,
        preset=preset,
        n_folds=n_folds,
        n_repeats=n_repeats,
        scoring=scoring,
        weights=weights,
        random_state=random_state,
        memory=memory,
        n_jobs=n_jobs,
        on_error=on_error,
        audit=audit,
        verbose=verbose,
    ).run()


def classification_protocols(n_folds: int, n_repeats: int | None) -> dict:
    """Return what makes the splitter of each named protocol from a seed."""
    return {
        "grouped": lambda seed: RepeatedStratifiedGroupKFold(
            n_folds, n_repeats=4 if n_repeats is None else n_repeats, random_state=seed
        ),
        "koh2021": lambda seed: StratifiedThreeWaySplit(
            20 if n_repeats is None else n_repeats, random_state=seed
        ),
    }


@dataclass(kw_only=True)
class _Classification(Experiment):
    """The evaluation of classifiers."""

    classifiers_have_table_names: bool

    result_class = EvaluationResult
    model_kind = "classifier"
    score = staticmethod(classification_scores)

    @property
    def known_protocols(self):
        return classification_protocols(self.n_folds, self.n_repeats)

    @property
    def strata(self):
        return self.rows.targets["label"]

    @property
    def classes(self):
        return np.unique(self.strata)

    def check_protocols(self, protocols):
        check_classes(self.strata, self.groups, protocols)

    def choose_input(self, transformer, model):
        own = not self.classifiers_have_table_names
        return choose_input(transformer, None if own else model, preset=self.preset)

    def describe_targets(self):
        labels, counts = np.unique(self.strata, return_counts=True)
        classes = {str(label): int(n) for label, n in zip(labels, counts)}
        return {"n_clips": self.n_clips, "classes": classes}


def _make_classifiers(classifiers, preset: Preset) -> dict:
    """Return the classifiers by name."""
    if isinstance(classifiers, Mapping):
        return check_filled("classifiers", classifiers)
    return {
        name: make_classifier(name, preset=preset)
        for name in check_names("classifiers", classifiers, CLASSIFIERS)
    }

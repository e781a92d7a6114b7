"""Features x regressors x protocols, for targets such as arousal and valence."""

import time
from collections.abc import Mapping

import numpy as np
from sklearn.model_selection import RepeatedKFold

from skmer.evaluation.experiment._features import (
    GIVEN,
    VECTOR,
    check_filled,
    check_names,
    describe_feature,
    extract,
    make_transformers,
)
from skmer.evaluation.experiment._manifest import count_groups, make_manifest
from skmer.evaluation.experiment._protocols import make_protocols
from skmer.evaluation.experiment._regressors import GRIDS, make_regressor
from skmer.evaluation.experiment._runner import Task, run_tasks
from skmer.evaluation.experiment._targets import check_lengths, check_numbers
from skmer.evaluation.results._regression import RegressionResult
from skmer.evaluation.splitters._repeated_stratified_group_kfold import RepeatedStratifiedGroupKFold
from skmer.evaluation.statistics._scores import regression_scores
from skmer.utils._seeds import settle_seed


def evaluate_regression(
    features,
    regressors,
    X,
    y,
    *,
    groups=None,
    protocol="grouped",
    n_folds: int = 10,
    n_repeats: int = 1,
    weights="pretrained",
    random_state: int | None = 0,
    memory=None,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> RegressionResult:
    """Predict numbers, each target by itself, with every feature and regressor.

    Parameters
    ----------
    features : list of {"l3", "vggish", "mfcc"} or dict
        Names, or a dict of name to transformer, or to an array that holds the feature already.
    regressors : list of {"svr", "ridge"} or dict
        Names, or a dict of name to estimator. The named ones scale features and target and search
        their parameters inside the training part of each split.
    X : sequence of length n_clips, or None
        The clips, in any form that the transformers take. None where all features are arrays.
    y : array-like of shape (n_clips,) or (n_clips, 2), data frame, or dict
        The targets: one, or arousal and valence, or named columns. Predictions are in their unit.
    groups : array-like of shape (n_clips,), default=None
        The artist or the like of each clip.
    protocol : {"grouped", "shuffled"}, splitter, or list or dict of those, default="grouped"
        "grouped" is k-fold with whole groups, "shuffled" k-fold with single clips. Where a
        protocol keeps the groups apart, so do the searches inside it.
    n_folds : int, default=10
        Folds of the named protocols.
    n_repeats : int, default=1
        Times that the folds of the named protocols are drawn.
    weights : {"pretrained", None}, path, or dict, default="pretrained"
        Weights of the features that are given by name; a dict has one for each name.
    random_state : int or None, default=0
        Where every other seed comes from.
    memory : None, path or joblib.Memory, default=None
        Cache of the features that are given by name.
    n_jobs : int, default=None
        Number of fits at once, in joblib's meaning. The numbers do not depend on it.
    verbose : bool, default=False
        Show progress on standard error.

    Returns
    -------
    result : RegressionResult
        With `scores`, `predictions`, `summary()`, `compare()`, `report(path)`, `save(folder)`.

    Raises
    ------
    ValueError
        When the data and the protocol do not go together, in one sentence that says why.

    See Also
    --------
    evaluate : The same for classes.
    evaluate_dynamic_regression : The same for targets that change over time.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.evaluation import evaluate_regression
    >>> rng = np.random.default_rng(0)
    >>> feature, artists = rng.normal(size=(60, 3)), np.repeat(np.arange(20), 3)
    >>> y = feature[:, :2] + rng.normal(scale=0.1, size=(60, 2))
    >>> result = evaluate_regression(
    ...     {"mine": feature}, ["ridge"], None, y, groups=artists, n_folds=3
    ... )
    >>> result.summary()[["target", "protocol", "r2"]].round(1)
        target protocol   r2
    0  arousal  grouped  1.0
    1  valence  grouped  1.0
    """
    started = time.perf_counter()
    targets = check_numbers(y)
    n_clips = next(iter(targets.values())).size
    check_lengths(n_clips, X=X, groups=groups)
    groups = None if groups is None else np.asarray(groups)
    random_state = settle_seed(random_state)
    protocols = make_protocols(
        protocol,
        known=regression_protocols(n_folds, n_repeats),
        strata=np.zeros(n_clips),
        groups=groups,
        random_state=random_state,
    )
    models = make_regressors(regressors)
    transformers = make_transformers(
        features,
        preset="tuned",
        weights=weights,
        random_state=random_state,
        memory=memory,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    tasks, described = [], {}
    for feature, transformer in transformers.items():
        view = VECTOR if hasattr(transformer, "get_params") else GIVEN
        extracted = extract(transformer, {view}, X, name=feature, n_clips=n_clips)
        described[feature] = describe_feature(transformer, extracted)
        tasks += [
            Task(
                {"feature": feature, "regressor": name, "target": target},
                described[feature]["weights"],
                split,
                extracted[view].X,
                values,
                groups if one.grouped else None,
                model,
            )
            for name, model in models.items()
            for target, values in targets.items()
            for one in protocols
            for split in one.splits
        ]
    columns = {"row": np.arange(n_clips)} | ({} if groups is None else {"group": groups})
    scores, predictions = run_tasks(
        tasks,
        columns=columns,
        score=regression_scores,
        classes=None,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    manifest = make_manifest(
        settings={
            "preset": "tuned",
            "random_state": random_state,
            "n_folds": n_folds,
            "n_repeats": n_repeats,
            "labels_are_text": False,
        },
        features=described,
        models=models,
        protocols=protocols,
        dataset={"n_clips": n_clips, "targets": list(targets)} | count_groups(groups),
        seconds=time.perf_counter() - started,
    )
    return RegressionResult(scores, predictions, manifest)


def regression_protocols(n_folds: int, n_repeats: int) -> dict:
    """Return what makes the splitter of each named protocol from a seed.

    The strata given to the grouped one are all the same, so that it only balances the folds.
    """
    return {
        "grouped": lambda seed: RepeatedStratifiedGroupKFold(
            n_folds, n_repeats=n_repeats, random_state=seed
        ),
        "shuffled": lambda seed: RepeatedKFold(
            n_splits=n_folds, n_repeats=n_repeats, random_state=seed
        ),
    }


def make_regressors(regressors) -> dict:
    """Return the regressors by name."""
    if isinstance(regressors, Mapping):
        return check_filled("regressors", dict(regressors))
    return {
        name: make_regressor(name) for name in check_names("regressors", regressors, tuple(GRIDS))
    }

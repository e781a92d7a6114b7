"""Features x regressors x protocols, for targets such as arousal and valence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, RepeatedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from skmer.evaluation.experiment._experiment import Experiment
from skmer.evaluation.experiment._features import check_filled, check_names
from skmer.evaluation.experiment._rows import Rows
from skmer.evaluation.experiment._targets import check_numbers
from skmer.evaluation.results._regression import RegressionResult
from skmer.evaluation.splitters._repeated_stratified_group_kfold import RepeatedStratifiedGroupKFold
from skmer.evaluation.statistics._scores import regression_scores
from skmer.utils._types import Memory

# The targets are scaled, so that one grid serves every unit.
GRIDS: dict[str, tuple[BaseEstimator, dict[str, list[float]]]] = {
    "svr": (SVR(), {"C": [0.3, 1, 3, 10], "gamma": [0.0005, 0.002, 0.00625]}),
    "ridge": (Ridge(), {"alpha": [1, 10, 100, 1000]}),
}
REGRESSORS = tuple(GRIDS)


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
    dataset=None,
    scoring=None,
    weights="pretrained",
    random_state: int | None = 0,
    memory: Memory = None,
    n_jobs: int | None = None,
    on_error: Literal["raise", "skip"] = "raise",
    audit: bool = True,
    verbose: bool = False,
) -> RegressionResult:
    """Predict numbers, each target by itself, with every feature and regressor.

    Parameters
    ----------
    features : list of {"musicnn", "l3", "vggish", "mfcc"}, dict, or None
        Names, or a dict of name to transformer, or to an array that holds the feature already; see
        `evaluate`.
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
    dataset, scoring, weights, random_state, memory, n_jobs, on_error, audit, verbose : object
        As in `evaluate`.

    Returns
    -------
    result : RegressionResult
        With `scores`, `predictions`, `summary()`, `compare()`, `report(path)`, `to_latex()`,
        `save(folder)`.

    Raises
    ------
    InputError
        When the data, the models and the protocol do not go together, in one sentence that says
        why.
    WeightsNotFoundError
        When the weights of a feature that was asked for by name cannot be had.

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
    targets = check_numbers(y)
    n_clips = next(iter(targets.values())).size
    return Regression(
        features=features,
        models=make_regressors(regressors),
        X=X,
        rows=Rows(np.arange(n_clips), targets),
        groups=groups,
        dataset=dataset,
        protocol=protocol,
        preset="tuned",
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


@dataclass(kw_only=True)
class Regression(Experiment):
    """The evaluation of regressors."""

    result_class = RegressionResult
    model_kind = "regressor"
    score: ClassVar[Callable[..., dict[str, float]]] = staticmethod(regression_scores)

    @property
    def known_protocols(self):
        return regression_protocols(self.n_folds, self.n_repeats)

    @property
    def strata(self):
        # All the same, so that the grouped protocol only balances the folds.
        return np.zeros(self.n_clips)


def regression_protocols(n_folds: int, n_repeats: int) -> dict:
    """Return what makes the splitter of each named protocol from a seed."""
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
        return check_filled("regressors", regressors)
    return {
        name: make_regressor(name) for name in check_names("regressors", regressors, tuple(GRIDS))
    }


def make_regressor(name: str) -> GridSearchCV:
    """Return scaling, regressor and search; predictions are in the unit of the target."""
    regressor, grid = GRIDS[name]
    scaled = TransformedTargetRegressor(
        Pipeline([("scale", StandardScaler()), (name, regressor)]), transformer=StandardScaler()
    )
    return GridSearchCV(
        scaled, {f"regressor__{name}__{key}": values for key, values in grid.items()}
    )

"""A grid search that also gives probabilities, and folds that take groups where they are given."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.base import clone
from sklearn.model_selection import (
    BaseCrossValidator,
    GridSearchCV,
    StratifiedGroupKFold,
    StratifiedKFold,
)
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted

# Wider than decision values need; the bounds only keep the search of the slope finite.
_LOG_SLOPES = (-12.0, 12.0)


# The name of a class in models that skmer 0.2 saved.
CheckedGridSearchCV = GridSearchCV


class CalibratedGridSearchCV(GridSearchCV):
    """`GridSearchCV`, and probabilities from the decision function of its best estimator.

    ``predict`` is that of `GridSearchCV`; nothing about the labels changes. ``predict_proba`` is
    the softmax of the decision values times one slope, which is fitted to decision values of rows
    that were not trained on: those of the folds of the search, so that groups which it keeps apart
    are kept apart here too. The class of the largest decision value has the largest probability.

    scikit-learn's ``CalibratedClassifierCV`` fits a sigmoid for each class, so that its most
    probable class is another than the predicted one for up to a fifth of the clips.

    Parameters
    ----------
    estimator : estimator
        A classifier with ``decision_function``, or a pipeline that ends in one.
    param_grid : dict or list of dict
        As in `GridSearchCV`.
    scoring : str, default=None
        As in `GridSearchCV`.
    n_jobs : int, default=None
        As in `GridSearchCV`.
    refit : bool, default=True
        As in `GridSearchCV`; must stay True.
    cv : splitter
        Folds of the search and of the calibration, which test every row once.
    verbose : int, default=0
        As in `GridSearchCV`.
    pre_dispatch : int or str, default="2*n_jobs"
        As in `GridSearchCV`.
    error_score : "raise" or float, default=np.nan
        As in `GridSearchCV`.
    return_train_score : bool, default=False
        As in `GridSearchCV`.

    Attributes
    ----------
    slope_ : float
        What decision values are multiplied by before the softmax, an inverse temperature.

    References
    ----------
    Guo, C., Pleiss, G., Sun, Y., & Weinberger, K. Q. (2017). On calibration of modern neural
    networks. ICML. (One slope for all classes.)

    Platt, J. (1999). Probabilistic outputs for support vector machines. Advances in Large Margin
    Classifiers. (Targets that stay away from 0 and 1, for few rows.)

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import StratifiedKFold
    >>> from sklearn.svm import SVC
    >>> from skmer.classifiers.search import CalibratedGridSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> search = CalibratedGridSearchCV(SVC(), {"C": [1, 10]}, cv=StratifiedKFold(3)).fit(X, y)
    >>> search.predict_proba(X[:1]).round(1)
    array([[0.9, 0.1, 0. ]])
    """

    def fit(self, X, y=None, **params):
        """Search, and fit the slope; see ``GridSearchCV.fit``."""
        super().fit(X, y, **params)
        values, codes = [], []
        y = np.ravel(y)
        for train, test in self.cv.split(X, y, params.get("groups")):
            there = np.isin(self.classes_, y[train])
            if there.sum() < 2:
                continue
            # A class that a fold does not train on has no decision values there.
            test = test[np.isin(y[test], self.classes_[there])]
            model = clone(self.best_estimator_).fit(_safe_indexing(X, train), y[train])
            of_fold = np.full((len(test), len(self.classes_)), -np.inf)
            if len(test):
                of_fold[:, there] = _by_class(model.decision_function(_safe_indexing(X, test)))
            values.append(of_fold)
            codes.append(np.searchsorted(self.classes_, y[test]))
        self.slope_ = _fit_slope(np.concatenate(values), np.concatenate(codes))
        return self

    def predict_proba(self, X) -> np.ndarray:
        """Return the class probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        check_is_fitted(self, "slope_")
        return softmax(self.slope_ * _by_class(self.decision_function(X)), axis=1)


def _by_class(values: np.ndarray) -> np.ndarray:
    """Return decision values with a column for each class, also for two classes."""
    return np.column_stack([-values / 2, values / 2]) if values.ndim == 1 else values


def _fit_slope(values: np.ndarray, codes: np.ndarray) -> float:
    """Return the slope of the lowest cross-entropy, with Platt's targets."""
    there = np.isfinite(values)
    targets = len(codes) * (codes[:, np.newaxis] == np.arange(values.shape[1])) + there
    targets = targets / targets.sum(axis=1, keepdims=True)

    def loss(log_slope):
        log_proba = log_softmax(np.exp(log_slope) * values, axis=1)
        return -np.mean(np.sum(targets * np.where(there, log_proba, 0), axis=1))

    return float(np.exp(minimize_scalar(loss, bounds=_LOG_SLOPES, method="bounded").x))


class GroupAwareKFold(BaseCrossValidator):
    """`StratifiedGroupKFold` when groups are given, else `StratifiedKFold`; always the same folds.

    With fewer groups than `n_splits` there is one fold for each group.
    """

    # Where metadata are routed, groups come here without being asked for.
    __metadata_request__split = {"groups": True}

    def __init__(self, n_splits=5):
        self.n_splits = n_splits

    def split(self, X, y, groups=None):
        """Yield the rows to train and to test on."""
        folds = StratifiedKFold if groups is None else StratifiedGroupKFold
        return folds(self.get_n_splits(X, y, groups)).split(X, y, groups)

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of folds."""
        return self.n_splits if groups is None else min(self.n_splits, len(set(groups)))

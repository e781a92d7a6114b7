"""A grid search that also gives probabilities, and folds that take groups where they are given."""

from copy import copy

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, softmax
from sklearn import model_selection
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted

from skmer.utils.labels import check_order

# Wider than margins need; the bounds only keep the search of the slope finite.
_LOG_SLOPES = (-12.0, 12.0)


# The name of a class in models that skmer 0.2 saved.
CheckedGridSearchCV = model_selection.GridSearchCV


class CalibratedGridSearchCV(model_selection.GridSearchCV):
    """`GridSearchCV`, and probabilities from the margins of its best estimator.

    ``predict`` is that of `GridSearchCV`; nothing about the labels changes. For ``predict_proba``
    the margin between each two classes times one slope gives the probability of the one, if it is
    one of the two, by a logistic curve; and those of all pairs are coupled to one for each class.
    The slope is fitted to margins of rows that were not trained on: those of the folds of the
    search, so that groups which it keeps apart are kept apart here too.

    A support vector machine predicts by votes of the pairs. The most probable class is another one
    for some 2 to 5 of 100 clips, most often where votes are equal. Its values for each class, from
    scikit-learn, are those votes with a third of a vote for all margins together: nearly the same
    for every clip, so that no curve of them gives probabilities of much use. An estimator that has
    values for each class gets their differences as margins, which makes the probabilities their
    softmax.

    scikit-learn's ``CalibratedClassifierCV`` takes these values for each class, by a sigmoid each
    or a softmax ("temperature").

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
        What margins are multiplied by.
    pairs_ : ndarray of shape (n_pairs, 2)
        The classes of each margin, the one above 0 first, as indices of ``classes_``.

    References
    ----------
    Wu, T.-F., Lin, C.-J., & Weng, R. C. (2004). Probability estimates for multi-class
    classification by pairwise coupling. JMLR, 5, 975-1005. (The second method.)

    Platt, J. (1999). Probabilistic outputs for support vector machines. Advances in Large Margin
    Classifiers. (Targets that stay away from 0 and 1, for few rows.)

    Guo, C., Pleiss, G., Sun, Y., & Weinberger, K. Q. (2017). On calibration of modern neural
    networks. ICML. (One slope for all classes.)

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import StratifiedKFold
    >>> from sklearn.svm import SVC
    >>> from skmer.classifiers.search import CalibratedGridSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> search = CalibratedGridSearchCV(SVC(), {"C": [1, 10]}, cv=StratifiedKFold(3)).fit(X, y)
    >>> search.predict_proba(X[:1]).round(1)
    array([[1., 0., 0.]])
    """

    def fit(self, X, y=None, **params):
        """Search, and fit the slope; see ``GridSearchCV.fit``."""
        super().fit(X, y, **params)
        y = np.ravel(y)
        folds = []
        for train, test in self.cv.split(X, y, params.get("groups")):
            there = np.unique(y[train])
            # A class that a fold does not train on has no margins there.
            test = test[np.isin(y[test], there)]
            if there.size > 1 and test.size:
                model = clone(self.best_estimator_).fit(_safe_indexing(X, train), y[train])
                margins = _margins(model, _safe_indexing(X, test))
                folds.append((margins, np.searchsorted(there, y[test]), there.size))
        self.pairs_ = np.column_stack(np.triu_indices(len(self.classes_), 1))
        self.slope_ = _fit_slope(folds)
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
        if not hasattr(self, "pairs_"):
            # Models that version 0.2 saved have a slope for the values of the classes.
            values = self.decision_function(X)
            values = np.column_stack([-values, values]) / 2 if values.ndim == 1 else values
            return softmax(self.slope_ * values, axis=1)
        return _couple(expit(self.slope_ * _margins(self.best_estimator_, X)), len(self.classes_))


def _margins(model, X) -> np.ndarray:
    """Return a value for each pair of classes, above 0 for the first of the two."""
    if isinstance(model, Pipeline):
        X, model = model[:-1].transform(X), model[-1]
    is_pairwise = hasattr(model, "decision_function_shape")
    if is_pairwise:
        model = copy(model)
        model.decision_function_shape = "ovo"
    values = model.decision_function(X)
    if values.ndim == 1:
        return -values[:, np.newaxis]
    if is_pairwise:
        return values
    first, second = np.triu_indices(values.shape[1], 1)
    return values[:, first] - values[:, second]


def _couple(shares: np.ndarray, n_classes: int) -> np.ndarray:
    """Return probabilities of classes from those of the first of each pair."""
    r = np.zeros((len(shares), n_classes, n_classes))
    first, second = np.triu_indices(n_classes, 1)
    r[:, first, second], r[:, second, first] = shares, 1 - shares
    # Equation 21: the p of sum 1 that minimize (r_ji p_i - r_ij p_j)^2 over all pairs.
    system = np.zeros((len(r), n_classes + 1, n_classes + 1))
    classes = np.arange(n_classes)
    system[:, :-1, :-1] = -r * r.swapaxes(1, 2)
    system[:, classes, classes] = (r**2).sum(axis=1)
    system[:, :-1, -1] = system[:, -1, :-1] = 1
    solved = np.linalg.solve(system, np.eye(n_classes + 1)[:, -1:])[:, :-1, 0]
    # They are at least 0 but for rounding, and none is certain.
    proba = np.maximum(solved, np.finfo(float).eps)
    return proba / proba.sum(axis=1, keepdims=True)


def _fit_slope(folds: list[tuple[np.ndarray, np.ndarray, int]]) -> float:
    """Return the slope of the lowest cross-entropy, with Platt's targets."""
    n_rows = sum(len(codes) for _, codes, _ in folds)

    def loss(log_slope):
        total = 0.0
        for margins, codes, n_classes in folds:
            targets = (n_rows * np.eye(n_classes)[codes] + 1) / (n_rows + n_classes)
            proba = _couple(expit(np.exp(log_slope) * margins), n_classes)
            total -= np.sum(targets * np.log(proba))
        return total / n_rows

    return float(np.exp(minimize_scalar(loss, bounds=_LOG_SLOPES, method="bounded").x))


class GroupAwareKFold(model_selection.BaseCrossValidator):
    """`StratifiedGroupKFold` when groups are given, else `StratifiedKFold`; always the same folds.

    With fewer groups than `n_splits` there is one fold for each group.
    """

    # Where metadata are routed, groups come here without being asked for.
    __metadata_request__split = {"groups": True}

    def __init__(self, n_splits=5):
        self.n_splits = n_splits

    def split(self, X, y, groups=None):
        """Yield the rows to train and to test on."""
        check_order({"X": X, "y": y, "groups": groups})
        n_folds = self.get_n_splits(X, y, groups)
        if groups is None:
            return model_selection.StratifiedKFold(n_folds).split(X, y)
        return model_selection.StratifiedGroupKFold(n_folds).split(X, y, groups)

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of folds."""
        return self.n_splits if groups is None else min(self.n_splits, len(set(groups)))

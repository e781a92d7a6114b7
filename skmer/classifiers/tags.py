"""Several tags a clip: any classifier with a probability and a threshold for each tag."""

import warnings
from dataclasses import field
from typing import Annotated, Any

import numpy as np
from scipy.special import expit
from sklearn import config_context
from sklearn.base import MetaEstimatorMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, check_random_state, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted

from skmer.classifiers.base import validation_split
from skmer.exceptions import InputError
from skmer.utils import estimators as params
from skmer.utils import labels

# The slope of a tag whose decision values are the wrong way round on the held-out rows.
_SMALLEST_SLOPE = 1e-6


@params.estimator
class TagClassifier(params.ClassifierMixin, MetaEstimatorMixin, params.BaseEstimator):
    """Any classifier for several tags a clip, with a threshold for each tag.

    One that takes no indicator matrix is fitted once for each tag (one-vs-rest). A copy of it is
    fitted without a part of the rows, whole groups where groups are given; the thresholds are those
    of the best F1 on that part. Then the classifier is fitted to all rows. One without
    ``predict_proba`` gets probabilities from its decision values, by a logistic curve a tag that is
    fitted on the same part.

    Parameters
    ----------
    estimator : estimator
        A classifier with ``predict_proba`` or ``decision_function``, or a pipeline that ends in
        one.
    target_names : list of str, default=None
        Names of the tags, for what reads the fitted classifier. None: "tag 0", "tag 1", ...
    holdout_fraction : float, default=0.4
        Share of the rows that thresholds are chosen on. 0 = they are 0.5.
    random_state : int, RandomState instance or None, default=None
        Decides which rows are held out.

    Attributes
    ----------
    estimator_ : estimator
        Fitted to all rows.
    thresholds_ : ndarray of shape (n_tags,)
        A clip has a tag whose probability is at least this.
    classes_ : list of ndarray
        The values 0 and 1 for each tag, as scikit-learn has it for indicator matrices.
    target_names_ : list of str
        The names of the tags.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skmer.classifiers import TagClassifier
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> tagger = TagClassifier(LogisticRegression(), random_state=0).fit(X, X > 0.5)
    >>> tagger.predict([[2.0, -2.0], [-2.0, 2.0]])
    array([[1, 0],
           [0, 1]])
    """

    __metadata_request__fit = {"groups": True}

    estimator: Annotated[Any, params.HasMethods(["fit"])] = field(kw_only=False)
    target_names: Annotated[list[str], "array-like"] | None = None
    holdout_fraction: params.HeldOut = 0.4
    random_state: params.RandomState = None

    def fit(self, X, y, groups=None):
        """Fit the classifier, and choose a threshold for each tag.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            What the classifier takes.
        y : array-like of shape (n_samples, n_tags)
            1 where a sample has a tag, else 0.
        groups : array-like of shape (n_samples,), default=None
            The artist or the like of each sample; a group is held out as a whole.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        params.validate_parameters(self)
        labels.check_order({"X": X, "y": y, "groups": groups})
        columns = list(getattr(y, "columns", ()))
        names = columns or None if self.target_names is None else [*self.target_names]
        if columns and names and set(columns) == set(names):
            y = y[names]
        y = np.asarray(y).astype(int)
        if y.ndim != 2 or params._num_samples(X) != len(y):
            raise InputError(
                "TagClassifier needs y of shape (n_samples, n_tags), with a row for each of the "
                f"{params._num_samples(X)} samples in X. Got shape {y.shape}."
            )
        self.target_names_ = [f"tag {i}" for i in range(y.shape[1])] if names is None else names
        self.classes_ = [np.array([0, 1])] * y.shape[1]
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        held_out, values = np.arange(0), np.zeros((0, y.shape[1]))
        if self.holdout_fraction:
            rest, held_out = validation_split(y, groups, self.holdout_fraction, seed, self)
            values = self._values(self._fit_part(X, y, groups, rest), _safe_indexing(X, held_out))
        self.estimator_ = self._fit_part(X, y, groups, np.arange(len(y)))
        truth, shares = y[held_out], y.mean(axis=0)
        if not self._has_proba:
            self.curves_ = np.array([_fit_curve(*tag) for tag in zip(values.T, truth.T)])
            values = self._to_probabilities(values)
        tags = zip(values.T, truth.T, shares)
        self.thresholds_ = np.array([best_threshold(*tag) for tag in tags])
        return self

    def _fit_part(self, X, y, groups, rows):
        model = clone(self.estimator)
        last = model[-1] if isinstance(model, Pipeline) else model
        # Fitted as it is, so that what is before it in a pipeline is fitted once, not for each tag.
        is_split = isinstance(last, OneVsRestClassifier)
        if not (is_split or get_tags(model).classifier_tags.multi_label):
            model = OneVsRestClassifier(model)
        with config_context(enable_metadata_routing=True), warnings.catch_warnings():
            # That a tag is on no row, or on all, is stated by whoever scores it.
            warnings.filterwarnings("ignore", "Label .* is present in all training examples")
            routed = process_routing(self, "fit", groups=groups).estimator.fit
            if rows.size < len(y):
                routed = {name: _safe_indexing(value, rows) for name, value in routed.items()}
            return model.fit(_safe_indexing(X, rows), y[rows], **routed)

    @property
    def _has_proba(self) -> bool:
        # What stands for a constant tag in a fitted one-vs-rest has probabilities in any case.
        last = self.estimator[-1] if isinstance(self.estimator, Pipeline) else self.estimator
        is_split = isinstance(last, OneVsRestClassifier)
        return hasattr(last.estimator if is_split else self.estimator, "predict_proba")

    def _values(self, model, X) -> np.ndarray:
        """Return a column for each tag: its probability, or else its decision value."""
        if not self._has_proba:
            return np.asarray(model.decision_function(X), dtype=float)
        proba = model.predict_proba(X)
        if not isinstance(proba, list):
            return np.asarray(proba)
        # A forest and its like: for each tag a column a class, of those that were trained on.
        has_tag = [np.asarray(known) == 1 for known in model.classes_]
        return np.column_stack([one[:, has].sum(axis=1) for one, has in zip(proba, has_tag)])

    def _to_probabilities(self, values):
        slopes, starts = self.curves_.T
        return expit(slopes * values + starts)

    def predict_proba(self, X) -> np.ndarray:
        """Return the probability of each tag.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            As given to ``fit``.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_tags)
            The probability that a sample has the tag.
        """
        check_is_fitted(self, "thresholds_")
        values = self._values(self.estimator_, X)
        return values if self._has_proba else self._to_probabilities(values)

    def predict(self, X) -> np.ndarray:
        """Return which tags each sample has.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            As given to ``fit``.

        Returns
        -------
        y_pred : ndarray of int, shape (n_samples, n_tags)
            1 where the probability of a tag is at least its threshold.
        """
        return (self.predict_proba(X) >= self.thresholds_).astype(int)

    def get_metadata_routing(self):
        """Return where the metadata of ``fit`` go: groups to the holdout, and to the classifier.

        Returns
        -------
        router : MetadataRouter
            For scikit-learn.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(estimator=self.estimator, method_mapping=mapping)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


def best_threshold(proba: np.ndarray, truth: np.ndarray, share: float) -> float:
    """Return the highest threshold of the best F1; without a positive, that of the usual share."""
    if not proba.size:
        return 0.5
    if not truth.any():
        return float(np.quantile(proba, 1 - share))
    order = np.argsort(-proba, kind="stable")
    found, called = np.cumsum(truth[order]), np.arange(1, proba.size + 1)
    f1 = 2 * found / (called + truth.sum())
    # Rows of one probability are called together.
    f1[:-1][proba[order][:-1] == proba[order][1:]] = -1
    return float(proba[order[f1.argmax()]])


def _fit_curve(values: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Return slope and start of the logistic curve from decision values to probabilities."""
    if np.unique(truth).size < 2:
        return 1.0, 0.0
    # As good as no penalty; of an infinite C scikit-learn 1.8 warns.
    fitted = LogisticRegression(C=1e10).fit(values[:, None], truth)
    # The curve has to rise, so that the ranking stays that of the classifier.
    return max(float(fitted.coef_[0, 0]), _SMALLEST_SLOPE), float(fitted.intercept_[0])

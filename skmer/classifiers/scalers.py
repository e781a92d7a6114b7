"""Standardization that takes rounding for what it is: of vectors, and of padded sequences."""

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array
from sklearn.utils.validation import _check_feature_names, check_is_fitted

from skmer.utils import estimators, floats

_EPS = np.finfo(np.float32).eps
# A column that takes so few neighboring values of float32 holds their rounding, and nothing else.
_STEPS = 8
# Of columns by their size, the one whose size is the scale: a few of another unit do not matter.
_SCALE_QUANTILE = 0.9


class FeatureScaler(StandardScaler):
    """`StandardScaler` for which a column is constant where it varies by no more than rounding.

    Columns that are dead in a network, as 541 of the 753 of MusiCNN's ``mean_pool`` are on music,
    still differ from clip to clip by rounding, which is another in every engine and on every
    processor. `StandardScaler`, whose test for constants is for float64, scales some of it up to a
    deviation of 1. Here such a column is constant, and 0 for every row, seen or new.

    With ``eps = 2**-23``, that of float32, a column is constant whose standard deviation is at most

    * ``8 * eps * s``, with s the root of its mean square, thus 8 steps between neighboring numbers
      at its own size: networks compute in 24 bits, for any type of the returned array, and their
      long sums lose about three of these;
    * or ``eps * S``, with S the size s that one column in ten exceeds: a layer adds products of
      this size, and each sum is rounded to ``eps * S / 2``, also where it ends near 0.

    So columns of other units stay what they are, unless they vary by less than a ten-millionth of
    the size of many others.

    Parameters
    ----------
    copy : bool, default=True
        As in `StandardScaler`.
    with_mean : bool, default=True
        As in `StandardScaler`.
    with_std : bool, default=True
        As in `StandardScaler`; without it no column is constant.

    Attributes
    ----------
    constant_ : ndarray of bool, shape (n_features,)
        Which columns are constant. Their ``scale_`` is infinity.

    See Also
    --------
    SequenceScaler : The same for padded sequences.

    References
    ----------
    Higham, N. J. (2002). Accuracy and stability of numerical algorithms, 2nd edition, section 4.2,
    SIAM. (Errors of sums.)

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.classifiers import FeatureScaler
    >>> X = np.array([[1, 2], [1 + 1e-7, 4]], dtype=np.float32)
    >>> FeatureScaler().fit_transform(X)
    array([[ 0., -1.],
           [ 0.,  1.]], dtype=float32)
    """

    def partial_fit(self, X, y=None, sample_weight=None):
        """Compute mean and deviation of each column.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            What each row counts.

        Returns
        -------
        self : object
            The fitted scaler.
        """
        super().partial_fit(X, y, sample_weight)
        if self.scale_ is not None:
            size = np.nan_to_num(np.hypot(self.mean_, np.sqrt(self.var_)))
            scale = np.quantile(size, _SCALE_QUANTILE, method="lower")
            self.constant_ = np.sqrt(self.var_) <= _EPS * np.maximum(_STEPS * size, scale)
            self.scale_[self.constant_] = np.inf
        return self

    def inverse_transform(self, X, copy=None):
        """Return the columns in their units; the constant ones are their mean.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Scaled rows.
        copy : bool, default=None
            As in `StandardScaler`.

        Returns
        -------
        X_original : {ndarray, sparse matrix} of shape (n_samples, n_features)
            Rows in the units of what the scaler was fitted to.
        """
        with np.errstate(invalid="ignore"):
            rows = super().inverse_transform(X, copy=copy)
        if self.scale_ is not None:
            rows[:, self.constant_] = self.mean_[self.constant_]
        return rows


class SequenceScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Standardize features over all frames of all clips; frames of zeros stay zero.

    The zeros that pad short clips count neither for the mean nor for the deviation, and a network
    still finds them masked. A plain X is scaled as `FeatureScaler` does.

    Attributes
    ----------
    scaler_ : FeatureScaler
        Fitted to the frames that are not padding.
    n_features_in_ : int
        Number of features of a frame.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.classifiers import SequenceScaler
    >>> X = np.array([[[1.0], [3.0]], [[5.0], [0.0]]])
    >>> SequenceScaler().fit_transform(X)[..., 0]
    array([[-1.22474487,  0.        ],
           [ 1.22474487,  0.        ]])
    """

    def fit(self, X, y=None):
        """Compute mean and standard deviation of each feature.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features) or (n_samples, n_features)
            Frame sequences, padded with zeros, or vectors.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted scaler.
        """
        _check_feature_names(self, X, reset=True)
        X, kept = self._frames(X)
        self.scaler_ = FeatureScaler().fit(X[kept])
        self.n_features_in_ = self.scaler_.n_features_in_
        estimators.wrap_tables_only(self, is_table=X.ndim == 2)
        return self

    def transform(self, X) -> np.ndarray:
        """Standardize.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features) or (n_samples, n_features)
            Frame sequences, padded with zeros, or vectors.

        Returns
        -------
        X_scaled : ndarray of the shape of X
            The scaled frames.
        """
        check_is_fitted(self)
        _check_feature_names(self, X, reset=False)
        X, kept = self._frames(X)
        scaled = np.zeros_like(X)
        scaled[kept] = self.scaler_.transform(X[kept])
        return scaled

    def _frames(self, X):
        """Return `X` as an array, and which of its frames are not padding."""
        estimators.check_unmasked(X, "X of SequenceScaler")
        X = check_array(X, allow_nd=True, dtype=[np.float64, np.float32], estimator=self)
        floats.check_magnitude(X, "X of SequenceScaler")
        return X, X.any(axis=-1) if X.ndim == 3 else np.ones(len(X), dtype=bool)

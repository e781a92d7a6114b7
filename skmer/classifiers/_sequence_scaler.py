"""Standardization that leaves the padding of frame sequences alone."""

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skmer.exceptions import InputError
from skmer.utils._documented import DocumentedMixin
from skmer.utils._floats import check_magnitude
from skmer.utils._sklearn import checked_features


class SequenceScaler(DocumentedMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Standardize features over all frames of all clips; frames of zeros stay zero.

    The zeros that pad short clips count neither for the mean nor for the deviation, and a network
    still finds them masked. A plain X is scaled as `StandardScaler` does.

    Attributes
    ----------
    scaler_ : StandardScaler
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

    _documented_in = "skmer.classifiers"

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
        X, kept = self._frames(X)
        self.scaler_ = StandardScaler().fit(X[kept])
        self.n_features_in_ = self.scaler_.n_features_in_
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
        X, kept = self._frames(X)
        scaled = np.zeros_like(X)
        scaled[kept] = self.scaler_.transform(X[kept])
        return scaled

    def _frames(self, X):
        """Return `X` as an array, and which of its frames are not padding."""
        with checked_features(X, self):
            X = check_array(X, allow_nd=True, dtype=[np.float64, np.float32], estimator=self)
        if X.ndim > 3:
            raise InputError(
                "X of SequenceScaler must have shape (n_samples, n_frames, n_features) or "
                f"(n_samples, n_features). Got shape {X.shape} instead."
            )
        check_magnitude(X, "X of SequenceScaler")
        return X, X.any(axis=-1) if X.ndim == 3 else np.ones(len(X), dtype=bool)

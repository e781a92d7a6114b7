"""Correction for several comparisons."""

import numpy as np

from skmer.exceptions import InputError
from skmer.utils._floats import check_floats
from skmer.utils._sklearn import validate_params


@validate_params({"pvalues": ["array-like"]}, prefer_skip_nested_validation=True)
def holm(pvalues) -> np.ndarray:
    """Adjust p-values for several comparisons by Holm's step-down method.

    The family-wise error rate stays below alpha, whatever the dependence between the
    comparisons, when those with an adjusted p-value of at most alpha are called different.

    Parameters
    ----------
    pvalues : array-like of shape (n_comparisons,)
        One p-value a comparison.

    Returns
    -------
    ndarray of shape (n_comparisons,)
        The adjusted p-values, in the order given.

    References
    ----------
    .. [1] S. Holm. "A simple sequentially rejective multiple test procedure". Scandinavian
       Journal of Statistics 6, 65-70, 1979.

    Examples
    --------
    >>> from skmer.evaluation import holm
    >>> holm([0.01, 0.04, 0.03, 0.005]).round(3)
    array([0.03, 0.06, 0.06, 0.02])
    """
    pvalues = check_floats(pvalues, "pvalues")
    if pvalues.ndim != 1 or ((pvalues < 0) | (pvalues > 1)).any():
        raise InputError(
            "'pvalues' must be probabilities between 0 and 1, of shape (n_comparisons,). "
            f"Got {pvalues!r:.200} instead."
        )
    order = np.argsort(pvalues, kind="stable")
    stepped = pvalues[order] * np.arange(len(pvalues), 0, -1)
    adjusted = np.empty_like(pvalues)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted

"""Signs that something was fitted on training and test rows together."""

import numpy as np

from skmer.evaluation.auditing._finding import AuditFinding

# Looser than what float32 arithmetic leaves of an exact mean of 0, tighter than any accident.
TOLERANCE = 1e-5


def scaled_outside(X):
    """Find columns that were standardised, ranged or decorrelated over all rows at once."""
    X = np.asarray(X, dtype=float)
    # Two values (a flag) and no spread tell nothing of scaling.
    telling = [j for j in range(X.shape[1]) if len(np.unique(X[:, j])) > 2]
    X = X[:, telling]
    if not telling or len(X) < 4:
        return []
    mean, std = X.mean(axis=0), X.std(axis=0)
    unit = (np.abs(std - 1) < TOLERANCE) | (np.abs(X.std(axis=0, ddof=1) - 1) < TOLERANCE)
    low, middle, high = np.percentile(X, [25, 50, 75], axis=0)
    ranged = (np.abs(X.min(axis=0)) < TOLERANCE) & (np.abs(X.max(axis=0) - 1) < TOLERANCE)
    centred = np.abs(mean) < TOLERANCE * std
    signs = {
        "have mean 0 and standard deviation 1": centred & unit,
        "have median 0 and interquartile range 1": (np.abs(middle) < TOLERANCE)
        & (np.abs(high - low - 1) < TOLERANCE),
        # One column from 0 to 1 may be a proportion.
        "range from exactly 0 to 1": ranged & (ranged.mean() > 0.5),
    }
    if 1 < len(telling) < len(X) and centred.all():
        correlations = np.corrcoef(X, rowvar=False) - np.eye(len(telling))
        signs["have mean 0 and no correlation with each other"] = np.full(
            len(telling), np.abs(correlations).max() < TOLERANCE
        )
    for sign, columns in signs.items():
        if columns.any():
            return [
                AuditFinding(
                    "preprocessing",
                    "warning",
                    f"{columns.sum()} of {len(columns)} columns {sign} over all rows, so that "
                    "something was fitted on training and test rows together; put it into the "
                    "pipeline instead.",
                )
            ]
    return []


def fitted_outside(estimators, n_allowed):
    """Find fitted preprocessing that has seen more rows than a training set holds."""
    found = []
    for estimator in estimators:
        for step in _steps(estimator):
            n_seen = max(
                (
                    int(np.max(getattr(step, name)))
                    for name in ("n_samples_seen_", "n_samples_")
                    if hasattr(step, name)
                ),
                default=0,
            )
            if n_seen > n_allowed:
                found.append(
                    AuditFinding(
                        "preprocessing",
                        "error",
                        f"{type(step).__name__} was fitted on {n_seen} rows, and the largest "
                        f"training set has {n_allowed}; put it into the pipeline instead.",
                    )
                )
    return found


def _steps(estimator):
    """Return an estimator's parts, or itself."""
    parts = getattr(estimator, "steps", None) or getattr(estimator, "transformer_list", None)
    if parts is None:
        return [estimator]
    return [step for _, part in parts for step in _steps(part)]

"""What the frequentist and the Bayesian paired tests share."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_consistent_length

from skmer.exceptions import InputError
from skmer.utils._floats import check_floats


class PairedMoments(NamedTuple):
    """Mean difference over resamples, its corrected standard error, degrees of freedom."""

    difference: float
    standard_error: float
    df: int


def paired_moments(scores_a, scores_b, n_train, n_test) -> PairedMoments:
    """Return the moments of a - b with Nadeau and Bengio's correction of the variance."""
    scores_a, scores_b = check_floats(scores_a, "scores_a"), check_floats(scores_b, "scores_b")
    for scores, name in ((scores_a, "scores_a"), (scores_b, "scores_b")):
        if scores.ndim != 1:
            raise InputError(
                f"'{name}' must be one score a resample, of shape (n_resamples,). "
                f"Got shape {scores.shape} instead."
            )
    check_consistent_length(scores_a, scores_b)
    if len(scores_a) < 2:
        raise InputError(f"A paired test needs two resamples or more. Got {len(scores_a)}.")
    ratio = size_ratio(n_train, n_test, len(scores_a))
    differences = scores_a - scores_b
    # Equal differences leave a variance of rounding errors, which would pass for certainty.
    constant = np.ptp(differences) <= 8 * np.finfo(float).eps * np.abs(scores_a).max()
    variance = 0.0 if constant else differences.var(ddof=1)
    return PairedMoments(
        float(differences.mean()),
        float(np.sqrt(variance * (1 / len(differences) + ratio))),
        len(differences) - 1,
    )


def size_ratio(n_train, n_test, n_resamples) -> float:
    """Return the mean of n_test / n_train over resamples, and over the two models."""
    sizes = []
    for name, size in (("n_train", n_train), ("n_test", n_test)):
        size = check_floats(size, name, finite=False)
        shapes = ((), (n_resamples,), (2, n_resamples))
        if size.shape not in shapes or not (np.isfinite(size) & (size > 0)).all():
            raise InputError(
                f"'{name}' must be one positive number of rows, one for each of the {n_resamples} "
                f"resamples, or two rows of those, of model a and of model b. Got {size!r:.100}."
            )
        sizes.append(size)
    ratio = sizes[1] / sizes[0]
    # Over the models first: a sum of two is the same whichever model comes first.
    return float(np.mean(ratio.mean(axis=0) if ratio.ndim == 2 else ratio))

"""Holm's method against statsmodels' figures and against its own laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skmer.evaluation import holm


@pytest.mark.parametrize(
    ("pvalues", "adjusted"),
    [
        # statsmodels 0.15.0: multipletests(pvalues, method="holm")[1].
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.2, 0.001, 0.5, 0.02, 0.02, 0.9], [0.6, 0.006, 1.0, 0.1, 0.1, 1.0]),
        ([0.04], [0.04]),
        ([0.6, 0.7], [1.0, 1.0]),
        ([], []),
    ],
)
def test_known_figures(pvalues, adjusted):
    np.testing.assert_allclose(holm(pvalues), adjusted, rtol=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0.001, 0.5))
def test_calls_different_exactly_what_stepping_down_does(pvalues, alpha):
    rejected = np.zeros(len(pvalues), dtype=bool)
    for step, row in enumerate(np.argsort(pvalues, kind="stable")):
        if pvalues[row] * (len(pvalues) - step) > alpha:
            break
        rejected[row] = True
    np.testing.assert_array_equal(holm(pvalues) <= alpha, rejected)


@pytest.mark.parametrize("pvalues", [[0.1, 1.2], [-0.1], [1.0, 1.1]])
def test_what_is_no_probability_is_refused(pvalues):
    with pytest.raises(ValueError, match="'pvalues' must be probabilities between 0 and 1"):
        holm(pvalues)


def test_zero_and_one_are_probabilities():
    assert holm([0.0, 1.0]).tolist() == [0.0, 1.0]

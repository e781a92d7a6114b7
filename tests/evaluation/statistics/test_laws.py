"""Symmetries of the statistics: order, names and units of what goes in do not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skmer.evaluation import corrected_resampled_ttest, holm, neighbor_purity
from skmer.evaluation.statistics.scores import classification_scores, concordance

seeds = st.integers(0, 2**16)
few = settings(max_examples=30)


@few
@given(seeds, st.integers(2, 15), st.floats(-1, 1), st.floats(0.1, 10))
def test_a_paired_test_looks_at_differences_alone(seed, n, shift, scale):
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, n))
    sizes = {"n_train": rng.integers(50, 99, n), "n_test": rng.integers(5, 20, n)}
    test = corrected_resampled_ttest(a, b, **sizes)
    back = corrected_resampled_ttest(b, a, **sizes)
    assert (back.pvalue, back.statistic) == (test.pvalue, -test.statistic)
    moved = corrected_resampled_ttest(scale * (a + shift), scale * (b + shift), **sizes)
    assert moved.pvalue == pytest.approx(test.pvalue, rel=1e-6, abs=1e-12)
    assert moved.difference == pytest.approx(scale * test.difference, abs=1e-9)
    order = rng.permutation(n)
    shuffled = corrected_resampled_ttest(
        a[order], b[order], **{name: size[order] for name, size in sizes.items()}
    )
    assert shuffled.pvalue == pytest.approx(test.pvalue)


@few
@given(st.lists(st.floats(0, 1), min_size=1, max_size=10), seeds)
def test_holm_follows_its_rows_and_never_lowers_a_pvalue(pvalues, seed):
    pvalues = np.array(pvalues)
    order = np.random.default_rng(seed).permutation(pvalues.size)
    np.testing.assert_array_equal(holm(pvalues[order]), holm(pvalues)[order])
    assert (holm(pvalues) >= pvalues).all()


@few
@given(seeds)
def test_scores_know_neither_the_order_of_rows_nor_the_names_of_classes(seed):
    rng = np.random.default_rng(seed)
    y_true, y_pred = rng.integers(0, 4, (2, 40))
    order, names = rng.permutation(40), rng.permutation(["a", "b", "c", "d"])
    assert classification_scores(names[y_true][order], names[y_pred][order]) == pytest.approx(
        classification_scores(y_true, y_pred)
    )
    a, b = rng.normal(size=(2, 30))
    assert concordance(a, b) == pytest.approx(concordance(b, a))
    assert concordance(3 * a + 1, 3 * b + 1) == pytest.approx(concordance(a, b))
    assert concordance(a, a) == pytest.approx(1)


@few
@given(seeds)
def test_purity_does_not_depend_on_turns_scale_or_order(seed):
    rng = np.random.default_rng(seed)
    points, labels = rng.normal(size=(30, 2)), rng.integers(0, 3, 30)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    order = rng.permutation(30)
    moved = neighbor_purity(5 * points[order] @ turn + 7, labels[order], n_neighbors=4)
    assert moved == pytest.approx(neighbor_purity(points, labels, n_neighbors=4))

"""Group-block permutation against enumeration, simulation, and what breaks without it."""

from itertools import permutations

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GroupKFold, permutation_test_score

from skmer.evaluation import group_block_permutation_test


def seen_labels(y, groups, **options):
    """Every labelling that reaches the statistic, the true one last."""
    seen = []

    def statistic(labels):
        seen.append(tuple(labels))
        return 0.0

    test = group_block_permutation_test(statistic, y, groups=groups, random_state=0, **options)
    return seen, test


def test_constant_labels_change_hands_between_groups_of_any_size():
    groups = np.array(list("aabbbcd"))
    y = np.array([0, 0, 1, 1, 1, 0, 1])
    seen, test = seen_labels(y, groups)
    assert test.scheme == "between"
    assert test.n_fixed_rows == 0
    # Two of four groups carry label 0: six arrangements, all found.
    assert len(set(seen)) == 6
    for labels in seen:
        by_group = {group: {labels[i] for i in np.flatnonzero(groups == group)} for group in "abcd"}
        assert all(len(of_group) == 1 for of_group in by_group.values())
        assert sorted(of_group.pop() for of_group in by_group.values()) == [0, 0, 1, 1]
    assert test.smallest_pvalue == pytest.approx(1 / 6)


def test_blocks_change_hands_among_groups_of_one_size():
    groups = np.array(list("aabbccddde"))
    y = np.array([0, 1, 2, 2, 0, 0, 1, 2, 1, 2])
    seen, test = seen_labels(y, groups)
    assert test.scheme == "between"
    assert test.n_fixed_rows == 4
    assert {labels[6:] for labels in seen} == {(1, 2, 1, 2)}
    expected = {sum(order, ()) for order in permutations([(0, 1), (2, 2), (0, 0)])}
    assert {labels[:6] for labels in seen} == expected
    assert test.smallest_pvalue == pytest.approx(1 / 6)


def test_a_crossed_design_is_permuted_within_groups():
    groups, y = np.repeat([1, 2, 3], 4), np.tile([0, 1, 2, 2], 3)
    seen, test = seen_labels(y, groups)
    assert test.scheme == "within"
    assert len(set(seen)) > 700
    assert all(sorted(labels[i : i + 4]) == [0, 1, 2, 2] for labels in seen for i in (0, 4, 8))
    assert test.smallest_pvalue == pytest.approx(1 / 1000)
    _, few = seen_labels(y[:4], groups[:4])
    assert few.smallest_pvalue == pytest.approx(1 / 12)


def test_pvalue_is_that_of_full_enumeration():
    rng = np.random.default_rng(3)
    group_means, labels = rng.normal(size=6), np.array([0, 0, 0, 1, 1, 1])
    group_means[3:] += 1
    sizes = [1, 4, 2, 3, 1, 5]
    groups, x, y = (np.repeat(values, sizes) for values in (range(6), group_means, labels))

    def difference(y):
        return x[y == 1].mean() - x[y == 0].mean()

    exact = np.mean(
        [
            difference(np.repeat(order, sizes)) >= difference(y) - 1e-12
            for order in permutations(labels)
        ]
    )
    test = group_block_permutation_test(
        difference, y, groups=groups, n_permutations=4000, random_state=0
    )
    assert test.statistic == pytest.approx(difference(y))
    assert test.pvalue == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 4000))


def test_is_not_degenerate_where_scikit_learn_is():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 4)
    y = np.repeat(np.arange(20) % 2, 4)
    X = (y + rng.normal(0, 0.3, 80))[:, None]
    theirs = permutation_test_score(
        LinearRegression(), X, y, groups=groups, cv=GroupKFold(4), n_permutations=20, random_state=0
    )
    assert theirs[2] == 1
    ours = group_block_permutation_test(
        lambda labels: np.corrcoef(X[:, 0], labels)[0, 1], y, groups=groups, random_state=0
    )
    assert ours.pvalue == 1 / 1000
    assert ours.null_distribution.std() > 0.1


@pytest.mark.parametrize("scheme", ["between", "within"])
def test_pvalues_are_uniform_when_nothing_is_there(scheme):
    """Groups differ in their features, labels are drawn without looking at them."""
    rng = np.random.default_rng(5)
    pvalues, naive = [], []
    groups = np.repeat(np.arange(12), 6)
    for trial in range(120):
        x = np.repeat(rng.normal(size=12), 6) + 0.3 * rng.normal(size=72)
        y = (
            np.repeat(rng.permutation(12) % 2, 6)
            if scheme == "between"
            else np.concatenate([rng.permutation([0, 0, 0, 1, 1, 1]) for _ in range(12)])
        )
        test = group_block_permutation_test(
            lambda labels, x=x: x[labels == 1].sum(),
            y,
            groups=groups,
            n_permutations=99,
            random_state=trial,
        )
        assert test.scheme == scheme
        pvalues.append(test.pvalue)
        naive.append(stats.ttest_ind(x[y == 1], x[y == 0], alternative="greater").pvalue)
    assert stats.kstest(pvalues, "uniform").pvalue > 0.01
    if scheme == "between":
        assert np.mean(np.array(naive) < 0.05) > 0.15


def test_jobs_do_not_change_the_outcome():
    groups, y = np.repeat(np.arange(6), 2), np.repeat([0, 1], 6)
    one, two = (
        group_block_permutation_test(
            np.std,
            y * np.arange(12),
            groups=groups,
            n_permutations=9,
            random_state=1,
            n_jobs=n_jobs,
        )
        for n_jobs in (None, 2)
    )
    np.testing.assert_array_equal(one.null_distribution, two.null_distribution)


@pytest.mark.parametrize(
    ("y", "groups", "scheme", "message"),
    [
        ([0, 0, 1, 1], [1, 1, 2, 2], "within", "change places within groups"),
        ([0, 0, 0, 0], [1, 1, 2, 2], "auto", "change places within groups"),
        ([0, 1, 0, 1, 1], [1, 1, 2, 2, 2], "between", "change places between groups"),
        ([0, 1], [1, 2, 3], "auto", "inconsistent numbers of samples"),
    ],
)
def test_nothing_to_permute_is_said(y, groups, scheme, message):
    with pytest.raises(ValueError, match=message):
        group_block_permutation_test(np.mean, y, groups=groups, scheme=scheme)


def test_an_undefined_statistic_is_said():
    with pytest.raises(ValueError, match="must be a finite number for every permutation"):
        group_block_permutation_test(lambda y: np.nan, [0, 1, 2], groups=[1, 2, 3])


@pytest.mark.parametrize("at_the_labels", [True, False])
def test_a_statistic_that_is_not_finite_is_refused(at_the_labels):
    y, singers = np.repeat([0, 1], 9), np.repeat(np.arange(6), 3)

    def statistic(labels):
        return np.nan if (labels == y).all() == at_the_labels else 0.0

    with pytest.raises(ValueError, match="must be a finite number for every permutation"):
        group_block_permutation_test(
            statistic, y, groups=singers, n_permutations=19, random_state=0
        )

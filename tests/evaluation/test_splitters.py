"""What holds for every split, whatever the labels, groups and sizes."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sklearn import config_context

from skmer.evaluation import FixedSplit, RepeatedStratifiedGroupKFold, StratifiedThreeWaySplit

few = settings(max_examples=40, suppress_health_check=[HealthCheck.filter_too_much])


@st.composite
def grouped_labels(draw):
    """Labels and groups of some clips, in any order, each group with labels of its own mix."""
    n_groups = draw(st.integers(3, 9))
    sizes = draw(st.lists(st.integers(2, 7), min_size=n_groups, max_size=n_groups))
    groups = np.repeat(np.arange(n_groups), sizes)
    seed = draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, groups.size)
    order = rng.permutation(groups.size)
    # Folds can be stratified where each class has as many clips as there are folds.
    assume(np.bincount(y, minlength=2).min() >= 3)
    return y[order], np.array([f"singer {g:02d}" for g in groups])[order], seed


@few
@given(grouped_labels(), st.integers(2, 3), st.integers(1, 3))
def test_grouped_folds_test_every_row_once_a_repeat_and_share_no_group(data, n_splits, n_repeats):
    y, groups, seed = data
    cv = RepeatedStratifiedGroupKFold(n_splits, n_repeats=n_repeats, random_state=seed)
    splits = list(cv.split(y, y, groups))
    assert len(splits) == cv.get_n_splits() == n_splits * n_repeats
    for repeat in range(n_repeats):
        folds = splits[repeat * n_splits : (repeat + 1) * n_splits]
        tested = np.concatenate([test for _, test in folds])
        assert sorted(tested) == list(range(y.size))
        for train, test in folds:
            assert not set(groups[train]) & set(groups[test])
            assert sorted([*train, *test]) == list(range(y.size))
            assert test.size > 0


@few
@given(grouped_labels())
def test_grouped_folds_depend_on_the_seed_and_not_on_the_names_of_the_groups(data):
    y, groups, seed = data
    splits, again, renamed = (
        [test.tolist() for _, test in cv.split(y, y, names)]
        for cv, names in (
            (RepeatedStratifiedGroupKFold(2, n_repeats=3, random_state=seed), groups),
            (RepeatedStratifiedGroupKFold(2, n_repeats=3, random_state=seed), groups),
            (
                RepeatedStratifiedGroupKFold(2, n_repeats=3, random_state=seed),
                np.unique(groups, return_inverse=True)[1],
            ),
        )
    )
    assert splits == again == renamed


def test_grouped_folds_are_stratified_where_groups_allow_it():
    # Each group has one label; folds of equal shares can be made, and are.
    y, groups = np.repeat([0, 0, 0, 0, 1, 1, 1, 1], 5), np.repeat(np.arange(8), 5)
    cv = RepeatedStratifiedGroupKFold(4, n_repeats=3, random_state=0)
    assert all(y[test].mean() == 0.5 for _, test in cv.split(y, y, groups))
    # Without labels there is nothing to balance but the sizes.
    assert any(y[test].mean() != 0.5 for _, test in cv.split(y, groups=groups))


def test_as_many_folds_as_groups_and_no_more():
    groups = np.repeat(np.arange(4), 3)
    splits = RepeatedStratifiedGroupKFold(4, n_repeats=1).split(groups, groups=groups)
    assert {len(set(groups[test])) for _, test in splits} == {1}
    with pytest.raises(ValueError, match="5 folds from 4 groups"):
        next(RepeatedStratifiedGroupKFold(5, n_repeats=1).split(groups, groups=groups))


def test_as_many_folds_as_clips_of_a_class_and_no_more():
    y, groups = np.repeat([0, 1], 4), np.arange(8)
    assert len(list(RepeatedStratifiedGroupKFold(4, n_repeats=1).split(y, y, groups))) == 4
    with pytest.raises(ValueError, match="n_splits=5 cannot be greater than the number"):
        next(RepeatedStratifiedGroupKFold(5, n_repeats=1).split(y, y, groups))


def test_repeats_and_seeds_differ():
    y, groups = np.tile([0, 1], 30), np.repeat(np.arange(20), 3)

    def tests(seed):
        cv = RepeatedStratifiedGroupKFold(4, n_repeats=3, random_state=seed)
        return [tuple(test) for _, test in cv.split(y, y, groups)]

    # Of 12 folds two may be alike by chance.
    assert len(set(tests(0))) > 9
    assert set(tests(0)) != set(tests(1))


@few
@given(
    counts=st.lists(st.integers(10, 40), min_size=2, max_size=4),
    sizes=st.tuples(st.floats(0.1, 0.4), st.floats(0.1, 0.4)),
    seed=st.integers(0, 2**16),
)
def test_three_parts_are_all_rows_once_and_keep_the_proportions(counts, sizes, seed):
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    cv = StratifiedThreeWaySplit(3, validation_size=sizes[0], test_size=sizes[1], random_state=seed)
    parts = list(cv.split_parts(y, y))
    assert len(parts) == cv.get_n_splits() == 3
    for train, validation, test in parts:
        assert sorted([*train, *validation, *test]) == list(range(y.size))
        assert len(validation) == np.ceil(sizes[0] * y.size)
        assert len(test) == np.ceil(sizes[1] * y.size)
        for part in (validation, test):
            expected = len(part) * np.array(counts) / y.size
            assert (np.abs(np.bincount(y[part], minlength=len(counts)) - expected) <= 1.5).all()
        for part in (train, validation, test):
            assert part.tolist() == sorted(part)
    pairs = list(cv.split(y, y))
    for (train, _, test), (of_pair, tested) in zip(parts, pairs):
        np.testing.assert_array_equal(of_pair, train)
        np.testing.assert_array_equal(tested, test)
    assert len({tuple(test) for _, _, test in parts}) == 3


@few
@given(st.lists(st.sampled_from(["train", "valid", "validation", "test"]), min_size=2, max_size=30))
def test_a_fixed_split_is_what_was_published(parts):
    assume({"train", "test"} <= set(parts))
    ((train, test),) = FixedSplit(parts).split(parts)
    assert [parts[row] for row in test] == ["test"] * parts.count("test")
    assert "test" not in {parts[row] for row in train}
    assert sorted([*train, *test]) == list(range(len(parts)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RepeatedStratifiedGroupKFold(1), "'n_splits' .* from 2 to 1000000. Got 1"),
        (lambda: RepeatedStratifiedGroupKFold(2, n_repeats=0), "'n_repeats' .* from 1 to"),
        (lambda: StratifiedThreeWaySplit(0), "'n_splits' .* from 1 to 1000000. Got 0"),
        (lambda: FixedSplit(["train", "tset"]), "Got 'tset'"),
    ],
)
def test_impossible_splits_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_splits_that_the_data_do_not_allow_are_refused():
    y, groups = np.array([0, 1, 0, 1]), np.array([1, 1, 2, 2])
    cv = RepeatedStratifiedGroupKFold(3, n_repeats=1)
    with pytest.raises(ValueError, match="3 folds from 2 groups"):
        next(cv.split(y, y, groups))
    with pytest.raises(ValueError, match=r"The groups must be a sequence.* Got None"):
        next(cv.split(y, y))
    with pytest.raises(ValueError, match=r"at least 3 clips of every class.* '1' has 2"):
        next(StratifiedThreeWaySplit().split(y, np.repeat([0, 1], [20, 2])))
    with pytest.raises(ValueError, match="3 classes into a test set of 1 of 10"):
        next(StratifiedThreeWaySplit().split(y, np.repeat([0, 1, 2], [4, 3, 3])))
    with pytest.raises(ValueError, match="3 classes into a training set of 1 of 10"):
        large = StratifiedThreeWaySplit(test_size=0.5, validation_size=0.4)
        next(large.split(y, np.repeat([0, 1, 2], [4, 3, 3])))
    for sizes, fault in (
        ({"test_size": 1.0}, "training set of -9 of 90"),
        ({"validation_size": 0.0}, "validation set of 0 of 90"),
        ({"validation_size": 0.5, "test_size": 0.5}, "training set of 0 of 90"),
        ({"test_size": np.nan}, "NaN"),
    ):
        with pytest.raises(ValueError, match=fault):
            next(StratifiedThreeWaySplit(**sizes).split(y, np.repeat([0, 1, 2], 30)))
    with pytest.raises(ValueError, match="parts of 2 clips and got 3"):
        next(FixedSplit(["train", "test"]).split([1, 2, 3]))


def test_numpy_numbers_are_taken():
    y, groups = np.tile([0, 1], 15), np.repeat(np.arange(10), 3)
    ours, plain = (
        [test.tolist() for _, test in cv.split(y, y, groups)]
        for cv in (
            RepeatedStratifiedGroupKFold(
                np.int64(2), n_repeats=np.int32(2), random_state=np.int64(3)
            ),
            RepeatedStratifiedGroupKFold(2, n_repeats=2, random_state=3),
        )
    )
    assert ours == plain
    ours, plain = (
        [test.tolist() for _, test in cv.split(y, y)]
        for cv in (
            StratifiedThreeWaySplit(
                np.int64(2), test_size=np.float64(0.2), random_state=np.int64(3)
            ),
            StratifiedThreeWaySplit(2, test_size=0.2, random_state=3),
        )
    )
    assert ours == plain


def test_how_many_splits_there_are():
    assert FixedSplit(["train", "test"]).get_n_splits() == 1
    assert StratifiedThreeWaySplit().get_n_splits() == 20
    assert StratifiedThreeWaySplit(1).get_n_splits() == 1
    assert RepeatedStratifiedGroupKFold().get_n_splits() == 5 * 10


def test_groups_are_asked_for_under_metadata_routing():
    with config_context(enable_metadata_routing=True):
        routing = RepeatedStratifiedGroupKFold().get_metadata_routing()
    assert routing.split.requests == {"groups": True}

"""Splits: what each protocol promises, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import PredefinedSplit, RepeatedStratifiedKFold, StratifiedKFold

from skmer.evaluation import FixedSplit, RepeatedStratifiedGroupKFold, StratifiedThreeWaySplit
from skmer.evaluation.folds import make_protocols
from skmer.evaluation.tasks import CLASSIFICATION, Targets
from skmer.utils.estimators import derive_seeds

N_CLIPS = 84
Y = np.tile(["calm", "happy", "sad"], N_CLIPS // 3)
SINGERS = np.repeat(np.arange(12), 7)


def protocols(protocol, y=Y, groups=SINGERS, *, n_folds=5, n_repeats=None, random_state=0):
    return make_protocols(
        protocol,
        known=CLASSIFICATION.splitters(n_folds, n_repeats),
        strata=y,
        groups=groups,
        random_state=random_state,
    )


def test_seeds_are_spawned_and_repeatable():
    assert derive_seeds(3, 4) == derive_seeds(3, 4)
    assert derive_seeds(3, 6)[:4] == derive_seeds(3, 4)
    assert len({*derive_seeds(3, 50), *derive_seeds(4, 50)}) == 100
    assert derive_seeds(None, 1) != derive_seeds(None, 1)
    drawn = derive_seeds(np.random.RandomState(5), 2)
    assert drawn == derive_seeds(np.random.RandomState(5), 2)
    assert all(0 <= seed < 2**31 for seed in drawn)


@settings(max_examples=25, deadline=None)
@given(
    n_groups=st.integers(3, 9),
    n_folds=st.integers(2, 3),
    n_repeats=st.integers(1, 3),
    seed=st.integers(0, 100),
)
def test_group_kfold_keeps_groups_and_tests_each_clip_once(n_groups, n_folds, n_repeats, seed):
    groups = np.repeat(np.arange(n_groups), 4)
    y = np.tile([0, 1, 0, 1], n_groups)
    cv = RepeatedStratifiedGroupKFold(n_folds, n_repeats=n_repeats, random_state=seed)
    splits = list(cv.split(y, y, groups))
    assert len(splits) == cv.get_n_splits() == n_folds * n_repeats
    for train, test in splits:
        assert not set(groups[train]) & set(groups[test])
        assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(y.size))
    for repeat in range(n_repeats):
        tested = [test for _, test in splits[repeat * n_folds : (repeat + 1) * n_folds]]
        assert np.array_equal(np.sort(np.concatenate(tested)), np.arange(y.size))


def test_group_kfold_draws_each_repeat_anew():
    cv = RepeatedStratifiedGroupKFold(3, n_repeats=2, random_state=0)
    folds = [frozenset(SINGERS[test]) for _, test in cv.split(Y, Y, SINGERS)]
    assert set(folds[:3]) != set(folds[3:])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_splits": 1}, "The 'n_splits' parameter of RepeatedStratifiedGroupKFold .* 2.* Got 1"),
        ({"n_repeats": 0}, "The 'n_repeats' parameter .* Got 0"),
    ],
)
def test_group_kfold_refuses_bad_parameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        RepeatedStratifiedGroupKFold(**arguments)


def test_group_kfold_needs_groups_and_enough_of_them():
    with pytest.raises(ValueError, match="needs 'groups'"):
        next(RepeatedStratifiedGroupKFold().split(Y, Y))
    with pytest.raises(ValueError, match="cannot make 13 folds from 12 groups"):
        next(RepeatedStratifiedGroupKFold(13).split(Y, Y, SINGERS))


@settings(max_examples=25, deadline=None)
@given(counts=st.lists(st.integers(10, 40), min_size=2, max_size=4), seed=st.integers(0, 100))
def test_three_way_parts_are_disjoint_sized_and_stratified(counts, seed):
    y = np.repeat(np.arange(len(counts)), counts)
    for parts in StratifiedThreeWaySplit(n_splits=2, random_state=seed).split_parts(y, y):
        assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(y.size))
        tenth = int(np.ceil(y.size / 10))
        assert [part.size for part in parts] == [y.size - 2 * tenth, tenth, tenth]
        for part in parts:
            expected = np.array(counts) / y.size * part.size
            assert np.abs(np.bincount(y[part], minlength=len(counts)) - expected).max() < 2


def test_three_way_split_leaves_the_validation_part_out():
    cv = StratifiedThreeWaySplit(n_splits=3, random_state=1)
    pairs = list(cv.split(Y, Y))
    assert len(pairs) == cv.get_n_splits() == 3
    for (train, test), (full_train, validation, full_test) in zip(pairs, cv.split_parts(Y, Y)):
        assert np.array_equal(train, full_train)
        assert np.array_equal(test, full_test)
        assert not set(validation) & {*train, *test}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_splits": 0}, "'n_splits' .* Got 0"),
        ({"test_size": 1.5}, "'test_size' .* Got 1.5"),
        ({"test_size": 0.5, "validation_size": 0.5}, "leave something to train on"),
    ],
)
def test_three_way_refuses_bad_parameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        StratifiedThreeWaySplit(**arguments)


def test_three_way_refuses_rare_classes_and_tiny_parts():
    rare = np.array(["calm"] * 30 + ["fearful"] * 2)
    with pytest.raises(ValueError, match="class 'fearful' has 2"):
        next(StratifiedThreeWaySplit().split_parts(rare, rare))
    tiny = np.repeat(np.arange(4), 3)
    with pytest.raises(ValueError, match="4 classes into a test part of 2 of 12 clips"):
        next(StratifiedThreeWaySplit().split_parts(tiny, tiny))


def test_fixed_split_refuses_misspelt_parts_and_other_lengths():
    with pytest.raises(ValueError, match="Got 'val'"):
        FixedSplit(["train", "val", "test"])
    with pytest.raises(ValueError, match="at least one clip 'test'"):
        FixedSplit(["train", "validation"])
    with pytest.raises(ValueError, match="2 clips and got 3"):
        next(FixedSplit(["train", "test"]).split(np.zeros((3, 1))))


def test_a_protocol_does_not_depend_on_its_neighbours():
    alone = protocols("grouped")[0]
    beside = protocols(["koh2021", "grouped"])[1]
    assert [split.seed for split in alone.splits] == [split.seed for split in beside.splits]
    assert all(np.array_equal(a.test, b.test) for a, b in zip(alone.splits, beside.splits))
    other = protocols("grouped", random_state=1)[0]
    assert not all(np.array_equal(a.test, b.test) for a, b in zip(alone.splits, other.splits))


@pytest.mark.parametrize(
    ("protocol", "name", "n_repeats", "n_folds", "grouped"),
    [
        ("grouped", "grouped", 4, 5, True),
        ("koh2021", "koh2021", 20, 1, False),
        (StratifiedKFold(5), "StratifiedKFold", 1, 5, False),
        (RepeatedStratifiedKFold(n_splits=3, n_repeats=2), "RepeatedStratifiedKFold", 2, 3, False),
        (PredefinedSplit(np.where(SINGERS < 3, 0, -1)), "fixed", 1, 1, True),
        (FixedSplit(np.where(SINGERS < 3, "test", "train")), "fixed", 1, 1, True),
        ({"mine": StratifiedKFold(5)}, "mine", 1, 5, False),
    ],
)
def test_repeats_folds_and_grouping_are_read_off_the_splits(
    protocol, name, n_repeats, n_folds, grouped
):
    (made,) = protocols(protocol)
    assert made.name == name
    assert made.grouped is grouped
    numbers = [(split.repeat, split.fold) for split in made.splits]
    assert numbers == [(r, f) for r in range(n_repeats) for f in range(n_folds)]
    assert len({split.seed for split in made.splits}) == len(made.splits)


def test_without_groups_nothing_is_known_of_them():
    (made,) = protocols("koh2021", groups=None)
    assert made.grouped is None


class Overlapping:
    def split(self, X, y=None, groups=None):
        yield np.arange(10), np.arange(9, 12)


@pytest.mark.parametrize(
    ("protocol", "error", "message"),
    [
        ("random", ValueError, "'grouped' or 'koh2021'.* Got 'random'"),
        (["grouped", "grouped"], ValueError, "has 'grouped' twice"),
        ([], ValueError, "at least one protocol"),
        (PredefinedSplit([-1] * 90 + [0]), ValueError, "names clip 90, and there are 84"),
        (5, TypeError, "splitter.* Got 5"),
        (Overlapping(), ValueError, "same clip in two parts"),
        ({"grouped": StratifiedKFold(5)}, ValueError, "splits groups"),
    ],
)
def test_bad_protocols_are_refused(protocol, error, message):
    with pytest.raises(error, match=message):
        protocols(protocol)


def test_grouped_without_groups_is_refused():
    with pytest.raises(ValueError, match="'grouped' protocol needs 'groups'"):
        protocols("grouped", groups=None)


def test_a_class_of_one_group_is_refused_where_groups_are_kept():
    y = np.where(SINGERS == 3, "sad", "calm")
    with pytest.raises(ValueError, match="class 'sad' occurs in one group only"):
        CLASSIFICATION.check_protocols(
            Targets.of_clips({"label": y}), SINGERS, protocols("grouped", y)
        )
    CLASSIFICATION.check_protocols(Targets.of_clips({"label": y}), SINGERS, protocols("koh2021", y))

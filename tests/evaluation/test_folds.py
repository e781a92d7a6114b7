"""Splits of each protocol, and inner folds that keep groups apart."""

import numpy as np
import pytest
from sklearn.model_selection import PredefinedSplit, RepeatedStratifiedKFold, StratifiedKFold

from skmer.evaluation import FixedSplit
from skmer.evaluation.folds import make_protocols
from skmer.evaluation.targets import Targets
from skmer.evaluation.tasks import CLASSIFICATION
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
        (PredefinedSplit([-1] * 90 + [0]), ValueError, "names clip 84, and there are 84"),
        (5, TypeError, "splitter.* Got 5"),
        (Overlapping(), ValueError, "same clip in two sets"),
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

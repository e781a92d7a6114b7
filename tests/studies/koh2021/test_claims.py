"""Verdicts on single claims: each outcome, and the edges between them."""

import pytest

from skmer.studies.koh2021.claims import (
    HELD,
    NOT_HELD,
    NOT_TESTABLE,
    judge_counts,
    judge_difference,
    judge_order,
    judge_purities,
    judge_value,
)

COUNTS = {"calm": 4, "sad": 3}


@pytest.mark.parametrize(
    ("here", "state"),
    [
        ({"calm": 4, "sad": 3}, HELD),
        ({"calm": 4, "sad": 2}, NOT_TESTABLE),
        ({"calm": 5, "sad": 2}, NOT_HELD),
        ({"calm": None, "sad": None}, NOT_TESTABLE),
    ],
)
def test_counts(here, state):
    assert judge_counts(COUNTS, here).state == state


@pytest.mark.parametrize(
    ("published", "state", "word"),
    [
        (0.71, HELD, "inside"),
        (0.65, HELD, "inside"),
        (0.64, NOT_HELD, "below"),
        (0.8, NOT_HELD, "above"),
    ],
)
def test_a_printed_score_is_held_inside_the_interval(published, state, word):
    verdict = judge_value(published, {"estimate": 0.7, "low": 0.65, "high": 0.75})
    assert verdict.state == state
    assert word in verdict.reason


def test_without_an_interval_nothing_is_judged():
    found = {"estimate": 0.7, "low": float("nan"), "high": float("nan")}
    assert judge_value(0.7, found).state == NOT_TESTABLE
    assert judge_value(0.6, found, above=True).state == NOT_TESTABLE


@pytest.mark.parametrize(("low", "state"), [(0.64, HELD), (0.63, NOT_HELD), (0.5, NOT_HELD)])
def test_an_improvement_is_beyond_the_interval(low, state):
    found = {"estimate": 0.7, "low": low, "high": 0.8}
    assert judge_value(0.63, found, above=True).state == state


BOTH = {"svm": {"l3": 0.7, "mfcc": 0.6}, "cnn": {"l3": 0.7, "mfcc": 0.6}}
SPLIT = {"svm": {"l3": 0.7, "mfcc": 0.6}, "cnn": {"l3": 0.5, "mfcc": 0.6}}


@pytest.mark.parametrize(
    ("accuracies", "but", "wanted", "state"),
    [
        (BOTH, set(), {"svm", "cnn"}, HELD),
        (SPLIT, set(), {"svm", "cnn"}, NOT_HELD),
        (SPLIT, {"cnn"}, {"svm", "cnn"}, HELD),
        (BOTH, {"cnn"}, {"svm", "cnn"}, NOT_HELD),
        (BOTH, set(), {"svm", "cnn", "rf"}, NOT_TESTABLE),
        (SPLIT, set(), {"svm", "cnn", "rf"}, NOT_HELD),
    ],
)
def test_order_and_its_exceptions(accuracies, but, wanted, state):
    assert judge_order(accuracies, best="l3", but=but, wanted=wanted).state == state


@pytest.mark.parametrize(
    ("difference", "low", "state", "says"),
    [(0.02, 0.01, HELD, ""), (0.02, -0.01, NOT_HELD, "holds 0"), (-0.02, -0.03, NOT_HELD, "")],
)
def test_a_difference_is_held_beyond_its_interval(difference, low, state, says):
    verdict = judge_difference(difference, low, 0.03)
    assert verdict.state == state
    assert says in verdict.reason


def test_purities_are_judged_above_chance():
    steady = dict.fromkeys(("emotion", "singer", "sex"), (0.5, 0.55))
    verdicts = judge_purities(
        {"emotion": (0.50, 0.18), "singer": (0.45, 0.04), "sex": (0.95, 0.5)}, steady
    )
    # 0.50 is more than 0.45, but less above its chance.
    assert [verdicts[key].state for key in ("sex", "singer", "stable")] == [HELD, HELD, HELD]
    loose = steady | {"singer": (0.3, 0.5)}
    verdicts = judge_purities(
        {"emotion": (0.60, 0.18), "singer": (0.45, 0.04), "sex": (0.85, 0.5)}, loose
    )
    assert {verdict.state for verdict in verdicts.values()} == {NOT_HELD}

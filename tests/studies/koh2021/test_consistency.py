"""The consistency checker against brute force, and on the study's two tables."""

from fractions import Fraction
from itertools import chain, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import classification_report, confusion_matrix, precision_recall_fscore_support

from skmer.studies import check_report_consistency, consistent_sizes

# Koh and Dubnov 2021, table 3: 4Q with L3-Net and random forest; Bi-modal with L3-Net and SVM.
FOUR_Q = {
    "per_class": [(0.64, 0.85, 0.73), (0.85, 0.80, 0.83), (0.73, 0.60, 0.66), (0.64, 0.61, 0.62)],
    "accuracy": 0.72,
    "weighted": (0.73, 0.72, 0.72),
}
BIMODAL = {
    "per_class": [(0.80, 1.00, 0.89), (1.00, 0.89, 0.94), (1.00, 0.67, 0.80), (0.80, 0.80, 0.80)],
    "accuracy": 0.88,
    "weighted": (0.90, 0.88, 0.88),
}


def report_of(confusion, digits=2):
    """The table that scikit-learn prints for a confusion matrix."""
    true, predicted = (
        np.repeat(index.ravel(), np.ravel(confusion)) for index in np.indices(np.shape(confusion))
    )
    lines = classification_report(true, predicted, digits=digits, zero_division=0).splitlines()
    rows = [line.split() for line in lines if line.strip()]
    k = len(confusion)
    weighted = rows[-1][-4:]
    return {
        "per_class": [row[1:4] for row in rows[1 : k + 1]],
        "accuracy": rows[k + 1][1],
        "weighted": weighted[:3],
    }


def test_the_4q_table_cannot_come_from_ninety_clips_but_can_from_180():
    assert not check_report_consistency(n=90, **FOUR_Q).consistent
    found = check_report_consistency(n=180, **FOUR_Q)
    assert found.consistent
    assert sum(found.supports) == sum(found.predicted) == 180
    sizes = consistent_sizes(sizes=range(1, 181), **FOUR_Q)
    assert sizes[0] == 142
    assert sizes[-1] == 180


def test_the_4q_table_cannot_come_from_equal_classes():
    """Its weighted precision is out of reach of four classes of 45, or 225."""
    assert not check_report_consistency(n=180, supports=[45] * 4, **FOUR_Q).consistent


def test_twenty_five_is_the_smallest_size_for_bimodal():
    assert consistent_sizes(sizes=range(1, 50), **BIMODAL) == [25, 43]
    found = check_report_consistency(n=25, **BIMODAL)
    assert found.supports == (8, 9, 3, 5)
    assert found.true_positives == (8, 8, 2, 4)
    assert found.predicted == (10, 8, 2, 5)


def prints(value, figure):
    """Whether a fraction may print as a figure of two decimals."""
    return abs(value - Fraction(figure)) <= Fraction(1, 200)


def brute_force(table, n):
    """Whether any confusion matrix of `n` clips and two classes prints as the table."""
    for a, b, c in product(range(n + 1), repeat=3):
        d = n - a - b - c
        if d < 0 or a + b == 0 or c + d == 0:
            continue
        rows = []
        for hits, support, predicted in ((a, a + b, a + c), (d, c + d, b + d)):
            precision = Fraction(hits, predicted) if predicted else Fraction(0)
            f1 = Fraction(2 * hits, support + predicted)
            rows.append((precision, Fraction(hits, support), f1))
        weighted = [(x * (a + b) + y * (c + d)) / n for x, y in zip(*rows)]
        if (
            prints(Fraction(a + d, n), table["accuracy"])
            and all(map(prints, weighted, table["weighted"]))
            and all(map(prints, chain(*rows), chain(*table["per_class"])))
        ):
            return True
    return False


@pytest.mark.parametrize("confusion", [[[3, 1], [2, 4]], [[5, 0], [2, 3]], [[0, 4], [0, 3]]])
def test_agrees_with_every_confusion_matrix_of_two_classes(confusion):
    table = report_of(confusion)
    sizes = range(2, 21)
    expected = [n for n in sizes if brute_force(table, n)]
    assert np.sum(confusion) in expected
    assert consistent_sizes(sizes=sizes, **table) == expected


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 5).flatmap(
        lambda k: st.lists(st.integers(0, 12), min_size=k * k, max_size=k * k)
    ),
    st.sampled_from([2, 3]),
)
def test_a_true_table_is_always_possible(cells, digits):
    k = int(np.sqrt(len(cells)))
    confusion = np.reshape(cells, (k, k)) + np.eye(k, dtype=int)
    table = report_of(confusion, digits)
    found = check_report_consistency(n=int(confusion.sum()), decimals=digits, **table)
    assert found.consistent
    known = check_report_consistency(
        n=int(confusion.sum()), decimals=digits, supports=confusion.sum(axis=1), **table
    )
    assert known.supports == tuple(confusion.sum(axis=1))
    for support, hits, predicted, (precision, recall, f1) in zip(
        known.supports, known.true_positives, known.predicted, table["per_class"]
    ):
        half = Fraction(1, 2 * 10**digits)
        assert abs(Fraction(hits, support) - Fraction(recall)) <= half
        assert abs(Fraction(2 * hits, support + predicted) - Fraction(f1)) <= half
        if predicted:
            assert abs(Fraction(hits, predicted) - Fraction(precision)) <= half


def test_half_rounds_either_way():
    """One of eight is 0.125: 0.12 by half to even, 0.13 by half up."""
    for printed in (0.12, 0.13):
        table = [(1.0, printed, 0.22), (printed, 1.0, 0.22)]
        assert check_report_consistency(table, 9).supports == (8, 1)
    assert not check_report_consistency([(1.0, 0.14, 0.22), (0.14, 1.0, 0.22)], 9).consistent


def test_margins_without_a_confusion_matrix_are_not_consistent():
    """What a class misses must go to another class."""
    # Every sum agrees, but class 0 misses and takes the same clips, and the others are perfect.
    table = [(0.5, 0.5, 0.5), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0)]
    assert not any(check_report_consistency(table, n).consistent for n in range(3, 20))


def test_a_class_never_called_prints_zero():
    table = [("0.00", "0.00", "0.00"), ("0.60", "1.00", "0.75")]
    found = check_report_consistency(table, 5)
    assert (found.supports, found.predicted) == ((2, 3), (0, 5))


def test_text_frames_and_floats_are_one():
    frame = pd.DataFrame(BIMODAL["per_class"], columns=["precision", "recall", "f1"])
    text = [[f"{figure:.2f}" for figure in row] for row in BIMODAL["per_class"]]
    for per_class in (frame, text):
        assert check_report_consistency(per_class, 25, accuracy="0.88").consistent


def test_many_classes_and_large_sizes_end():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 400)
    predicted = np.where(rng.random(400) < 0.6, labels, rng.integers(0, 10, 400))
    table = report_of(confusion_matrix(labels, predicted))
    assert check_report_consistency(n=400, **table).consistent
    assert not check_report_consistency(n=60, **table).consistent
    assert check_report_consistency(n=900, **FOUR_Q).consistent


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"per_class": [(0.725, 0.5, 0.5)]},
            "'per_class' must hold numbers from 0 to 1 with at most 2",
        ),
        ({"accuracy": 88}, "'accuracy' must hold numbers from 0 to 1"),
        ({"accuracy": "n/a"}, "'accuracy' must hold numbers"),
        ({"accuracy": float("nan")}, "'accuracy' must hold numbers"),
        ({"weighted": (0.9, 0.8)}, "'weighted' must be precision, recall and F1"),
        ({"per_class": [(0.9, 0.8)]}, "'per_class' must have a row of precision"),
        ({"supports": [1, 2]}, "'supports' must have one number for each of the 4 classes"),
        ({"supports": [1, 2, 3, 0]}, "'supports' must be a list of whole numbers from 1 to 20000"),
        ({"n": 0}, "'n' parameter of check_report_consistency must be"),
    ],
)
def test_bad_input_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        check_report_consistency(**{**BIMODAL, "n": 25, **change})


def test_no_sizes_no_answer():
    assert consistent_sizes(BIMODAL["per_class"], []) == []


def test_a_table_of_more_clips_than_one_dataset_has():
    """All of RAVDESS song is 1012 clips."""
    labels = np.arange(1012) % 6
    predicted = np.where(np.random.default_rng(0).random(1012) < 0.6, labels, 0)
    figures = precision_recall_fscore_support(labels, predicted)
    table = np.round(np.stack(figures[:3], axis=1), 2)
    assert check_report_consistency(table, 1012, supports=figures[3]).consistent
    assert not check_report_consistency(table, 1013, supports=figures[3]).consistent

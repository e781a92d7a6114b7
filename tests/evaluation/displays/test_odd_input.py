"""Displays of what is no frame, no axes or no such column: one sentence, before a figure."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.naive_bayes import GaussianNB

from skmer.evaluation import (
    AccuracyBarsDisplay,
    ConfusionDisplay,
    EmbeddingMapDisplay,
    GapDisplay,
    PairedComparisonDisplay,
    PerClassReportDisplay,
    QuadrantDisplay,
    TagImportanceDisplay,
)
from skmer.exceptions import InputError, InputTypeError

X = np.random.default_rng(0).normal(size=(12, 3))
Y = ["a", "b"] * 6
SCORES = pd.DataFrame(
    {
        "feature": ["l3", "l3", "mfcc", "mfcc"], "classifier": "svm", "protocol": "grouped",
        "repeat": 0, "fold": [0, 1] * 2, "accuracy": [0.5, 0.6, 0.7, 0.8], "n_train": 8,
        "n_test": 4,
    }
)  # fmt: skip
L3, MFCC = {"feature": "l3"}, {"feature": "mfcc"}


def importance(**changes):
    arguments = {"tags": list("xyz"), "n_repeats": 1, "cv": 2} | changes
    return TagImportanceDisplay.from_estimator(GaussianNB(), X, **{"y": Y} | arguments)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        *((lambda draw=draw, frame=frame: draw(frame), "data frame")
          for draw in (AccuracyBarsDisplay.from_scores, AccuracyBarsDisplay.from_intervals,
                       ConfusionDisplay.from_frame, PerClassReportDisplay.from_frame,
                       GapDisplay.from_scores)
          for frame in (None, "scores", {"accuracy": [1]})),
        *((lambda draw=draw: draw(SCORES, metric="accuracies"), "no column 'accuracies'")
          for draw in (AccuracyBarsDisplay.from_scores, AccuracyBarsDisplay.from_intervals,
                       GapDisplay.from_scores)),
        (lambda: PairedComparisonDisplay.from_scores(SCORES, L3, MFCC, metric=None), "no column"),
        (lambda: PairedComparisonDisplay.from_scores(SCORES, "l3", MFCC), "'first'"),
        (lambda: PairedComparisonDisplay.from_scores(SCORES, L3, {"features": "l3"}), "'features'"),
        *((lambda ax=ax: AccuracyBarsDisplay([[0.5]], ["l3"], ["svm"]).plot(ax), "'ax'")
          for ax in (1, "ax", plt, np.array([None, None]))),
        (lambda: QuadrantDisplay.from_predictions([1, 2], [1, 2], ["a", None]), "missing"),
        (lambda: QuadrantDisplay.from_predictions([1j, 2], [1, 2], [0, 1]), "'valence'"),
        (lambda: QuadrantDisplay.from_predictions([1, 2], [1, 2], [0, 1], level=2), "'level'"),
        (lambda: QuadrantDisplay([1, 2], [1, 2], center=0), "center"),
        (lambda: QuadrantDisplay([1, 2], [1, 2], center=(0, 0, 0)), "'center'"),
        (lambda: EmbeddingMapDisplay(X[:, :2], Y).plot(n_neighbors="2"), "'n_neighbors'"),
        (lambda: importance(y=[*Y[:-1], None]), "missing"),
        (lambda: importance(n_repeats=0), "'n_repeats'"),
        (lambda: importance(n_tags=None), "'n_tags'"),
        (lambda: importance(tags=3), "'tags'"),
        (lambda: importance(cv="5"), "cross-validation object"),
    ],
)  # fmt: skip
def test_refused_in_a_sentence(call, said):
    with pytest.raises((InputError, InputTypeError, ValueError)) as caught:
        call()
    assert said in str(caught.value)
    assert not plt.get_fignums()


def test_folds_may_be_a_number():
    assert importance().importances.shape == (2, 3)
    plt.close("all")

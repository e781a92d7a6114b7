"""Confusion, report by class and reliability curves, and what the report says of them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import classification_report, confusion_matrix
from sklearn.naive_bayes import GaussianNB

from skmer.evaluation import CalibrationDisplay, ConfusionDisplay, PerClassReportDisplay, evaluate
from skmer.evaluation.report.overview import Overview
from skmer.evaluation.report.words import trust_notes


def test_confusion_pools_the_predictions_chosen(predictions, ax):
    display = ConfusionDisplay.from_frame(
        predictions, protocol="grouped", labels=["happy", "calm", "sad"], ax=ax
    )
    chosen = predictions[predictions["protocol"] == "grouped"]
    expected = confusion_matrix(
        chosen["y_true"], chosen["y_pred"], labels=["happy", "calm", "sad"], normalize="true"
    )
    np.testing.assert_allclose(display.confusion_matrix, expected)
    assert display.text_[0, 1].get_text() == f"{expected[0, 1]:.2f}"
    assert display.ax_ is ax
    counts = ConfusionDisplay.from_frame(predictions, protocol="koh2021", normalize=None)
    assert counts.confusion_matrix.sum() == 60
    assert counts.im_.get_array().max() == counts.confusion_matrix.max()


def test_per_class_report_is_scikit_learns(predictions):
    display = PerClassReportDisplay.from_frame(predictions, protocol="grouped")
    chosen = predictions[predictions["protocol"] == "grouped"]
    report = classification_report(chosen["y_true"], chosen["y_pred"], output_dict=True)
    rows = display.rows()
    for place, name in enumerate(["calm", "happy", "sad", "macro avg", "weighted avg"]):
        expected = [report[name][figure] for figure in ("precision", "recall", "f1-score")]
        np.testing.assert_allclose(rows[place], expected)
        assert [text.get_text() for text in display.text_[place]] == [f"{x:.2f}" for x in expected]
    np.testing.assert_allclose(display.im_.get_array(), rows)
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels[0] == f"calm ({report['calm']['support']:.0f})"
    assert labels[-1] == "weighted average (60)"


def make_predictions(stated, right):
    """Return rows whose most probable class has a probability, and is right so often."""
    n_rows = 200
    truth = np.where(np.arange(n_rows) < right * n_rows, "calm", "sad")
    return pd.DataFrame(
        {"feature": "mfcc", "classifier": "nb", "protocol": "grouped", "y_true": truth}
    ).assign(proba_calm=stated, proba_sad=1 - stated)


@pytest.mark.parametrize(("stated", "right"), [(0.6, 0.5), (0.9, 0.9), (0.3, 0.2)])
def test_a_point_is_what_was_stated_and_what_came_true(stated, right):
    display = CalibrationDisplay.from_frame(make_predictions(stated, right), n_bins=1)
    largest, share = max(stated, 1 - stated), right if stated > 0.5 else 1 - right
    assert display.prob_pred == pytest.approx([largest])
    assert display.prob_true == pytest.approx([share])
    assert display.ax_.get_legend().get_texts()[-1].get_text() == "MFCC + NB"


def test_without_probabilities():
    frame = make_predictions(0.6, 0.5).assign(proba_calm=np.nan, proba_sad=np.nan)
    with pytest.raises(ValueError, match="have no probabilities"):
        CalibrationDisplay.from_frame(frame)
    with pytest.raises(ValueError, match="'classifier' param"):
        CalibrationDisplay.from_frame(pd.concat([frame, frame.assign(classifier="svm")]))


class Stated(GaussianNB):
    """Naive Bayes whose probabilities are too sure, or not sure enough."""

    def __init__(self, sharpness=1.0):
        super().__init__()
        self.sharpness = sharpness

    def predict_proba(self, X):
        """Return sharper or flatter probabilities."""
        proba = super().predict_proba(X) ** self.sharpness
        return proba / proba.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("sharpness", "said"), [(1, "are calibrated as far"), (9, "too high"), (0.1, "too low")]
)
def test_the_report_says_whether_probabilities_are_calibrated(sharpness, said):
    rng = np.random.default_rng(0)
    y, groups = np.arange(240) % 2, np.repeat(np.arange(12), 20)
    X = rng.normal(size=(240, 2)) + 0.6 * y[:, None]
    result = evaluate({"x": X}, {"nb": Stated(sharpness)}, X, y, groups=groups, n_repeats=1)
    (note,) = [one for one in trust_notes(Overview(result)) if "most probable" in one.text]
    assert said in note.text
    assert note.level == ("good" if sharpness == 1 else "doubtful")

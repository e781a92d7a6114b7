"""Confusion and report by class against scikit-learn's own."""

import numpy as np
from sklearn.metrics import classification_report, confusion_matrix

from skmer.evaluation import ConfusionDisplay, PerClassReportDisplay


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

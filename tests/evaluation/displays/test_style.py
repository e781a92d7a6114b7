"""Names are text, and text can be read, in every display."""

from io import BytesIO
from xml.etree import ElementTree

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from skmer.evaluation import (
    AccuracyBarsDisplay,
    CalibrationDisplay,
    ConfusionDisplay,
    CurveDisplay,
    EmbeddingMapDisplay,
    GapDisplay,
    PairedComparisonDisplay,
    PerClassReportDisplay,
    QuadrantDisplay,
    TagsDisplay,
)
from skmer.exceptions import InputError

# What matplotlib reads as a formula, and what it would leave out of a legend.
ODD = ["$\\frac{$", "_hidden", "a\\$b$", "", "$"]


def test_names_of_features_and_classifiers_are_text(scores, drawn):
    odd = scores[scores["feature"] != "l3"].copy()
    odd["feature"] = odd["feature"].map({"mfcc": ODD[0], "my own": ODD[1]})
    odd["classifier"] = odd["classifier"].map({"svm": ODD[2], "rf": ODD[4]})
    assert set(ODD[:3]) <= set(drawn(AccuracyBarsDisplay.from_frame(odd, protocol="grouped")))
    assert f"{ODD[0]} + {ODD[2]}" in drawn(GapDisplay.from_frame(odd))
    pair = [{"feature": ODD[0], "classifier": c, "protocol": "grouped"} for c in (ODD[2], ODD[4])]
    texts = drawn(PairedComparisonDisplay.from_frame(odd, *pair))
    assert f"accuracy, {ODD[2]}" in texts


@pytest.mark.parametrize("label", ODD)
def test_labels_are_text(predictions, label, drawn):
    odd = predictions.replace({"y_true": {"sad": label}, "y_pred": {"sad": label}})
    odd = odd[odd["protocol"] == "grouped"]
    n = (odd["y_true"] == label).sum()
    assert drawn(ConfusionDisplay.from_frame(odd)).count(label) >= 2
    assert f"{label} ({n})" in drawn(PerClassReportDisplay.from_frame(odd))
    points = np.arange(12.0).reshape(6, 2)
    display = EmbeddingMapDisplay(points, ["calm", label] * 3, name=label).plot(n_neighbors=1)
    assert label in drawn(display)


def test_any_label_leaves_an_svg_file_that_can_be_shown(predictions, tmp_path):
    label = "".join(map(chr, range(1, 128))) + "\ufffe\uffff"
    odd = predictions.replace({"y_true": {"sad": label}, "y_pred": {"sad": label}})
    display = ConfusionDisplay.from_frame(odd[odd["protocol"] == "grouped"]).plot()
    display.figure_.savefig(tmp_path / "confusion.svg")
    ElementTree.parse(tmp_path / "confusion.svg")


def test_random_weights_are_in_every_legend(scores, drawn):
    drawn_from = scores.assign(random_weights=scores["feature"] == "l3")
    bars = AccuracyBarsDisplay.from_frame(drawn_from, protocol="grouped")
    assert "L3-Net (random weights)" in drawn(bars)
    assert "MFCC" in drawn(bars)
    assert "L3-Net (random weights) + SVM" in drawn(GapDisplay.from_frame(drawn_from))
    pair = [{"feature": f, "classifier": "svm", "protocol": "grouped"} for f in ("mfcc", "l3")]
    texts = drawn(PairedComparisonDisplay.from_frame(drawn_from, *pair))
    assert "accuracy, l3 (random weights)" in texts


def luminance(colour):
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in matplotlib.colors.to_rgb(colour)
    ]
    return np.dot(linear, (0.2126, 0.7152, 0.0722))


@pytest.mark.parametrize("display", [ConfusionDisplay, PerClassReportDisplay])
def test_text_on_cells_has_the_contrast_that_readers_need(predictions, display):
    shown = display.from_frame(predictions, protocol="grouped")
    for text, shade in zip(shown.text_.ravel(), shown.im_.get_array().ravel()):
        cell = luminance(shown.im_.to_rgba(shade)[:3])
        light, dark = sorted([luminance(text.get_color()), cell], reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_nothing_is_drawn_black_on_a_dark_style(scores, predictions):
    import matplotlib.pyplot as plt

    with plt.style.context("dark_background"):
        for display in (
            AccuracyBarsDisplay.from_frame(scores, protocol="grouped", chance=0.3),
            PerClassReportDisplay.from_frame(predictions, protocol="grouped"),
        ):
            for line in display.ax_.lines:
                assert luminance(line.get_color()) > 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda frame: AccuracyBarsDisplay.from_frame(frame, ax=1), "'protocol' parameter"),
        (lambda frame: AccuracyBarsDisplay([["x"]], ["l3"], ["svm"]), "'heights' must be"),
        (lambda frame: ConfusionDisplay.from_frame(frame.assign(y_true="a")), "'feature' param"),
        (lambda frame: EmbeddingMapDisplay([[0, 1]] * 2, ["a", None]), "missing values"),
        (lambda frame: QuadrantDisplay.from_predictions([1, 2], [1, 2], ["a", None]), "missing"),
    ],
)
def test_what_would_give_a_wrong_figure_is_an_error(scores, call, message):
    with pytest.raises(InputError, match=message):
        call(scores)
    assert not plt.get_fignums()


def test_the_old_names_of_class_methods_warn(scores):
    with pytest.warns(DeprecationWarning, match="now called from_frame"):
        display = GapDisplay.from_scores(scores)
    assert display.names == GapDisplay.from_frame(scores).names


def test_letters_that_no_font_has_are_escaped(scores, drawn):
    names = {"mfcc": "é ♪", "my own": "音"}
    odd = scores.replace({"feature": names})
    texts = drawn(AccuracyBarsDisplay.from_frame(odd, protocol="grouped"))
    assert {"é ♪", "\\u97f3"} <= set(texts)


@pytest.mark.parametrize("long", ["音楽" * 9, "dark $ " * 9, "x" * 10**5])
def test_the_middle_of_a_long_name_is_left_out(scores, drawn, long):
    odd = scores.replace({"feature": {"mfcc": f"{long}1", "my own": f"{long}2"}})
    texts = drawn(AccuracyBarsDisplay.from_frame(odd, protocol="grouped"))
    names = [text for text in texts if text.endswith(("1", "2")) and "..." in text]
    assert len(set(names)) == 2
    assert max(map(len, names)) < 50


def test_no_name_goes_through_latex(scores, predictions):
    """Nobody has escaped names for it, and here it is not even installed."""
    label = r"R&B_50 % #1 \\ {~^"
    scores = scores.replace({"my own": label})
    odd = predictions.replace({"y_true": {"sad": label}, "y_pred": {"sad": label}})
    odd = odd[odd["protocol"] == "grouped"].assign(proba_calm=0.2, proba_happy=0.3)
    odd[f"proba_{label}"] = 0.5
    with matplotlib.rc_context({"text.usetex": True, "figure.max_open_warning": 0}):
        ax = [plt.figure().add_subplot() if i % 2 else None for i in range(8)]
        shown = [
            AccuracyBarsDisplay.from_frame(scores, protocol="grouped", ax=ax[0]),
            GapDisplay.from_frame(scores, ax=ax[1]),
            ConfusionDisplay.from_frame(odd, ax=ax[2]),
            PerClassReportDisplay.from_frame(odd, ax=ax[3]),
            CalibrationDisplay.from_frame(odd, ax=ax[4]),
            EmbeddingMapDisplay(np.arange(12.0).reshape(6, 2), [label, "b"] * 3).plot(ax[5]),
            CurveDisplay([0, 1], [0, 1], [1, 0], name=label).plot(ax[6]),
            TagsDisplay([[0.1, 0.7], [0.2, 0.5]], [1.5, 3.0], [label, "b"]).plot(ax[7]),
        ]
        for display in shown:
            display.figure_.savefig(BytesIO())

"""Displays are judged by what they hold and draw, not by pixels."""

from xml.etree import ElementTree

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from sklearn.metrics import classification_report, confusion_matrix

from skmer.evaluation import (
    AccuracyBarsDisplay,
    ConfusionDisplay,
    EmbeddingMapDisplay,
    GapDisplay,
    PairedComparisonDisplay,
    PerClassReportDisplay,
    corrected_resampled_ttest,
)


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(0)
    rows = [
        (feature, classifier, protocol, repeat, fold, rng.uniform(0.4, 0.9), 80, 20)
        for feature in ("mfcc", "my own", "l3")
        for classifier in ("rf", "svm")
        for protocol in ("koh2021", "grouped")
        for repeat in range(2)
        for fold in range(4)
    ]
    columns = [
        "feature",
        "classifier",
        "protocol",
        "repeat",
        "fold",
        "accuracy",
        "n_train",
        "n_test",
    ]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture(scope="module")
def predictions():
    rng = np.random.default_rng(1)
    y_true = rng.choice(["sad", "happy", "calm"], 60)
    y_pred = np.where(rng.random(60) < 0.6, y_true, rng.permutation(y_true))
    frame = pd.DataFrame({"feature": "l3", "classifier": "svm", "y_true": y_true, "y_pred": y_pred})
    other = frame.assign(y_pred=frame["y_true"])
    return pd.concat([frame.assign(protocol="grouped"), other.assign(protocol="koh2021")])


def test_accuracy_bars_are_the_means_in_the_studys_order_and_colours(scores):
    display = AccuracyBarsDisplay.from_scores(scores, protocol="grouped", chance=0.25)
    assert display.features == ["l3", "mfcc", "my own"]
    assert display.classifiers == ["svm", "rf"]
    means = scores[scores["protocol"] == "grouped"].groupby(["feature", "classifier"])["accuracy"]
    for feature, bars in display.bars_.items():
        for classifier, bar in zip(display.classifiers, bars):
            assert bar.get_height() == pytest.approx(means.mean()[feature, classifier])
        spread = means.std()[feature, "svm"]
        low, high = bars.errorbar.lines[2][0].get_segments()[0][:, 1]
        assert high - low == pytest.approx(2 * spread)
    colours = {feature: to_hex(bars[0].get_facecolor()) for feature, bars in display.bars_.items()}
    assert (colours["l3"], colours["mfcc"]) == ("#0072b2", "#009e73")
    assert len(set(colours.values())) == 3
    assert [text.get_text() for text in display.ax_.get_xticklabels()] == ["SVM", "RF"]
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == [
        "L3-Net",
        "MFCC",
        "my own",
    ]
    assert display.ax_.lines[-1].get_ydata() == [0.25, 0.25]
    assert "standard deviation" in display.ax_.get_xlabel()


def test_accuracy_bars_of_intervals(ax):
    intervals = pd.DataFrame(
        {
            "feature": ["l3", "mfcc"],
            "classifier": ["svm", "svm"],
            "protocol": ["grouped", "grouped"],
            "accuracy": [0.7, 0.5],
            "low": [0.6, 0.45],
            "high": [0.75, 0.6],
        }
    )
    display = AccuracyBarsDisplay.from_intervals(intervals, ax=ax)
    assert display.ax_ is ax
    segment = display.bars_["l3"].errorbar.lines[2][0].get_segments()[0]
    np.testing.assert_allclose(segment[:, 1], [0.6, 0.75])


def test_a_protocol_must_be_chosen_and_must_be_there(scores):
    with pytest.raises(
        ValueError, match=r"'protocol' parameter of the display must be one of 'koh2021', 'grou"
    ):
        AccuracyBarsDisplay.from_scores(scores)
    with pytest.raises(ValueError, match="Got 'other'"):
        AccuracyBarsDisplay.from_scores(scores, protocol="other")


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


def test_map_draws_every_clip_once_and_tells_many_labels_apart(ax):
    rng = np.random.default_rng(0)
    labels = np.repeat([f"singer {i:02d}" for i in range(23)], 3)
    display = EmbeddingMapDisplay(rng.normal(size=(69, 2)), labels, name="singer").plot(ax)
    assert sum(len(points.get_offsets()) for points in display.scatters_.values()) == 69
    np.testing.assert_allclose(
        display.scatters_["singer 04"].get_offsets(), display.embedding[12:15]
    )
    looks = {
        (to_hex(points.get_facecolor()[0]), points.get_paths()[0].vertices.tobytes())
        for points in display.scatters_.values()
    }
    assert len(looks) == 23
    assert display.ax_.get_legend().get_title().get_text() == "singer"
    assert f"{display.purity_:.0%}" in display.ax_.get_title()


def test_map_of_features_is_reproducible():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 4)) + 8 * np.repeat([0, 1], 15)[:, None]
    first, second = (
        EmbeddingMapDisplay.from_features(X, np.repeat([0, 1], 15), perplexity=5) for _ in range(2)
    )
    np.testing.assert_array_equal(first.embedding, second.embedding)
    assert first.embedding.shape == (30, 2)
    assert first.purity_ > 0.6


def test_paired_comparison_shows_every_split_and_the_test(scores):
    first, second = (
        {"feature": feature, "classifier": "svm", "protocol": "grouped"}
        for feature in ("mfcc", "l3")
    )
    display = PairedComparisonDisplay.from_scores(
        scores.sample(frac=1, random_state=0), first, second
    )
    indexed = scores.set_index(["feature", "classifier", "protocol"]).sort_index()
    a, b = (
        indexed.loc[tuple(choice.values())].sort_values(["repeat", "fold"])["accuracy"].to_numpy()
        for choice in (first, second)
    )
    np.testing.assert_allclose(display.points_.get_offsets(), np.column_stack([a, b]))
    np.testing.assert_allclose(display.mean_.get_offsets(), [[a.mean(), b.mean()]])
    test = corrected_resampled_ttest(b, a, n_train=80, n_test=20)
    assert display.test == test
    title = display.ax_.get_title()
    assert title.startswith(f"l3 minus mfcc: {b.mean() - a.mean():+.3f}")
    assert f"p = {test.pvalue:.2g}" in title
    assert display.ax_.get_xlabel() == "accuracy, mfcc"


def test_paired_comparison_is_the_same_either_way_round_with_unequal_training_sizes(scores):
    scores = scores[scores["protocol"] == "grouped"].copy()
    scores.loc[scores["classifier"] == "rf", "n_train"] = 70
    pair = [{"feature": "l3", "classifier": name} for name in ("svm", "rf")]
    there = PairedComparisonDisplay.from_scores(scores, *pair).test
    back = PairedComparisonDisplay.from_scores(scores, *pair[::-1]).test
    assert there.pvalue == back.pvalue
    assert there.difference == -back.difference
    equal = PairedComparisonDisplay.from_scores(scores.assign(n_train=80), *pair).test
    assert there.standard_error > equal.standard_error


def test_paired_comparison_of_arrays_and_of_equal_scores(ax):
    display = PairedComparisonDisplay([0.5, 0.5], [0.5, 0.5], ["512", "6144"]).plot(ax)
    assert display.ax_ is ax
    assert "6144 minus 512: +0.000" in ax.get_title()


def test_paired_comparison_needs_one_score_a_split(scores):
    with pytest.raises(ValueError, match="'first' parameter must pick one score a split"):
        PairedComparisonDisplay.from_scores(scores, {"feature": "l3"}, {"feature": "mfcc"})
    with pytest.raises(ValueError, match="scored on the same splits"):
        PairedComparisonDisplay.from_scores(
            scores,
            {"feature": "l3", "classifier": "svm", "protocol": "grouped"},
            {"feature": "l3", "classifier": "svm", "protocol": "koh2021"},
        )


def test_gap_joins_the_means_of_the_two_protocols(scores):
    display = GapDisplay.from_scores(scores)
    means = scores.groupby(["feature", "classifier", "protocol"])["accuracy"].mean()
    assert display.names[0] == "L3-Net + SVM"
    assert len(display.names) == 6
    assert display.random[0] == pytest.approx(means["l3", "svm", "koh2021"])
    assert display.grouped[0] == pytest.approx(means["l3", "svm", "grouped"])
    np.testing.assert_allclose(display.random_.get_offsets()[:, 0], display.random)
    np.testing.assert_allclose(
        [segment[:, 0] for segment in display.lines_.get_segments()],
        np.column_stack([display.grouped, display.random]),
    )
    assert f"{display.gaps[0]:+.2f}" in {text.get_text() for text in display.ax_.texts}


def test_gap_needs_both_protocols(scores):
    with pytest.raises(ValueError, match="'protocol' parameter of the display must be one of"):
        GapDisplay.from_scores(scores[scores["protocol"] == "grouped"])
    half = scores[(scores["protocol"] == "grouped") == (scores["feature"] == "l3")]
    with pytest.raises(ValueError, match="was scored by both 'koh2021' and 'grouped'"):
        GapDisplay.from_scores(half)


def test_importing_the_package_loads_no_plotting():
    import subprocess
    import sys

    code = "import sys, skmer.evaluation; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# What matplotlib reads as a formula, and what it would leave out of a legend.
ODD = ["$\\frac{$", "_hidden", "a\\$b$", "", "$"]


def test_names_of_features_and_classifiers_are_text(scores, drawn):
    odd = scores[scores["feature"] != "l3"].copy()
    odd["feature"] = odd["feature"].map({"mfcc": ODD[0], "my own": ODD[1]})
    odd["classifier"] = odd["classifier"].map({"svm": ODD[2], "rf": ODD[4]})
    assert set(ODD[:3]) <= set(drawn(AccuracyBarsDisplay.from_scores(odd, protocol="grouped")))
    assert f"{ODD[0]} + {ODD[2]}" in drawn(GapDisplay.from_scores(odd))
    pair = [{"feature": ODD[0], "classifier": c, "protocol": "grouped"} for c in (ODD[2], ODD[4])]
    texts = drawn(PairedComparisonDisplay.from_scores(odd, *pair))
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
    bars = AccuracyBarsDisplay.from_scores(drawn_from, protocol="grouped")
    assert "L3-Net (random weights)" in drawn(bars)
    assert "MFCC" in drawn(bars)
    assert "L3-Net (random weights) + SVM" in drawn(GapDisplay.from_scores(drawn_from))
    pair = [{"feature": f, "classifier": "svm", "protocol": "grouped"} for f in ("mfcc", "l3")]
    texts = drawn(PairedComparisonDisplay.from_scores(drawn_from, *pair))
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
            AccuracyBarsDisplay.from_scores(scores, protocol="grouped", chance=0.3),
            PerClassReportDisplay.from_frame(predictions, protocol="grouped"),
        ):
            for line in display.ax_.lines:
                assert luminance(line.get_color()) > 0.5

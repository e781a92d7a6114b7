"""Summary, comparison, intervals, and results on disk."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import Ridge
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB

from skmer.evaluation import (
    EvaluationResult,
    FixedSplit,
    corrected_resampled_ttest,
    evaluate,
    evaluate_regression,
    holm,
)
from tests.evaluation.singers import LABELS, N_CLIPS, SINGERS


def test_summary_has_means_spreads_and_the_gap(result):
    summary = result.summary()
    assert len(summary) == 2 * 2 * 2
    assert summary["n_splits"].tolist() == [2, 10] * 4
    row = summary.iloc[1]
    mine = result.scores.query("feature == 'given' and classifier == 'nb'")
    grouped = mine[mine["protocol"] == "grouped"]["accuracy"]
    assert row["accuracy"] == pytest.approx(grouped.mean())
    assert row["accuracy_std"] == pytest.approx(grouped.std(ddof=1))
    random = mine[mine["protocol"] == "koh2021"]["accuracy"]
    assert row["gap"] == pytest.approx(random.mean() - grouped.mean())
    assert summary["weights"].fillna("").tolist() == [""] * 4 + ["random (seed 3)"] * 4


def test_no_gap_without_both_protocols(feature):
    one = evaluate(
        {"a": feature}, {"nb": GaussianNB()}, None, LABELS, groups=SINGERS, n_repeats=1, audit=False
    )
    assert "gap" not in one.summary()
    unknown = evaluate(
        {"a": feature}, {"nb": GaussianNB()}, None, LABELS, protocol="koh2021", audit=False
    )
    assert unknown.protocols_to_compare() is None


def test_compare_is_the_corrected_test_with_holm(result):
    comparison = result.compare("f1_macro", protocol="grouped")
    assert len(comparison) == 4 * 3 / 2
    row = comparison.iloc[0]
    assert (row["classifier_1"], row["classifier_2"]) == ("nb", "most")
    scores = result.scores.query("feature == 'given' and protocol == 'grouped'")
    first, second = (
        scores[scores["classifier"] == name]["f1_macro"].to_numpy() for name in ("nb", "most")
    )
    expected = corrected_resampled_ttest(first, second, n_train=48, n_test=12)
    assert row["difference"] == pytest.approx(first.mean() - second.mean())
    assert row["pvalue"] == pytest.approx(expected.pvalue)
    assert np.allclose(comparison["pvalue_holm"], holm(comparison["pvalue"].to_numpy()))
    assert set(result.compare()["protocol"]) == {"koh2021", "grouped"}


def unequal_scores(*classifiers):
    """Scores of models that are trained on different numbers of clips, split by split."""
    rng = np.random.default_rng(4)
    n_train = {"svm": [60, 55, 66, 58], "mlp": [75, 70, 80, 72], "nb": [60, 55, 66, 58]}
    rows = [
        {
            "feature": "l3",
            "classifier": name,
            "protocol": "koh2021",
            "repeat": 0,
            "fold": fold,
            "accuracy": 0.5 + 0.05 * number + 0.1 * rng.random(),
            "n_train": n_train[name][fold],
            "n_test": [20, 25, 14, 22][fold],
        }
        for number, name in enumerate(n_train)
        for fold in range(4)
    ]
    scores = pd.DataFrame(rows)
    scores = pd.concat([scores[scores["classifier"] == name] for name in classifiers])
    protocols = {"koh2021": {"groups_kept_apart": False}}
    return EvaluationResult(scores, pd.DataFrame(), {"protocols": protocols})


def test_a_comparison_does_not_depend_on_what_else_was_evaluated():
    pair = unequal_scores("svm", "nb").compare().iloc[0]
    among = unequal_scores("svm", "mlp", "nb").compare()
    same = among[(among["classifier_1"] == "svm") & (among["classifier_2"] == "nb")].iloc[0]
    compared = ["difference", "low", "high", "statistic", "pvalue"]
    assert same[compared].tolist() == pair[compared].tolist()
    scores = unequal_scores("svm", "nb").scores
    svm, nb = (scores[scores["classifier"] == name] for name in ("svm", "nb"))
    expected = corrected_resampled_ttest(
        svm["accuracy"], nb["accuracy"], n_train=svm["n_train"], n_test=svm["n_test"]
    )
    assert pair["pvalue"] == pytest.approx(expected.pvalue)


def test_a_comparison_does_not_depend_on_the_order_of_the_pair():
    there = unequal_scores("svm", "mlp").compare().iloc[0]
    back = unequal_scores("mlp", "svm").compare().iloc[0]
    assert there["classifier_1"] == back["classifier_2"] == "svm"
    assert there["pvalue"] == back["pvalue"]
    assert (there["difference"], there["low"]) == (-back["difference"], -back["high"])


def test_compare_refuses_what_is_not_there(result, feature):
    with pytest.raises(ValueError, match=r"'metric' .* 'accuracy', 'f1_macro'.* Got 'auc'"):
        result.compare("auc")
    with pytest.raises(ValueError, match=r"'protocol' .* 'koh2021', 'grouped'.* Got 'fixed'"):
        result.compare(protocol="fixed")
    parts = np.where(SINGERS < 8, "train", "test")
    models = {"nb": GaussianNB(), "most": DummyClassifier()}
    single = evaluate({"a": feature}, models, None, LABELS, protocol=FixedSplit(parts), audit=False)
    with pytest.raises(ValueError, match="'fixed' protocol has one split only"):
        single.compare()


def test_features_are_compared_over_all_models_by_group(result):
    comparison = result.compare_features(protocol="grouped")
    assert len(comparison) == 1
    row = comparison.iloc[0]
    assert (row["feature_1"], row["feature_2"], row["n_groups"]) == ("given", "drawn", 10)
    means = result.summary().query("protocol == 'grouped'").groupby("feature")["accuracy"].mean()
    assert row["difference"] == pytest.approx(means["given"] - means["drawn"])
    assert row["low"] <= row["difference"] <= row["high"]
    # Ten groups have 1024 exchanges, one of which is what was seen, one its mirror.
    assert row["pvalue"] * 1024 == pytest.approx(round(row["pvalue"] * 1024))
    assert set(result.compare_features()["protocol"]) == {"koh2021", "grouped"}
    models = result.compare_classifiers(protocol="grouped").iloc[0]
    assert (models["classifier_1"], models["classifier_2"]) == ("nb", "most")


@pytest.mark.parametrize("lost", ["classifier == 'nb'", "fold == 0", "row < 3"])
def test_features_of_other_rows_are_not_compared(result, lost):
    """A model, a split or clips that one feature lacks gave p = 0, or a difference of others."""
    kept = result.predictions.query(f"not (feature == 'given' and {lost})")
    part = EvaluationResult(result.scores, kept, result.manifest)
    with pytest.raises(ValueError, match="compare_features needs predictions of every config"):
        part.compare_features()


def test_what_all_groups_agree_on_is_found_where_pairs_of_configurations_hide_it(feature):
    """A feature that is better for every singer, with three models: 15 pairs of configurations."""
    better = feature - feature.mean(axis=0) + 1.8 * (LABELS == "sad")[:, None]
    models = {f"nb{smooth}": GaussianNB(var_smoothing=smooth) for smooth in (1e-9, 1e-3, 0.1)}
    found = evaluate(
        {"better": better, "plain": feature}, models, None, LABELS, groups=SINGERS, n_repeats=2,
        audit=False,
    )  # fmt: skip
    features = found.compare_features()
    assert features["pvalue_holm"].iloc[0] < 0.05 < found.compare()["pvalue_holm"].min()


def test_pairs_of_features_are_a_family(feature):
    rng = np.random.default_rng(0)
    features = {"a": feature, "b": rng.normal(size=(60, 2)), "c": rng.normal(size=(60, 2))}
    found = evaluate(
        features, {"nb": GaussianNB()}, None, LABELS, protocol=StratifiedKFold(3), audit=False
    )
    comparison = found.compare_features()
    assert comparison["n_groups"].tolist() == [60] * 3
    assert np.allclose(comparison["pvalue_holm"], holm(comparison["pvalue"].to_numpy()))
    with pytest.raises(ValueError, match=r"'metric' parameter of compare_features .* 'accuracy'"):
        found.compare_features("f1_macro")


@pytest.fixture(scope="module")
def numbers():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = {"arousal": X[:, 0], "valence": X[:, 1] + rng.normal(size=60)}
    features = {"all": X, "half": X[:, :1], "none": rng.normal(size=(60, 1))}
    return evaluate_regression(
        features, {"ridge": Ridge()}, None, y, groups=SINGERS, n_folds=3, audit=False
    )


@pytest.mark.parametrize("metric", ["r2", "ccc", "rmse"])
def test_numbers_are_compared_within_a_target_by_the_score_that_is_shown(numbers, metric):
    for comparison in (numbers.compare(metric), numbers.compare_features(metric)):
        assert comparison["target"].tolist() == ["arousal"] * 3 + ["valence"] * 3
        shown = numbers.summary().set_index(["target", "feature"])[metric]
        for row in comparison.to_dict("records"):
            first, second = (shown[row["target"], row[f"feature_{side}"]] for side in (1, 2))
            assert row["difference"] == pytest.approx(first - second)
        for _, family in comparison.groupby("target"):
            assert np.allclose(family["pvalue_holm"], holm(family["pvalue"].to_numpy()))


def test_a_single_split_is_enough_for_numbers(numbers):
    parts = np.where(SINGERS < 8, "train", "test")
    y = np.arange(60) % 7 + 0.5
    X = np.random.default_rng(0).normal(size=(60, 2)) + y[:, None]
    found = evaluate_regression(
        {"a": X, "b": X[:, :1]}, {"ridge": Ridge()}, None, y, groups=SINGERS,
        protocol=FixedSplit(parts), audit=False,
    )  # fmt: skip
    assert found.compare()["n_groups"].tolist() == [2]


def test_intervals_hold_the_score(result):
    intervals = result.intervals(n_resamples=200)
    assert (intervals["low"] <= intervals["accuracy"]).all()
    assert (intervals["accuracy"] <= intervals["high"]).all()
    assert intervals["random_weights"].tolist() == (intervals["feature"] == "drawn").tolist()


def test_intervals_widen_with_groups_that_are_right_or_wrong_together():
    predictions = pd.DataFrame(
        {
            "feature": "l3",
            "classifier": "svm",
            "protocol": "grouped",
            "repeat": 0,
            "fold": 0,
            "row": np.arange(N_CLIPS),
            "y_true": "sad",
            "y_pred": np.where(SINGERS % 2, "sad", "NA"),
        }
    )
    manifest = {"settings": {"random_state": 0}, "features": {}}
    by_clip, by_singer = (
        EvaluationResult(pd.DataFrame(), frame, manifest).intervals().iloc[0]
        for frame in (predictions, predictions.assign(group=SINGERS))
    )
    assert [by_clip["accuracy"], by_singer["accuracy"]] == pytest.approx([0.5, 0.5])
    # Ten groups of six that agree are worth ten clips: wider by the root of six.
    ratio = (by_singer["high"] - by_singer["low"]) / (by_clip["high"] - by_clip["low"])
    assert ratio == pytest.approx(np.sqrt(6), rel=0.15)


def test_plot_draws_every_configuration_on_the_axes_given(result):
    fig, ax = plt.subplots()
    assert result.plot(ax) is ax
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert sorted(names) == sorted(
        f"{feature} + {model}"
        for feature in ("given", "drawn (random weights)")
        for model in ("NB", "most")
    )
    own = result.plot()
    assert own.figure is not fig
    assert own.get_xlabel().startswith("Accuracy")

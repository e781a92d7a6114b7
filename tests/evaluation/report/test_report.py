"""The page: what it says, that it stands alone, and that any name is only a name."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB

from skmer.evaluation import evaluate, evaluate_dynamic_regression, evaluate_regression
from skmer.evaluation.report.overview import Overview
from skmer.evaluation.report.page import scores_chart
from skmer.evaluation.report.tables import comparison_matrices, confusions, scores_table
from skmer.evaluation.report.words import (
    _exchanges,
    make_headline,
    signed,
    time_of_stages,
    trust_notes,
)
from tests.evaluation.singers import LABELS, SINGERS


@pytest.fixture(scope="module")
def page(result, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    return result.report(folder / "report.html").read_text(encoding="utf-8")


def script(page, name):
    """A value that the page carries for its script."""
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page)
    return json.loads(found[1])


def test_the_headline_says_what_a_supervisor_wants_to_know(result):
    seen = Overview(result)
    best = seen.ranked.iloc[0]
    said = make_headline(seen)
    assert seen.protocol == "grouped"
    assert f" The best, {best['name']}, names the emotion of an unseen artist's" in said
    assert f"in {100 * best['accuracy']:.0f} of 100 cases" in said
    assert f"({100 * best['low']:.0f} to {100 * best['high']:.0f})" in said
    assert "guessing gives 50" in said


def test_the_headline_compares_the_best_feature_with_the_baseline(result):
    table = result.compare_features(protocol="grouped")
    pair = table[table[["feature_1", "feature_2"]].isin(["<i>mine</i>", "mfcc"]).all(axis=1)].iloc[
        0
    ]
    ends = sorted([-pair["low"], -pair["high"]])
    said = make_headline(Overview(result))
    assert said.startswith(
        f"<i>mine</i> is {-pair['difference']:.2f} ({ends[0]:.2f} to {ends[1]:.2f}) above MFCC in "
        f"accuracy, over 2 classifiers and 10 groups (p = {pair['pvalue_holm']:.2g}, corrected for "
        "3 pairs of features)"
    )


def test_equal_features_are_not_above_each_other(feature):
    result = evaluate(
        {"a": feature, "b": feature + 0}, {"nb": GaussianNB()}, None, LABELS, groups=SINGERS,
        n_repeats=1, audit=False,
    )  # fmt: skip
    said = make_headline(Overview(result))
    assert said.startswith("a differs from b by 0.00 (0.00 to 0.00) in accuracy, with NB over 10 g")


def test_the_exchanges_of_tags_are_those_that_were_made(tagged):
    compared = pd.DataFrame({"n_groups": [14]})
    seen = SimpleNamespace(result=tagged, features=compared, models=())
    assert _exchanges(seen) == "at most 4,000"


def test_worse_than_guessing_is_in_words(feature):
    wrong = DummyClassifier(strategy="constant", constant="sad")
    y = np.where(np.arange(60) % 3, "calm", "sad")
    result = evaluate(
        {"a": feature}, {"no": wrong}, None, y, protocol=StratifiedKFold(3), audit=False
    )
    said = make_headline(Overview(result))
    assert "in 33 of 100 cases" in said
    assert "guessing gives 67, so this is worse than guessing" in said
    numbers = evaluate_regression(
        {"a": feature}, {"no": DummyRegressor(strategy="constant", constant=9)}, None, feature[:, 0],
        protocol="shuffled", n_folds=3, audit=False,
    )  # fmt: skip
    said = make_headline(Overview(numbers))
    assert "guessing the mean explains nothing, so this is worse than guessing." in said


def test_what_is_expected_of_a_protocol_is_no_error(result):
    notes = trust_notes(Overview(result))
    assert [note.level for note in notes if note.level == "bad"] == []
    assert any("drawn has random weights" in note.text for note in notes)
    assert any("knowing the artist" in note.text for note in notes)
    levels = [("bad", "doubtful", "neutral", "good").index(note.level) for note in notes]
    assert levels == sorted(levels)


def test_a_leak_is_an_error_and_comes_first(feature):
    doubled = np.concatenate([feature, feature[:6]])
    result = evaluate(
        {"a": doubled}, {"nb": GaussianNB()}, None, np.concatenate([LABELS, LABELS[:6]]),
        protocol={"two": StratifiedKFold(2)},
    )  # fmt: skip
    notes = trust_notes(Overview(result))
    findings = result.manifest["audit"]["two"]["findings"]
    assert findings
    assert {note.text for note in notes} >= {finding["message"] for finding in findings}
    assert notes[0].level in ("bad", "doubtful")


def test_a_score_that_the_audit_does_not_explain_is_said(feature):
    rng, unexplained = np.random.default_rng(0), "the audit does not explain it"
    codes = np.unique(LABELS, return_inverse=True)[1]
    made = rng.normal(size=(LABELS.size, 30)) + 0.7 * rng.normal(size=(2, 30))[codes]
    repeated = np.tile(made, (2, 1)), np.tile(LABELS, 2)
    levels = []
    for X, y in ((made, LABELS), (feature, LABELS), repeated):
        result = evaluate(
            {"a": X}, {"nb": GaussianNB()}, None, y, protocol="koh2021", n_repeats=5
        )  # fmt: skip
        notes = trust_notes(Overview(result))
        levels.append([note.level for note in notes if unexplained in note.text])
    # The last one is explained by its copies.
    assert levels == [["doubtful"], [], []]


def test_the_table_has_few_columns_and_two_digits(result):
    table = scores_table(Overview(result))
    shown = table.columns[: table.n_shown]
    assert shown == [
        "Feature", "Classifier", "Accuracy (95 % interval)", "F1, mean over classes", "Gap"
    ]  # fmt: skip
    assert len(table.rows) == 6
    assert re.fullmatch(r"0\.\d\d \(0\.\d\d to \d\.\d\d\)", table.rows[0][2][0])
    keys = [row[2][1] for row in table.rows]
    assert keys == sorted(keys, reverse=True)
    assert "\\begin{tabular}" in table.latex
    assert "\\$\\textbackslash{}frac\\{\\$" in table.latex
    assert table.csv.count("\n") == 7


def test_comparisons_are_a_matrix(result):
    (matrix,) = comparison_matrices(Overview(result))
    assert len(matrix.names) == len(matrix.cells) == 6
    for i in range(6):
        assert matrix.cells[i][i][1] == "same"
        for j in range(i):
            upper, lower = matrix.cells[i][j], matrix.cells[j][i]
            assert float(upper[0]) == -float(lower[0])
            assert {"better": "worse", "worse": "better", "unsure": "unsure"}[upper[1]] == lower[1]


def test_the_page_has_pairs_of_features_above_the_matrix_and_its_family(page):
    text = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    features, matrix = text.index('id="table-features"'), text.index('class="matrix"')
    assert features < text.index('id="table-classifiers"') < matrix
    assert "correction over all 15 pairs of configurations" in text


def test_a_target_has_a_matrix_and_a_comparison_of_its_own(feature):
    y = {"arousal": feature[:, 0], "valence": feature[:, 1]}
    found = evaluate_regression(
        {"a": feature, "b": feature[:, :1]}, {"ridge": Ridge()}, None, y, protocol="shuffled",
        n_folds=3, audit=False,
    )  # fmt: skip
    seen = Overview(found)
    matrices = comparison_matrices(seen)
    assert [(one.target, len(one.names)) for one in matrices] == [("arousal", 2), ("valence", 2)]
    shown = found.summary().set_index(["target", "feature"])["r2"]["valence"]
    assert matrices[1].cells[0][1][0] == f"{shown['a'] - shown['b']:+.2f}"
    said = make_headline(seen)
    assert "For valence, a is " in said
    assert "above b in r², with Ridge over 60 clips (p = " in said


def test_confusions_are_those_of_the_predictions(result):
    found = confusions(Overview(result))
    assert found["labels"] == ["NA", "sad"]
    assert len(found["configurations"]) == 12
    first = found["configurations"][0]
    best = Overview(result).ranked.iloc[0]
    part = result.predictions[
        (result.predictions["feature"] == best["feature"])
        & (result.predictions["classifier"] == best["classifier"])
        & (result.predictions["protocol"] == "grouped")
    ]
    share = (part["y_pred"][part["y_true"] == "NA"] == "NA").mean()
    assert first["shares"][0][0] == pytest.approx(share, abs=5e-4)


def test_the_page_stands_alone(page, result, tmp_path):
    assert len(page) < 3_000_000
    assert not re.search(r"<(link|img|iframe)\b[^>]*(https?:)?//", page)
    assert not re.search(r"<script[^>]+src=", page)
    assert result.report(tmp_path / "again.html").read_text(encoding="utf-8") == page
    assert set(script(page, "charts")) == {"scores", "map"}


def test_names_are_data(page):
    markup = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "<i>mine" not in markup
    assert "&lt;i&gt;mine&lt;/i&gt;" in markup
    assert "<i>" not in json.dumps(script(page, "charts")).replace("\\u003c", "<") or (
        "<i>mine" not in page
    )


def test_clips_have_names_and_places(page, songs):
    rows = script(page, "charts")["map"]["data"]["values"]
    assert len(rows) == 3 * 60
    assert {row["label"] for row in rows} == {"NA", "sad"}
    assert rows[3]["clip"] == "clip 3.wav"
    assert rows[3]["address"] == songs[3].as_uri()
    assert f'data-play="{songs[0].parent.as_uri()}/clip%20' in page


def test_the_dataset_has_its_name(page):
    assert "<title>Evaluation of songs &amp; more</title>" in page


def test_a_name_that_is_no_text_is_written_with_marks(feature, tmp_path):
    odd = [f"\udcff{row}.wav" for row in range(60)]
    result = evaluate(
        {"a": feature}, {"nb": GaussianNB()}, odd, LABELS, protocol="koh2021", n_repeats=1,
        audit=False,
    )  # fmt: skip
    page = (result.save(tmp_path) / "report.html").read_text(encoding="utf-8")
    assert script(page, "charts")["map"]["data"]["values"][0]["clip"].startswith("\\udcff")


def test_a_report_of_regression(regression, tmp_path):
    page = (regression.save(tmp_path) / "report.html").read_text(encoding="utf-8")
    charts = script(page, "charts")
    assert set(charts) == {"scores", "map", "plane", "scatter0", "scatter1"}
    points = charts["scatter0"]["layer"][1]["data"]
    assert len(charts["scatter0"]["datasets"][points["name"]]) == len(
        set(regression.predictions["row"])
    )
    assert "Spearman&#39;s correlation" in page
    first = charts["map"]["data"]["values"][0]
    predictions = regression.predictions
    mine = predictions["row"] == int(first["clip"].split()[1])
    truth = predictions[mine].drop_duplicates("target")
    assert first["targets"] == dict(zip(truth["target"], truth["y_true"].round(3)))
    assert "mostly" not in first
    seen = Overview(regression)
    said = make_headline(seen)
    assert "Of arousal in clips" in said
    assert "Of valence in clips" in said
    assert "explains" in said
    assert np.isfinite(seen.ranked["r2"]).all()


def test_a_report_of_curves_has_the_songs_that_are_followed_worst(tmp_path):
    rng = np.random.default_rng(0)
    truth = pd.DataFrame(rng.normal(size=(12, 6)), columns=15 + np.arange(6) / 2)
    feature = truth.to_numpy()[..., None] + rng.normal(scale=0.1, size=(12, 6, 1))
    # One song is predicted the wrong way round.
    feature[7] *= -1
    result = evaluate_dynamic_regression(
        {"a": feature}, ["ridge"], None, {"arousal": truth}, protocol="shuffled", n_folds=3,
    )  # fmt: skip
    page = result.report(tmp_path / "r.html").read_text(encoding="utf-8")
    charts = script(page, "charts")
    assert {"scatter0", "curves0"} <= set(charts)
    assert page.index("Songs that are followed worst") < page.index("clip 7<br>")
    shown = next(iter(charts["curves0"]["datasets"].values()))
    first = [row for row in shown if row["song"] == shown[0]["song"]]
    assert shown[0]["song"] == "clip 7 (row 7)"
    assert [row["annotated"] for row in first] == pytest.approx(truth.iloc[7].tolist(), abs=1e-3)
    assert all(row["low"] < row["predicted"] < row["high"] for row in first)


def test_without_an_audit_that_is_said(feature):
    result = evaluate(
        {"a": feature}, {"nb": GaussianNB()}, None, LABELS, protocol=StratifiedKFold(2), audit=False
    )
    assert any("No audit" in note.text for note in trust_notes(Overview(result)))


def test_there_is_no_minus_zero_and_no_dict_on_the_page():
    assert (signed(-0.004), signed(0.0), signed(-0.126)) == ("+0.00", "+0.00", "-0.13")
    assert time_of_stages({"features": 7.08, "fits": 66.58}) == "features 7.1 s, fits 66.6 s"
    assert time_of_stages(3) == "3.0 s"


def test_splits_have_a_key_only_where_there_are_several(result, regression):
    def key(result):
        points = scores_chart(Overview(result))["layer"][-1]
        return points["encoding"]["shape"]["legend"]

    assert key(result)["title"] == "Splits"
    assert key(regression) is None


def test_tags_are_shown_each_with_its_interval_and_guessing(tagged, tmp_path):
    page = tagged.report(tmp_path / "tags.html").read_text(encoding="utf-8")
    assert (
        "finds the tags of a clip of an artist seen in training with a mean average precision"
        in page
    )
    assert "guessing by the share of each tag gives 0." in page
    assert "<i>tag" not in page.split('id="tags"')[1].split("</section>")[0]
    assert page.count('<table class="heat together">') == 2
    tags = tagged.tag_scores(feature="a", classifier="nb")
    best = tags.iloc[0]
    shown = f"{best['average_precision']:.3f} ({best['low']:.3f} to {best['high']:.3f})"
    assert shown in page
    assert f">{best['share']:.3f}<" in page
    assert page.count(" with a probability of ") == 12

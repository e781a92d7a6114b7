"""The study's page: what comes first, what is folded, and what is only ever data."""

import json
import re
from copy import copy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd

from skmer.evaluation.report import words
from skmer.evaluation.report.overview import Overview
from skmer.studies.koh2021.claims import HELD, NOT_HELD, NOT_TESTABLE, Claim, judge
from skmer.studies.koh2021.page import (
    find_news,
    make_headline,
    purity_table,
    sort_claims,
)


def test_the_first_screen_has_the_headline_and_the_news(page, findings):
    first = page[page.index("<body") : page.index("<nav")]
    assert make_headline(sort_claims(findings.claims)).replace("'", "&#39;") in first
    assert "plain MFCC with naive Bayes, without any network, beats the study&#39;s best" in first
    assert "With singers kept apart it falls to" in first
    assert "RAVDESS, song, defensible: " in first
    assert "With artists on both sides of a split (koh2021) the same models score" in first


def test_news_come_from_the_numbers(findings):
    changed = {key: table.copy() for key, table in findings.intervals.items()}
    for table in changed.values():
        random = table["protocol"] == "koh2021"
        table["accuracy"] = np.where(random, 0.4, 0.5)
    other = replace_intervals(findings, changed)
    text = find_news(other)[0].text
    assert "does not beat the study's best by random splits: 40 of 100" in text
    assert "With singers kept apart it has 50." in text


def replace_intervals(findings, intervals):
    """Return the findings with other scores."""
    other = replace(findings)
    other.__dict__["intervals"] = intervals
    return other


def test_a_claim_on_every_classifier_is_not_held_by_one_of_them(findings):
    (claim,) = (one for one in findings.claims if "no classifier on MFCC" in one.text)
    others = replace(findings)
    low = {key: table.assign(accuracy=0.2) for key, table in findings.intervals.items()}
    others.__dict__["intervals"] = low
    (untested,) = (one for one in others.claims if "no classifier on MFCC" in one.text)
    assert claim.verdicts["faithful"].state == NOT_HELD
    assert untested.verdicts["faithful"].state == NOT_TESTABLE
    assert "of the classifiers only nb were run" in untested.verdicts["faithful"].reason


def test_claims_are_sorted_by_all_editions():
    held, fallen, unknown = judge(True, "a"), judge(False, "b"), judge(None, "c")
    claims = [
        Claim("both", "", {"faithful": held, "defensible": held}),
        Claim("one falls", "", {"faithful": held, "defensible": fallen}),
        Claim("one known", "", {"faithful": held, "defensible": unknown}),
        Claim("unknown", "", {"faithful": unknown}),
    ]
    found = sort_claims(claims)
    texts = {name: [claim.text for claim in group] for name, group in found.items()}
    assert texts == {
        HELD: ["both", "one known"],
        NOT_HELD: ["one falls"],
        "untested": ["unknown"],
    }
    assert make_headline(found).startswith("Of the study's 4 claims 3 can be tested")
    assert make_headline(sort_claims(claims[3:])).startswith("None of the study's 1 claims")


def test_what_cannot_be_tested_is_folded(page, findings):
    folded = re.search(r'<details id="untested">.*?</details>', page, re.DOTALL).group()
    untested = sort_claims(findings.claims)["untested"]
    assert f"{len(untested)} claims that are not testable here" in folded
    assert folded.count("<li") == len(untested) > 10
    claims = page[page.index('<section id="claims">') : page.index('<section id="table">')]
    assert "not testable here</strong>" not in claims.replace(folded, "").split("<small>")[0]
    assert claims.replace(folded, "").count(": not testable here") == 0


def test_names_and_reasons_are_data(page):
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<b>rare" not in page
    assert "<i>sad" not in page
    assert "<!--" not in page[page.index("<body") :]


def test_the_charts_show_every_configuration_and_lead_to_a_page_of_their_own(page):
    charts = json.loads(re.search(r'id="charts">(.*?)</script>', page, re.DOTALL)[1])
    assert set(charts) == {"ravdess-song-faithful", "ravdess-song-defensible"}
    for name, chart in charts.items():
        assert "MusiCNN + NB" in json.dumps(chart)
        assert f'href="{name}.html"' in page


def test_an_addition_is_marked_and_no_part_of_the_claims(page, findings):
    table = findings.table.set_index(["dataset", "feature"])["addition"]
    assert bool(table.sort_index()["ravdess-song", "musicnn"].all())
    assert not table.sort_index()["ravdess-song", "mfcc"].any()
    assert "MusiCNN (addition) + NB" in page
    assert "an addition is a feature that the study did not have" in page
    assert not any("MusiCNN" in claim.text for claim in findings.claims)
    reasons = [v.reason for claim in findings.claims for v in claim.verdicts.values()]
    assert not any("musicnn" in reason.lower() for reason in reasons)


def test_saved_tables_say_what_is_an_addition(findings, tmp_path):
    findings.save(tmp_path)
    pages = {path.name for path in tmp_path.glob("*.html")}
    assert pages == {
        "report.html", "ravdess-song-faithful.html", "ravdess-song-defensible.html"
    }  # fmt: skip
    table = pd.read_csv(tmp_path / "table.csv")
    assert set(table.loc[table["addition"], "feature"]) == {"musicnn"}


def test_a_notebook_shows_the_headline_and_the_news(findings):
    shown = findings._repr_html_()
    assert shown.startswith("<ul><li>Of the study&#x27;s ")
    assert "beats the study&#x27;s best by random splits" in shown


def test_purities_are_a_column_a_label():
    purity = pd.DataFrame(
        {
            "perplexity": [10, 10, 10],
            "label": ["emotion", "singer", "sex"],
            "purity": [0.5, 0.7, 1.0],
            "chance": [0.2, 0.1, 0.5],
        }
    )
    table = purity_table(SimpleNamespace(purity=purity))
    rows = [re.findall("<t[dh]>(.*?)</t", row) for row in table.split("</tr>")[:3]]
    assert rows == [
        ["perplexity", "emotion", "singer", "sex"],
        ["10", "0.50", "0.70", "1.00"],
        ["by chance", "0.20", "0.10", "0.50"],
    ]


def test_models_that_gain_nothing_by_known_artists(findings):
    result = copy(findings.results["ravdess-song", "faithful"])
    result.predictions = result.predictions.assign(y_pred=result.predictions["y_true"])
    result.scores = result.scores.assign(accuracy=1.0)
    (note,) = words.gap_notes(Overview(result))
    assert "score no better on average (+0.00): nothing is owed to" in note.text

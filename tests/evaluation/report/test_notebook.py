"""A result in a notebook and in a paper, and that every place states the same numbers."""

import re

import pytest

from skmer.evaluation.report._charts import scores_chart
from skmer.evaluation.report._headline import make_headline
from skmer.evaluation.report._overview import Overview
from skmer.evaluation.report._tables import scores_table


@pytest.mark.parametrize("name", ["result", "regression"])
def test_headline_table_chart_and_summary_state_one_number(name, request):
    result = request.getfixturevalue(name)
    seen, score = Overview(result), result.metrics[0]
    summary = result.summary()
    summary = summary[summary["protocol"] == seen.protocol].sort_values(score, ascending=False)
    main = len(result.configuration)
    table = [row[main][1] for row in scores_table(seen).rows]
    assert table == pytest.approx(summary[score].tolist())
    found = list(_values(scores_chart(seen), score))
    for value in table:
        assert any(value == pytest.approx(one, abs=5e-4) for one in found)
    assert f"{100 * table[0]:.0f}" in make_headline(seen)


def _values(spec, score):
    """All numbers of this name in a chart."""
    if isinstance(spec, dict):
        if isinstance(spec.get(score), float):
            yield spec[score]
        spec = list(spec.values())
    if isinstance(spec, list):
        for one in spec:
            yield from _values(one, score)


def test_a_notebook_shows_headline_and_scores(result):
    shown = result._repr_html_()
    assert shown.startswith("<p><strong>The best, ")
    assert shown.count("<tr>") == 1 + 6
    assert "&lt;i&gt;mine&lt;/i&gt;" in shown
    assert not re.search(r"<i>mine", shown)


def test_latex_is_the_table_of_the_page(result):
    assert result.to_latex() == scores_table(Overview(result)).latex
    assert result.to_latex().count("\\\\") == 1 + 6

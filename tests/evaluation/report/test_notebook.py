"""A result in a notebook, in a paper and on a slide, and that every place states the same numbers."""

import re
from itertools import pairwise

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB

from skmer.evaluation import evaluate
from skmer.evaluation.report.overview import Overview
from skmer.evaluation.report.page import scores_chart
from skmer.evaluation.report.tables import scores_table
from skmer.evaluation.report.words import make_headline
from skmer.exceptions import InputError


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
    assert shown.startswith("<p><strong>&lt;i&gt;mine&lt;/i&gt; is 0.06 ")
    assert shown.count("<tr>") == 1 + 6
    assert "&lt;i&gt;mine&lt;/i&gt;" in shown
    assert not re.search(r"<i>mine", shown)


def test_latex_is_the_table_of_the_page(result):
    assert result.to_latex() == scores_table(Overview(result)).latex
    assert result.to_latex().count("\\\\") == 1 + 6


def test_every_latex_table_can_be_parsed(result, regression):
    noise = np.random.default_rng(0).normal(size=(40, 4))
    odd = evaluate(
        {"50 % & {\\x}": noise[:, :2], "a_b#^~$": noise[:, 2:]}, {"nb": GaussianNB()}, None,
        list("ab" * 20), protocol={"my_%": StratifiedKFold(2)}, audit=False,
    )  # fmt: skip
    for one in (result, regression, odd):
        latex = one.to_latex()
        plain = re.sub(r"\\text(backslash|asciitilde|asciicircum)\{\}|\\[&%$#_{}]", "x", latex)
        assert not re.search(r"[%$#_^~]", plain)
        columns = re.search(r"begin\{tabular\}\{([lr]+)\}", plain)[1]
        rows = [row for row in plain.splitlines() if row.endswith(r" \\")]
        assert len(rows) == 1 + len(Overview(one).ranked)
        assert {row.count("&") for row in rows} == {len(columns) - 1}
        assert "\\" not in re.sub(r"\\\\|\\,|\\[a-z]+", "", plain)
    # These would be arguments of the command before the row, and the last three other letters.
    named = evaluate(
        {"[0]": noise, "*a": noise[:, 1:], "<b>|": noise[:, 2:]}, {"nb": GaussianNB()}, None,
        list("ab" * 20), protocol=StratifiedKFold(2), audit=False,
    )  # fmt: skip
    starts = {row.split(" &")[0] for row in named.to_latex().splitlines() if "& NB &" in row}
    assert starts == {"{[}0]", "{*}a", r"\textless{}b\textgreater{}\textbar{}"}


@pytest.mark.parametrize("name", ["result", "regression"])
@pytest.mark.parametrize("size, millimetres", [("paper", 88), ("wide", 339)])
def test_the_figure_has_every_configuration_the_line_of_guessing_and_its_width(
    name, size, millimetres, request
):
    result = request.getfixturevalue(name)
    figure = result.figure(size)
    (ax,) = figure.axes
    seen = Overview(result)
    assert [text.get_text().replace(r"\$", "$") for text in ax.get_yticklabels()] == list(
        seen.ranked["name"]
    )
    drawn = [bars.lines[0].get_xdata()[0] for bars in ax.containers]
    assert sorted(drawn) == pytest.approx(sorted(seen.intervals[seen.headline]))
    assert any(
        line.get_xdata()[0] == seen.chance for line in ax.lines if line.get_label() == "guessing"
    )
    assert figure.get_figwidth() * 25.4 == pytest.approx(millimetres, abs=1)
    assert figure.get_figheight() <= 9


@pytest.mark.parametrize("size", ["paper", "wide"])
@pytest.mark.parametrize("n_configurations", [1, 8, 40])
def test_nothing_in_the_figure_is_cut_or_overlaps(size, n_configurations, tmp_path):
    rng = np.random.default_rng(0)
    y = np.tile(["calm", "sad"], 30)
    features = {
        f"embedding {i}": rng.normal(size=(60, 2)) + (y == "sad")[:, None]
        for i in range(n_configurations)
    }
    result = evaluate(features, {"nb": GaussianNB()}, None, y, protocol="koh2021", n_repeats=2)
    figure = result.figure(size)
    figure.canvas.draw()
    (ax,) = figure.axes
    drawn, page = figure.get_tightbbox(), figure.bbox_inches
    assert page.x0 <= drawn.x0
    assert drawn.x1 <= page.x1
    assert page.y0 <= drawn.y0
    assert drawn.y1 <= page.y1
    boxes = [text.get_window_extent() for text in ax.get_yticklabels()]
    assert not any(one.overlaps(other) for one, other in pairwise(boxes))
    figure.savefig(tmp_path / "scores.svg")
    assert "<image" not in (tmp_path / "scores.svg").read_text()


def test_another_size_of_figure_is_refused(result):
    with pytest.raises(InputError, match="'paper', 'wide'"):
        result.figure("poster")

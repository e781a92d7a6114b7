"""One html page that stands alone: computing is done, this only shows."""

from io import StringIO
from pathlib import Path

from skmer.evaluation.report._figures import draw_confusion, draw_scores
from skmer.evaluation.results._base import BaseResult
from skmer.utils._output_folder import check_output_folder


def write_report(result: BaseResult, path) -> Path:
    """Write a page that stands alone: tables, figures, and what they rest on.

    Parameters
    ----------
    path : path-like
        The html file to write.

    Returns
    -------
    path : pathlib.Path
        Where it was written.
    """
    path = Path(path)
    check_output_folder(path.parent)
    path.write_text(render_report(result), encoding="utf-8")
    return path


def render_report(result: BaseResult) -> str:
    """Return the page as a string."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from matplotlib import rc_context

    environment = Environment(
        loader=PackageLoader("skmer.evaluation.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # What users named is no formula, whatever dollar signs it has.
    with rc_context({"text.parse_math": False}):
        scores_figure = _svg(draw_scores(result))
        confusions = [(title, _svg(figure)) for title, figure in draw_confusion(result)]
    return environment.get_template("report.html.j2").render(
        manifest=result.manifest,
        random_features=result.random_features(),
        gap=result.protocols_to_compare(),
        headline=result.metrics[0],
        pooled=result.is_pooled,
        summary=_html(result.summary()),
        intervals=_html(result.intervals()),
        scores_figure=scores_figure,
        confusions=confusions,
        comparisons=_comparisons(result),
    )


def _comparisons(result) -> list[tuple[str, str]]:
    """Return a table of paired tests for each protocol that has several splits."""
    several = [
        name
        for name, protocol in result.manifest["protocols"].items()
        if len(protocol["splits"]) > 1
    ]
    tables = ((name, result.compare(protocol=name)) for name in several)
    return [(name, _html(table.sort_values("pvalue"))) for name, table in tables if len(table)]


def _html(table) -> str:
    # None in a column of text is an empty cell too, which na_rep alone does not see to.
    table = table.astype(object).where(table.notna(), "")
    return table.to_html(index=False, float_format="{:.3f}".format, border=0)


def _svg(figure) -> str:
    """Return a figure as an svg element."""
    from matplotlib import rc_context

    buffer = StringIO()
    # A fixed salt and no date: the same result gives the same page.
    with rc_context({"svg.hashsalt": "skmer"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]

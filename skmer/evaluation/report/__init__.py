"""A finished result as a page, and in a sentence; a result draws on these for its methods."""

from skmer.evaluation.report.page import (
    plot_result,
    render_page,
    result_to_figure,
    result_to_html,
    result_to_latex,
    write_report,
)
from skmer.evaluation.report.tables import Table
from skmer.evaluation.report.words import (
    COLUMN_NAMES,
    SCORE_NAMES,
    Note,
    headline_of,
    in_hundred,
    name_of,
    with_interval,
)

__all__ = [
    "COLUMN_NAMES",
    "SCORE_NAMES",
    "Note",
    "Table",
    "headline_of",
    "in_hundred",
    "name_of",
    "plot_result",
    "render_page",
    "result_to_figure",
    "result_to_html",
    "result_to_latex",
    "with_interval",
    "write_report",
]

"""A finished result as a page, and in a sentence; no result imports these."""

from skmer.evaluation.report._figure import result_to_figure
from skmer.evaluation.report._headline import Note, headline_of
from skmer.evaluation.report._notebook import result_to_html, result_to_latex
from skmer.evaluation.report._page import render_page, write_report
from skmer.evaluation.report._tables import Table
from skmer.evaluation.report._words import (
    COLUMN_NAMES,
    SCORE_NAMES,
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
    "render_page",
    "result_to_figure",
    "result_to_html",
    "result_to_latex",
    "with_interval",
    "write_report",
]

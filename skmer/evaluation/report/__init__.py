"""A finished result as a page, and in a sentence; no result imports these."""

from skmer.evaluation.report._figure import result_to_figure
from skmer.evaluation.report._headline import headline_of
from skmer.evaluation.report._notebook import result_to_html, result_to_latex
from skmer.evaluation.report._page import render_page, write_report

__all__ = [
    "headline_of",
    "render_page",
    "result_to_figure",
    "result_to_html",
    "result_to_latex",
    "write_report",
]

"""A finished result as a page; no result imports it."""

from skmer.evaluation.report._page import render_report, write_report

__all__ = ["render_report", "write_report"]

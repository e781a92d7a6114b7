"""A finished result as a page and as a table for the terminal; no result imports these."""

from skmer.evaluation.report._page import render_report, write_report
from skmer.evaluation.report._terminal import format_summary

__all__ = ["format_summary", "render_report", "write_report"]

"""What a result shows in a notebook and gives to a paper: parts of the page, by themselves."""

from html import escape

from skmer.evaluation.report._headline import make_headline, trust_notes
from skmer.evaluation.report._overview import Overview
from skmer.evaluation.report._tables import scores_table
from skmer.evaluation.results import BaseResult


def result_to_latex(result: BaseResult) -> str:
    """Return the table of scores for a paper: each configuration with its interval, best first.

    Returns
    -------
    latex : str
        A LaTeX table with a caption; it needs the package booktabs.
    """
    return scores_table(Overview(result)).latex


def result_to_html(result: BaseResult) -> str:
    """Return headline, what bears on trust, and the table of scores, as notebooks show them."""
    seen = Overview(result)
    table = scores_table(seen)
    kept = [i for i in range(len(table.columns)) if i not in table.hidden]
    notes = "".join(f"<li>{escape(note.text)}</li>" for note in trust_notes(seen))
    head = "".join(f"<th>{escape(table.columns[i])}</th>" for i in kept)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(row[i][0])}</td>" for i in kept) + "</tr>"
        for row in table.rows
    )
    return (
        f"<p><strong>{escape(make_headline(seen))}</strong></p><ul>{notes}</ul>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )

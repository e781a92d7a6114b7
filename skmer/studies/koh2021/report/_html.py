"""Tables and figures as elements of a page."""

import re
from html import escape
from io import StringIO

from skmer.evaluation.report import COLUMN_NAMES, SCORE_NAMES

# Stands for the page's colour of text while a figure is drawn; nothing else is drawn in it.
_INK = "#010203"
_IN_INK: dict = {
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _INK
    ),
    **dict.fromkeys(("figure.facecolor", "axes.facecolor"), "none"),
    # A fixed salt: the same result gives the same page.
    "svg.hashsalt": "skmer",
}


def table_as_html(table) -> str:
    """Return a data frame as a table element, with empty cells for what is missing."""
    table = table.rename(columns=COLUMN_NAMES | SCORE_NAMES)
    # None in a column of text is an empty cell too, which na_rep alone does not see to.
    table = table.astype(object).where(table.notna(), "")
    return table.to_html(index=False, float_format="{:.2f}".format, border=0)


def drawn_for_page():
    """Return a context in which figures are drawn such that they follow the page's colours."""
    from matplotlib import rc_context

    return rc_context(_IN_INK)


def figure_as_svg(figure, title: str) -> str:
    """Return a figure as a svg element whose text and lines have the colour of the page's text."""
    buffer = StringIO()
    figure.savefig(
        buffer, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
    )
    text = buffer.getvalue()
    # Comments hold the names of a user's data, and are of no use to a reader.
    text = re.sub(r"<!--.*?-->", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = text.replace(_INK, "currentColor")
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)

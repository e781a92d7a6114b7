"""Tables and figures as elements of a page."""

from io import StringIO


def table_as_html(table) -> str:
    """Return a data frame as a table element, with empty cells for what is missing."""
    # None in a column of text is an empty cell too, which na_rep alone does not see to.
    table = table.astype(object).where(table.notna(), "")
    return table.to_html(index=False, float_format="{:.3f}".format, border=0)


def figure_as_svg(figure) -> str:
    """Return a figure as a svg element."""
    from matplotlib import rc_context

    buffer = StringIO()
    # A fixed salt and no date: the same result gives the same page.
    with rc_context({"svg.hashsalt": "skmer"}):
        figure.savefig(
            buffer, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
        )
    text = buffer.getvalue()
    return text[text.index("<svg") :]

"""Parts of messages, of bounded length whatever they speak of."""

from collections.abc import Iterable
from html import escape
from typing import Any


def cut_middle(text: str, width: int = 200) -> str:
    """Cut the middle out of a text that is longer than `width` characters.

    Examples
    --------
    >>> from skmer.utils._words import cut_middle
    >>> cut_middle("abcdefghijklmnopqrstuvwxyz", 11)
    'abcd...wxyz'
    """
    if len(text) <= width:
        return text
    kept = (width - 3) // 2
    return f"{text[:kept]}...{text[-kept:]}"


def escape_undecodable(text: str) -> str:
    r"""Write what no encoding can hold, as in names of files that are not UTF-8, as an escape.

    Examples
    --------
    >>> from skmer.utils._words import escape_undecodable
    >>> escape_undecodable("Stra\udcdfe.wav")
    'Stra\\udcdfe.wav'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def html_list(lines: Iterable[str]) -> str:
    """Write lines of text as a list, as notebooks show them.

    Examples
    --------
    >>> from skmer.utils._words import html_list
    >>> html_list(["a < b"])
    '<ul><li>a &lt; b</li></ul>'
    """
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def shorten(
    items: Iterable[Any], limit: int = 5, *, width: int = 300, separator: str = ", "
) -> str:
    """First few of a list in words, for a message: at most `limit`, and `width` characters.

    Examples
    --------
    >>> from skmer.utils._words import shorten
    >>> shorten(["one", "two", "three"], limit=2)
    'one, two and 1 more'
    >>> shorten(["one", "two", "three"], width=9)
    'one, two and 1 more'
    """
    texts = [str(item) for item in items]
    shown: list[str] = []
    for text in texts[:limit]:
        if shown and len(separator.join([*shown, text])) > width:
            break
        shown.append(cut_middle(text, width))
    more = f" and {len(texts) - len(shown)} more" if len(texts) > len(shown) else ""
    return separator.join(shown) + more

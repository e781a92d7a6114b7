"""Parts of messages, of bounded length whatever they speak of."""

from collections.abc import Sequence


def shorten(text: str, width: int = 200) -> str:
    """Cut the middle out of a text that is longer than `width` characters.

    Examples
    --------
    >>> from skmer.utils._text import shorten
    >>> shorten("abcdefghijklmnopqrstuvwxyz", 11)
    'abcd...wxyz'
    """
    if len(text) <= width:
        return text
    kept = (width - 3) // 2
    return f"{text[:kept]}...{text[-kept:]}"


def list_briefly(items: Sequence[str], width: int = 350, separator: str = "; ") -> str:
    """Join the first items, as many as `width` characters hold, and count the others.

    Examples
    --------
    >>> from skmer.utils._text import list_briefly
    >>> list_briefly(["one", "two", "three"], width=9)
    'one; two; and 1 more'
    """
    shown = [shorten(items[0], width)] if items else []
    length = sum(map(len, shown))
    for item in items[1:]:
        length += len(separator) + len(item)
        if length > width:
            break
        shown.append(item)
    more = [f"and {len(items) - len(shown)} more"] if len(shown) < len(items) else []
    return separator.join(shown + more)

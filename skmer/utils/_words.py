"""Parts of messages."""

from collections.abc import Iterable
from typing import Any


def shorten(items: Iterable[Any], limit: int = 5) -> str:
    """First few of a list in words, for a message."""
    texts = [str(item) for item in items]
    more = f" and {len(texts) - limit} more" if len(texts) > limit else ""
    return ", ".join(texts[:limit]) + more

"""Checksums of files, git's among them, and what becomes of a file that fails them."""

import os
from pathlib import Path

from skmer.utils._digest import file_digest as checksum

__all__ = ["checksum", "find_mismatch", "put_aside"]


def find_mismatch(path: Path, checksums: dict[str, str]) -> str | None:
    """What does not match, in words, or None where every checksum does."""
    if not path.exists():
        return "it is missing"
    for kind, expected in checksums.items():
        got = checksum(path, kind)
        if got != expected:
            return (
                f"its {kind} checksum must be {expected}, and is {got} "
                f"({path.stat().st_size} bytes)"
            )
    return None


def put_aside(path: Path) -> str:
    """Rename a file that is not what it should be; says what became of it."""
    rejected = path.with_name(path.name.removesuffix(".part") + ".rejected")
    try:
        os.replace(path, rejected)
    except OSError:
        return "it cannot be moved aside, and was not loaded"
    return f"it was kept as {rejected} and not loaded"

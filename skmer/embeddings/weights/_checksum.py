"""Checksums of files, git's among them, and what becomes of a file that fails them."""

import hashlib
import os
from pathlib import Path


def checksum(path: Path, kind: str) -> str:
    """The checksum (hex) of a file; `kind` is "git-blob", "md5" or "sha256".

    A git blob id is the SHA-1 of the file behind a short header, as `git hash-object` prints it.
    """
    with path.open("rb") as stream:
        if kind == "git-blob":
            total = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
        else:
            total = hashlib.new(kind, usedforsecurity=False)
        while block := stream.read(2**20):
            total.update(block)
    return total.hexdigest()


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

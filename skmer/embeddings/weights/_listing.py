"""What there is to know about the published files and their copies on this machine."""

from dataclasses import dataclass
from pathlib import Path

from skmer.embeddings.weights._registry import REGISTRY, WeightsFile, find_entry
from skmer.embeddings.weights._store import (
    checksums_of,
    find_installed,
    obtain,
    weights_folder,
    weights_source,
)
from skmer.embeddings.weights.musicnn import musicnn_state, obtain_musicnn
from skmer.utils._download import find_mismatch


@dataclass(frozen=True, kw_only=True)
class WeightsRow:
    """One published file.

    `path` is where it is, or where it belongs; `state` is "missing", "verified" (its checksums
    match), "converted" (only the arrays made from it are kept), "unknown" (inside an installed
    openl3, for which no checksum is published) or "wrong".
    """

    name: str
    file: str
    path: Path
    present: bool
    state: str
    size: int | None
    source: str
    licence: str
    citation: str


def list_weights() -> list[WeightsRow]:
    """A row for every published file; downloads nothing and moves nothing."""
    return [_describe(entry) for entry in REGISTRY.values()]


def describe_weights(name: str) -> WeightsRow:
    """The row of one published file."""
    return _describe(find_entry(name))


def fetch_weights(name: str) -> Path:
    """Download one published file unless a good copy is here already; returns its path."""
    entry = find_entry(name)
    if entry.requirement is not None:
        return obtain_musicnn(name.removeprefix("musicnn-"))
    return obtain(entry)


def _describe(entry: WeightsFile) -> WeightsRow:
    """The row of one entry."""
    path, state = _find(entry)
    return WeightsRow(
        name=entry.name,
        file=entry.file,
        path=path,
        present=state != "missing",
        state=state,
        size=path.stat().st_size if path.exists() else entry.size,
        source=weights_source(entry),
        licence=entry.licence,
        citation=entry.citation,
    )


def _find(entry: WeightsFile) -> tuple[Path, str]:
    """(path, state) of the copy that would be used."""
    if entry.requirement is not None:
        return musicnn_state(entry.name.removeprefix("musicnn-"))
    target = weights_folder() / entry.file
    path = target if target.exists() else find_installed(entry)
    if path is None:
        return target, "missing"
    checksums = checksums_of(path, entry)
    if not checksums:
        return path, "unknown"
    return path, "verified" if find_mismatch(path, checksums) is None else "wrong"

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
from skmer.utils.files._download import find_mismatch


@dataclass(frozen=True, kw_only=True)
class WeightsRow:
    """One set of published weights.

    Attributes
    ----------
    name : str
        What `fetch_weights` and `verify_weights` call it.
    file : str
        The published file that holds it.
    path : pathlib.Path
        Where it is, or where it belongs.
    present : bool
        Whether a copy is on this machine.
    state : {"missing", "verified", "converted", "unknown", "wrong"}
        "verified" = its checksums match; "converted" = the arrays made from it are here, and are
        the published ones; "unknown" = inside an installed openl3, for which no checksum is
        published.
    size : int or None
        Of the copy that is here, else of the published file where that is known [bytes].
    source : str
        The address, or the package, that it is fetched from.
    licence, citation : str
        As its authors state them.
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
    """List the published weights and their copies on this machine.

    Nothing is downloaded, and nothing is moved. Files that are here are read, to verify them.

    Returns
    -------
    rows : list of WeightsRow
        One for each set of weights, with `name`, `file`, `path`, `present`, `state`, `size`,
        `source`, `licence` and `citation`.

    See Also
    --------
    fetch_weights : Download one of them.
    verify_weights : Compare the numbers that they give with published ones.

    Examples
    --------
    >>> from skmer.embeddings import list_weights
    >>> for row in list_weights():
    ...     if row.name.startswith("musicnn"):
    ...         print(row.name, row.licence, row.source)
    musicnn-msd ISC the package musicnn==0.1.0
    musicnn-mtt ISC the package musicnn==0.1.0
    """
    return [_describe(entry) for entry in REGISTRY.values()]


def describe_weights(name: str) -> WeightsRow:
    """The row of one published file."""
    return _describe(find_entry(name))


def fetch_weights(name: str) -> Path:
    """Download published weights, unless a good copy is on this machine.

    A download is verified against the published checksum before anything reads it, goes on where
    an earlier one broke, and is done by one process at a time. MusiCNN's weights are fetched by the
    package client of this environment, pip or uv, with the user's settings.

    Parameters
    ----------
    name : str
        As `list_weights` has it, e.g. "openl3-mel256-music", "musicnn-msd" or "vggish".

    Returns
    -------
    path : pathlib.Path
        Of the file that `weights="pretrained"` reads.

    Raises
    ------
    WeightsNotFoundError
        When the file is not here and cannot be had; the message says why, where it comes from and
        where to put it by hand.
    WeightsIntegrityError
        When what is here, or what was downloaded, is not the published file.
    ValueError
        For a name that is not in the list.

    See Also
    --------
    list_weights : What there is.

    Examples
    --------
    >>> from skmer.embeddings import fetch_weights
    >>> fetch_weights("musicnn-msd")  # doctest: +SKIP
    PosixPath('/home/me/.cache/skmer/weights/musicnn_msd.npz')
    >>> fetch_weights("musicnn")
    Traceback (most recent call last):
        ...
    skmer.exceptions.InputError: The weights are one of openl3-linear-env, openl3-linear-music,
    openl3-mel128-env, openl3-mel128-music, openl3-mel256-env, openl3-mel256-music, musicnn-msd,
    musicnn-mtt, vggish, vggish-pca. Got 'musicnn' instead.
    """
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

"""What is known of a dataset, and its description in words."""

import textwrap
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a dataset before a single file of it is here.

    Parameters
    ----------
    name : str
        Its name on the command line.
    title : str
        Its name in a text.
    n_clips : int
        Published clips.
    class_counts : dict of str to int
        Published clips per class; empty where that is not published.
    groups : str
        What the clips are grouped by.
    licence, citation, url : str
        On what terms, to be cited how (BibTeX), and from where.
    downloadable : bool
        Whether skmer can download it.
    contains : tuple of str
        Names of the datasets whose songs, or most of them, are in it under the same codes.
    """

    name: str
    title: str
    n_clips: int
    class_counts: dict[str, int]
    groups: str
    licence: str
    citation: str
    url: str
    downloadable: bool
    contains: tuple[str, ...] = ()


def describe(info: DatasetInfo) -> str:
    """Text of a dataset's rst file, and its citation."""
    folder = resources.files("skmer.datasets") / "descr"
    name = info.name.replace("-", "_")
    text = (folder / f"{name}.rst").read_text(encoding="utf-8")
    if not info.citation:
        return text
    citation = textwrap.indent(info.citation, "    ")
    return f"{text}\n.. rubric:: Citation\n\n.. code-block:: bibtex\n\n{citation}\n"


def describe_split(groups, parts) -> str:
    """Text about who is on both sides of a published split, from the data at hand."""
    test = parts == "test"
    shared = test & groups.isin(groups[~test])
    return (
        f"\n.. rubric:: The split of the data at hand\n\nOf the {test.sum()} test songs, "
        f"{shared.sum()} are by an artist who is also in the rest of the {len(groups)} songs "
        f"({groups[shared].nunique()} artists).\n"
    )

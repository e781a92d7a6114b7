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
    class_counts : dict of str to int
        Published clips per class.
    groups : str
        What the clips are grouped by.
    licence, citation, url : str
        On what terms, to be cited how (BibTeX), and from where.
    downloadable : bool
        Whether skmer can download it.
    """

    name: str
    title: str
    class_counts: dict[str, int]
    groups: str
    licence: str
    citation: str
    url: str
    downloadable: bool

    @property
    def n_clips(self) -> int:
        """Number of published clips."""
        return sum(self.class_counts.values())


def describe(info: DatasetInfo) -> str:
    """Text of a dataset's rst file, and its citation."""
    folder = resources.files("skmer.datasets") / "descr"
    name = info.name.replace("-", "_")
    text = (folder / f"{name}.rst").read_text(encoding="utf-8")
    if not info.citation:
        return text
    citation = textwrap.indent(info.citation, "    ")
    return f"{text}\n.. rubric:: Citation\n\n.. code-block:: bibtex\n\n{citation}\n"

"""What every dataset shares: where it lies, how it is described, how it is handed over."""

import os
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
QUADRANTS = ("Q1", "Q2", "Q3", "Q4")

COMMON_CONSTRAINTS: dict[str, list] = {
    "data_home": [str, os.PathLike, None],
    "return_X_y": ["boolean"],
    "as_frame": ["boolean"],
}
FETCH_CONSTRAINTS = COMMON_CONSTRAINTS | {"download_if_missing": ["boolean"]}


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


def get_data_home(data_home: str | os.PathLike | None = None) -> Path:
    """Folder in which the datasets lie; it is not created.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder. By default the environment variable ``SKMER_DATA``, else the
        user's data folder of the operating system.

    Returns
    -------
    data_home : pathlib.Path
        An absolute path.

    Examples
    --------
    >>> from skmer.datasets import get_data_home
    >>> get_data_home("my_data").name
    'my_data'
    """
    if data_home is None:
        data_home = os.environ.get("SKMER_DATA") or None
    if data_home is None:
        from platformdirs import user_data_path

        data_home = user_data_path("skmer", appauthor=False)
    return Path(data_home).expanduser().absolute()


def describe(info: DatasetInfo) -> str:
    """Text of a dataset's rst file, and its citation."""
    folder = resources.files("skmer.datasets") / "descr"
    name = info.name.replace("-", "_")
    text = (folder / f"{name}.rst").read_text(encoding="utf-8")
    if not info.citation:
        return text
    citation = textwrap.indent(info.citation, "    ")
    return f"{text}\n.. rubric:: Citation\n\n.. code-block:: bibtex\n\n{citation}\n"


def normalise_name(name: str) -> str:
    """Artist's name without differences in case and white space."""
    return " ".join(name.casefold().split())


def find_audio(folder: Path) -> dict[str, Path]:
    """Audio files anywhere below a folder, by the upper-case first word of their names."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith("."):
            found.setdefault(re.split(r"[^0-9A-Za-z]", path.stem)[0].upper(), path)
    return found


def shorten(items: Iterable[Any], limit: int = 5) -> str:
    """First few of a list in words, for a message."""
    texts = [str(item) for item in items]
    more = f" and {len(texts) - limit} more" if len(texts) > limit else ""
    return ", ".join(texts[:limit]) + more


def make_bunch(
    frame,
    *,
    descr: str,
    target_names: Sequence[str],
    target_columns: str | list[str] = "label",
    return_X_y: bool,
    as_frame: bool,
    **particular: Any,
):
    """Bunch, or (data, target), from a frame with the columns path, label and maybe group."""
    data, target = frame["path"], frame[target_columns]
    groups = frame.get("group")
    if not as_frame:
        data = data.to_numpy(dtype=object)
        # Plain unicode: scikit-learn refuses some object arrays of labels.
        target = target.to_numpy(dtype=str if target_columns == "label" else float)
        groups = None if groups is None else np.array(groups.tolist())
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        target_names=list(target_names),
        groups=groups,
        frame=frame,
        DESCR=descr,
        **particular,
    )

"""What every dataset has: its facts, its loader, its place in lists, command and `validate`."""

import functools
import inspect
import os
import re
import sys
import textwrap
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from sklearn.utils import Bunch

from skmer.utils import estimators, files

DataHome = str | os.PathLike | None
_Loader = TypeVar("_Loader", bound=Callable)


@dataclass(frozen=True)
class DatasetInfo:
    """Facts about a dataset that hold before a single file of it is here.

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
    licence, url : str
        On what terms, and from where.
    downloadable : bool
        Whether skmer can download it.
    contains : tuple of str
        Names of the datasets whose songs, or most of them, are in it under the same codes.
    scales : dict of str to pair of float
        The ends of the scale of arousal and valence, by what the names of the columns begin with.
    folder : str
        Its folder below the data folder; by default its name.
    layout : str
        What is looked for below the data folder, as reStructuredText; by default its archives
        unpacked.
    checked : str
        What :func:`validate_dataset` compares.
    description : str
        What ``DESCR`` states, by default the docstring of the module of its loader; it ends with
        the citation, a code block in BibTeX.
    """

    name: str
    title: str
    n_clips: int
    class_counts: dict[str, int] = field(default_factory=dict)
    groups: str = "none"
    licence: str = "not stated"
    url: str = ""
    downloadable: bool = False
    contains: tuple[str, ...] = ()
    scales: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    folder: str = ""
    layout: str = ""
    checked: str = "names of the clips"
    description: str = ""

    def __post_init__(self):
        object.__setattr__(self, "folder", self.folder or self.name)
        layout = self.layout or f"``{self.folder}/``, its archives unpacked, at any depth"
        object.__setattr__(self, "layout", layout)

    @property
    def citation(self) -> str:
        """The BibTeX entry of the description."""
        return textwrap.dedent(self.description.partition(":: bibtex\n\n")[2]).strip()

    def place(self, data_home) -> Path:
        """Folder of the dataset."""
        return get_data_home(data_home) / self.folder


class Dataset(NamedTuple):
    """A registered dataset: its facts, its loader, and the check of its files."""

    info: DatasetInfo
    load: Callable
    # Called with the dataset's folder and `verbose`, returns a list of findings.
    validate: Callable


DATASETS: dict[str, Dataset] = {}


class SharedParameters:
    """The parameters that loaders share, as `loader` documents those that a loader has.

    Parameters
    ----------
    annotations_only : bool, default=False
        If True, no audio is needed: ``data`` states where the clips would be.

    data_home : str or path-like, default=None
        Folder of the datasets; by default the environment variable ``SKMER_DATA``, else the
        user's data folder. Looked for in it: {layout}.

    download_if_missing : bool, default=True
        If False, or where the publisher does not let programs download, missing files are an
        error. Clips are never downloaded where some of them are in place.

    return_X_y : bool, default=False
        If True, ``(data, target)`` is returned instead of a Bunch.

    as_frame : bool, default=False
        If True, ``data``, ``target``, ``groups`` and ``split`` are pandas objects.
    """


def loader(*, layout: str = "") -> Callable[[_Loader], _Loader]:
    """Give a loader what all loaders have: checked parameters, their documentation, `return_X_y`.

    The decorated function takes those of the shared parameters that apply, may leave `return_X_y`
    and `as_frame` unused, and returns a Bunch of pandas objects, as `make_bunch` does. Its
    parameters must be what their type hints allow.
    """

    def decorate(function):
        parameters = inspect.signature(function).parameters

        @estimators.checked
        @functools.wraps(function)
        def load(*args, **kwargs):
            bunch = function(*args, **kwargs)
            if not kwargs.get("as_frame"):
                bunch.data = bunch.data.to_numpy(dtype=object)
                for name in ("target", "groups", "split"):
                    if bunch.get(name) is not None and not isinstance(bunch[name], dict):
                        # Plain unicode: scikit-learn rejects some object arrays of labels.
                        bunch[name] = np.array(bunch[name].to_numpy().tolist())
            return (bunch.data, bunch.target) if kwargs.get("return_X_y") else bunch

        if function.__doc__:
            described = inspect.cleandoc(SharedParameters.__doc__ or "").format(layout=layout)
            texts = re.findall(
                rf"^(?:{'|'.join(parameters)}) : .+\n(?: .+\n)+", described + "\n", re.M
            )
            own, result = inspect.cleandoc(function.__doc__).split("\nReturns\n---", 1)
            heading = "" if "\nParameters\n---" in own else "\nParameters\n----------"
            load.__doc__ = "\n".join([f"{own}{heading}", *texts, f"Returns\n---{result}\n"])
        return load

    return decorate


def register_dataset(info: DatasetInfo, *, validate: Callable) -> Callable[[_Loader], _Loader]:
    """Make a function the loader of a dataset, and put it into lists, command and `validate`.

    Parameters
    ----------
    info : DatasetInfo
        The facts about the dataset.
    validate : callable
        Called with the dataset's folder and `verbose`; returns a list of
        :class:`~skmer.datasets.validate.Finding`.

    Returns
    -------
    decorator : callable
        For a function as `loader` needs it.
    """

    def decorate(function):
        load = loader(layout=info.layout)(function)
        described = info.description or sys.modules[function.__module__].__doc__ or ""
        DATASETS[info.name] = Dataset(replace(info, description=described), load, validate)
        return load

    return decorate


def make_bunch(
    frame, info=None, *, target_names, target=None, data=None, extra="", **more
) -> Bunch:
    """Bunch of pandas objects from a frame with the columns path, label and perhaps group.

    The target is the label, and the clips are the paths, unless they are given;
    ``DESCR`` is the description of the dataset and what is `extra`.
    """
    first = [name for name in ("path", "label", "group") if name in frame]
    frame = frame[first + [name for name in frame if name not in first]]
    return Bunch(
        data=frame["path"] if data is None else data,
        target=frame["label"] if target is None else target,
        target_names=list(target_names),
        groups=frame.get("group"),
        frame=frame,
        DESCR=(describe(info) if info else "") + extra,
        **more,
    )


def describe(info: DatasetInfo) -> str:
    """Text of a dataset's ``DESCR``: its title and its description."""
    description = inspect.cleandoc(DATASETS[info.name].info.description)
    return f"{info.title}\n{'-' * len(info.title)}\n\n{description}\n"


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line outside of skmer that called a loader, however deep the call is."""
    frame, level = inspect.currentframe(), 1
    inside = ("skmer", "sklearn", "contextlib")
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in inside:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def get_data_home(data_home: DataHome = None) -> Path:
    """Folder in which the datasets lie; it is not created.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder. By default the environment variable ``SKMER_DATA``, else the
        user's data folder of the operating system, or a temporary one for a user whose home
        does not exist or cannot be written.

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
    data_home = data_home or os.environ.get("SKMER_DATA")
    return files.expand_path(data_home).absolute() if data_home else files.user_folder("data")


def list_datasets():
    """Table of the datasets that have a name.

    Returns
    -------
    datasets : DataFrame, shape (n_datasets, 10)
        name, title, clips, classes (a dict of counts), groups, licence, citation
        (BibTeX), url, downloadable, contains (names of the datasets whose songs are in it).

    Examples
    --------
    >>> from skmer.datasets import list_datasets
    >>> list_datasets()[["name", "clips"]].values.tolist()
    [['toy', 80], ['toy-tags', 80], ['ravdess-song', 1012], ['emomusic', 744], ['deam', 1802],
     ['4q', 900], ['bimodal', 162], ['merge', 3554], ['pmemo', 767],
     ['mtg-jamendo-moodtheme', 18486]]
    """
    import pandas as pd

    columns = ["name", "title", "clips", "classes", "groups", "licence", "citation", "url"]
    rows = [vars(one.info) | {"citation": one.info.citation} for one in DATASETS.values()]
    table = pd.DataFrame(rows).rename(columns={"n_clips": "clips", "class_counts": "classes"})
    return table[[*columns, "downloadable", "contains"]]

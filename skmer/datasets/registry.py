"""The datasets by the names that the command knows them by."""

import os
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Literal

from skmer.datasets import bimodal as _bimodal
from skmer.datasets import deam as _deam
from skmer.datasets import emomusic as _emomusic
from skmer.datasets import fourq as _fourq
from skmer.datasets import merge as _merge
from skmer.datasets import ravdess_song as _ravdess_song
from skmer.datasets import toy as _toy
from skmer.datasets.fetch import get_data_home
from skmer.datasets.own import load_csv, load_folder
from skmer.datasets.validate import ValidationReport
from skmer.exceptions import DatasetNotFoundError, InputError
from skmer.utils.files import expand_path
from skmer.utils.messages import cut_middle

_MODULES: dict[str, ModuleType] = {
    module.INFO.name: module
    for module in (_toy, _ravdess_song, _emomusic, _deam, _fourq, _bimodal, _merge)
}
# Text with separators: by any other ending a file is asked for that is there.
TABLE_SUFFIXES = (".csv", ".tsv", ".txt")


def list_datasets():
    """Table of the datasets that have a name.

    Returns
    -------
    datasets : DataFrame, shape (7, 10)
        name, title, clips, classes (a dict of counts), groups, licence, citation
        (BibTeX), url, downloadable, contains (names of the datasets whose songs are in it).

    Examples
    --------
    >>> from skmer.datasets import list_datasets
    >>> list_datasets()[["name", "clips"]].values.tolist()
    [['toy', 80], ['ravdess-song', 1012], ['emomusic', 744], ['deam', 1802], ['4q', 900],
     ['bimodal', 162], ['merge', 3554]]
    """
    import pandas as pd

    return pd.DataFrame(
        {
            "name": module.INFO.name,
            "title": module.INFO.title,
            "clips": module.INFO.n_clips,
            "classes": module.INFO.class_counts,
            "groups": module.INFO.groups,
            "licence": module.INFO.licence,
            "citation": module.INFO.citation,
            "url": module.INFO.url,
            "downloadable": module.INFO.downloadable,
            "contains": module.INFO.contains,
        }
        for module in _MODULES.values()
    )


def load_dataset(
    name: str | os.PathLike,
    *,
    data_home: str | os.PathLike | None = None,
    download_if_missing: bool = True,
    path_column: str | None = None,
    label_column: str | None = None,
    group_column: str | None = None,
    target_columns: str | Sequence[str] | None = None,
    group_from: str | None = None,
    on_missing: Literal["raise", "keep"] = "raise",
):
    """Load a dataset by its name, or the user's own clips by the path of a csv file or folder.

    Parameters
    ----------
    name : str or path-like
        A name that :func:`list_datasets` has; or the path of a csv file, as in :func:`load_csv`,
        or of a folder with one folder per label, as in :func:`load_folder`.

    data_home : str or path-like, default=None
        Folder of the datasets; by default the environment variable ``SKMER_DATA``,
        else the user's data folder.

    download_if_missing : bool, default=True
        If False, raise an error where the dataset is not in place.

    path_column, label_column, group_column, target_columns : default=None
        As in :func:`load_csv`; for a csv file only. None is the default there.

    group_from : str, default=None
        As in :func:`load_folder`; for a folder only.

    on_missing : {"raise", "keep"}, default="raise"
        As in :func:`load_csv`; of anything else all clips are there.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        As from the dataset's own function with its defaults.

    Raises
    ------
    ValueError
        If there is no dataset of that name, or a parameter is not for it.
    DatasetNotFoundError
        If the dataset is not in place, and may not or cannot be downloaded.

    See Also
    --------
    list_datasets : What the names stand for.

    Examples
    --------
    >>> from skmer.datasets import load_dataset
    >>> load_dataset("ravdess")
    Traceback (most recent call last):
        ...
    skmer.exceptions.InputError: The dataset must be one of toy, ravdess-song, emomusic, deam, 4q,
    bimodal, merge or the path of a .csv file or of a folder. Got 'ravdess'.
    """
    columns: dict[str, Any] = {
        "path_column": path_column,
        "label_column": label_column,
        "group_column": group_column,
        "target_columns": target_columns,
    }
    columns = {option: value for option, value in columns.items() if value is not None}
    if isinstance(name, str) and name in _MODULES:
        _refuse({**columns, "group_from": group_from}, f"the dataset {name}")
        return _load_named(name, data_home, download_if_missing)
    path = expand_path(name)
    if path.is_dir():
        _refuse(columns, "a folder")
        return load_folder(path, group_from=group_from)
    if path.is_file() or path.suffix.lower() in TABLE_SUFFIXES:
        _refuse({"group_from": group_from}, "a csv file")
        return load_csv(path, on_missing=on_missing, **columns)
    raise InputError(
        f"The dataset must be one of {', '.join(_MODULES)} or the path of a .csv file or of a "
        f"folder. Got {cut_middle(os.fspath(name))!r}."
    )


def _load_named(name, data_home, download_if_missing: bool):
    """The dataset of a name, with its defaults."""
    if name == "toy":
        return _toy.load_toy_emotions(data_home=data_home)
    fetchers: dict[str, Callable] = {
        "ravdess-song": _ravdess_song.fetch_ravdess_song,
        "emomusic": _emomusic.fetch_emomusic,
        "deam": _deam.fetch_deam,
        "4q": _fourq.fetch_4q,
        "bimodal": _bimodal.fetch_bimodal,
        "merge": _merge.fetch_merge,
    }
    return fetchers[name](data_home=data_home, download_if_missing=download_if_missing)


def _refuse(options: dict, what: str) -> None:
    """Raise where an option was given that is of no use here."""
    given = [option for option, value in options.items() if value is not None]
    if given:
        raise InputError(f"The parameter '{given[0]}' of load_dataset is not for {what}.")


def validate_dataset(
    name: str, *, data_home: str | os.PathLike | None = None, verbose: bool = False
) -> ValidationReport:
    """Compare the files of a dataset with what was published.

    Parameters
    ----------
    name : {"toy", "ravdess-song", "emomusic", "deam", "4q", "bimodal", "merge"}
        The dataset.

    data_home : str or path-like, default=None
        Folder of the datasets; by default the environment variable ``SKMER_DATA``,
        else the user's data folder.

    verbose : bool, default=False
        Whether to show a progress bar where files are hashed.

    Returns
    -------
    report : ValidationReport
        What was checked, and which files are missing, wrong, or not of the dataset.

    Raises
    ------
    ValueError
        If there is no dataset of that name.
    DatasetNotFoundError
        If the dataset is not in place at all.

    Examples
    --------
    >>> from skmer.datasets import validate_dataset
    >>> report = validate_dataset("ravdess-song")  # doctest: +SKIP
    >>> report.ok, report.files("missing")  # doctest: +SKIP
    (True, [])
    """
    if not isinstance(name, str) or name not in _MODULES:
        raise InputError(f"The dataset must be one of {', '.join(_MODULES)}. Got {name!r:.100}.")
    module = _MODULES[name]
    folder = get_data_home(data_home) / module.FOLDER
    if not folder.is_dir():
        raise DatasetNotFoundError(
            f"There is no folder {folder} to validate. Fetch {name} first, or say by 'data_home' "
            "or the environment variable SKMER_DATA where the datasets are."
        )
    findings = module.validate(folder, verbose=verbose)
    return ValidationReport(name, folder, module.CHECKED, findings)

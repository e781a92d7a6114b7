"""The datasets by the names that the command knows them by."""

import os
from pathlib import Path
from types import ModuleType

from skmer.datasets import _bimodal, _emomusic, _fourq, _ravdess_song, _toy
from skmer.datasets._csv import load_csv
from skmer.datasets.base._data_home import get_data_home
from skmer.datasets.validation._report import ValidationReport
from skmer.exceptions import DatasetNotFoundError, InputError

_MODULES: dict[str, ModuleType] = {
    module.INFO.name: module for module in (_toy, _ravdess_song, _emomusic, _fourq, _bimodal)
}
_CHECKED = {
    "toy": "every clip against the same clip computed anew",
    "ravdess-song": "names and SHA-256 of the 1012 published wav files",
    "emomusic": "columns, songs and quadrants of the annotations, names of the clips",
    "4q": "annotations, folders and names of the clips",
    "bimodal": "annotations and names of the clips",
}


def list_datasets():
    """Table of the datasets that have a name.

    Returns
    -------
    datasets : DataFrame, shape (5, 9)
        name, title, clips, classes (a dict of counts), groups, licence, citation
        (BibTeX), url, downloadable.

    Examples
    --------
    >>> from skmer.datasets import list_datasets
    >>> list_datasets()[["name", "clips"]].values.tolist()
    [['toy', 80], ['ravdess-song', 1012], ['emomusic', 744], ['4q', 900], ['bimodal', 162]]
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
        }
        for module in _MODULES.values()
    )


def load_dataset(
    name: str | os.PathLike,
    *,
    data_home: str | os.PathLike | None = None,
    download_if_missing: bool = True,
):
    """Load a dataset by its name, or the user's own clips by the path of a csv file.

    Parameters
    ----------
    name : {"toy", "ravdess-song", "emomusic", "4q", "bimodal"} or path of a .csv file
        The dataset; a csv file is as in :func:`load_csv`.

    data_home : str or path-like, default=None
        Folder of the datasets; by default the environment variable ``SKMER_DATA``,
        else the user's data folder.

    download_if_missing : bool, default=True
        If False, raise an error where the dataset is not in place.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        As from the dataset's own function with its defaults.

    Raises
    ------
    ValueError
        If there is no dataset of that name.
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
    skmer.exceptions.InputError: The dataset must be one of toy, ravdess-song, emomusic, 4q,
    bimodal or the path of a .csv file. Got 'ravdess'.
    """
    if Path(name).suffix.lower() == ".csv":
        return load_csv(name)
    if name == "toy":
        return _toy.load_toy_emotions(data_home=data_home)
    fetchers = {
        "ravdess-song": _ravdess_song.fetch_ravdess_song,
        "emomusic": _emomusic.fetch_emomusic,
        "4q": _fourq.fetch_4q,
        "bimodal": _bimodal.fetch_bimodal,
    }
    if name not in fetchers:
        raise InputError(
            f"The dataset must be one of {', '.join(_MODULES)} or the path of a .csv file. "
            f"Got {os.fspath(name)!r}."
        )
    return fetchers[name](data_home=data_home, download_if_missing=download_if_missing)


def validate_dataset(
    name: str, *, data_home: str | os.PathLike | None = None, verbose: bool = False
) -> ValidationReport:
    """Compare the files of a dataset with what was published.

    Parameters
    ----------
    name : {"toy", "ravdess-song", "emomusic", "4q", "bimodal"}
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
    if name not in _MODULES:
        raise InputError(f"The dataset must be one of {', '.join(_MODULES)}. Got {name!r}.")
    module = _MODULES[name]
    folder = get_data_home(data_home) / module.FOLDER
    if not folder.is_dir():
        raise DatasetNotFoundError(
            f"There is no folder {folder} to validate. Fetch {name} first, or say by 'data_home' "
            "or the environment variable SKMER_DATA where the datasets are."
        )
    findings = module.validate(folder, verbose=verbose)
    return ValidationReport(name, folder, _CHECKED[name], findings)

"""The user's own clips, listed in a csv file."""

import os
from pathlib import Path

from skmer.datasets.base._bunch import make_bunch
from skmer.exceptions import DatasetNotFoundError, InputError
from skmer.utils._sklearn import validate_params
from skmer.utils._words import shorten


@validate_params(
    {"path": [str, os.PathLike], "return_X_y": ["boolean"], "as_frame": ["boolean"]},
    prefer_skip_nested_validation=True,
)
def load_csv(path: str | os.PathLike, *, return_X_y: bool = False, as_frame: bool = False):
    """Load the user's own labelled clips from a csv file.

    Parameters
    ----------
    path : str or path-like
        A csv file in UTF-8 with a header and the columns ``path`` and ``label``, and
        optionally ``group`` (artist, singer, album: what must not be in training and
        test at once). Relative paths are relative to the csv file. Further columns
        are kept in ``frame``.

    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    as_frame : bool, default=False
        If True, ``data``, ``target`` and ``groups`` are pandas Series.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : ndarray of str, shape (n_clips,)
            Paths of the audio files.
        target : ndarray of str, shape (n_clips,)
            The labels.
        target_names : list of str
            The different labels, sorted.
        groups : ndarray of str, shape (n_clips,), or None
            The groups, or None where the file has no such column.
        frame : DataFrame, shape (n_clips, n_columns)
            The whole table, in the order of the file.
        DESCR : str
            Where the table comes from.

    (data, target) : tuple
        If ``return_X_y`` is True.

    Raises
    ------
    DatasetNotFoundError
        If the csv file, or a clip that it lists, does not exist.
    ValueError
        If the file is no UTF-8 csv, is empty, lacks a column, lists a clip twice, or
        leaves a path, label or group empty.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skmer.datasets import load_csv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = pathlib.Path(folder, "clips.csv")
    ...     _ = table.write_text("path,label,group\\na.wav,happy,ann\\nb.wav,sad,bob\\n")
    ...     for name in ("a.wav", "b.wav"):
    ...         pathlib.Path(folder, name).touch()
    ...     dataset = load_csv(table)
    >>> dataset.target.tolist(), dataset.groups.tolist()
    (['happy', 'sad'], ['ann', 'bob'])
    """
    path = Path(path).expanduser().absolute()
    frame = read_table(path)
    columns = ["path", "label", *(["group"] if "group" in frame else [])]
    missing = [name for name in ("path", "label") if name not in frame]
    if missing:
        raise InputError(
            f"{path} must have the columns 'path' and 'label', separated by commas. "
            f"Got {list(frame.columns)}; name them in the first line of the file."
        )
    if frame.empty:
        raise InputError(f"{path} must list at least one clip. Got a header and no rows.")
    for name in columns:
        blank = frame.index[frame[name].str.strip() == ""]
        if len(blank):
            raise InputError(
                f"Every row of {path} must have a {name!r}. "
                f"It is empty in line {shorten(blank + 2)}."
            )
        frame[name] = frame[name].str.strip()
    frame["path"] = [os.path.normpath(path.parent / Path(item).expanduser()) for item in frame.path]
    twice = frame["path"][frame["path"].duplicated()]
    if len(twice):
        raise InputError(
            f"{path} must list a clip once, or it may be trained on and tested on at once. "
            f"Listed again: {shorten(twice)}."
        )
    absent = [item for item in frame["path"] if not Path(item).is_file()]
    if absent:
        raise DatasetNotFoundError(
            f"{len(absent)} of the {len(frame)} clips listed in {path} do not exist: "
            f"{shorten(absent, 3)}. Relative paths are relative to the csv file."
        )
    others = [name for name in frame if name not in columns]
    return make_bunch(
        frame[columns + others],
        descr=f"{len(frame)} clips listed in {path}.",
        target_names=sorted(frame["label"].unique()),
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


def read_table(path: Path):
    """Table of a csv file, every cell a string."""
    import pandas as pd

    if not path.is_file():
        raise DatasetNotFoundError(f"There is no csv file {path}. Check the path.")
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} must be a csv file in UTF-8. Got other bytes; save it again as UTF-8."
        ) from error
    except pd.errors.EmptyDataError as error:
        raise InputError(f"{path} must list at least one clip. Got an empty file.") from error
    except pd.errors.ParserError as error:
        raise InputError(f"{path} must be a csv file. Got: {str(error).strip()}.") from error
    frame.columns = frame.columns.str.strip()
    return frame

"""The user's own clips, listed in a csv file."""

import os
import warnings
from collections.abc import Sequence
from typing import Literal

import numpy as np

from skmer.datasets.base._bunch import make_bunch
from skmer.datasets.tables._clips import describe_reading, read_clip_table, require_filled
from skmer.exceptions import DatasetNotFoundError, InputError, bounded
from skmer.utils._floats import parse_floats
from skmer.utils._sklearn import StrOptions, validate_params
from skmer.utils._words import shorten
from skmer.utils.files._paths import expand_path


@validate_params(
    {
        "path": [str, os.PathLike],
        "path_column": [str],
        "label_column": [str],
        "group_column": [str, None],
        "target_columns": [str, list, tuple, None],
        "on_missing": [StrOptions({"raise", "keep"})],
        "return_X_y": ["boolean"],
        "as_frame": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def load_csv(
    path: str | os.PathLike,
    *,
    path_column: str = "path",
    label_column: str = "label",
    group_column: str | None = None,
    target_columns: str | Sequence[str] | None = None,
    on_missing: Literal["raise", "keep"] = "raise",
    return_X_y: bool = False,
    as_frame: bool = False,
):
    """Load the user's own labelled clips from a csv file.

    The file is in UTF-8, or bears the mark of UTF-16 or UTF-32 at its start; its values are
    separated by commas, semicolons, tabs or vertical bars, whichever makes the columns asked
    for columns of the header. ``DESCR`` says what was found. Other bytes are taken for
    Windows-1252, with a warning. A row is never left out, and never shifted: where one does not
    fit, the message names its line.

    Parameters
    ----------
    path : str or path-like
        A csv file with a header. Relative paths of clips are relative to it, and ``~`` is the
        home folder.

    path_column : str, default="path"
        The column of the audio files.

    label_column : str, default="label"
        The column of the labels. With ``target_columns`` it need not be there.

    group_column : str, default=None
        The column of the groups (artist, singer, album: what must not be in training and test
        at once). By default ``group``, where there is such a column.

    target_columns : str or list of str, default=None
        Columns of numbers, such as arousal and valence, that are the ``target`` instead of the
        labels.

    on_missing : {"raise", "keep"}, default="raise"
        What to do with clips that do not exist: raise an error that names them; or keep their rows,
        for what can leave them out later, as ``evaluate(..., on_error="skip")`` can.

    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    as_frame : bool, default=False
        If True, ``data``, ``target`` and ``groups`` are pandas objects.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : ndarray of str, shape (n_clips,)
            Paths of the audio files.
        target : ndarray of str, shape (n_clips,), or of float, shape (n_clips, n_targets)
            The labels, or the numbers of ``target_columns``.
        target_names : list of str
            The different labels, sorted, or ``target_columns``.
        groups : ndarray of str, shape (n_clips,), or None
            The groups, or None where the file has no such column.
        frame : DataFrame, shape (n_clips, n_columns)
            The whole table, in the order of the file; the columns asked for are called path,
            label and group, and come first.
        DESCR : str
            Where the table comes from, and how it was read.

    (data, target) : tuple
        If ``return_X_y`` is True.

    Raises
    ------
    DatasetNotFoundError
        If the csv file, or a clip that it lists, does not exist; with "keep", if none of them does.
    ValueError
        If the file cannot be read as it is, is empty, lacks a column, has a row of another
        length than its header, lists a clip twice, or leaves a path, label, group or number
        empty.

    Warns
    -----
    UserWarning
        If the encoding had to be guessed.

    See Also
    --------
    load_folder : Clips in one folder per label.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skmer.datasets import load_csv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = pathlib.Path(folder, "clips.csv")
    ...     _ = table.write_text("path;mood;artist\\na.wav;happy;ann\\nb.wav;sad;bob\\n")
    ...     for name in ("a.wav", "b.wav"):
    ...         pathlib.Path(folder, name).touch()
    ...     dataset = load_csv(table, label_column="mood", group_column="artist")
    >>> dataset.target.tolist(), dataset.groups.tolist()
    (['happy', 'sad'], ['ann', 'bob'])
    >>> dataset.DESCR.split(". ")[-1]
    'The file was read as separated by semicolons.'
    """
    path = expand_path(path).absolute()
    targets = _names(target_columns)
    needed = targets or [label_column]
    file, frame = read_clip_table(path, path_column, [*needed, *filter(None, [group_column])])
    names = {label_column: "label", group_column or "group": "group"}
    names = {name: new for name, new in names.items() if name in frame}
    taken = [new for name, new in names.items() if name != new and new in frame]
    if taken:
        raise InputError(
            f"The columns {list(names)} of {path} become {list(names.values())}, and there is "
            f"another column {taken[0]!r}; rename it."
        )
    for name in names:
        require_filled(file, frame[name])
    numbers = {name: _read_numbers(file, frame[name]) for name in targets}
    frame = frame.rename(columns=names).assign(**numbers)
    absent = [item for item in frame["path"] if not os.path.isfile(item)]
    if absent and (on_missing == "raise" or len(absent) == len(frame)):
        some = "; to go on without them, give on_missing='keep' and on_error='skip'"
        raise DatasetNotFoundError(
            f"{len(absent)} of the {len(frame)} clips listed in {path} do not exist: "
            f"{shorten(absent, 3, width=200)}. Relative paths are relative to the csv file"
            f"{some if len(absent) < len(frame) else ''}."
        )
    if file.guess:
        warnings.warn(_describe_guess(file), UserWarning, stacklevel=4)
    first = ["path", *names.values()]
    return make_bunch(
        frame[first + [name for name in frame if name not in first]],
        descr=f"{len(frame)} clips listed in {path}.{describe_reading(file)}",
        target_names=targets or sorted(frame["label"].unique()),
        target_columns=targets or "label",
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


def _names(target_columns: str | Sequence[str] | None) -> list[str]:
    """The columns of numbers, as a list."""
    names = [target_columns] if isinstance(target_columns, str) else list(target_columns or ())
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise InputError(
            "The 'target_columns' parameter of load_csv must be names of columns, each once. "
            f"Got {names!r} instead."
        )
    return names


def _read_numbers(file, column) -> np.ndarray:
    """A column as finite numbers, or an error that names the line."""
    values = []
    for line, cell in zip(file.lines, column):
        try:
            value = float(parse_floats(np.array(cell)))
        except ValueError:
            value = np.nan
        if not np.isfinite(value):
            raise InputError(
                f"Every {column.name!r} in {file.path} must be a number, with a point for its "
                f"decimals. Got {cell[:50]!r} in line {line}."
            )
        values.append(value)
    return np.array(values)


def _describe_guess(file) -> str:
    """Sentence that shows how bytes were read that no rule says how to read."""
    odd = next(
        (cell for row in [file.header, *file.rows] for cell in row if not cell.isascii()), ""
    )
    return bounded(
        f"{file.path} is not in UTF-8 and has no mark that tells its encoding; it was read as "
        f"Windows-1252, such as {odd[:50]!r}. Save it as UTF-8 if that is wrong."
    )

"""The user's own clips, listed in a csv file."""

import glob
import os
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from skmer.datasets.files import find_audio_files
from skmer.datasets.info import make_bunch
from skmer.datasets.tables import describe_reading, read_clip_table, require_filled
from skmer.exceptions import DatasetNotFoundError, InputError, InputTypeError, bounded
from skmer.utils.estimators import StrOptions, validate_params
from skmer.utils.files import expand_path
from skmer.utils.floats import parse_floats
from skmer.utils.messages import cut_middle, is_iterable, shorten


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


def find_clips(
    inputs: Sequence[str | os.PathLike],
) -> tuple[dict[str, list], list[str]]:
    """Find the clips that files, folders, patterns and csv files stand for.

    Parameters
    ----------
    inputs : sequence of str or path-like
        Audio files; folders, searched to the bottom; patterns such as ``songs/*.mp3``; and csv
        files with a column ``path``, relative to the file. ``~`` is the home folder.

    Returns
    -------
    columns : dict of str to list
        The column "path", each file once, and every other column of the csv files, None for clips
        that have no such value. What a csv file lists need not exist.
    left_out : list of str
        What folders hold beside audio, a sentence for each folder that does.

    Raises
    ------
    InputError
        If nothing is there, a folder holds no audio, or `inputs` is a lone path.

    See Also
    --------
    skmer.embeddings.extract : Their embeddings in one table.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skmer.datasets import find_clips
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("a.wav", "b.mp3", "notes.txt"):
    ...         pathlib.Path(folder, name).touch()
    ...     columns, left_out = find_clips([folder])
    >>> [pathlib.Path(path).name for path in columns["path"]]
    ['a.wav', 'b.mp3']
    """
    if isinstance(inputs, str | bytes | os.PathLike):
        raise InputError(
            "The 'inputs' of find_clips must be a sequence of paths. Got a lone one, "
            f"{cut_middle(repr(inputs))}; write [path]."
        )
    if not is_iterable(inputs):
        raise InputTypeError(
            f"The 'inputs' of find_clips must be a sequence of paths. Got {inputs!r:.100}."
        )
    found: dict[str, dict[str, str]] = {}
    left_out: list[str] = []
    for text in inputs:
        for row in _rows(text, left_out):
            found.setdefault(row["path"], row)
    rows = list(found.values())
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}, left_out


def _rows(text: str | os.PathLike, left_out: list[str]) -> list[dict[str, str]]:
    path = expand_path(text)
    if path.is_dir():
        return _folder_rows(path, left_out)
    if path.suffix.lower() == ".csv":
        return read_clip_table(path)[1].to_dict("records")
    if path.is_file():
        return [{"path": str(path)}]
    matches = sorted(glob.glob(str(path), recursive=True)) if glob.has_magic(str(path)) else []
    if not matches:
        raise InputError(
            f"There is no file, folder or match of a pattern '{cut_middle(os.fspath(text))}'."
        )
    return [{"path": match} for match in matches if os.path.isfile(match)]


def _folder_rows(path: Path, left_out: list[str]) -> list[dict[str, str]]:
    found = find_audio_files(path)
    described = found.describe_left_out()
    if not found.paths:
        raise InputError(
            f"The folder '{path}' holds no audio file that can be read. {described}".rstrip()
        )
    if described:
        left_out.append(f"{path}: {described}")
    return [{"path": str(clip)} for clip in found.paths]


@validate_params(
    {
        "path": [str, os.PathLike],
        "group_from": [str, None],
        "return_X_y": ["boolean"],
        "as_frame": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def load_folder(
    path: str | os.PathLike,
    *,
    group_from: str | None = None,
    return_X_y: bool = False,
    as_frame: bool = False,
):
    """Load the user's own clips from a folder with one folder per label.

    All files below are taken, at any depth, whose endings libsndfile or the usual decoders can
    read. Linked folders are followed once. Hidden files and folders, trash folders, broken links
    and files that are not audio are left out, and ``DESCR`` counts them.

    Parameters
    ----------
    path : str or path-like
        A folder; the names of its folders are the labels. ``~`` is the home folder.

    group_from : str, default=None
        Where the groups (artist, singer, album: what must not be in training and test at once)
        come from: a pattern of the file names without their endings, such as
        ``"{group} - *"``, where ``*`` is any text and ``{group}`` the shortest that fits. With a
        ``/`` in it the pattern is of the path below the label's folder. By default the folders
        inside the label's folder are the groups, if every clip is in one.

    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    as_frame : bool, default=False
        If True, ``data``, ``target`` and ``groups`` are pandas Series.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : ndarray of str, shape (n_clips,)
            Paths of the audio files, in the order of labels and paths.
        target : ndarray of str, shape (n_clips,)
            The labels.
        target_names : list of str
            The different labels, sorted.
        groups : ndarray of str, shape (n_clips,), or None
            The groups, or None where none can be told.
        frame : DataFrame, shape (n_clips, 2 or 3)
            path, label, and group where there are groups.
        DESCR : str
            Where the clips are, how groups were told, and what was left out.

    (data, target) : tuple
        If ``return_X_y`` is True.

    Raises
    ------
    DatasetNotFoundError
        If there is no such folder, or no clip in it.
    ValueError
        If a clip lies beside the folders of the labels, has two labels by a link, or does not fit
        the pattern.

    Warns
    -----
    UserWarning
        If no groups can be told.

    See Also
    --------
    load_csv : Clips listed in a table.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skmer.datasets import load_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("happy/Ann - Sun.wav", "sad/Bob - Rain.wav"):
    ...         pathlib.Path(folder, name).parent.mkdir()
    ...         pathlib.Path(folder, name).touch()
    ...     dataset = load_folder(folder, group_from="{group} - *")
    >>> dataset.target.tolist(), dataset.groups.tolist()
    (['happy', 'sad'], ['Ann', 'Bob'])
    """
    import pandas as pd

    folder = expand_path(path).absolute()
    if not folder.is_dir():
        raise DatasetNotFoundError(f"There is no folder {folder}. Check the path.")
    pattern = None if group_from is None else _compile(group_from)
    found = find_audio_files(folder)
    parts = {clip: clip.relative_to(folder).parts for clip in found.paths}
    _check_labels(folder, found, parts)
    frame = pd.DataFrame(
        {"path": [str(clip) for clip in parts], "label": [part[0] for part in parts.values()]}
    )
    below = [Path(*part[1:]) for part in parts.values()]
    if pattern is not None:
        frame["group"] = _match_groups(below, pattern, group_from)
        told = f"Groups are told by {group_from!r}."
    elif all(len(place.parts) > 1 for place in below):
        frame["group"] = [place.parts[0] for place in below]
        told = "Groups are the folders inside the labels' folders."
    else:
        told = "No groups can be told."
        warnings.warn(
            bounded(
                f"{folder}: No groups can be told, since clips lie directly in the folders of the "
                "labels; put the clips of each artist in a folder, or give a pattern such as "
                "group_from='{group} - *'."
            ),
            UserWarning,
            stacklevel=4,
        )
    descr = f"{len(frame)} clips below {folder}. {told} {found.describe_left_out()}".rstrip()
    return make_bunch(
        frame,
        descr=descr,
        target_names=sorted(frame["label"].unique()),
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


def _check_labels(folder: Path, found, parts) -> None:
    """Raise unless every clip is in the folder of one label."""
    if not found.paths:
        raise DatasetNotFoundError(
            f"The folder {folder} holds no audio file that can be read. It must hold one folder "
            f"per label, with clips. {found.describe_left_out()}".rstrip()
        )
    beside = [clip.name for clip, part in parts.items() if len(part) == 1]
    if beside:
        raise InputError(
            f"The folder {folder} must hold one folder per label. Got {len(beside)} clips without "
            f"one, {shorten(beside, 3)}; move them into the folder of their label, or list the "
            "clips in a csv file."
        )
    for link, clip in found.again.items():
        labels = [path.relative_to(folder).parts[0] for path in (clip, link)]
        if labels[0] != labels[1]:
            raise InputError(
                f"A clip in {folder} must have one label. Got '{shorten(labels)}' for {clip}, "
                f"to which {link} is a link; remove one of them."
            )


def _compile(group_from: str) -> re.Pattern[str]:
    """The pattern as a regular expression."""
    if group_from.count("{group}") != 1:
        raise InputError(
            "The 'group_from' parameter of load_folder must hold '{group}' once, as in "
            f"'{{group}} - *'. Got {group_from!r} instead."
        )
    pieces = re.split(r"(\{group\}|\*)", group_from)
    named = {"{group}": "(?P<group>.+?)", "*": ".*"}
    return re.compile("".join(named.get(piece, re.escape(piece)) for piece in pieces))


def _match_groups(below: list[Path], pattern: re.Pattern[str], group_from: str | None) -> list[str]:
    """The group of every clip by its name."""
    whole = "/" in pattern.pattern
    names = [place.with_suffix("").as_posix() if whole else place.stem for place in below]
    matches = map(pattern.fullmatch, names)
    groups = [match["group"].strip() if match else "" for match in matches]
    odd = [name for name, group in zip(names, groups) if not group]
    if odd:
        raise InputError(
            f"The pattern group_from={group_from!r} must fit the name of every clip. It does not "
            f"fit {len(odd)} of {len(names)}, {shorten(odd, 3)}."
        )
    return groups

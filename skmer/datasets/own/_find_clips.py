"""From files, folders, patterns and tables to a list of clips."""

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from skmer.datasets.in_place._audio import find_audio_files
from skmer.datasets.tables._clips import read_clip_table
from skmer.exceptions import InputError, InputTypeError
from skmer.utils._checks import is_iterable
from skmer.utils._words import cut_middle
from skmer.utils.files._paths import expand_path


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

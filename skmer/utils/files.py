"""Things that are made whole beside their place before they take it."""

import errno
import functools
import os
import re
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

from skmer.exceptions import InputError, InputTypeError, bounded
from skmer.utils.digest import open_regular
from skmer.utils.messages import cut_middle

_PREFIX = ".unfinished-"
_MOVING = ".skmer-moving"
# What nobody has written to for so long was left by a process that was killed.
_ABANDONED_SECONDS = 3600


def is_abandoned(status: os.stat_result) -> bool:
    """Whether something unfinished belongs to no process any more."""
    # Either way: a clock may have been set back since.
    return abs(time.time() - status.st_mtime) > _ABANDONED_SECONDS


@contextmanager
def unfinished_folder(folder: Path) -> Iterator[Path]:
    """Make a folder inside `folder` that is gone after the block; remove abandoned ones."""
    for left in folder.glob(f"{_PREFIX}*"):
        # Another process may remove it as well.
        with suppress(FileNotFoundError):
            if is_abandoned(left.stat()):
                shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=_PREFIX) as unfinished:
        yield Path(unfinished)


@contextmanager
def unfinished_file(path: Path) -> Iterator[Path]:
    """Give the name of a file to write, which becomes `path` after the block, if that ends well.

    Parameters
    ----------
    path : pathlib.Path
        What is to be written, in a folder that exists; replaced where it exists.

    Yields
    ------
    unfinished : pathlib.Path
        A name in a folder beside `path`, which is gone after the block.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skmer.utils import unfinished_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with unfinished_file(Path(folder, "scores.txt")) as unfinished:
    ...         _ = unfinished.write_text("0.57")
    ...     Path(folder, "scores.txt").read_text()
    '0.57'
    """
    with unfinished_folder(path.parent) as unfinished:
        yield unfinished / path.name
        os.replace(unfinished / path.name, path)


@contextmanager
def placed_together(folder: Path) -> Iterator[Path]:
    """Make a folder whose files take their places in `folder` after the block, all or none.

    They do so by one renaming of the folder they are in: from then on each of them counts wherever
    it is (see `open_placed`), and who writes next moves on what a killed process left to be moved.
    So any number of processes may place files of the same names, and the last of them wins.
    """
    with unfinished_folder(folder) as unfinished:
        whole = unfinished / "whole"
        whole.mkdir()
        yield whole
        for place in (folder / path.name for path in whole.iterdir()):
            if place.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(place))
        while True:
            finish_placing(folder)
            try:
                whole.rename(folder / _MOVING)
                break
            except OSError:
                # Another process was faster, and is helped first.
                if not (folder / _MOVING).is_dir():
                    raise
        finish_placing(folder)


def finish_placing(folder: Path) -> None:
    """Move files that count to their places; other processes may do so at the same time."""
    moving = folder / _MOVING
    with suppress(FileNotFoundError):
        for path in moving.iterdir():
            with suppress(FileNotFoundError):
                os.replace(path, folder / path.name)
    try:
        moving.rmdir()
    except FileNotFoundError:
        pass
    except OSError as error:
        # What other processes have placed meanwhile.
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def open_placed(folder: Path, name: str) -> BufferedReader:
    """Open a file that `placed_together` may be moving; a pipe or a device is an OSError."""
    with suppress(FileNotFoundError):
        return open_regular(folder / _MOVING / name)
    return open_regular(folder / name)


def expand_path(path: str | os.PathLike) -> Path:
    """Return a path as `pathlib.Path`, with ``~`` in front of it resolved.

    Parameters
    ----------
    path : str or path-like
        As the user wrote it.

    Returns
    -------
    path : pathlib.Path
        Where it is.

    Raises
    ------
    InputError
        When it is empty, ``~`` stands for no folder, as for a user without a home, or no file can
        have such a name, as one that is too long.
    InputTypeError
        For anything but a path.

    Examples
    --------
    >>> from skmer.utils import expand_path
    >>> expand_path("songs").name
    'songs'
    """
    if not isinstance(path, str) and not (
        isinstance(path, os.PathLike) and isinstance(os.fspath(path), str)
    ):
        raise InputTypeError(f"A path must be a text or a pathlib.Path. Got {path!r:.100}.")
    if not os.fspath(path):
        # pathlib takes it for the current folder, which nobody meant who left out the words.
        raise InputError("A path is empty; write '.' for the current folder.")
    expanded = _expand(path)
    try:
        os.lstat(expanded)
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) or error.errno == errno.ENAMETOOLONG:
            reason = getattr(error, "strerror", None) or error
            raise InputError(
                "A path must be one that the file system can have. Got "
                f"{cut_middle(repr(os.fspath(path)))} ({reason}); write another one."
            ) from error
    return expanded


def _expand(path) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        if Path(path).parts[0] != "~":
            # As shells do with "~name" where there is no user of that name.
            return Path(path)
        raise InputError(
            f"The ~ in '{os.fspath(path)}' stands for no folder, since this user has no home; "
            "write the whole path."
        ) from error


def user_folder(kind: str) -> Path:
    """Return the user's folder for skmer's files, or a temporary one where there is no home.

    Parameters
    ----------
    kind : {"cache", "data"}
        Which of the operating system's folders.

    Returns
    -------
    folder : pathlib.Path
        It need not exist.

    Warns
    -----
    UserWarning
        Once, when the user has no home, or nothing can be written into it.

    Examples
    --------
    >>> from skmer.utils.files import user_folder
    >>> user_folder("cache").name
    'skmer'
    """
    import platformdirs

    find = platformdirs.user_data_path if kind == "data" else platformdirs.user_cache_path
    try:
        folder = find("skmer", appauthor=False)
    except RuntimeError:
        # What newer versions of platformdirs do; older ones leave the "~" in the path.
        folder = Path("~")
    if folder.is_absolute() and (folder.is_dir() or _can_be_made(folder)):
        return folder
    return _temporary_folder() / kind / "skmer"


def _can_be_made(folder: Path) -> bool:
    try:
        there = next(parent for parent in folder.parents if parent.exists())
    except OSError:
        return False
    return os.access(there, os.W_OK | os.X_OK)


@functools.cache
def _temporary_folder() -> Path:
    user = os.getuid() if hasattr(os, "getuid") else ""
    folder = Path(tempfile.gettempdir(), f"skmer-{user}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        # Somebody else may have made it, to give this user files of theirs.
        safe = not folder.is_symlink() and (not user or folder.stat().st_uid == user)
    except OSError:
        safe = False
    if not safe:
        folder = Path(tempfile.mkdtemp(prefix="skmer-"))
    warnings.warn(
        f"This user has no home folder that can be written to, so {folder} is used instead; "
        "SKMER_DATA and SKMER_WEIGHTS may name lasting folders.",
        UserWarning,
        stacklevel=3,
    )
    return folder


def check_output_folder(folder) -> Path:
    """Make sure that results can be written into a folder, before hours of work.

    Parameters
    ----------
    folder : path-like
        Made where it does not exist. Results that a killed process was putting into their places
        are put there.

    Returns
    -------
    folder : pathlib.Path
        The folder, which now exists.

    Raises
    ------
    OSError
        When it cannot be made or written into, in one sentence.

    Examples
    --------
    >>> import tempfile
    >>> from skmer.utils import check_output_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     check_output_folder(folder).is_dir()
    True
    """
    folder = expand_path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Trying is the only test that holds on every file system.
        with tempfile.TemporaryFile(dir=folder):
            finish_placing(folder)
    except OSError as error:
        raise type(error)(
            bounded(
                f"Results cannot be written into the folder '{folder}' "
                f"({error.strerror or error}); choose another one."
            )
        ) from error
    return folder


def check_output_file(path) -> Path:
    """Make sure that a file can be written, before hours of work.

    Parameters
    ----------
    path : path-like
        The folder above it is made where it does not exist.

    Returns
    -------
    path : pathlib.Path
        Not a folder, and in one that exists.

    Raises
    ------
    OSError
        When it cannot be written, in one sentence.

    Examples
    --------
    >>> import tempfile
    >>> from skmer.utils import check_output_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     check_output_file(f"{folder}/new/table.csv").parent.is_dir()
    True
    """
    path = expand_path(path)
    try:
        is_folder = not path.name or path.is_dir()
        # The place that it has until it is whole has a longer name.
        path.parent.joinpath(f".{path.name}.{'0' * 32}.tmp").is_file()
    except OSError as error:
        raise type(error)(
            bounded(
                f"A file cannot be written to '{path}' ({error.strerror or error}); choose another."
            )
        ) from error
    if is_folder:
        raise IsADirectoryError(
            bounded(f"A file cannot be written to '{path}', which is a folder; name a file in it.")
        )
    check_output_folder(path.parent)
    return path


# What makes a spreadsheet take a text for a formula, but for numbers.
_FORMULA = re.compile(r"'*[=+\-@\t\r](?!(?<=[+-])(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z)")


def disarm(cell):
    """Put an apostrophe before a text that a spreadsheet would take for a formula.

    Examples
    --------
    >>> from skmer.utils.files import disarm
    >>> disarm("=1+1"), disarm("calm"), disarm("-0.5"), disarm(3)
    ("'=1+1", 'calm', '-0.5', 3)
    """
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def rearm(cell: str) -> str:
    """Return what `disarm` was given.

    Examples
    --------
    >>> from skmer.utils.files import rearm
    >>> rearm("'=1+1"), rearm("'calm")
    ('=1+1', "'calm")
    """
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def disarm_table(table):
    """Return a table for a csv file: its texts, and the names of its columns, disarmed.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table.

    Returns
    -------
    table : pandas.DataFrame
        With an apostrophe before each text that a spreadsheet would take for a formula.

    Examples
    --------
    >>> import pandas as pd
    >>> from skmer.utils import disarm_table
    >>> disarm_table(pd.DataFrame({"label": ["=1+1", "calm"]}))["label"].tolist()
    ["'=1+1", 'calm']
    """
    texts = {
        name: column.astype(object).map(disarm)
        for name, column in table.items()
        if column.dtype.kind not in "biuf"
    }
    return table.assign(**texts).rename(columns=disarm)

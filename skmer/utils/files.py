"""Paths, and files and folders that are written whole or not at all."""

import errno
import functools
import os
import re
import shutil
import tempfile
import time
import uuid
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path

from skmer.exceptions import InputError, bounded
from skmer.utils.digest import open_regular

# Of archives whose members are clips.
ARCHIVE_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_PREFIX = ".unfinished-"
_MOVING = ".skmer-moving"
# Longer than any pause of a writer that is still alive.
_ABANDONED_SECONDS = 24 * 3600


def remove_abandoned(folder: Path) -> None:
    """Remove the unfinished files and folders that killed processes left in `folder`."""
    for left in folder.glob(f"{_PREFIX}*"):
        # Another process may remove it at the same time.
        with suppress(FileNotFoundError):
            newest = max(path.stat().st_mtime for path in (left, *left.rglob("*")))
            # abs, since the clock may have been set back.
            if abs(time.time() - newest) > _ABANDONED_SECONDS:
                shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink()


@contextmanager
def atomic_write(path: Path, *, sync: bool = True):
    """Write a file so that it is there whole or not at all.

    Parameters
    ----------
    path : pathlib.Path
        The file, in a folder that exists; it is replaced if it exists.
    sync : bool, default=True
        Whether the content must be on the disk before the file is, so that it survives a power
        failure. False is faster, for files that state their own checksum.

    Yields
    ------
    temporary : pathlib.Path
        The hidden file to write, in the same folder and with the same suffix. It is renamed to
        `path` when the block ends, and removed when the block raises.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skmer.utils.files import atomic_write
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_write(Path(folder, "scores.txt")) as temporary:
    ...         _ = temporary.write_text("0.57")
    ...     Path(folder, "scores.txt").read_text()
    '0.57'
    """
    path = Path(path)
    remove_abandoned(path.parent)
    # Not by the tempfile module, whose files only the user may read, for any umask.
    temporary = path.with_name(f"{_PREFIX}{uuid.uuid4().hex}{path.suffix}")
    try:
        yield temporary
        if sync:
            _sync(temporary)
        os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def atomic_folder(path: Path):
    """Write the files of a folder so that all of them are there or none.

    A new folder is renamed as a whole. Files for a folder that exists, which may hold other files,
    take their places by one renaming of the folder that they were written in: from then on each
    counts wherever it is (see `open_placed`), and the next writer finishes the moves of a writer
    that was killed. Any number of processes may write the same names; the last of them wins.

    Parameters
    ----------
    path : pathlib.Path
        The folder; the folder above it exists.

    Yields
    ------
    temporary : pathlib.Path
        The folder to write into.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skmer.utils.files import atomic_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_folder(Path(folder, "results")) as temporary:
    ...         _ = temporary.joinpath("scores.txt").write_text("0.57")
    ...     [file.name for file in Path(folder, "results").iterdir()]
    ['scores.txt']
    """
    path = Path(path)
    # A folder that exists may be a file system of its own.
    above = path if path.is_dir() else path.parent
    remove_abandoned(above)
    temporary = above / f"{_PREFIX}{uuid.uuid4().hex}"
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                _sync(file)
        try:
            temporary.rename(path)
        except OSError:
            if not path.is_dir():
                raise
            _place(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _place(whole: Path, folder: Path) -> None:
    """Move the files of `whole` into `folder`, all or none."""
    while True:
        finish_placing(folder)
        try:
            whole.rename(folder / _MOVING)
            break
        except OSError:
            # Another process was faster; its files are moved first.
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
        # Other processes have placed files meanwhile.
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def open_placed(folder: Path, name: str):
    """Open a file that `atomic_folder` may be moving; a pipe or a device is an OSError."""
    with suppress(FileNotFoundError):
        return open_regular(folder / _MOVING / name)
    return open_regular(folder / name)


# Two letters at least, so that a drive of Windows is none.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_url(path) -> bool:
    """Return whether a path is a URL.

    Examples
    --------
    >>> from skmer.utils.files import is_url
    >>> is_url("s3://bucket/song.mp3"), is_url("C:/song.mp3")
    (True, False)
    """
    return isinstance(path, str) and _URL.match(path) is not None


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
        When it is empty, or a URL, or ``~`` stands for no folder, as for a user without a home.

    Examples
    --------
    >>> from skmer.utils.files import expand_path
    >>> expand_path("songs").name
    'songs'
    """
    if not os.fspath(path):
        # pathlib would convert it to the current folder.
        raise InputError("A path is empty; write '.' for the current folder.")
    if is_url(path):
        # pathlib would convert it to a folder called "s3:".
        raise InputError(
            f"'{path}' is a URL, and must be a path on this machine here; skmer reads clips from "
            "URLs, and writes the tables of extract and predict to them."
        )
    expanded = Path(os.path.expanduser(path))
    if expanded.parts[:1] == ("~",):
        raise InputError(
            f"The ~ in '{os.fspath(path)}' stands for no folder, since this user has no home; "
            "write the whole path."
        )
    return expanded


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
    message = (
        f"This user has no home folder that can be written to, so {folder} is used instead; "
        "SKMER_DATA and SKMER_WEIGHTS may name lasting folders."
    )
    warnings.warn(message, UserWarning, stacklevel=3)
    return folder


def check_output_folder(folder) -> Path:
    """Make a folder and check that it can be written to, before hours of work.

    Parameters
    ----------
    folder : path-like
        Made where it does not exist.

    Returns
    -------
    folder : pathlib.Path
        The folder, which now exists.

    Raises
    ------
    OSError
        When it cannot be made or written to.
    """
    folder = expand_path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Only an attempt shows it on every file system.
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
    """Check that a file can be written, before hours of work; make the folder above it.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    path : pathlib.Path
        Not a folder, and in a folder that exists.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    path = expand_path(path)
    if not path.name or path.is_dir():
        raise IsADirectoryError(
            bounded(f"A file cannot be written to '{path}', which is a folder; name a file in it.")
        )
    check_output_folder(path.parent)
    return path


# Texts that a spreadsheet would run as a formula, except numbers.
_FORMULA = re.compile(r"'*[=+\-@\t\r](?!(?<=[+-])(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z)")


def escape_formula(value):
    """Put an apostrophe before each text that a spreadsheet would run as a formula.

    Parameters
    ----------
    value : object or pandas.DataFrame
        A cell, or a table, whose column names are escaped as well.

    Returns
    -------
    value : object or pandas.DataFrame
        Anything but such texts is unchanged.

    Examples
    --------
    >>> import pandas as pd
    >>> from skmer.utils.files import escape_formula
    >>> escape_formula("=1+1"), escape_formula("calm"), escape_formula("-0.5"), escape_formula(3)
    ("'=1+1", 'calm', '-0.5', 3)
    >>> escape_formula(pd.DataFrame({"label": ["=1+1", "calm"]}))["label"].tolist()
    ["'=1+1", 'calm']
    """
    if isinstance(value, str):
        return f"'{value}" if _FORMULA.match(value) else value
    if not hasattr(value, "columns"):
        return value
    texts = {
        name: column.astype(object).map(escape_formula)
        for name, column in value.items()
        if column.dtype.kind not in "biuf"
    }
    return value.assign(**texts).rename(columns=escape_formula)


def unescape_formula(cell: str) -> str:
    """Return what `escape_formula` was given.

    Examples
    --------
    >>> from skmer.utils.files import unescape_formula
    >>> unescape_formula("'=1+1"), unescape_formula("'calm")
    ('=1+1', "'calm")
    """
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell

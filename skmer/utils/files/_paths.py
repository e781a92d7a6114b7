"""Paths as users write them, and the folders of a user that may have no home."""

import errno
import functools
import os
import tempfile
import warnings
from pathlib import Path

from skmer.exceptions import InputError, InputTypeError
from skmer.utils._words import cut_middle


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
    >>> from skmer.utils.files._paths import user_folder
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

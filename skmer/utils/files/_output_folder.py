"""Where results go."""

import tempfile
from pathlib import Path

from skmer.exceptions import bounded
from skmer.utils.files._paths import expand_path
from skmer.utils.files._unfinished import finish_placing


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

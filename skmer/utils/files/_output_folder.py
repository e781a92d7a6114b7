"""Where results go."""

import tempfile
from pathlib import Path

from skmer.utils.files._paths import expand_path


def check_output_folder(folder) -> Path:
    """Make sure that results can be written into a folder, before hours of work.

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
            pass
    except OSError as error:
        raise type(error)(
            f"Results cannot be written into the folder '{folder}' "
            f"({error.strerror or error}); choose another one."
        ) from error
    return folder

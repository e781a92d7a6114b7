"""Where the datasets lie."""

import os
from pathlib import Path

from skmer.utils.files._paths import expand_path, user_folder


def get_data_home(data_home: str | os.PathLike | None = None) -> Path:
    """Folder in which the datasets lie; it is not created.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder. By default the environment variable ``SKMER_DATA``, else the
        user's data folder of the operating system, or a temporary one for a user whose home
        does not exist or cannot be written.

    Returns
    -------
    data_home : pathlib.Path
        An absolute path.

    Examples
    --------
    >>> from skmer.datasets import get_data_home
    >>> get_data_home("my_data").name
    'my_data'
    """
    if data_home is None:
        data_home = os.environ.get("SKMER_DATA") or None
    if data_home is None:
        return user_folder("data")
    return expand_path(data_home).absolute()

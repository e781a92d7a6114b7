"""Where the datasets lie."""

import os
from pathlib import Path


def get_data_home(data_home: str | os.PathLike | None = None) -> Path:
    """Folder in which the datasets lie; it is not created.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder. By default the environment variable ``SKMER_DATA``, else the
        user's data folder of the operating system.

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
        from platformdirs import user_data_path

        data_home = user_data_path("skmer", appauthor=False)
    return Path(data_home).expanduser().absolute()

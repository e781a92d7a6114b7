"""Things that are made whole beside their place before they take it."""

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

from skmer.utils.files._digest import open_regular

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

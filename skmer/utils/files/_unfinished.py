"""Things that are made whole beside their place before they take it."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = ".unfinished-"
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

"""Importing TensorFlow without what its libraries print while they load."""

import contextlib
import os
import sys
from collections.abc import Iterator

# Read while the library loads, so nothing that is done after the import silences it.
# Worker processes inherit it; the last name tells them that the user has not set the others.
_OURS = "SKMER_QUIETS_TENSORFLOW"
_ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "GRPC_VERBOSITY": "ERROR", _OURS: "1"}


@contextlib.contextmanager
def quiet_tensorflow() -> Iterator[None]:
    """Import TensorFlow inside this block and hear nothing of it.

    Whoever has set ``TF_CPP_MIN_LOG_LEVEL`` wants to hear it, and does. Python's own errors and
    warnings come through either way.

    Examples
    --------
    >>> from skmer.utils import quiet_tensorflow
    >>> with quiet_tensorflow():
    ...     pass  # import tensorflow
    """
    wants_to_hear = "TF_CPP_MIN_LOG_LEVEL" in os.environ and _OURS not in os.environ
    if wants_to_hear or "tensorflow" in sys.modules:
        yield
        return
    os.environ.update({name: os.environ.get(name, value) for name, value in _ENVIRONMENT.items()})
    # Some lines are written to the file descriptor before any logging level counts.
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)

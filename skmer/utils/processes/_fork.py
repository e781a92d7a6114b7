"""What a forked process must start anew."""

import os
from collections.abc import Callable


def call_in_forked_child(function: Callable[[], object]) -> None:
    """Have a function called in every process forked from this one, where processes fork at all."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=function)

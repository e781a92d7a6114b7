"""The `skmer` command: it reads options, calls the library, and prints what comes back."""

from skmer.cli._main import main

__all__ = ["main"]

"""The `skmer` command: it reads options, calls the library, and prints what comes back."""

from skmer.cli.app import main

__all__ = ["main"]

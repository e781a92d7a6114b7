"""The entry point: exit status 0, 2 with one sentence on a mistake, 130 when interrupted."""

import os
import sys
import warnings
from collections.abc import Sequence

import typer

# Of click, or of typer where it carries a click of its own.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]

# What the library raises on a mistake of the user's, and what its advice is called here.
_MISTAKES = (ValueError, TypeError, OSError, ImportError)
_OPTIONS = {"weights=None": "--weights random", "'data_home'": "--data-home"}
OK, MISTAKE, INTERRUPTED = 0, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, default=None
        What stands after ``skmer``; None = those of this process.

    Returns
    -------
    status : int
        0 when done, 1 when something that was to be verified is not right, 2 after a user's
        mistake, told in one sentence on standard error, and 130 when interrupted.

    Examples
    --------
    >>> from skmer.cli import main
    >>> main(["--version"])  # doctest: +SKIP
    skmer 0.1.0
    0
    """
    from skmer.cli._app import app

    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            status = app(args=arguments, prog_name="skmer", standalone_mode=False)
        except _UsageError as error:
            message = error.format_message().rstrip(".")  # type: ignore[attr-defined]
            return _complain(f"{message}. See 'skmer --help'.")
        except BrokenPipeError:
            # Whoever read our output has seen enough; the interpreter must not flush into it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return OK
        except _MISTAKES as error:
            message = " ".join([str(error), *getattr(error, "__notes__", [])])
            for argument, option in _OPTIONS.items():
                message = message.replace(argument, option)
            return _complain(message)
        except (KeyboardInterrupt, typer.Abort):
            return INTERRUPTED
    return OK if status is None else status


def _complain(message: str) -> int:
    print("error:", " ".join(message.split()), file=sys.stderr)  # noqa: T201
    return MISTAKE


def _show_warning(message, category, filename, lineno, file=None, line=None):
    """Say what the warning says, not where in the library it was raised."""
    print("warning:", " ".join(str(message).split()), file=sys.stderr)  # noqa: T201

"""From words to a command, and from errors to sentences."""

import errno
import re
import sys
import traceback
import warnings
from collections.abc import Sequence

import typer

from skmer import exceptions
from skmer.cli import _terminal
from skmer.cli._app import app

MISTAKE, FAULT = 2, 70
# Of click, or of typer where it carries a click of its own.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
_FOR_USERS = tuple(
    one
    for one in (getattr(exceptions, name) for name in exceptions.__all__)
    if issubclass(one, Exception) and not issubclass(one, Warning)
)
# What the library calls by the names of its parameters is called by those of the options here.
_OPTIONS = {
    "features": "features", "classifiers": "classifiers", "regressors": "classifiers",
    "protocol": "protocol", "preset": "preset", "weights": "weights", "data_home": "data-home",
    "n_folds": "folds", "n_repeats": "repeats", "n_jobs": "jobs", "memory": "cache",
    "random_state": "seed", "on_error": "on-error", "group_from": "group-from",
    "path_column": "path-column", "label_column": "label-column", "group_column": "group-column",
    "target_columns": "target", "hop_size": "hop-size", "input_repr": "input-repr",
    "content_type": "content-type", "embedding_size": "embedding-size", "frontend": "frontend",
    "layer": "layer", "resampler": "resampler", "engine": "engine", "out": "out",
}  # fmt: skip
_ADVICE = {
    "on_missing='keep' and on_error='skip'": "--on-error skip",
    "weights=None": "--weights random", "'data_home'": "--data-home", "(n_jobs)": "(--jobs)",
    "on_error='skip'": "--on-error skip", "group_from=": "--group-from ",
    "use at most as many folds as": "use at most as many --folds as",
}  # fmt: skip
_NO_SPACE = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def run(words: Sequence[str], *, quiet: bool, debug: bool) -> int:
    """Run one command; return the exit status."""
    _terminal.prepare(quiet=quiet)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        # joblib ends a worker that has grown, as by loading a network, and starts another.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given")
        try:
            status = app(
                args=list(words), prog_name="skmer", standalone_mode=False, obj=list(words)
            )
            sys.stdout.flush()
        except _UsageError as error:
            message = error.format_message()  # type: ignore[attr-defined]
            end = "" if message.endswith((".", "?")) else "."
            return _complain(f"{message}{end} See 'skmer --help'.")
        except SystemExit as error:
            # How click ends when nobody reads on.
            if isinstance(error.__context__, BrokenPipeError):
                raise error.__context__ from None
            raise
        except BrokenPipeError:
            raise
        except typer.Abort as error:
            raise KeyboardInterrupt from error
        except Exception as error:
            message = message_for_user(error)
            if debug:
                traceback.print_exc()
            if message is not None:
                return _complain(message)
            _terminal.warn(
                f"error: {type(error).__name__}: {str(error)[:200]} This is a fault of skmer's, "
                "not of yours. Run it again with --debug to see where it is, and report it."
            )
            return FAULT
    return int(status or 0)


def message_for_user(error: Exception) -> str | None:
    """Return what to tell of an error that the user can do something about; None for a fault."""
    if isinstance(error, MemoryError):
        return "The memory of this machine ran out. Take fewer --jobs, or shorter clips."
    if isinstance(error, _FOR_USERS) or _is_of_scikit_learns_checks(error):
        text = " ".join([str(error), *getattr(error, "__notes__", [])])
        return _in_words_of_the_command(text)
    return _describe_file_error(error) if isinstance(error, OSError) else None


def _is_of_scikit_learns_checks(error: Exception) -> bool:
    # By name, since the class is in a private module.
    return "InvalidParameterError" in (one.__name__ for one in type(error).__mro__)


def _describe_file_error(error: OSError) -> str | None:
    if error.errno in _NO_SPACE:
        where = f" for '{error.filename}'" if error.filename else ""
        return f"No space is left on the disk{where}. Free some, and run the same command again."
    if error.filename is not None:
        return f"'{error.filename}': {error.strerror}."
    frames = list(traceback.walk_tb(error.__traceback__))
    by_skmer = frames and frames[-1][0].f_globals.get("__name__", "").startswith("skmer.")
    # What skmer raises on purpose is a sentence, without the number of an error.
    return _in_words_of_the_command(str(error)) if by_skmer and error.errno is None else None


def _in_words_of_the_command(text: str) -> str:
    """Call parameters by their options."""

    def option(match: re.Match) -> str:
        name = match["name"]
        return f"{match['the']} --{_OPTIONS[name]} option" if name in _OPTIONS else match[0]

    text = re.sub(r"(?P<the>[Tt]he) '(?P<name>\w+)' parameter(?: of [\w.]+)?", option, text)
    for said, here in _ADVICE.items():
        text = text.replace(said, here)
    return text


def _complain(message: str) -> int:
    _terminal.warn(exceptions.bounded(f"error: {message}"))
    return MISTAKE


def _show_warning(message, category, filename, lineno, file=None, line=None):
    """Say what the warning says, not where in the library it was raised."""
    text = _in_words_of_the_command(str(message))
    _terminal.warn(exceptions.bounded(f"warning: {text}"))

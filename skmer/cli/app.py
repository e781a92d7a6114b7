"""The commands by their names; each is one line here and one file beside this one."""

import errno
import os
import re
import signal
import sys
import traceback
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

from skmer import __version__, exceptions
from skmer.cli import cache as _cache
from skmer.cli import datasets as _datasets
from skmer.cli import terminal as _terminal
from skmer.cli import weights as _weights
from skmer.cli.evaluate import evaluate
from skmer.cli.extract import extract
from skmer.cli.models import predict, train
from skmer.cli.options import examples
from skmer.cli.reproduce import reproduce

_FIRST = """\
skmer turns music and singing into embeddings, and recognises emotion in them.

Try first:
  skmer evaluate toy --features mfcc   a small dataset, made here in a minute
  skmer evaluate FOLDER                your own clips, in one folder per label
  skmer train FOLDER --out emotions.skmer
                                       a model of them, to keep
  skmer predict emotions.skmer SONG    the emotion of a new song
  skmer extract FOLDER --features mfcc --out songs.csv
                                       a table of numbers, one row a clip
  skmer weights list                   the networks, and which are ready to use

See also 'skmer --help' and 'skmer COMMAND --help'."""

app = typer.Typer(
    name="skmer",
    help="Deep audio embeddings, classifiers, and honest evaluation of music emotion recognition.",
    epilog=examples("skmer evaluate toy --features mfcc", "skmer evaluate --help"),
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        _terminal.show(f"skmer {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", help="Tell of errors and warnings only; for every command."),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug",
            help="Show where an error comes from; for every command, as is SKMER_DEBUG=1.",
        ),
    ] = False,
) -> None:
    # What --quiet and --debug do is done before: they may stand behind the command's name too.
    if context.invoked_subcommand is None:
        _terminal.show(_FIRST)


app.command(
    short_help="Score features and classifiers on a dataset; write a report.",
    epilog=examples(
        "skmer evaluate toy --features mfcc --protocol grouped,koh2021",
        "skmer evaluate songs.csv --classifiers svm --cache cache --out results",
    ),
)(evaluate)
app.command(
    short_help="Write the embeddings of audio files to a table.",
    epilog=examples(
        "skmer extract songs/ --features musicnn --out songs.parquet",
        "skmer extract songs.csv --features l3,mfcc --hop-size 0.1 --out songs.csv",
    ),
)(extract)
app.command(
    short_help="Fit a model to a dataset and keep it, with its scores.",
    epilog=examples(
        "skmer train songs/ --features musicnn --out emotions.skmer",
        "skmer train toy --features mfcc --out toy.skmer",
    ),
)(train)
app.command(
    short_help="Say the emotion of new clips, by a saved model.",
    epilog=examples(
        "skmer predict emotions.skmer song.mp3",
        "skmer predict emotions.skmer songs/ --frames --out moments.parquet",
    ),
)(predict)
app.command(
    short_help="Do a published study again, and say what of it holds.",
    epilog=examples(
        "skmer reproduce koh2021 --data-home data --quick",
        "skmer reproduce koh2021 --features mfcc --classifiers svm,rf --jobs -1",
    ),
)(reproduce)
app.add_typer(_weights.app, name="weights")
app.add_typer(_datasets.app, name="datasets")
app.add_typer(_cache.app, name="cache")


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


OK, INTERRUPTED = 0, 130
# They hold for every command, and may stand anywhere in the line.
_GLOBAL_OPTIONS = ("--quiet", "--debug")


class _Ended(BaseException):
    """A signal asked for the end; like KeyboardInterrupt no error of anything that runs."""

    def __init__(self, number: int):
        super().__init__(number)
        self.number = number


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, default=None
        What stands after ``skmer``; None = those of this process.

    Returns
    -------
    status : int
        0 when done; 1 when something that was to be verified is not right, or every clip failed;
        2 after a user's mistake, told in one sentence on standard error; 70 after a fault of
        skmer's own; 130 when interrupted; 128 and its number after another signal.

    Examples
    --------
    >>> from skmer.cli import main
    >>> main(["--version"])  # doctest: +SKIP
    skmer 0.1.0
    0
    """
    for stream in ("stdout", "stderr"):
        # Closed by who started the command, so that nobody reads.
        if getattr(sys, stream) is None:
            setattr(sys, stream, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    words = list(sys.argv[1:] if arguments is None else arguments)
    end = words.index("--") if "--" in words else len(words)
    chosen = {word for word in words[:end] if word in _GLOBAL_OPTIONS}
    words = [word for word in words[:end] if word not in chosen] + words[end:]
    debug = "--debug" in chosen or os.environ.get("SKMER_DEBUG", "0") not in ("", "0")
    handlers = {}
    try:
        handlers = _handle_signals()
        return run(words, quiet="--quiet" in chosen, debug=debug)
    except KeyboardInterrupt:
        _end_workers()
        return INTERRUPTED
    except _Ended as error:
        _end_workers()
        return 128 + error.number
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not flush into it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _handle_signals() -> dict:
    """Let the signals that end a process end its workers as well; return what was there before."""

    def end(number, frame) -> NoReturn:
        raise _Ended(number)

    names = (name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
    try:
        return {
            number: signal.signal(number, end)
            for number in (getattr(signal, name) for name in names)
            # As nohup has it: who started us wants us to go on.
            if signal.getsignal(number) != signal.SIG_IGN
        }
    except ValueError:
        # Another thread than the main one hears no signals.
        return {}


def _end_workers() -> None:
    """End the processes that joblib started; idle ones would stay for minutes."""
    import multiprocessing

    # joblib's own kind of process has no `kill`. On Windows either signal ends it at once.
    number = getattr(signal, "SIGKILL", signal.SIGTERM)
    for process in multiprocessing.active_children():
        if process.pid is not None:
            with suppress(OSError):
                os.kill(process.pid, number)

"""The commands by their names; each is one line here and one file beside this one."""

import errno
import gc
import os
import re
import signal
import sys
import traceback
import warnings
from contextlib import suppress

import typer
from typer.main import get_command

from skmer import __version__, exceptions
from skmer.cli import places, terminal
from skmer.cli.evaluate import evaluate
from skmer.cli.extract import extract
from skmer.cli.models import predict, train
from skmer.cli.options import command, examples, parse_docstring, with_options
from skmer.cli.reproduce import reproduce

app = typer.Typer(
    name="skmer",
    help="Deep audio embeddings, classifiers, and honest evaluation of music emotion recognition.",
    epilog=examples("$ skmer evaluate toy --features mfcc\n$ skmer evaluate --help"),
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
@with_options
def _root(
    context: typer.Context, *, version: bool = False, quiet: bool = False, debug: bool = False
) -> None:
    """skmer turns music and singing into embeddings, and recognises emotion in them.

    Try first:
      skmer evaluate toy --features mfcc   a small dataset, made here in a minute
      skmer evaluate FOLDER                your own clips, in one folder per label
      skmer train FOLDER --out emotions.skmer
                                           a model of them, to keep
      skmer predict emotions.skmer SONG    the emotion of a new song
      skmer extract FOLDER --features mfcc --out songs.csv
                                           a table of numbers, one row a clip
      skmer weights list                   the networks, and which are ready to use

    See also 'skmer --help' and 'skmer COMMAND --help'.

    Parameters
    ----------
    version : flag
        Show the version.
    quiet : flag
        Print errors and warnings only; for every command.
    debug : flag
        Show where an error comes from; for every command, as is SKMER_DEBUG=1.
    """
    # `main` has read --quiet and --debug, which may stand behind the command's name too.
    if version:
        terminal.show(f"skmer {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        terminal.show(parse_docstring(_root)[0])


for _run in (evaluate, extract, train, predict, reproduce):
    command(app)(_run)
app.add_typer(places.weights, name="weights")
app.add_typer(places.datasets, name="datasets")
app.add_typer(places.cache, name="cache")


OK, MISTAKE, FAULT, INTERRUPTED = 0, 2, 70, 130
# These hold for every command, and may stand anywhere in the line.
_GLOBAL_OPTIONS = ("--quiet", "--debug")
# The class of click, or of typer where it carries a click of its own.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
# The options of parameters that have another name in the library.
_RENAMED = {
    "regressors": "classifiers", "n_folds": "folds", "n_repeats": "repeats", "n_jobs": "jobs",
    "memory": "cache", "time_limit": "time", "checkpoint": "out", "random_state": "seed",
    "target_columns": "target", "targets": "target", "statistics": "pooling",
}  # fmt: skip
# What messages of the library advise, in the words of the command.
_ADVICE = {
    "on_missing='keep' and on_error='skip'": "--on-error skip",
    "leave them out of X, y and groups, or let on_error='skip' do it":
        "correct them, or leave them out by --on-error skip",
    "Leave those clips out of X, y and groups": "Leave those clips out",
    "weights=None": "--weights random", "(n_jobs)": "(--jobs)",
    "The labels y": "The labels", "The targets y": "The targets", "The tags y": "The tags",
    ", or a dict of your own, {'mine': ...}": "",
    ", a scikit-learn splitter, or a list or dict of those": "",
    "; give a dict of name to splitter": "; name each once",
    "StratifiedThreeWaySplit": "The koh2021 protocol",
    "; add clips, or change 'test_size' and 'validation_size'": "; add clips",
    "None or an int other than 0": "a number other than 0",
    "'pretrained', None, a path, or a dict of paths by features, whose keys are of":
        "pretrained, random, or files such as l3=PATH, for one of",
    "Got the key": "Got",
    "a model that save_model wrote": "a model that skmer train wrote",
    # Of scikit-learn.
    "a str among {": "one of {", "a int among {": "one of {", "a float in the": "a number in the",
    "an instance of 'int'": "a whole number", "a tuple of one or several": "one or several",
    ", or None.": ".", " or None.": ".",
    ", an instance of 'list' or an instance of 'tuple'": "",
    "trust_remote_code=True, and revision= the commit": "--trust-remote-code, and the commit",
}  # fmt: skip
# A parameter in a sentence, and one with a value; not what follows a sign of a path.
_PARAMETER = re.compile(r"(parameter )?'(\w+)'( parameter)?(?: of (?=\w*[A-Z_])\w+)?")
_VALUE = re.compile(r"(?<![\w/.'\"-])(?P<name>[a-z_]+)=(?P<value>\[?'[^']*'\]?|\w+)")


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : list of str, default=None
        What stands after ``skmer``; None = the arguments of this process.

    Returns
    -------
    status : int
        0 when done; 1 when a check failed, or no clip could be read; 2 after a user's mistake,
        which is reported in one sentence on standard error; 70 after an error inside skmer; 130
        when interrupted; 128 and its number after another signal.

    Examples
    --------
    >>> from skmer.cli import main
    >>> main(["--version"])  # doctest: +SKIP
    skmer 0.3.0
    0
    """
    for stream in ("stdout", "stderr"):
        # Whoever started the command may have closed them.
        if getattr(sys, stream) is None:
            setattr(sys, stream, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    if arguments is None:
        # After a signal, joblib's tracker of resources warns of those that it then removes itself.
        filters = [os.environ.get("PYTHONWARNINGS"), "ignore:resource_tracker:UserWarning"]
        os.environ["PYTHONWARNINGS"] = ",".join(filter(None, filters))
    terminal.is_program = arguments is None
    words = list(sys.argv[1:] if arguments is None else arguments)
    end = words.index("--") if "--" in words else len(words)
    chosen = {word for word in words[:end] if word in _GLOBAL_OPTIONS}
    words = [word for word in words[:end] if word not in chosen] + words[end:]
    debug = "--debug" in chosen or os.environ.get("SKMER_DEBUG", "0") not in ("", "0")
    handlers = {}
    _received.clear()
    try:
        handlers = _handle_signals()
        status = run(words, quiet="--quiet" in chosen, debug=debug)
    except KeyboardInterrupt:
        status = INTERRUPTED
    except BrokenPipeError:
        # The reader of the output has left; the interpreter must not flush into the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if status == INTERRUPTED and _received:
        status = 128 + _received.pop()
    if status > 128:  # by a signal
        _end_workers()
        if arguments is None:
            # Threads that are inside a network would abort the interpreter at its regular end.
            for output in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError):
                    output.flush()
            os._exit(status)
    if arguments is None:
        # Else the interpreter goes through all objects at its end, once more.
        gc.freeze()
    return status


def run(words: list[str], *, quiet: bool, debug: bool) -> int:
    """Run one command; return the exit status."""
    terminal.prepare()
    options = _find_options(words)

    def show_warning(message, *place, **stream):
        terminal.warn(exceptions.bounded(f"warning: {_name_options(str(message), options)}"))

    with terminal.messages(quiet=quiet), warnings.catch_warnings():
        # Without the place in the library that raised it.
        warnings.showwarning = show_warning
        # joblib replaces a worker that has grown, as by loading a network.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given")
        try:
            status = app(args=words, prog_name="skmer", standalone_mode=False, obj=words)
            sys.stdout.flush()
        except _UsageError as error:
            message = error.format_message()  # type: ignore[attr-defined]
            end = "" if message.endswith((".", "?")) else "."
            return _complain(f"{message}{end} See 'skmer --help'.")
        except SystemExit as error:
            # click ends so when the reader of the output has left.
            if isinstance(error.__context__, BrokenPipeError):
                raise error.__context__ from None
            raise
        except BrokenPipeError:
            raise
        except typer.Abort as error:
            raise KeyboardInterrupt from error
        except Exception as error:
            if debug:
                traceback.print_exc()
            message = message_for_user(error)
            if message is not None:
                return _complain(_name_options(message, options))
            cause = exceptions.bounded(f"error: {type(error).__name__}: {error}", 250)
            terminal.warn(
                f"{cause} This is a fault of skmer's, not of yours. Run it again with --debug to "
                "see where it is, and report it."
            )
            for note in getattr(error, "__notes__", []):
                terminal.warn(note)
            return FAULT
    return int(status or OK)


def message_for_user(error: Exception) -> str | None:
    """Return the message of an error that the user can do something about; None for a fault."""
    from skmer.utils.estimators import InvalidParameterError

    if isinstance(error, MemoryError):
        return "The memory of this machine ran out. Take fewer --jobs, or shorter clips."
    if isinstance(error, (exceptions._OneSentence, InvalidParameterError)):
        return " ".join([str(error), *getattr(error, "__notes__", [])])
    if not isinstance(error, OSError):
        return None
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" for '{error.filename}'" if error.filename else ""
        return f"No space is left on the disk{where}. Free some, and run the same command again."
    if error.filename is not None:
        return f"'{error.filename}': {error.strerror}."
    # Without a number it is a sentence of skmer's.
    return str(error) if error.errno is None else None


def _find_options(words) -> dict[str, str]:
    """Return the options of the command in these words, by the parameters they stand for."""
    found = get_command(app)
    for word in words:
        found = getattr(found, "commands", {}).get(word, found)
    options = {one.name: one.opts[0] for one in found.params if one.opts[0].startswith("--")}
    renamed = {name: options[one] for name, one in _RENAMED.items() if one in options}
    return renamed | options


def _name_options(text: str, options: dict[str, str]) -> str:
    """Replace the names of parameters by those of the options, and advice for Python."""
    for advice, words in _ADVICE.items():
        text = text.replace(advice, words)

    def name_option(match: re.Match) -> str:
        before, name, behind = match.groups()
        if before or behind:
            return f"{options[name]} option" if name in options else f"'{name}' setting"
        # A quoted word alone is a parameter only where no value is likely to be called so.
        return options.get(name, match[0]) if "_" in name else match[0]

    def give_option(match: re.Match) -> str:
        name, value = match.groups()
        option = options.get(name, "")
        return match[0] if not option else option if value == "True" else f"{option} {value}"

    return _VALUE.sub(give_option, _PARAMETER.sub(name_option, text))


def _complain(message: str) -> int:
    terminal.warn(exceptions.bounded(f"error: {message}"))
    return MISTAKE


# The signal that asked for the end, as Ctrl-C does.
_received: list[int] = []


def _handle_signals() -> dict:
    """Let the signals that end a process end its workers too; return the former handlers."""

    def end(number, frame):
        _received[:] = [number]
        raise KeyboardInterrupt

    numbers = (getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP"))
    # nohup has the signal ignored, which stays.
    wanted = [n for n in numbers if n is not None and signal.getsignal(n) != signal.SIG_IGN]
    try:
        return {number: signal.signal(number, end) for number in wanted}
    except ValueError:
        # Only the main thread may set handlers.
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

"""The entry point: what ends how, with which exit status."""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

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
        # Only now, so that an interrupt while the command starts is quiet too.
        from skmer.cli._run import run

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

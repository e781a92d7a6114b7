"""Fits in rounds: one repeat of every configuration, then the next, until all are done.

So there is something to report from the first minutes on: whenever the time is over, what remains
is whole rounds. Finished fits can be kept in a folder, by all that their numbers depend on.
"""

import _thread
import io
import signal
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace

import joblib
import numpy as np
import pandas as pd

from skmer.evaluation.fitting import Fit, Fitted, fit_and_predict
from skmer.exceptions import InputError
from skmer.utils import cache, digest, messages, processes, progress


class OutOfTimeError(BaseException):
    """The time is over; not an error of anything that runs, like KeyboardInterrupt."""


class Deadline:
    """The end of the time that a call may take.

    Parameters
    ----------
    seconds : float or None
        From now on; None = no end.
    """

    def __init__(self, seconds: float | None):
        if seconds is not None and not seconds >= 0:
            allowed = "seconds of at least 0, or None"
            raise messages.wrong_parameter("", "time_limit", allowed, seconds)
        self.seconds = seconds
        self._end = None if seconds is None else time.monotonic() + float(seconds)

    @property
    def is_over(self) -> bool:
        """Whether no time is left."""
        return self._end is not None and time.monotonic() >= self._end

    @contextmanager
    def guard(self):
        """Raise OutOfTimeError inside this block when the time is over.

        In the main thread that is at once, in the manner of Ctrl-C, also while workers compute;
        in other threads nothing can be interrupted, and `is_over` has to be asked.
        """
        before = signal.getsignal(signal.SIGINT)
        in_main = threading.current_thread() is threading.main_thread()
        if self._end is None or not in_main or before is None:
            yield
            return

        def interrupt(number, frame):
            if self.is_over:
                raise OutOfTimeError
            if callable(before):
                before(number, frame)

        timer = threading.Timer(max(0.0, self._end - time.monotonic()), _interrupt_main)
        timer.daemon = True
        signal.signal(signal.SIGINT, interrupt)
        timer.start()
        try:
            yield
        finally:
            try:
                timer.cancel()
                # An interrupt that was sent already is handled before the handler is replaced.
                timer.join()
            finally:
                signal.signal(signal.SIGINT, before)

    @contextmanager
    def stage(self, what: str):
        """Raise InputError when the time is over before the end of what comes before the fits."""
        try:
            with self.guard():
                yield
        except OutOfTimeError:
            raise InputError(
                f"The 'time_limit' parameter, {self.seconds:g} s, is too short: {what} took "
                "longer. Give more time; what a cache or a checkpoint has is not computed again.",
                param="time_limit",
            ) from None


def _interrupt_main() -> None:
    """Let the main thread call its handler of SIGINT, whether or not there is a keyboard."""
    if hasattr(signal, "pthread_kill"):
        # It ends a system call that the thread waits in, too.
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)  # type: ignore[arg-type]
    else:
        _thread.interrupt_main()


class FitStore(cache.ClipCache):
    """Finished fits in a folder, by the data, the model and the seed that they were made from."""

    subfolder, parameter = "finished-fits", "checkpoint"

    def __init__(self, folder):
        super().__init__(folder)
        self._versions = digest.versions()
        # By identity; what is hashed is kept here, so that no other object gets its address.
        self._digests: dict[int, tuple[object, str]] = {}

    def __getstate__(self):
        # Workers write only.
        return {**self.__dict__, "_digests": {}}

    def key(self, fit: Fit) -> dict:
        """Return all that decides the numbers of a fit; not what its configuration is called."""
        of_split = replace(fit.split, protocol="", repeat=0, fold=0)
        names = [one.name for one in fields(fit) if one.name not in ("key", "weights", "split")]
        key = {name: self._digest(getattr(fit, name)) for name in names}
        return {"fit": 4, "versions": self._versions, "split": joblib.hash(of_split), **key}

    def _digest(self, part) -> str:
        if id(part) not in self._digests:
            self._digests[id(part)] = part, joblib.hash(part)
        return self._digests[id(part)][1]

    def load(self, key: dict) -> Fitted | None:
        """Return a finished fit; None where there is none."""
        entry = self.get(key)
        if entry is None:
            return None
        fitted = Fitted({}, {}, {})
        with np.load(io.BytesIO(entry.array.tobytes()), allow_pickle=False) as arrays:
            names, *columns = arrays.values()
            for name, values in zip(names.tolist(), columns):
                kind, _, column = name.partition(":")
                # A score, and a column without values, are single numbers.
                getattr(fitted, kind)[column] = values if values.ndim else values.item()
        return fitted

    def save(self, key: dict, fitted: Fitted) -> None:
        """Keep a finished fit; one that cannot be written is computed again another time."""
        arrays = {
            f"{kind}:{name}": np.asarray(values)
            for kind, columns in vars(fitted).items()
            for name, values in columns.items()
        }
        if any(values.dtype.hasobject for values in arrays.values()):
            # Objects would have to be pickled.
            return
        file = io.BytesIO()
        # Names of columns have those of labels, which may be longer than a name in a zip file.
        np.savez(file, [*arrays], *arrays.values())
        entry = cache.CacheEntry(np.frombuffer(file.getvalue(), np.uint8), [])
        self.get_or_compute(key, lambda: entry)


def _fit_and_keep(place: int, fit: Fit, store: FitStore | None, key: dict):
    """Do a fit, in any process, and store it at once, so that a later error cannot lose it."""
    fitted = fit_and_predict(fit)
    if store is not None:
        store.save(key, fitted)
    return place, fitted


@dataclass(frozen=True)
class Rounds:
    """What was done of a list of fits.

    Attributes
    ----------
    fits : list of Fit
        Those of whole rounds, in their order.
    fitted : list of Fitted
        What each of them gave.
    done, of : int
        Whole rounds that were done, and all of them.
    ended_by : {"time", "interrupt"} or None
        What ended it before the last round.
    unfinished_models : list of str
        Models that are left out, since not even their first round was done.
    slowest : dict of str to float
        The share of the time that the slowest configurations take, by the rounds that were done.
    seconds_left : float
        About how long the other rounds take.
    """

    fits: list[Fit]
    fitted: list[Fitted]
    done: int
    of: int
    ended_by: str | None
    unfinished_models: list[str]
    slowest: dict
    seconds_left: float

    def describe(self) -> dict:
        """Return what the manifest has of it."""
        return {name: one for name, one in vars(self).items() if name not in ("fits", "fitted")}


def run_rounds(fits, *, n_jobs, verbose, checkpoint, deadline: Deadline, returns) -> Rounds:
    """Do all fits, round by round; after the end of the time, return the rounds that are whole.

    The fits run in processes: scikit-learn 1.9 resets the warning filters of the whole process in
    every task of its own `Parallel` (``sklearn.utils.parallel``), so that forests and searches that
    are fitted in two threads lose them for good.

    Parameters
    ----------
    fits : sequence of Fit
        A model's fits one after another.
    n_jobs : int or None
        In joblib's meaning.
    verbose : bool
        Show progress, and after the first round how much is left.
    checkpoint : path-like or None
        Where finished fits are kept, and looked for.
    deadline : Deadline
        When to end.
    returns : bool
        Whether an interrupt (Ctrl-C) ends the work as the deadline does, once there is a round.
    """
    store = None if checkpoint is None else FitStore(checkpoint)
    keys = [{} if store is None else store.key(fit) for fit in fits]
    fitted: dict[int, Fitted] = {}

    def load(places) -> None:
        found = ((i, None if store is None else store.load(keys[i])) for i in places)
        fitted.update({i: one for i, one in found if one is not None})

    load(range(len(fits)))
    todo = [i for i in _in_rounds(fits) if i not in fitted]
    ended_by = None
    try:
        with deadline.guard():
            _do(fits, todo, fitted, store, keys, n_jobs, verbose, deadline)
    except OutOfTimeError:
        if not deadline.is_over:
            # The time of whoever called is over.
            raise
        ended_by = "time"
    except KeyboardInterrupt:
        if not returns:
            raise
        ended_by = "interrupt"
    if ended_by is not None:
        # Workers have kept what had not come back yet.
        load([i for i in todo if i not in fitted])
    rounds = _whole_rounds(fits, fitted, ended_by, n_jobs)
    if rounds.fits:
        return rounds
    kept = "" if store is None else f", which are kept in '{store.folder}'"
    state = f"{len(fitted)} of {len(fits)} fits were done{kept}, and no model has a whole round."
    if ended_by == "interrupt":
        if verbose:
            sys.stderr.write(f"{state}\n")
        raise KeyboardInterrupt
    fault = f"The 'time_limit' parameter, {deadline.seconds:g} s, is too short: {state}"
    raise InputError(f"{fault} Give more time.", param="time_limit")


def _in_rounds(fits: list[Fit]) -> list[int]:
    """Return the places of the fits: round by round, in each all features of a model together."""
    models = {name: i for i, name in enumerate(dict.fromkeys(map(_model_of, fits)))}
    return sorted(
        range(len(fits)), key=lambda i: (fits[i].split.repeat, models[_model_of(fits[i])])
    )


def _model_of(fit: Fit) -> str:
    return fit.key[fit.task.model_kind]


def _do(fits, todo, fitted, store, keys, n_jobs, verbose, deadline) -> None:
    """Do the fits at some places, and put what comes back into `fitted`."""
    left = Counter(fits[i].split.repeat for i in todo)
    n_rounds = 1 + max(fit.split.repeat for fit in fits)
    if verbose and len(todo) < len(fits):
        sys.stderr.write(f"{len(fits) - len(todo)} of {len(fits)} fits were finished before\n")
    work = ((i, fits[i], store, keys[i]) for i in todo)
    outcomes = processes.run_parallel(
        _fit_and_keep, work, n_jobs=n_jobs, prefer="processes", ordered=False
    )
    is_noted = not verbose or n_rounds == 1
    for i, one in progress.track(
        outcomes, total=len(todo), description="fits", enabled=verbose, unit="fits"
    ):
        fitted[i] = one
        left[fits[i].split.repeat] -= 1
        if not is_noted and not left[0]:
            is_noted = True
            sys.stderr.write(f"{_estimate(fits, fitted, n_jobs)}\n")
        if deadline.is_over and len(fitted) < len(fits):
            raise OutOfTimeError


def _estimate(fits, fitted, n_jobs) -> str:
    rounds = _whole_rounds(fits, fitted, None, n_jobs)
    which = "Round 1" if rounds.done == 1 else f"Rounds 1 to {rounds.done}"
    left = f"about {messages.in_words(rounds.seconds_left)} are left."
    return f"{which} of {rounds.of} done, {left}{messages.name_slowest(rounds.slowest)}"


def _whole_rounds(fits, fitted, ended_by, n_jobs) -> Rounds:
    """Return the fits of whole rounds; of a first round that is not whole, those of whole models.

    All features of a model are there or none, so that features are compared over the same models.
    """
    of_fits = [
        (" + ".join(fit.key.values()), _model_of(fit), fit.split.protocol, fit.split.repeat)
        for fit in fits
    ]
    table = pd.DataFrame(of_fits, columns=["name", "model", "protocol", "repeat"])
    seconds = {i: one.costs["fit_time"] + one.costs["score_time"] for i, one in fitted.items()}
    table["seconds"] = pd.Series(seconds, dtype=float)
    missing, n_rounds = table[table["seconds"].isna()], 1 + int(table["repeat"].max())
    done = int(missing["repeat"].min()) if len(missing) else n_rounds
    unfinished = set(missing["model"][missing["repeat"] == 0])
    last = max(done, 1)
    kept = np.flatnonzero((table["repeat"] < last) & ~table["model"].isin(unfinished)).tolist()
    # The cost of a configuration that was not fitted yet is unknown.
    costs = table.groupby(["name", "protocol"])["seconds"].transform("mean")
    left = costs[missing.index].sum() / joblib.effective_n_jobs(n_jobs)
    of_names = table.groupby("name")["seconds"].sum(min_count=1).dropna()
    shares = (of_names / (of_names.sum() or 1.0)).nlargest(3).round(3)
    return Rounds(
        [fits[i] for i in kept],
        [fitted[i] for i in kept],
        last,
        n_rounds,
        ended_by if len(missing) else None,
        sorted(unfinished),
        shares[shares > 1.5 / max(len(of_names), 1)].to_dict(),
        round(float(left), 1),
    )

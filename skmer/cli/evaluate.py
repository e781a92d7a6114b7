"""`skmer evaluate`: from the name of a dataset to a table of scores."""

import json
import shlex
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from time import perf_counter

import typer

from skmer.cli import options, terminal
from skmer.exceptions import InputError

_RESULT_FILES = ("scores.csv", "predictions.csv", "maps.csv", "manifest.json", "report.html")


def evaluate(
    context: typer.Context,
    *,
    features: str | None = None,
    classifiers: str | None = None,
    protocol: str | None = None,
    repeats: options.AtLeastOne = None,
    out: Path | None = None,
    force: bool = False,
    time: options.Time = None,
    test_on: str | None = None,
    both_ways: bool = False,
    scales: str | None = None,
    clips: options.ClipOptions,
    fits: options.FitOptions,
) -> int:
    """Score features and classifiers on a dataset; write a report.

    The work goes round: one repeat of all, then the next. Ctrl-C and --time end it with a report of
    the rounds so far, and the same command goes on from what is finished.

    Parameters
    ----------
    features : NAMES
        Of {FEATURES}; by default all that can be had.
    classifiers : NAMES
        Of {CLASSIFIERS}; by default all.
    protocol : NAMES
        grouped keeps singers or artists apart, the default where they are known; shuffled does not;
        koh2021 shuffles as the study does; two with a comma between show the gap; published is the
        split that came with a dataset.
    repeats : N
        Draws of a protocol: of its folds for grouped (default 4), of one split for koh2021 (default
        20).
    out : DIR
        Where results go; else skmer-results/DATASET, with a number for another command.
    force : flag
        Replace the results of another command in --out.
    time : TIME
        End after so long, as 30m or 2h, with a report of the rounds so far; the same command goes
        on from there.
    test_on : DATASET
        Fit on the whole of the first dataset and test on this one, beside the scores within the
        first.
    both_ways : flag
        With --test-on: the other way round as well.
    scales : LOW:HIGH,LOW:HIGH
        With --test-on and numbers: the ends of the scales of the two, as 1:9,-1:1, where they are
        not known.

    Examples
    --------
    $ skmer evaluate toy --features mfcc --protocol grouped,koh2021
    $ skmer evaluate songs.csv --classifiers svm --cache cache --out results
    """
    from skmer import evaluation
    from skmer.classifiers import CLASSIFIERS
    from skmer.utils.files import check_output_folder, expand_path

    command = shlex.join(["skmer", *_lasting(context.obj)])
    if test_on is None and (both_ways or scales):
        raise InputError("--both-ways and --scales are for --test-on.")
    if features is None and fits.chosen:
        option = f"--{next(iter(fits.chosen))}"
        raise InputError(f"{option} is a setting of --features; give their names as well.")
    stems = [expand_path(one).resolve().stem for one in filter(None, (clips.dataset, test_on))]
    folder = out or _free_folder(Path("skmer-results", "-to-".join(stems)), command)
    if out is not None or folder.is_dir():
        check_output_folder(folder)
    earlier = None if force else _earlier_command(folder)
    if earlier not in (None, command):
        raise InputError(
            f"The folder '{folder}' holds the results of another command ({earlier}). "
            "Choose another --out, or pass --force to replace them."
        )
    settings: dict = {"checkpoint": folder, "time_limit": time, "on_interrupt": "return"}
    # The library has its own default.
    settings |= {"n_repeats": repeats} if repeats else {}
    names = None if features is None else options.split_features(features, fits.weights)
    if test_on is None:
        loaded = options.load_clips(clips)
    else:
        loaded, (other, y_test, _) = options.load_pair(clips, test_on)
        settings |= {"X_test": other.data, "y_test": y_test, "groups_test": other.groups}
        settings |= {"dataset_test": test_on, "both_ways": both_ways}
        pair = (clips.dataset, loaded[0]), (test_on, other)
        ends = [options.known_scale(name, one.frame, loaded[2]) for name, one in pair]
        known_ends = None if None in ends else ends
        settings["scales"] = options.parse_scales(scales) if scales else known_ends
    # Only now, so that the wrong name of a dataset leaves no folder.
    check_output_folder(folder)
    data, _, columns = loaded
    settings["protocol"] = options.choose_protocol(protocol, clips.dataset, data)
    settings["split"] = data.get("split")
    known: tuple[str, ...] = CLASSIFIERS
    if columns is not None:
        # Of numbers over time the other one takes hours on tens of thousands of moments.
        known = ("ridge",) if clips.frames else evaluation.REGRESSORS
    models = list(known) if classifiers is None else options.split_names(classifiers)
    result = fits.evaluate(names, models, clips, loaded, **settings)
    times = dict(result.manifest["seconds"])
    started = perf_counter()
    result.manifest["command"] = command
    result.save(folder)
    terminal.show_summary(result)
    terminal.warn_of_findings(result.manifest)
    if n_skipped := len(result.manifest["skipped_clips"]):
        terminal.warn(f"Clips skipped, as the report lists: {n_skipped}.")
    times["report"] = perf_counter() - started
    terminal.note("Time: " + ", ".join(f"{name} {times[name]:.1f} s" for name in times))
    ended_by = _note_rounds(result.manifest["rounds"])
    terminal.note(f"Scores, predictions, manifest and report.html are in {folder}")
    # As a command that was interrupted ends elsewhere.
    return 130 if ended_by == "interrupt" else 0


def _lasting(words: list[str]) -> list[str]:
    """Return the words of a command without those that do not change its results."""
    lasting, is_time = [], False
    for word in words:
        if not (is_time or word in ("--force", "--time") or word.startswith("--time=")):
            lasting.append(word)
        is_time = word == "--time"
    return lasting


def _note_rounds(rounds: dict) -> str | None:
    """Print how many rounds were done, and which configurations take longest; return the end."""
    from skmer.utils.messages import in_words, name_slowest

    if rounds["ended_by"] is not None:
        terminal.warn(
            f"{rounds['done']} of {rounds['of']} rounds are done, about "
            f"{in_words(rounds['seconds_left'])} are left. The same command goes on from here."
            + name_slowest(rounds["slowest"])
        )
        if rounds["unfinished_models"]:
            left_out = ", ".join(rounds["unfinished_models"])
            terminal.warn(f"Not in the report, without a whole round: {left_out}.")
    return rounds["ended_by"]


def _free_folder(folder: Path, command: str) -> Path:
    """Return the folder, or the first with a number, without results of another command."""
    others = (folder.with_name(f"{folder.name}-{n}") for n in count(2))
    places = chain([folder], others)
    return next(place for place in places if _earlier_command(place) in (None, command))


def _earlier_command(folder: Path) -> str | None:
    """Return the command whose results a folder holds; None where it holds none."""
    if not any((folder / name).exists() for name in _RESULT_FILES):
        return None
    with suppress(OSError, ValueError, LookupError, TypeError):
        return str(json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["command"])
    return "an unknown one"

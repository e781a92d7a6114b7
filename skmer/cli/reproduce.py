"""`skmer reproduce`: a published study done again."""

from pathlib import Path
from typing import Annotated

import typer

from skmer.cli import options as _options
from skmer.cli import terminal as _terminal
from skmer.exceptions import InputError


def reproduce(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="koh2021.")],
    data_home: _options.DataHome = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Compute far less; the report lists what is less.")
    ] = False,
    features: Annotated[
        str,
        typer.Option(
            metavar="NAMES", help="Of l3, vggish, mfcc, and musicnn, which the study did not have."
        ),
    ] = "l3,vggish,mfcc",
    classifiers: _options.Classifiers = None,
    weights: _options.Weights = "pretrained",
    cache: _options.Cache = None,
    limit: _options.Time = None,
    jobs: _options.Jobs = -1,
    seed: _options.Seed = 0,
    out: Annotated[
        Path | None,
        _options.path_option("DIR", "Where results go; else skmer-results/STUDY."),
    ] = None,
) -> int:
    """Do a published study again with the datasets in place, and report what of it holds.

    The work goes round: one repeat of all, then the next. Ctrl-C and --time end it with a report of
    the rounds so far. What is finished is kept in the output folder, and a second run goes on.
    """
    from skmer.classifiers import CLASSIFIERS
    from skmer.studies import reproduce_koh2021

    if study != "koh2021":
        raise InputError(f"STUDY must be koh2021. Got {study!r}.")
    folder = out or Path("skmer-results", study)
    found = reproduce_koh2021(
        folder,
        data_home=data_home,
        quick=quick,
        features=_options.split_names(features),
        classifiers=_options.split_names(classifiers) if classifiers else CLASSIFIERS,
        weights=_options.parse_weights(weights),
        random_state=seed,
        memory=cache,
        n_jobs=jobs,
        time_limit=limit,
        on_interrupt="return",
        verbose=_terminal.show_progress(),
    )
    for name, reason in found.left_out.items():
        _terminal.warn(f"{name} was left out: {reason}")
    if found.ended_by is not None:
        _terminal.warn(f"{found.estimate_rest(jobs)} The same command goes on from here.")
    _terminal.note(f"{len(found.computed)} pieces computed; report.html is in {folder}")
    return 130 if found.ended_by == "interrupt" else 0

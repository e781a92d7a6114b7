"""`skmer reproduce`: a published study done again."""

from pathlib import Path
from typing import Annotated

import typer

from skmer.cli import terminal as _terminal
from skmer.cli.options import (
    Cache,
    Classifiers,
    DataHome,
    Jobs,
    Seed,
    Weights,
    check_choice,
    expand,
    parse_weights,
    split_names,
)

STUDIES = ("koh2021",)


def reproduce(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="koh2021.")],
    data_home: DataHome = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Compute far less; the report says what is less.")
    ] = False,
    features: Annotated[
        str,
        typer.Option(
            metavar="NAMES", help="Of l3, vggish, mfcc, and musicnn, which the study did not have."
        ),
    ] = "l3,vggish,mfcc",
    classifiers: Classifiers = None,
    weights: Weights = "pretrained",
    cache: Cache = None,
    jobs: Jobs = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", parser=expand, help="Where results go; else skmer-results/STUDY."
        ),
    ] = None,
) -> None:
    """Do a published study again with the datasets in place, and report what of it holds.

    What is finished is kept in the output folder, and a second run goes on from there.
    """
    from skmer.classifiers import CLASSIFIERS
    from skmer.embeddings import FEATURES
    from skmer.studies import reproduce_koh2021

    check_choice("STUDY", study, STUDIES)
    folder = out or Path("skmer-results", study)
    found = reproduce_koh2021(
        folder,
        data_home=data_home,
        quick=quick,
        features=split_names("--features", features, FEATURES),
        classifiers=split_names("--classifiers", classifiers, CLASSIFIERS),
        weights=parse_weights(weights),
        random_state=seed,
        memory=cache,
        n_jobs=jobs,
        verbose=_terminal.show_progress(),
    )
    for name, reason in found.left_out.items():
        _terminal.warn(f"{name} was left out: {reason}")
    _terminal.say(f"{len(found.computed)} pieces computed; report.html is in {folder}")

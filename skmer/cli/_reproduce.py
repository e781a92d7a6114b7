"""`skmer reproduce`: a published study done again."""

from pathlib import Path
from typing import Annotated

import typer

from skmer.cli._options import check_choice, parse_weights, split_names

STUDIES = ("koh2021",)


def reproduce(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="koh2021.")],
    data_home: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where datasets are; else $SKMER_DATA."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Compute far less; the report says what is less.")
    ] = False,
    features: Annotated[
        str, typer.Option(metavar="NAMES", help="Of l3, vggish, mfcc.")
    ] = "l3,vggish,mfcc",
    classifiers: Annotated[
        str, typer.Option(metavar="NAMES", help="Of svm, nb, rf, mlp, cnn, lstm.")
    ] = "svm,nb,rf,mlp,cnn,lstm",
    weights: Annotated[
        str,
        typer.Option(metavar="WHICH", help="pretrained, random, or files: l3=PATH,vggish=PATH."),
    ] = "pretrained",
    cache: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where each clip's embedding is kept; else OUT/cache."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Processes at once; -1 = all cores.")
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Where every random number comes from.")
    ] = 0,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where results go; else skmer-results/STUDY."),
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
        verbose=True,
    )
    for name, reason in found.left_out.items():
        typer.echo(f"{name} was left out: {reason}")
    typer.echo(f"{len(found.computed)} pieces computed; report.html is in {folder}")

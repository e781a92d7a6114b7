"""`skmer evaluate`: from the name of a dataset to a table of scores."""

from pathlib import Path
from typing import Annotated

import typer

from skmer.cli._options import check_choice, parse_weights, split_names

PROTOCOLS = ("grouped", "koh2021")


def evaluate(
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="DATASET",
            help="toy, ravdess-song, emomusic, 4q, bimodal, or a .csv file of your own with the "
            "columns path, label and perhaps group.",
        ),
    ],
    data_home: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where datasets are; else $SKMER_DATA."),
    ] = None,
    features: Annotated[
        str, typer.Option(metavar="NAMES", help="Of l3, vggish, mfcc.")
    ] = "l3,vggish,mfcc",
    classifiers: Annotated[
        str, typer.Option(metavar="NAMES", help="Of svm, nb, rf, mlp, cnn, lstm.")
    ] = "svm,nb,rf,mlp,cnn,lstm",
    protocol: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="grouped keeps singers or artists apart; koh2021 shuffles at random; both, with "
            "a comma between, show the gap.",
        ),
    ] = "grouped",
    preset: Annotated[
        str,
        typer.Option(metavar="NAME", help="Settings of features and classifiers: tuned, koh2021."),
    ] = "tuned",
    weights: Annotated[
        str,
        typer.Option(metavar="WHICH", help="pretrained, random, or files: l3=PATH,vggish=PATH."),
    ] = "pretrained",
    repeats: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Draws of a protocol: of 5 folds for grouped (default 4), of one split for "
            "koh2021 (default 20).",
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep each clip's embedding here for the next run."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Processes at once; -1 = all cores.")
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Where every random number comes from.")
    ] = 0,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where results go; else skmer-results/DATASET."),
    ] = None,
) -> None:
    """Score features with classifiers on a dataset, and write the table and a report."""
    from rich.console import Console

    from skmer import evaluation
    from skmer.classifiers import CLASSIFIERS
    from skmer.datasets import load_dataset
    from skmer.embeddings import FEATURES
    from skmer.evaluation.experiment._classification import PRESETS
    from skmer.evaluation.report import format_summary
    from skmer.utils._output_folder import check_output_folder

    feature_names = split_names("--features", features, FEATURES)
    classifier_names = split_names("--classifiers", classifiers, CLASSIFIERS)
    protocols = split_names("--protocol", protocol, PROTOCOLS)
    check_choice("--preset", preset, PRESETS)
    which = parse_weights(weights)
    if out is not None:
        check_output_folder(out)
    clips = load_dataset(dataset, data_home=data_home)
    folder = check_output_folder(out or Path("skmer-results", Path(dataset).stem))
    result = evaluation.evaluate(
        feature_names,
        classifier_names,
        clips.data,
        clips.target,
        groups=clips.groups,
        protocol=protocols,
        preset=preset,
        n_repeats=repeats,
        weights=which,
        random_state=seed,
        memory=cache,
        n_jobs=jobs,
        verbose=True,
    )
    result.save(folder)
    Console().print(format_summary(result))
    typer.echo(f"Scores, predictions, manifest and report.html are in {folder}")

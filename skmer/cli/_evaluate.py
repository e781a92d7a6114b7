"""`skmer evaluate`: from the name of a dataset to a table of scores."""

import json
import shlex
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from skmer.cli import _terminal
from skmer.cli._options import (
    DATASETS,
    FEATURES,
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
from skmer.cli._summary import say_findings, show_summary
from skmer.exceptions import InputError

PRESETS = ("tuned", "koh2021")
RESULT_FILES = ("scores.csv", "predictions.csv", "manifest.json", "report.html")


def evaluate(
    context: typer.Context,
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="DATASET",
            help=f"{DATASETS}, a .csv file of your own with the columns path, label and perhaps "
            "group, or a folder with one folder per label.",
        ),
    ],
    data_home: DataHome = None,
    features: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help=f"Of {FEATURES}; by default all that can be had."),
    ] = None,
    classifiers: Classifiers = None,
    protocol: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="grouped keeps singers or artists apart; koh2021 shuffles at random (shuffled, "
            "with targets that are numbers); both, with a comma between, show the gap.",
        ),
    ] = "grouped",
    folds: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=2,
            help="Folds of grouped, at most as many as groups; by default 5, or 10 for numbers.",
        ),
    ] = None,
    preset: Annotated[
        str,
        typer.Option(metavar="NAME", help="Settings of features and classifiers: tuned, koh2021."),
    ] = "tuned",
    weights: Weights = "pretrained",
    target: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="label, or columns of numbers such as arousal,valence, which regressors predict "
            "(--classifiers of svr, ridge).",
        ),
    ] = "label",
    repeats: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Draws of a protocol: of its folds for grouped (default 4), of one split for "
            "koh2021 (default 20).",
        ),
    ] = None,
    cache: Cache = None,
    jobs: Jobs = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", callback=expand, help="Where results go; else skmer-results/DATASET."
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the results of another command in --out.")
    ] = False,
) -> None:
    """Score features with classifiers on a dataset, and write the table and a report."""
    from skmer import evaluation
    from skmer.classifiers import CLASSIFIERS
    from skmer.datasets import load_dataset
    from skmer.embeddings import FEATURES
    from skmer.utils import check_output_folder

    numbers = target != "label"
    models = split_names(
        "--classifiers", classifiers, evaluation.REGRESSORS if numbers else CLASSIFIERS
    )
    feature_names = split_names("--features", features, FEATURES)
    options: dict[str, Any] = {
        "protocol": split_names(
            "--protocol", protocol, ("grouped", "shuffled" if numbers else "koh2021")
        ),
        "weights": parse_weights(weights),
        "random_state": seed,
        "memory": cache,
        "n_jobs": jobs,
        "verbose": _terminal.show_progress(),
    }
    # What is not given is as the library has it.
    options |= {"n_folds": folds} if folds else {}
    options |= {"n_repeats": repeats} if repeats else {}
    check_choice("--preset", preset, PRESETS)
    command = shlex.join(["skmer", *(word for word in context.obj if word != "--force")])
    folder = out or Path("skmer-results", Path(dataset).stem)
    if not force:
        _refuse_other_results(folder, command)
    if out is not None:
        check_output_folder(folder)
    clips = load_dataset(dataset, data_home=data_home)
    # Only now, so that the wrong name of a dataset leaves no folder.
    check_output_folder(folder)
    options["groups"] = clips.groups
    started = time.perf_counter()
    result: evaluation.EvaluationResult | evaluation.RegressionResult
    if numbers:
        y = _find_targets(clips.frame, target.split(","))
        result = evaluation.evaluate_regression(feature_names, models, clips.data, y, **options)
    else:
        options["preset"] = preset
        result = evaluation.evaluate(feature_names, models, clips.data, clips.target, **options)
    evaluated = time.perf_counter()
    result.manifest["command"] = command
    result.save(folder)
    show_summary(result)
    say_findings(result.manifest)
    _terminal.say(
        f"Time: {evaluated - started:.1f} s to evaluate, {time.perf_counter() - evaluated:.1f} s "
        "for the report."
    )
    _terminal.say(f"Scores, predictions, manifest and report.html are in {folder}")


def _refuse_other_results(folder: Path, command: str) -> None:
    if not any((folder / name).exists() for name in RESULT_FILES):
        return
    try:
        earlier = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["command"]
    except (OSError, ValueError, LookupError):
        earlier = "an unknown one"
    if earlier != command:
        raise InputError(
            f"The folder '{folder}' holds the results of another command ({earlier[:200]}). "
            "Choose another --out, or pass --force to replace them."
        )


def _find_targets(frame, names: list[str]) -> dict:
    """Return the columns of numbers; the static ones where a dataset has dynamic ones as well."""
    from pandas.api.types import is_numeric_dtype

    numbers = [name for name in frame if is_numeric_dtype(frame[name])]
    targets = {}
    for name in map(str.strip, names):
        column = name if name in numbers else f"static_{name}"
        if column not in numbers:
            raise InputError(
                "--target must be label, or columns of numbers of the dataset "
                f"({', '.join(numbers) or 'it has none'}). Got {name[:80]!r}."
            )
        targets[name] = frame[column].to_numpy(dtype=float)
    return targets

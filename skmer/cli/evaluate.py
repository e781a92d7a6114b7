"""`skmer evaluate`: from the name of a dataset to a table of scores."""

import json
import shlex
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from skmer.cli import terminal as _terminal
from skmer.cli.options import (
    DATASETS,
    FEATURES,
    ON_ERROR,
    Cache,
    Classifiers,
    DataHome,
    GroupColumn,
    GroupFrom,
    Jobs,
    LabelColumn,
    OnError,
    PathColumn,
    Seed,
    Weights,
    check_choice,
    expand,
    number,
    parse_weights,
    split_features,
    split_names,
)
from skmer.cli.terminal import load_clips, say_findings, show_summary
from skmer.exceptions import InputError

PRESETS = ("tuned", "koh2021")

RESULT_FILES = ("scores.csv", "predictions.csv", "maps.csv", "manifest.json", "report.html")


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
            parser=number(int, 2),
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
            parser=number(int, 1),
            help="Draws of a protocol: of its folds for grouped (default 4), of one split for "
            "koh2021 (default 20).",
        ),
    ] = None,
    on_error: OnError = "raise",
    path_column: PathColumn = None,
    label_column: LabelColumn = None,
    group_column: GroupColumn = None,
    group_from: GroupFrom = None,
    cache: Cache = None,
    jobs: Jobs = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", parser=expand, help="Where results go; else skmer-results/DATASET."
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the results of another command in --out.")
    ] = False,
) -> None:
    """Score features with classifiers on a dataset, and write the table and a report."""
    from skmer import evaluation
    from skmer.classifiers import CLASSIFIERS
    from skmer.utils.files import check_output_folder, expand_path

    numbers = target != "label"
    models = split_names(
        "--classifiers", classifiers, evaluation.REGRESSORS if numbers else CLASSIFIERS
    )
    # None: all that can be had.
    feature_names = None if features is None else split_features(features)
    options: dict[str, Any] = {
        "dataset": dataset,
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
    options["on_error"] = check_choice("--on-error", on_error, ON_ERROR)
    command = shlex.join(["skmer", *(word for word in context.obj if word != "--force")])
    folder = out or Path("skmer-results", expand_path(dataset).resolve().stem)
    if out is not None or folder.is_dir():
        check_output_folder(folder)
    if not force:
        _refuse_other_results(folder, command)
    targets = [name.strip() for name in target.split(",")] if numbers else None
    clips, y = load_clips(
        dataset,
        targets,
        data_home=data_home,
        path_column=path_column,
        label_column=label_column,
        group_column=group_column,
        group_from=group_from,
        on_missing="keep" if on_error == "skip" else "raise",
    )
    # Only now, so that the wrong name of a dataset leaves no folder.
    check_output_folder(folder)
    options["groups"] = clips.groups
    result: evaluation.EvaluationResult | evaluation.RegressionResult
    if targets is not None:
        result = evaluation.evaluate_regression(feature_names, models, clips.data, y, **options)
    else:
        options["preset"] = preset
        result = evaluation.evaluate(feature_names, models, clips.data, y, **options)
    times = dict(result.manifest["seconds"])
    started = time.perf_counter()
    result.manifest["command"] = command
    result.save(folder)
    show_summary(result)
    say_findings(result.manifest)
    if result.manifest["skipped_clips"]:
        n_skipped = len(result.manifest["skipped_clips"])
        _terminal.warn(f"Clips skipped, as the report says: {n_skipped}.")
    times["report"] = time.perf_counter() - started
    _terminal.say("Time: " + ", ".join(f"{name} {times[name]:.1f} s" for name in times))
    _terminal.say(f"Scores, predictions, manifest and report.html are in {folder}")


def _refuse_other_results(folder: Path, command: str) -> None:
    if not any((folder / name).exists() for name in RESULT_FILES):
        return
    earlier, manifest = "an unknown one", folder / "manifest.json"
    # Not a pipe, which nobody may ever write to.
    if manifest.is_file():
        with suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
            earlier = str(json.loads(manifest.read_text(encoding="utf-8"))["command"])
    if earlier != command:
        raise InputError(
            f"The folder '{folder}' holds the results of another command ({earlier[:200]}). "
            "Choose another --out, or pass --force to replace them."
        )

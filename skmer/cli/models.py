"""`skmer train`: a model of one feature and one classifier, kept with what is known of it."""

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from skmer.cli import terminal as _terminal
from skmer.cli.options import (
    CLASSIFIERS,
    DATASETS,
    FEATURES,
    ON_ERROR,
    Cache,
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
)
from skmer.cli.terminal import load_clips, say_findings
from skmer.exceptions import InputError


def train(
    context: typer.Context,
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="DATASET",
            help=f"{DATASETS}, a .csv file of your own with the columns path, label and perhaps "
            "group, or a folder with one folder per label.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(metavar="MODEL", parser=expand, help="The file to write, as emotions.skmer."),
    ],
    features: Annotated[str, typer.Option(metavar="NAME", help=f"One of {FEATURES}.")] = "musicnn",
    classifiers: Annotated[
        str,
        typer.Option(metavar="NAME", help=f"One of {CLASSIFIERS}; for numbers one of svr, ridge."),
    ] = "svm",
    data_home: DataHome = None,
    preset: Annotated[
        str, typer.Option(metavar="NAME", help="Settings of the classifier: tuned, koh2021.")
    ] = "tuned",
    folds: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            parser=number(int, 2),
            help="Folds of the evaluation, at most as many as groups.",
        ),
    ] = None,
    target: Annotated[
        str,
        typer.Option(metavar="NAMES", help="label, or columns of numbers as arousal,valence."),
    ] = "label",
    weights: Weights = "pretrained",
    on_error: OnError = "raise",
    path_column: PathColumn = None,
    label_column: LabelColumn = None,
    group_column: GroupColumn = None,
    group_from: GroupFrom = None,
    cache: Cache = None,
    jobs: Jobs = None,
    seed: Seed = 0,
) -> None:
    """Evaluate a feature with a classifier, fit them to all clips, and keep them as a file.

    The file has a card with the cross-validated scores, the audit and the settings.
    """
    from skmer import evaluation
    from skmer.classifiers import CLASSIFIERS as classifier_names
    from skmer.models import save_model
    from skmer.utils.files import check_output_file

    numbers = target != "label"
    known = evaluation.REGRESSORS if numbers else classifier_names
    if numbers and classifiers == "svm":
        classifiers = "svr"
    if len(names := split_features(features)) > 1:
        raise InputError(f"--features must be one feature. Got {features!r}.")
    features = names[0].partition("=")[0]
    check_choice("--classifiers", classifiers, known)
    check_choice("--on-error", on_error, ON_ERROR)
    if out.suffix == ".md":
        raise InputError(f"--out must not end in .md, as the model's card does. Got '{out}'.")
    for path in (out, out.with_suffix(".md")):
        check_output_file(path)
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
    apart = "grouped" if clips.groups is not None else "shuffled" if numbers else "koh2021"
    options: dict[str, Any] = {
        "groups": clips.groups,
        "dataset": dataset,
        "protocol": apart,
        "weights": parse_weights(weights),
        "random_state": seed,
        "memory": cache,
        "on_error": on_error,
        "n_jobs": jobs,
        "verbose": _terminal.show_progress(),
    }
    options |= {"n_folds": folds} if folds else {}
    result: evaluation.EvaluationResult | evaluation.RegressionResult
    if numbers:
        result = evaluation.evaluate_regression(names, [classifiers], clips.data, y, **options)
        pipeline = result.fit(feature=features, regressor=classifiers)
    else:
        options["preset"] = preset
        result = evaluation.evaluate(names, [classifiers], clips.data, y, **options)
        pipeline = result.fit(feature=features, classifier=classifiers)
    card = {"name": f"{features} + {classifiers} on {Path(dataset).name}", **_describe(result)}
    card |= {"command": shlex.join(["skmer", *context.obj])}
    card |= {"targets": targets} if targets else {}
    path = save_model(pipeline, out, card=card)
    headline = result.metrics[0]
    say_findings(result.manifest)
    for row in card["scores"]:
        what = f"{row['target']}, {headline}" if "target" in row else headline
        between = f"{row['low']:.2f} to {row['high']:.2f}"
        _terminal.say(f"{what} on held-out clips ({apart}): {row[headline]:.2f} ({between})")
    _terminal.say(f"The model is in {path}, and its card in {path.with_suffix('.md')}")


def _describe(result) -> dict:
    """Say what is known of a model that was evaluated alone."""
    headline = result.metrics[0]
    columns = [name for name in (headline, "low", "high", "target") if name in result.intervals()]
    manifest = result.manifest
    audit = [
        f"{finding['severity']}: {finding['message']}"
        for report in (manifest["audit"] or {}).values()
        for finding in report["findings"]
    ]
    return {
        "scores": result.intervals()[columns].to_dict("records"),
        "protocol": next(iter(manifest["protocols"])),
        "data": manifest["dataset"],
        "audit": audit or ["nothing found"],
    }


_SUFFIXES = (".csv", ".json", ".parquet")


def predict(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL", parser=expand, help="A file that skmer train or save_model wrote."
        ),
    ],
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Audio files, folders (searched to the bottom), patterns, or .csv files with a "
            "column path.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            parser=expand,
            help="Where to write: .csv, .json or .parquet; else csv to the screen.",
        ),
    ] = None,
    frames: Annotated[
        bool, typer.Option("--frames", help="One row a moment, with its time, instead of a clip.")
    ] = False,
    jobs: Jobs = None,
) -> int:
    """Predict the emotion of clips: label and probabilities, or arousal and valence."""
    from skmer.datasets.own import find_clips
    from skmer.models import load_model, predict_clips, read_card
    from skmer.utils.files import check_output_file, escape_formula

    if out is not None:
        if out.suffix not in _SUFFIXES:
            raise InputError(f"--out must end in {', '.join(_SUFFIXES)}. Got '{out}'.")
        check_output_file(out)
    targets = read_card(model).get("targets")
    columns, left_out = find_clips(inputs)
    predictions = predict_clips(
        load_model(model),
        columns["path"],
        frames=frames,
        targets=targets,
        n_jobs=jobs,
        verbose=_terminal.show_progress(),
    )
    n_failed = int(predictions["error"].notna().sum())
    if out is None:
        _terminal.show(escape_formula(predictions).to_csv(index=False).rstrip("\n"))
    else:
        _write(predictions, out)
        _terminal.say(f"{out} has {len(predictions)} rows")
    for line in left_out:
        _terminal.say(line)
    if n_failed:
        _terminal.warn(f"Clips that could not be read, see the column 'error': {n_failed}.")
    return int(n_failed == len(predictions))


def _write(predictions, out: Path) -> None:
    from skmer.utils.files import atomic_write, escape_formula

    with atomic_write(out) as unfinished:
        if out.suffix == ".csv":
            escape_formula(predictions).to_csv(unfinished, index=False)
        elif out.suffix == ".json":
            predictions.to_json(unfinished, orient="records", indent=2, force_ascii=False)
        else:
            predictions.to_parquet(unfinished, index=False)

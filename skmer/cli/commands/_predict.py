"""`skmer predict`: the emotion of new clips, by a model that was trained before."""

from pathlib import Path
from typing import Annotated

import typer

from skmer.cli import _terminal
from skmer.cli._options import Jobs, expand
from skmer.exceptions import InputError

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
    from skmer.datasets import find_clips
    from skmer.models import load_model, predict_clips, read_card
    from skmer.utils import check_output_file, disarm_table

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
        _terminal.show(disarm_table(predictions).to_csv(index=False).rstrip("\n"))
    else:
        _write(predictions, out)
        _terminal.say(f"{out} has {len(predictions)} rows")
    for line in left_out:
        _terminal.say(line)
    if n_failed:
        _terminal.warn(f"Clips that could not be read, see the column 'error': {n_failed}.")
    return int(n_failed == len(predictions))


def _write(predictions, out: Path) -> None:
    from skmer.utils import disarm_table, unfinished_file

    with unfinished_file(out) as unfinished:
        if out.suffix == ".csv":
            disarm_table(predictions).to_csv(unfinished, index=False)
        elif out.suffix == ".json":
            predictions.to_json(unfinished, orient="records", indent=2, force_ascii=False)
        else:
            predictions.to_parquet(unfinished, index=False)

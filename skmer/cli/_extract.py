"""`skmer extract`: from audio files to one table of embeddings."""

from pathlib import Path
from typing import Annotated

import typer

from skmer.cli._options import check_choice, parse_weights


def extract(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Audio files, folders (searched to the bottom), patterns, or a .csv file with "
            "the column path and perhaps label and group.",
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The table to write: .parquet or .npz.")
    ],
    features: Annotated[str, typer.Option(metavar="NAME", help="l3, vggish or mfcc.")] = "l3",
    frames: Annotated[
        bool, typer.Option("--frames", help="One row a frame, with its time, instead of a clip.")
    ] = False,
    weights: Annotated[
        str,
        typer.Option(metavar="WHICH", help="pretrained, random, or a file: l3=PATH, vggish=PATH."),
    ] = "pretrained",
    cache: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep each clip's embedding here for other runs."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Processes at once; -1 = all cores.")
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Where random weights come from.")
    ] = 0,
) -> None:
    """Write the embeddings of audio files to one table, going on where a kill stopped it."""
    from skmer import embeddings
    from skmer.cli._inputs import find_clips

    check_choice("--features", features, embeddings.FEATURES)
    which = parse_weights(weights)
    if isinstance(which, dict):
        which = which.get(features, "pretrained")
    clips = find_clips(inputs)
    transformer = embeddings.make_transformer(
        features, weights=which, random_state=seed, memory=cache
    )
    done = embeddings.extract(
        clips.pop("path"),
        transformer,
        out,
        frames=frames,
        columns=clips,
        n_jobs=jobs,
        verbose=True,
    )
    before = done.n_clips - done.n_computed
    typer.echo(
        f"{done.path} has {done.n_rows} rows of {done.n_clips} clips"
        + (f", {before} of them finished before" if before else "")
        + (f"; {done.n_failed} could not be read, see its column 'error'" if done.n_failed else "")
    )

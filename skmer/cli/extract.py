"""`skmer extract`: from audio files to one table of embeddings, or a file for each."""

from pathlib import Path
from typing import Annotated, Any

import typer

from skmer.cli import options as _options
from skmer.cli import terminal as _terminal
from skmer.exceptions import InputError

# Columns of the table itself; a column of the user's with such a name gets another one.
_TAKEN = (
    "columns", "digest", "duration", "embeddings", "error", "frame", "notes", "settings", "sr",
    "time",
)  # fmt: skip


def extract(
    inputs: _options.Inputs,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            parser=_options.expand_or_url,
            help="The table to write: .parquet, .npz or .csv; or a folder, for shards.",
        ),
    ] = None,
    append: Annotated[
        bool, typer.Option("--append", help="Add to the table that is there.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a table by one of fewer clips.")
    ] = False,
    layout: Annotated[
        str,
        typer.Option(
            metavar="HOW", help="columns, one for each number, or list, one column of lists."
        ),
    ] = "columns",
    shard_size: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Clips in a shard; by default 10000.")
    ] = None,
    per_file: Annotated[
        Path | None,
        _options.path_option("DIR", "Instead of a table, one .npz of frames for each clip."),
    ] = None,
    features: Annotated[
        str, typer.Option(metavar="NAMES", help=f"One or several of {_options.FEATURES}.")
    ] = _options.DEFAULT_FEATURE,
    frames: Annotated[
        bool, typer.Option("--frames", help="One row a frame, with its time, instead of a clip.")
    ] = False,
    weights: _options.Weights = "pretrained",
    offset: Annotated[
        float | None, typer.Option(metavar="S", help="Seconds of each clip to leave out.")
    ] = None,
    duration: Annotated[
        float | None, typer.Option(metavar="S", help="Seconds of each clip to use; else all.")
    ] = None,
    pooling: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Over the frames of a clip: mean, std, max, min."),
    ] = None,
    hop_size: Annotated[
        float | None,
        typer.Option(metavar="S", help="Seconds between two frames."),
    ] = None,
    input_repr: Annotated[
        str | None, typer.Option(metavar="R", help="l3: linear, mel128 or mel256.")
    ] = None,
    content_type: Annotated[str | None, typer.Option(metavar="C", help="l3: music or env.")] = None,
    embedding_size: Annotated[
        int | None, typer.Option(metavar="N", help="l3: 512 or 6144.")
    ] = None,
    no_center: Annotated[
        bool, typer.Option("--no-center", help="l3: the first frame starts with the clip.")
    ] = False,
    frontend: Annotated[
        str | None, typer.Option(metavar="F", help="l3: kapre, librosa or trained.")
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option(metavar="L", help="musicnn: mean_pool, max_pool, penultimate, tags."),
    ] = None,
    resampler: Annotated[
        str | None, typer.Option(metavar="R", help="soxr_hq or kaiser_best.")
    ] = None,
    engine: Annotated[
        str | None, typer.Option(metavar="E", help="What computes the network: auto, tensorflow...")
    ] = None,
    trust_remote_code: _options.TrustRemoteCode = False,
    cache: _options.Cache = None,
    jobs: _options.Jobs = None,
    seed: _options.Seed = 0,
) -> int:
    """Write the embeddings of audio files to one table, going on where a kill stopped it."""
    from skmer import embeddings
    from skmer.datasets.own import find_clips

    if (out is None) == (per_file is None):
        raise InputError("Give either --out FILE for one table, or --per-file DIR for a file each.")
    settings = {
        "offset": offset,
        "duration": duration,
        "pooling": pooling and _one_or_several(pooling),
        "hop_size": hop_size,
        "input_repr": input_repr,
        "content_type": content_type,
        "embedding_size": embedding_size,
        "center": False if no_center else None,
        "frontend": frontend,
        "layer": layer and _one_or_several(layer),
        "resampler": resampler,
        "engine": engine,
    }
    transformers = _make_transformers(
        _options.split_features(features),
        _options.parse_weights(weights),
        {name: value for name, value in settings.items() if value is not None},
        memory=cache,
        random_state=seed,
        trust_remote_code=trust_remote_code,
    )
    found, left_out = find_clips(inputs)
    paths, verbose = found.pop("path"), _terminal.show_progress()
    columns = {f"input_{name}" if name in _TAKEN else name: found[name] for name in found}
    if per_file is not None:
        if len(transformers) > 1:
            raise InputError("With --per-file, --features must be one. Run it once for each.")
        done = embeddings.extract_files(
            paths, transformers[0], per_file, n_jobs=jobs, verbose=verbose
        )
    else:
        assert out is not None
        how: Any = layout
        done = embeddings.extract(
            paths,
            transformers,
            out,
            frames=frames,
            columns=columns or None,
            append=append,
            force=force,
            layout=how,
            shard_size=shard_size,
            n_jobs=jobs,
            verbose=verbose,
        )
    for line in left_out:
        _terminal.note(line)
    _terminal.note(_describe(done, "errors.csv in it" if per_file else "its column 'error'"))
    return int(done.n_failed == done.n_clips)


def _one_or_several(text: str) -> str | tuple[str, ...]:
    names = _options.split_names(text)
    return names[0] if len(names) == 1 else tuple(names)


def _make_transformers(names: list[str], weights, settings: dict, **shared) -> list:
    """Make the transformer of each feature, with those settings that it has."""
    from skmer.embeddings import resolve_features

    transformers = resolve_features(names, weights=weights, **shared)
    used: set[str] = set()
    for one in transformers.values():
        parameters = one.get_params(deep=False)
        chosen = {name: settings[name] for name in settings if name in parameters}
        if "pooling" in settings and "statistics" in parameters:
            # What a network pools is called the statistics of MFCC.
            pooling = settings["pooling"]
            chosen["statistics"] = (pooling,) if isinstance(pooling, str) else pooling
        used |= {"pooling" if name == "statistics" else name for name in chosen}
        one.set_params(**chosen)
    for setting in settings:
        if setting not in used:
            option = "--no-center" if setting == "center" else f"--{setting.replace('_', '-')}"
            raise InputError(
                f"{option} is not an option of {', '.join(transformers)}; leave it out."
            )
    return list(transformers.values())


def _describe(done, errors: str) -> str:
    before = done.n_clips - done.n_computed
    return (
        f"{done.path} has {done.n_rows} rows of {done.n_clips} clips"
        + (f", {before} of them finished before" if before else "")
        + (f"; {done.n_failed} could not be read, see {errors}" if done.n_failed else "")
    )

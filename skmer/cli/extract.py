"""`skmer extract`: from audio files to one table of embeddings, or a file for each."""

from dataclasses import dataclass, fields
from pathlib import Path

from skmer.cli import options, terminal
from skmer.exceptions import InputError

# Columns of the table itself; a column of the user's with such a name gets another one.
_TAKEN = (
    "columns", "digest", "duration", "embeddings", "error", "frame", "notes", "settings", "sr",
    "time",
)  # fmt: skip


@dataclass(kw_only=True)
class Settings:
    """Options that are parameters of transformers, where they are given.

    Parameters
    ----------
    hop_size : S
        Seconds between two frames.
    input_repr : R
        l3: linear, mel128 or mel256.
    content_type : C
        l3: music or env.
    embedding_size : N
        l3: 512 or 6144.
    no_center : flag
        l3: the first frame starts with the clip.
    frontend : F
        l3: kapre, librosa or trained.
    layer : L
        musicnn: mean_pool, max_pool, penultimate, tags.
    resampler : R
        soxr_hq or kaiser_best.
    engine : E
        What computes the network: auto, tensorflow...
    """

    offset: float | None = None
    duration: float | None = None
    pooling: str | None = None
    hop_size: float | None = None
    input_repr: str | None = None
    content_type: str | None = None
    embedding_size: int | None = None
    no_center: bool = False
    frontend: str | None = None
    layer: str | None = None
    resampler: str | None = None
    engine: str | None = None


def extract(
    inputs: list[str],
    *,
    out: options.UrlOption = None,
    append: bool = False,
    force: bool = False,
    layout: str = "columns",
    shard_size: options.AtLeastOne = None,
    per_file: Path | None = None,
    features: str = options.DEFAULT_FEATURE,
    frames: bool = False,
    weights: str = "pretrained",
    settings: Settings,
    trust_remote_code: bool = False,
    cache: Path | None = None,
    jobs: int | None = None,
    seed: options.Seed = 0,
) -> int:
    """Write the embeddings of audio files to one table.

    The same command goes on where a run was stopped.

    Parameters
    ----------
    inputs : INPUT...
        Audio files, URLs, .tar archives, folders, patterns, or .csv files with a column path.
    out : FILE
        The table to write: .parquet, .npz or .csv; or a folder, for shards.
    append : flag
        Add to the table that is there.
    force : flag
        Replace a table by one of fewer clips.
    layout : HOW
        columns, one for each number, or list, one column of lists.
    shard_size : N
        Clips in a shard; by default 10000.
    per_file : DIR
        Instead of a table, one .npz of frames for each clip.
    features : NAMES
        One or several of {FEATURES}.
    frames : flag
        One row a frame, with its time, instead of a clip.

    Examples
    --------
    $ skmer extract songs/ --features musicnn --out songs.parquet
    $ skmer extract songs.csv --features l3,mfcc --hop-size 0.1 --out songs.csv
    """
    from skmer import embeddings
    from skmer.datasets.own import list_clips

    if (out is None) == (per_file is None):
        raise InputError("Give either --out FILE for one table, or --per-file DIR for a file each.")
    made = embeddings.resolve_features(
        options.split_features(features, weights),
        weights=options.parse_weights(weights),
        memory=cache,
        random_state=seed,
        trust_remote_code=trust_remote_code,
    )
    names = (one.name for one in fields(settings) if one.name != "no_center")
    chosen = options.given(settings, names) | ({"center": False} if settings.no_center else {})
    transformers = [*options.set_parameters(made, chosen).values()]
    clips, left_out = list_clips(inputs, taken=_TAKEN)
    keywords: dict = {"n_jobs": jobs, "verbose": terminal.show_progress()}
    if per_file is not None:
        if len(transformers) > 1:
            raise InputError("With --per-file, --features must be one. Run it once for each.")
        paths = [listed.clip for listed in clips]
        done = embeddings.extract_files(paths, transformers[0], per_file, **keywords)
    else:
        assert out is not None
        keywords |= {"frames": frames, "append": append, "force": force}
        keywords |= {"layout": layout, "shard_size": shard_size}
        done = embeddings.extract(clips, transformers, out, **keywords)
    for line in left_out:
        terminal.note(line)
    terminal.note(_describe(done, "errors.csv in it" if per_file else "its column 'error'"))
    return int(done.n_failed == done.n_clips)


def _describe(done, errors: str) -> str:
    before = done.n_clips - done.n_computed
    rows, clips = terminal.counted(done.n_rows, "row"), terminal.counted(done.n_clips, "clip")
    return (
        f"{done.path} has {rows} of {clips}"
        + (f", {before} of them finished before" if before else "")
        + (f"; {done.n_failed} could not be read, see {errors}" if done.n_failed else "")
    )

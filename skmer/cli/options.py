"""Options that several commands have, and what their words mean to the library."""

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from skmer.embeddings.registry import HUB, NETWORKS
from skmer.exceptions import InputError

DATASETS = (
    "toy, toy-tags, ravdess-song, emomusic, deam, 4q, bimodal, merge, pmemo, mtg-jamendo-moodtheme"
)
FEATURES = ", ".join((*NETWORKS, *HUB, "hub:NAME@REVISION#LAYER", "mine=package.module:factory"))
CLASSIFIERS = "svm, nb, rf, mlp, cnn, lstm"
# Of the commands that take a feature by default.
DEFAULT_FEATURE = "musicnn"


def examples(*lines: str) -> str:
    """Return the end of a help text."""
    # The \b keeps the lines apart.
    return "\b\nExamples:\n" + "\n".join(f"  $ {line}" for line in lines)


def expand(text: str) -> Path:
    """Return the path that an option names; shells do not expand the ~ of --out=~/x."""
    from skmer.utils.files import expand_path

    try:
        return expand_path(text)
    except InputError as error:
        # typer replaces the message of any other ValueError by one of its own.
        raise typer.BadParameter(str(error)) from error


def expand_or_url(text: str) -> str:
    """Return the path that an option names, or the URL as it is."""
    from skmer.utils.files import is_url

    return text if is_url(text) else os.fspath(expand(text))


def path_option(metavar: str, text: str):
    """Return the option for a path."""
    return typer.Option(metavar=metavar, parser=expand, help=text)


def _column(what: str, name: str):
    """Return the option for a column of a csv file."""
    return typer.Option(metavar="NAME", help=f"The column of the {what} in a csv, if not {name}.")


Dataset = Annotated[
    str,
    typer.Argument(
        metavar="DATASET",
        help=f"{DATASETS}, a .csv file of your own with the columns path, label and perhaps "
        "group, or a folder with one folder per label.",
    ),
]
Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT...",
        help="Audio files, URLs, .tar archives, folders, patterns, or .csv files with a "
        "column path.",
    ),
]
DataHome = Annotated[Path | None, path_option("DIR", "Where datasets are; else $SKMER_DATA.")]
Classifiers = Annotated[
    str | None, typer.Option(metavar="NAMES", help=f"Of {CLASSIFIERS}; by default all.")
]
Preset = Annotated[
    str,
    typer.Option(metavar="NAME", help="Settings of features and classifiers: tuned, koh2021."),
]
Folds = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=2,
        help="Folds of grouped, at most as many as groups; by default 5, or 10 for numbers.",
    ),
]
Target = Annotated[
    str,
    typer.Option(
        metavar="NAMES",
        help="label; tags, several a clip; or columns of numbers such as arousal,valence, which "
        "regressors predict (--classifiers of svr, ridge).",
    ),
]
Frames = Annotated[
    bool,
    typer.Option(
        "--frames",
        help="The numbers of --target change over time: of a dataset, or of a csv with a row a "
        "moment, or columns such as arousal_15000ms; or of a csv each, arousal=FILE,valence=FILE.",
    ),
]
TimeColumn = Annotated[str | None, _column("seconds of each moment", "time or frameTime")]
Weights = Annotated[
    str,
    typer.Option(
        metavar="WHICH", help=f"pretrained, random, or files such as {next(iter(NETWORKS))}=PATH."
    ),
]
Cache = Annotated[
    Path | None,
    path_option("DIR", "Where each clip's embedding is kept for other runs; see skmer cache show."),
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Keep no embeddings for other runs.")]
Time = Annotated[
    float | None,
    typer.Option(
        "--time",
        metavar="TIME",
        parser=lambda text: parse_time(text),
        help="End after so long, as 30m or 2h, with a report of the rounds so far; the same "
        "command goes on from there.",
    ),
]
Jobs = Annotated[
    int | None, typer.Option(metavar="N", help="Clips or fits at once; -1 = all cores.")
]
PathColumn = Annotated[str | None, _column("files", "path")]
LabelColumn = Annotated[str | None, _column("labels", "label")]
TagsColumn = Annotated[str | None, _column("tags", "tags")]
TagsSeparator = Annotated[
    str | None, typer.Option(metavar="MARK", help="What stands between two tags, if not ;.")
]
GroupColumn = Annotated[str | None, _column("groups", "group")]
StartColumn = Annotated[str | None, _column("starts of clips in their files", "start")]
EndColumn = Annotated[str | None, _column("ends of clips in their files", "end")]
GroupFrom = Annotated[
    str | None,
    typer.Option(
        metavar="PATTERN",
        help="Of a folder: where in the names of files the group is, as '{group} - *'.",
    ),
]
OnError = Annotated[
    str,
    typer.Option(metavar="WHAT", help="raise, or skip: leave clips out that cannot be read."),
]
TrustRemoteCode = Annotated[
    bool,
    typer.Option(
        "--trust-remote-code",
        help="Run the code that comes with a model of the hub, with all your rights: read it, and "
        "pin its revision, hub:NAME@REVISION.",
    ),
]
Seed = Annotated[
    int,
    typer.Option(metavar="N", min=0, max=2**32 - 1, help="Where every random number comes from."),
]


_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def parse_time(text: str) -> float:
    """Return the seconds of a time such as 90, 30m, 2h or 1h30m."""
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(d|h|min|m|s|)", text.strip())
    if not parts or "".join(map("".join, parts)) != "".join(text.split()):
        raise typer.BadParameter(f"a time must be like 90s, 30m, 2h or 1h30m. Got {text!r}.")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


@contextmanager
def open_memory(cache: Path | None, no_cache: bool) -> Iterator[Path | None]:
    """Yield the folder of the embeddings, and bound the size of the user's one in the end."""
    from skmer.utils.cache import ClipCache, default_cache, default_max_bytes

    if no_cache and cache is not None:
        raise InputError("--cache and --no-cache exclude each other; give one of them.")
    if no_cache or cache is not None:
        yield cache
        return
    max_bytes, folder = default_max_bytes(), default_cache()
    try:
        yield folder
    finally:
        ClipCache(folder).prune(max_bytes)


def split_names(text: str) -> list[str]:
    """Split a comma-separated list."""
    return [name.strip() for name in text.split(",")]


def split_features(text: str) -> list[str]:
    """Split a list of features, each a name or ``mine=package.module:factory``, and check it."""
    from skmer.embeddings import resolve_features

    names = split_names(text)
    resolve_features(names)
    return names


def make_features(names: list[str], trusted: bool, preset: Any, options: dict[str, Any]):
    """Return what `evaluate` takes: names, or transformers that may run code of the hub."""
    from skmer.embeddings import resolve_features

    if not trusted:
        return names
    shared = ("weights", "random_state", "memory", "n_jobs", "verbose")
    settings = {name: options[name] for name in shared}
    return resolve_features(names, preset=preset, trust_remote_code=True, **settings)


def parse_weights(text: str) -> str | dict[str, str | None] | None:
    """Turn pretrained, random, or l3=PATH,vggish=PATH into what `evaluate` takes."""
    words: dict[str, str | None] = {"pretrained": "pretrained", "random": None}
    if text in words:
        return words[text]
    weights = {}
    for item in split_names(text):
        network, _, value = item.partition("=")
        if not network or not value:
            raise InputError(
                "--weights must be pretrained, random, or files such as l3=PATH,vggish=PATH. "
                f"Got {text!r}."
            )
        weights[network] = words.get(value, os.fspath(expand(value)))
    return weights


def load_pair(dataset: str, test_on: str, target: str, *, on_error: str, **options):
    """Load two datasets, each with the options that are for it; return what `load_clips` does."""
    pair = []
    for name, other in ((dataset, test_on), (test_on, dataset)):
        mine = {
            option: value
            for option, value in options.items()
            # One that is for neither is an error of the first.
            if _takes(name, option) or (name == dataset and not _takes(other, option))
        }
        pair.append(load_clips(name, target, on_error=on_error, **{"tags_separator": None} | mine))
    return pair


def _takes(name: str, option: str) -> bool:
    """Whether an option is for a dataset, a csv file or a folder of this name."""
    from skmer.datasets.registry import DATASETS

    if option in ("data_home", "frames"):
        return True
    if name in DATASETS:
        return False
    path = expand(name)
    if not path.is_dir():
        return option != "group_from"
    # The columns are those of a csv file in it.
    return option == "group_from" or any(path.glob("*.csv"))


def parse_scales(text: str) -> list[tuple[float, float]]:
    """Turn 1:9,-1:1 into the ends of two scales."""
    try:
        pairs = [tuple(map(float, one.split(":"))) for one in text.split(",")]
        (first, second) = pairs
        if {len(first), len(second)} != {2}:
            raise ValueError
    except ValueError:
        raise InputError(
            f"--scales must be the ends of two scales, such as 1:9,-1:1. Got {text!r}."
        ) from None
    return pairs  # type: ignore[return-value]


def known_scale(dataset: str, frame, columns: list[str] | None) -> tuple[float, float] | None:
    """Return the ends of the scale of some columns of a dataset; None where it is not known."""
    from skmer.datasets.registry import DATASETS

    if dataset not in DATASETS or not columns:
        return None
    scales = DATASETS[dataset].info.scales
    names = [name if name in frame else f"static_{name}" for name in columns]
    found = {scales.get("".join(name.rpartition("_")[:2])) for name in names}
    return found.pop() if len(found) == 1 else None


def load_clips(
    dataset: str,
    target: str,
    *,
    on_error: str,
    tags_column: str | None = None,
    frames: bool = False,
    **options,
) -> tuple[Any, Any, list[str] | None]:
    """Return the clips of a dataset, a csv file or a folder, what is predicted, and its columns."""
    from skmer.cli.terminal import note
    from skmer.datasets import list_datasets, load_dataset

    columns: Any = None if target in ("label", "tags") else split_names(target)
    if frames and columns is None:
        raise InputError("--frames needs numbers that change over time, as --target arousal.")
    if frames and all("=" in name for name in columns):
        columns = dict(name.split("=", 1) for name in columns)
    named = dataset in set(list_datasets()["name"])
    if target == "tags":
        options["tags_column"] = None if named else tags_column or "tags"
    elif tags_column is not None or options["tags_separator"] is not None:
        raise InputError("--tags-column and --tags-separator are for --target tags.")
    clips = load_dataset(
        dataset,
        target_columns=None if named else columns,
        frames=(frames or None) if not named else None,
        on_missing="keep" if on_error == "skip" else "raise",
        **options,
    )
    if not named:
        # How the user's own clips were found, and how many were left out.
        note(clips.DESCR)
    if target == "tags" and clips.target.ndim != 2:
        raise InputError(f"--target tags needs several tags a clip, which {dataset} does not have.")
    if columns is None:
        return clips, clips.target, None
    if frames:
        curves = clips.get("dynamic", {}) if named else clips.target
        if lacking := [name for name in columns if name not in curves]:
            raise InputError(
                f"--target must be of {', '.join(curves) or 'a dataset'} with --frames: "
                f"{dataset} has no {', '.join(lacking)} over time."
            )
        return clips, {name: curves[name] for name in columns}, list(columns)
    y = _find_columns(clips.frame, columns) if named else dict(zip(columns, clips.target.T))
    return clips, y, columns


# Columns that may have the artists, in the order in which they are looked for.
_ARTISTS = ("artist", "singer", "performer", "speaker", "actor", "band", "album")


def choose_protocol(text: str | None, clips) -> list[str]:
    """Return the protocols that were asked for; else groups apart where there are any."""
    from skmer.cli.terminal import warn

    is_grouped = clips.groups is not None
    names = split_names(text) if text is not None else ["grouped" if is_grouped else "shuffled"]
    columns = {name.lower(): name for name in clips.frame} if "frame" in clips else {}
    column = next((columns[name] for name in _ARTISTS if name in columns), "NAME")
    how = (
        f"--group-column {shlex.quote(column)} with a csv file, --group-from PATTERN with a folder"
    )
    if not is_grouped and "grouped" in names:
        raise InputError(
            f"--protocol grouped needs the artist or singer of each clip; give {how}, or take "
            "--protocol shuffled."
        )
    if not is_grouped and text is None:
        warn(
            "warning: The artists of the clips are not known, so the splits are random, and an "
            f"artist may be both trained on and tested. To keep artists apart, give {how}."
        )
    return names


def _find_columns(frame, names: list[str]) -> dict:
    """Return columns of numbers; the static ones where a dataset has dynamic ones as well."""
    numbers = frame.select_dtypes("number")
    found = {name: name if name in numbers else f"static_{name}" for name in names}
    for name, column in found.items():
        if column not in numbers:
            raise InputError(
                "--target must be label, or columns of numbers of the dataset "
                f"({', '.join(numbers) or 'it has none'}). Got {name!r}."
            )
    return {name: numbers[column].to_numpy(dtype=float) for name, column in found.items()}

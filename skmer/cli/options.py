"""Options that several commands have, and what their words mean to the library."""

import copy
import functools
import inspect
import re
import shlex
import textwrap
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import typer

from skmer.cli.terminal import note, show_progress, warn
from skmer.embeddings.registry import HUB, NETWORKS
from skmer.exceptions import InputError

# What stands for these words in the help of options.
_LISTS = {
    "{DATASETS}": "toy, toy-tags, ravdess-song, emomusic, deam, 4q, bimodal, merge, pmemo, "
    "mtg-jamendo-moodtheme",
    "{FEATURES}": ", ".join(
        (*NETWORKS, *HUB, "hub:NAME@REVISION#LAYER", "mine=package.module:factory")
    ),
    "{CLASSIFIERS}": "svm, nb, rf, mlp, cnn, lstm",
    "{NETWORK}": next(iter(NETWORKS)),
}
# Of the commands that take a feature by default.
DEFAULT_FEATURE = "musicnn"
AtLeastOne = Annotated[int | None, typer.Option(min=1)]
NotNegative = Annotated[int, typer.Option(min=0)]
AtLeastTwo = Annotated[int | None, typer.Option(min=2)]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1)]


def examples(text: str) -> str:
    """Return the end of a help text."""
    # The \b keeps the lines apart.
    return "\b\nExamples:\n" + textwrap.indent(text, "  ")


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

    return text if is_url(text) else str(expand(text))


UrlOption = Annotated[str | None, typer.Option(parser=expand_or_url)]
_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def parse_time(text: str) -> float:
    """Return the seconds of a time such as 90, 30m, 2h or 1h30m."""
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(d|h|min|m|s|)", text.strip())
    if not parts or "".join(map("".join, parts)) != "".join(text.split()):
        raise typer.BadParameter(f"a time must be like 90s, 30m, 2h or 1h30m. Got {text!r}.")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


Time = Annotated[float | None, typer.Option(parser=parse_time)]


@dataclass(kw_only=True)
class ClipOptions:
    """Options for the clips of a dataset, and for what of them is predicted.

    Parameters
    ----------
    dataset : DATASET
        {DATASETS}, a .csv file of your own with the columns path, label and perhaps group, or a
        folder with one folder per label.
    data_home : DIR
        Where datasets are; else $SKMER_DATA.
    target : NAMES
        label; tags, several a clip; or columns of numbers such as arousal,valence, which regressors
        predict (--classifiers of svr, ridge).
    frames : flag
        The numbers of --target change over time: of a dataset, or of a csv with a row a moment, or
        columns such as arousal_15000ms; or of a csv each, arousal=FILE,valence=FILE.
    time_column : NAME
        The column of the seconds of each moment in a csv, if not time or frameTime.
    on_error : WHAT
        raise, or skip: leave clips out that cannot be read.
    path_column : NAME
        The column of the files in a csv, if not path.
    label_column : NAME
        The column of the labels in a csv, if not label.
    tags_column : NAME
        The column of the tags in a csv, if not tags.
    tags_separator : MARK
        What stands between two tags, if not ;.
    group_column : NAME
        The column of the groups in a csv, if not group.
    start_column : NAME
        The column of the starts of clips in their files in a csv, if not start.
    end_column : NAME
        The column of the ends of clips in their files in a csv, if not end.
    group_from : PATTERN
        Of a folder: where in the names of files the group is, as '{group} - *'.
    """

    dataset: str = field(kw_only=False)
    data_home: Path | None = None
    target: str = "label"
    frames: bool = False
    time_column: str | None = None
    on_error: str = "raise"
    path_column: str | None = None
    label_column: str | None = None
    tags_column: str | None = None
    tags_separator: str | None = None
    group_column: str | None = None
    start_column: str | None = None
    end_column: str | None = None
    group_from: str | None = None


@dataclass(kw_only=True)
class FitOptions:
    """Options for how features are computed, and classifiers fitted.

    Parameters
    ----------
    offset : S
        Seconds of each clip to leave out.
    duration : S
        Seconds of each clip to use; else all.
    pooling : NAMES
        Over the frames of a clip: mean, std, max, min.
    folds : N
        Folds of grouped; by default 5, or 10 for numbers, at most as many as groups.
    preset : NAME
        Settings of features and classifiers: tuned, koh2021.
    weights : WHICH
        pretrained, random, or files such as {NETWORK}=PATH.
    trust_remote_code : flag
        Run the code that comes with a model of the hub, with all your rights: read it, and pin its
        revision, hub:NAME@REVISION.
    cache : DIR
        Where each clip's embedding is kept for other runs; see skmer cache show.
    no_cache : flag
        Keep no embeddings for other runs.
    jobs : N
        Clips or fits at once; -1 = all cores.
    seed : N
        Where every random number comes from.
    """

    offset: float | None = None
    duration: float | None = None
    pooling: str | None = None
    folds: AtLeastTwo = None
    preset: str = "tuned"
    weights: str = "pretrained"
    trust_remote_code: bool = False
    cache: Path | None = None
    no_cache: bool = False
    jobs: int = -1
    seed: Seed = 0

    @property
    def chosen(self) -> dict[str, Any]:
        """The settings of features that were given."""
        return given(self, ("offset", "duration", "pooling"))

    def evaluate(self, features, models, clips: ClipOptions, loaded: tuple, **options):
        """Evaluate features and models on what `load_clips` returned for the options `clips`.

        The cache of the user is bounded in the end.
        """
        from skmer import evaluation
        from skmer.embeddings import resolve_features
        from skmer.utils.cache import ClipCache, default_cache, default_max_bytes

        if self.no_cache and self.cache is not None:
            raise InputError("--cache and --no-cache exclude each other; give one of them.")
        is_own = self.cache is None and not self.no_cache
        max_bytes = default_max_bytes() if is_own else None
        data, y, columns = loaded
        options |= {
            "weights": parse_weights(self.weights),
            "random_state": self.seed,
            "n_jobs": self.jobs,
            "verbose": show_progress(),
            "dataset": clips.dataset,
            "on_error": clips.on_error,
            "groups": data.groups,
        }
        # The library has its own default.
        options |= {"n_folds": self.folds} if self.folds else {}
        if columns is None:
            options["preset"] = self.preset
        else:
            options["task"] = "dynamic_regression" if clips.frames else "regression"
        options["memory"] = None if self.no_cache else self.cache or default_cache()
        # Names alone make transformers without these settings.
        if features and (self.chosen or self.trust_remote_code):
            shared = ("weights", "random_state", "memory", "n_jobs", "verbose")
            settings = {name: options[name] for name in shared} | {"preset": self.preset}
            settings["trust_remote_code"] = self.trust_remote_code
            features = set_parameters(resolve_features(features, **settings), self.chosen)
        try:
            return evaluation.evaluate(features, models, data.data, y, **options)
        finally:
            if max_bytes is not None:
                ClipCache(default_cache()).prune(max_bytes)


def given(options: Any, names) -> dict[str, Any]:
    """Return those of some options that were given, by the names of the parameters."""
    settings = {name: getattr(options, name) for name in names}
    for name in {"pooling", "layer"}.intersection(settings):
        if settings[name] is not None:
            several = tuple(split_names(settings[name]))
            settings[name] = several[0] if len(several) == 1 else several
    return {name: value for name, value in settings.items() if value is not None}


def set_parameters(transformers: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Give each transformer those settings that it has; raise for one that none has."""
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
    return transformers


def command(app: typer.Typer, name: str | None = None):
    """Make a function a command, whose help is its docstring, see `with_options`; a decorator."""

    def register(run):
        text, _, lines = parse_docstring(run)
        app.command(name, help=text, epilog=examples(lines))(with_options(run))
        return run

    return register


def with_options(run):
    """Return a function whose parameters are in typer's terms.

    Positional parameters become arguments, and those behind the ``*`` options. The section
    "Parameters" of the docstring has metavar and help of each, unless it is one of `ClipOptions` or
    `FitOptions`. A parameter that is a class of options becomes the options of that class.
    """
    parameters: list[inspect.Parameter] = []
    helps: dict[str, tuple[str, str]] = {}
    signature = inspect.signature(run).parameters
    groups = {one.name: one.annotation for one in signature.values()}
    groups = {one: group for one, group in groups.items() if is_dataclass(group)}
    for documented in (ClipOptions, FitOptions, *groups.values(), run):
        helps |= parse_docstring(documented)[1]
    for one in signature.values():
        group = groups.get(one.name)
        parameters += inspect.signature(group).parameters.values() if group else [one]
    parameters = [_describe(one, helps) for one in parameters]

    @functools.wraps(run)
    def call(**words):
        for name, group in groups.items():
            words[name] = group(**{one.name: words.pop(one.name) for one in fields(group)})
        return run(**words)

    parameters.sort(key=lambda one: one.kind)
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return call


def parse_docstring(documented) -> tuple[str, dict[str, tuple[str, str]], str]:
    """Return the text before the sections, metavar and help by parameter, and the examples."""
    text = documented.__doc__ or ""
    for word, listed in _LISTS.items():
        text = text.replace(word, listed)
    text, *sections = re.split(r"\n\n(\w+)\n-+\n", inspect.cleandoc(text))
    named = dict(zip(sections[::2], sections[1::2]))
    found = re.findall(r"^(\w+) : (.+)\n((?: .*\n?)+)", named.get("Parameters", ""), re.M)
    helps = {name: (metavar, " ".join(help.split())) for name, metavar, help in found}
    return text, helps, named.get("Examples", "")


def _describe(parameter: inspect.Parameter, helps: dict) -> inspect.Parameter:
    """Return a parameter in typer's terms: an argument or option with its help."""
    hint, info = parameter.annotation, typer.Option()
    if hint is typer.Context:
        return parameter
    if get_origin(hint) is Annotated:
        hint, shared = get_args(hint)
        info = copy.copy(shared)
    if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
        info = typer.Argument(parser=info.parser)
    elif hint is bool:
        info.param_decls = (f"--{parameter.name.replace('_', '-')}",)
    if hint in (Path, Path | None):
        info.parser = expand
    metavar, info.help = helps[parameter.name]
    info.metavar = None if hint is bool else metavar
    return parameter.replace(annotation=Annotated[hint, info])


def split_names(text: str) -> list[str]:
    """Split a comma-separated list."""
    return [name.strip() for name in text.split(",")]


def split_features(text: str, weights: str) -> list[str]:
    """Split a list of features, each a name or ``mine=package.module:factory``, and check it.

    What `weights` names must be among them.
    """
    from skmer.embeddings import resolve_features

    names, files = split_names(text), parse_weights(weights)
    made = resolve_features(names)
    for name in files if isinstance(files, dict) else ():
        if name not in made or "weights" not in made[name].get_params():
            raise InputError(
                f"--weights must name some of --features that have weights. Got {name!r} "
                f"with --features {text}."
            )
    return names


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
        weights[network] = words.get(value, str(expand(value)))
    return weights


def load_pair(clips: ClipOptions, test_on: str) -> list[tuple]:
    """Load two datasets, each with the options that are for it; return what `load_clips` does."""
    pair = []
    for name, other in ((clips.dataset, test_on), (test_on, clips.dataset)):
        # One that is for neither is an error of the first.
        ignored: dict[str, Any] = {
            one.name: one.default
            for one in fields(clips)
            if not _takes(name, one.name) and (name != clips.dataset or _takes(other, one.name))
        }
        pair.append(load_clips(replace(clips, **ignored | {"dataset": name})))
    return pair


def _takes(name: str, option: str) -> bool:
    """Whether an option is for a dataset, a csv file or a folder of this name."""
    from skmer.datasets.registry import DATASETS

    if not option.endswith(("_column", "_separator", "_from")):
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
        first, second = (one.split(":") for one in text.split(","))
        (low, high), (other_low, other_high) = map(float, first), map(float, second)
    except ValueError:
        raise InputError(
            f"--scales must be the ends of two scales, such as 1:9,-1:1. Got {text!r}."
        ) from None
    return [(low, high), (other_low, other_high)]


def known_scale(dataset: str, frame, columns: list[str] | None) -> tuple[float, float] | None:
    """Return the ends of the scale of some columns of a dataset; None where it is not known."""
    from skmer.datasets.registry import DATASETS

    if dataset not in DATASETS or not columns:
        return None
    scales = DATASETS[dataset].info.scales
    names = [name if name in frame else f"static_{name}" for name in columns]
    found = {scales.get("".join(name.rpartition("_")[:2])) for name in names}
    return found.pop() if len(found) == 1 else None


def load_clips(clips: ClipOptions) -> tuple[Any, Any, list[str] | None]:
    """Return the clips of a dataset, a csv file or a folder, what is predicted, and its columns."""
    import pandas as pd

    from skmer.datasets import load_dataset, registry

    options = vars(clips).copy()
    dataset, target, frames = (options.pop(name) for name in ("dataset", "target", "frames"))
    is_strict = options.pop("on_error") != "skip"
    if clips.tags_column is not None and target == "label":
        target = "tags"
    columns: Any = None if target in ("label", "tags") else split_names(target)
    if frames and columns is None:
        raise InputError("--frames needs numbers that change over time, as --target arousal.")
    if frames and all("=" in name for name in columns):
        places = dict(name.split("=", 1) for name in columns)
        columns = {name: _find_here(place) for name, place in places.items()}
    named = dataset in registry.DATASETS
    if target == "tags":
        options["tags_column"] = None if named else clips.tags_column or "tags"
    elif clips.tags_column is not None or clips.tags_separator is not None:
        raise InputError("--tags-column and --tags-separator are for --target tags.")
    if not named:
        options |= {"target_columns": columns, "frames": frames or None}
    found = load_dataset(dataset, on_missing="raise" if is_strict else "keep", **options)
    if not named:
        # How the user's own clips were found, and how many were left out.
        note(found.DESCR)
    if target == "tags" and found.target.ndim != 2:
        raise InputError(f"--target tags needs several tags a clip, which {dataset} does not have.")
    if target == "tags":
        return found, pd.DataFrame(found.target, columns=found.target_names), None
    if columns is None:
        return found, found.target, None
    if frames:
        curves = found.get("dynamic", {}) if named else found.target
        if lacking := [name for name in columns if name not in curves]:
            raise InputError(
                f"--target must be of {', '.join(curves) or 'a dataset'} with --frames: "
                f"{dataset} has no {', '.join(lacking)} over time."
            )
        return found, {name: curves[name] for name in columns}, list(columns)
    y = _find_columns(found.frame, columns) if named else dict(zip(columns, found.target.T))
    return found, y, columns


def _find_here(place: str) -> str:
    """Return FILE or FILE#COLUMN with the file of the current folder, where it has one."""
    name, mark, column = place.partition("#")
    path = expand(name).absolute()
    # The library takes relative paths from the folder of the table of the clips.
    return f"{path}{mark}{column}" if path.is_file() else place


# Columns that may have the artists, in the order in which they are looked for.
_ARTISTS = ("artist", "singer", "performer", "speaker", "actor", "band", "album")


def choose_protocol(text: str | None, dataset: str, clips) -> list[str]:
    """Return the protocols that were asked for; else groups apart where there are any."""
    is_grouped = clips.groups is not None
    names = split_names(text) if text is not None else ["grouped" if is_grouped else "shuffled"]
    columns = {name.lower(): name for name in clips.frame} if "frame" in clips else {}
    column = next((columns[name] for name in _ARTISTS if name in columns), "NAME")
    is_table = _takes(dataset, "group_column")
    option = f"--group-column {shlex.quote(column)}" if is_table else "--group-from PATTERN"
    if not is_grouped and "grouped" in names:
        raise InputError(
            f"--protocol grouped needs the artist or singer of each clip; give {option}, or take "
            "--protocol shuffled."
        )
    if not is_grouped and text is None:
        # Of a folder without a table the loader has warned, with the option that fits.
        advice = f" To keep artists apart, give {option}." if is_table else ""
        warn(
            "warning: The artists of the clips are not known, so the splits are random, and an "
            f"artist may be both trained on and tested.{advice}"
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

"""Options that several commands have, and what their words mean to the library."""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from skmer.cli import terminal as _terminal
from skmer.embeddings.registry import NETWORKS
from skmer.exceptions import InputError

DATASETS = "toy, ravdess-song, emomusic, deam, 4q, bimodal, merge"
FEATURES = ", ".join((*NETWORKS, "mine=package.module:factory"))
CLASSIFIERS = "svm, nb, rf, mlp, cnn, lstm"


def examples(*lines: str) -> str:
    """Return the end of a help text."""
    # The \b keeps the lines apart.
    return "\b\nExamples:\n" + "\n".join(f"  $ {line}" for line in lines)


def expand(text: str) -> Path:
    """Turn the words of an option into a path, with ~, which shells leave alone in --out=~/x."""
    from skmer.utils.files import expand_path

    try:
        return expand_path(text)
    except InputError as error:
        # typer takes a ValueError for one of its own making, and says nothing of why.
        raise typer.BadParameter(str(error)) from error


def number(kind: type, least: float = -math.inf, most: float = math.inf):
    """Return a parser of numbers; what comes with typer takes 1_0 for 10."""

    def parse(given):
        try:
            value = kind("" if "_" in str(given) else given)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            bounds = "" if least == -math.inf else f" of at least {least}"
            bounds += "" if most == math.inf else f" and at most {most}"
            noun = "whole number" if kind is int else "number"
            raise typer.BadParameter(f"It must be a {noun}{bounds}. Got {str(given)[:80]!r}.")
        return value

    return parse


def bound_jobs(jobs: int | None) -> int | None:
    """Take no more processes than there are cores: more would only fill the memory."""
    from joblib import cpu_count

    if jobs == 0:
        raise InputError("--jobs must be a number of processes, or -1 for all cores. Got 0.")
    if jobs is None or jobs <= cpu_count():
        return jobs
    _terminal.say(f"note: of --jobs {jobs}, {cpu_count()} are used, as there are cores.")
    return cpu_count()


def _column(what: str, name: str):
    """Return the option for a column of a csv file."""
    return typer.Option(metavar="NAME", help=f"The column of the {what} in a csv, if not {name}.")


DataHome = Annotated[
    Path | None,
    typer.Option(metavar="DIR", parser=expand, help="Where datasets are; else $SKMER_DATA."),
]
Classifiers = Annotated[
    str | None, typer.Option(metavar="NAMES", help=f"Of {CLASSIFIERS}; by default all.")
]
Weights = Annotated[
    str,
    typer.Option(metavar="WHICH", help="pretrained, random, or files: l3=PATH,vggish=PATH."),
]
Cache = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", parser=expand, help="Keep each clip's embedding here for other runs."
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        parser=number(int),
        callback=bound_jobs,
        help="Processes at once; -1 = all cores.",
    ),
]
PathColumn = Annotated[str | None, _column("files", "path")]
LabelColumn = Annotated[str | None, _column("labels", "label")]
GroupColumn = Annotated[str | None, _column("groups", "group")]
GroupFrom = Annotated[
    str | None,
    typer.Option(
        metavar="PATTERN",
        help="Of a folder: where in the names of files the group is, as '{group} - *'.",
    ),
]
ON_ERROR = ("raise", "skip")
OnError = Annotated[
    str,
    typer.Option(metavar="WHAT", help="raise, or skip: leave clips out that cannot be read."),
]
Seed = Annotated[
    int,
    typer.Option(
        metavar="N",
        parser=number(int, 0, 2**32 - 1),
        help="Where every random number comes from.",
    ),
]


def split_names(option: str, text: str | None, known: Sequence[str]) -> list[str]:
    """Split a comma-separated list of known names; without a text, all of them."""
    if text is None:
        return list(known)
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in known:
            raise InputError(
                f"{option} must be one or several of {', '.join(known)}, separated by commas. "
                f"Got {text[:80]!r}."
            )
        if names.count(name) > 1:
            raise InputError(f"{option} has {name!r} twice.")
    return names


def check_choice(option: str, text: str, known: Sequence[str]) -> str:
    """Refuse what is not one of a few words."""
    if text not in known:
        raise InputError(f"{option} must be one of {', '.join(known)}. Got {text[:80]!r}.")
    return text


def parse_weights(text: str) -> str | dict[str, str | None] | None:
    """Turn pretrained, random, or l3=PATH,vggish=PATH into what `evaluate` takes."""
    words: dict[str, str | None] = {"pretrained": "pretrained", "random": None}
    if text in words:
        return words[text]
    weights = {}
    for item in text.split(","):
        network, equals, value = item.strip().partition("=")
        if not network or not equals or not value:
            raise InputError(
                "--weights must be pretrained, random, or files such as l3=PATH,vggish=PATH. "
                f"Got {text[:80]!r}."
            )
        weights[network] = words.get(value, os.fspath(expand(value)))
    return weights


def split_features(text: str) -> list[str]:
    """Split a comma-separated list of features, which may be ``mine=package.module:factory``."""
    from skmer.embeddings import resolve_features

    names = [name.strip() for name in text.split(",")]
    resolve_features(names)
    return names

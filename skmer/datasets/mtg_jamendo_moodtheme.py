"""Full tracks with several moods and themes each: what the field tags with.

:Clips: 18486 tracks of 30 to 3931 s, median 203 s, 1126 h in all, mp3
:Tags: 59 moods and themes, 32527 in all; 56 of them, and 17982 tracks, in the published splits
:Groups: 1533 artists
:Licence: annotations CC BY-NC-SA 4.0; audio under the Creative Commons licence of each track
:Source: https://github.com/MTG/mtg-jamendo-dataset at 1b4fa8c; skmer fetches the annotations, and
    the download script of that page the audio

MediaEval's "Emotion and Theme Recognition" of 2019 to 2021 and MARBLE's MTGMood use it. 9947
tracks have one tag, 5118 two, 1996 three, the others four to eight. The uploaders chose the tags,
and nobody checked all tags for all tracks: a tag that a track does not have is not a "no", and
scores count some right answers as mistakes. ``film`` is on 13 % of the test tracks of split 0.

``split`` is one of the five published splits, in which no artist is in two parts; tags of too few
artists, and 504 tracks, are in none of them. Split 0 has 9949 tracks to train, 3802 to validate
and 4231 to test. A classifier that guesses the share of each tag has a ROC-AUC of .5 and a mean
average precision of .0319 on it, which is the popularity baseline of the benchmark.

Tracks are up to an hour long. ``offset`` and ``duration`` of the transformers choose a part of
each, which bounds time and memory. Both ``audio/`` (320 kbit/s) and ``audio-low/`` (mono) are used
as they lie.

.. code-block:: bibtex

    @inproceedings{bogdanov2019mtg,
      author = {Bogdanov, Dmitry and Won, Minz and Tovstogan, Philip and Porter, Alastair and
                Serra, Xavier},
      title = {The {MTG-Jamendo} dataset for automatic music tagging},
      booktitle = {Machine Learning for Music Discovery Workshop, ICML},
      year = {2019},
    }
"""

import json
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

from skmer.datasets import fetch, files, registry, tables
from skmer.datasets.validate import Finding, check_file, find_extra
from skmer.exceptions import DatasetNotFoundError, InputError
from skmer.utils import digest, messages, progress

INFO = registry.DatasetInfo(
    name="mtg-jamendo-moodtheme",
    title="MTG-Jamendo, mood and theme",
    n_clips=18486,
    groups="1533 artists",
    licence="annotations CC BY-NC-SA 4.0; audio: Creative Commons, by track",
    url="https://github.com/MTG/mtg-jamendo-dataset",
    folder="mtg_jamendo",
    layout="``mtg_jamendo/``, tables, ``audio/`` and ``audio-low/`` at any depth",
    checked="SHA-256 of the tables and, where the published lists are in place, of the audio",
)
_RAW = "https://raw.githubusercontent.com/MTG/mtg-jamendo-dataset"
_COMMIT = "1b4fa8c32e076c73b5175c1703ae805b4109309d"
PREFIX = "mood/theme---"
PARTS = ("train", "validation", "test")
# Of the splits; three more tags are on the other tracks.
TAGS = (
    "action", "adventure", "advertising", "background", "ballad", "calm", "children", "christmas",
    "commercial", "cool", "corporate", "dark", "deep", "documentary", "drama", "dramatic", "dream",
    "emotional", "energetic", "epic", "fast", "film", "fun", "funny", "game", "groovy", "happy",
    "heavy", "holiday", "hopeful", "inspiring", "love", "meditative", "melancholic", "melodic",
    "motivational", "movie", "nature", "party", "positive", "powerful", "relaxing", "retro",
    "romantic", "sad", "sexy", "slow", "soft", "soundscape", "space", "sport", "summer", "trailer",
    "travel", "upbeat", "uplifting",
)  # fmt: skip
N_IN_SPLITS = 17982
TRACKS = tables.PublishedTable(
    "TRACK_ID",
    {
        "ARTIST_ID": "group",
        "ALBUM_ID": "album_id",
        "PATH": "file",
        "DURATION": "duration",
        "TAGS": "tags",
    },
    # Tags are further fields, so that rows are longer than the header.
    options={"ragged": "any", "separators": "\t"},
)


@cache
def checksums() -> dict[str, str]:
    """SHA-256 of the tables and lists of the repository, by their paths below its ``data``."""
    path = resources.files("skmer.datasets") / "checksums" / "mtg_jamendo_moodtheme.json"
    return json.loads(path.read_text(encoding="utf-8"))


def table_names(split: int | None) -> dict[str, str]:
    """Tables of a split by its parts, or the one of all tracks, as they lie in the repository."""
    if split is None:
        return {"": "autotagging_moodtheme.tsv"}
    return {part: f"splits/split-{split:d}/autotagging_moodtheme-{part}.tsv" for part in PARTS}


def find_published(folder: Path, names) -> dict[str, Path]:
    """Files of the repository that are below a folder, at any depth, by their paths in it.

    Of several files of one name it is the published one, by its SHA-256.
    """
    found = [f"/{path.as_posix()}" for path in files.find_files(folder).paths]
    # The folder of the split is needed, the one above it is not.
    ends = {name: "/" + name.removeprefix("splits/").removeprefix("download/") for name in names}
    places = {}
    for name, end in ends.items():
        paths = [Path(path[1:]) for path in found if path.endswith(end)]
        is_same = (path for path in paths if digest.file_digest(path) == checksums()[name])
        places[name] = paths[0] if len(paths) == 1 else next(is_same, None)
        if paths and places[name] is None:
            raise InputError(
                f"There are {len(paths)} files {paths[0].name} in {folder}, '{paths[0]}' and "
                f"'{paths[1]}', and none is the published one; {tables.ANEW}."
            )
    return {name: path for name, path in places.items() if path is not None}


def read_tracks(paths: dict[str, Path]):
    """Table of the tracks in the order of their numbers, from the tables by the parts they are."""
    import pandas as pd

    frame = pd.concat([TRACKS.read(path).assign(split=part) for part, path in paths.items()])
    names = " and ".join(path.name for path in paths.values())
    if frame.index.has_duplicates:
        raise InputError(f"{names} must share no track; {tables.ANEW}.")
    tags = frame["tags"].str.split(", ")
    if not tags.explode().str.startswith(PREFIX).all():
        raise InputError(f"The tags of {names} must begin with {PREFIX!r}; {tables.ANEW}.")
    frame["tags"] = tags.map(lambda one: ";".join(tag.removeprefix(PREFIX) for tag in one))
    frame["duration"] = tables.numbers(frame["duration"], names)
    frame = frame.rename_axis("track_id").sort_index().reset_index()
    frame.insert(0, "track", frame["file"].map(lambda file: Path(file).stem))
    return frame.drop(columns="file")


def validate(folder: Path, verbose: bool) -> list[Finding]:
    """Compare tables with their SHA-256, and audio with the published lists that are in place."""
    found = find_published(folder, checksums())
    lists = {name: path for name, path in found.items() if name.endswith(".tsv")}
    if not lists:
        return [Finding("autotagging_moodtheme.tsv", "missing")]
    findings = [check_file(path, folder, checksums()[name]) for name, path in found.items()]
    if any(finding.status == "wrong" for finding in findings):
        return findings
    published: dict[str, str] = {}
    for name, path in found.items():
        if name not in lists:
            lines = path.read_text(encoding="ascii").splitlines()
            published |= {file: sha for sha, file in map(str.split, lines)}
    codes = {code for path in lists.values() for code in read_tracks({"": path})["track"]}
    audio = files.find_audio_files(folder).paths
    clips = files.match_songs(codes, audio)
    for code in progress.track(sorted(codes, key=int), description="hashing", enabled=verbose):
        clip = clips.get(code)
        sha = None if clip is None else published.get(f"{clip.parent.name}/{clip.name}")
        findings.append(check_file(clip, folder, sha, _file(code)))
    return findings + find_extra(audio, set(clips.values()), folder)


def _file(code: str) -> str:
    """Where a track is in the distributed audio: its folder is the last two digits."""
    return f"audio/{code[-2:]:0>2}/{code}.mp3"


@registry.register_dataset(INFO, validate=validate)
def fetch_mtg_jamendo_moodtheme(
    split: Literal[0, 1, 2, 3, 4] | None = 0,
    *,
    annotations_only: bool = False,
    data_home: registry.DataHome = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
):
    """Load the mood and theme tags of MTG-Jamendo, and its audio where it is in place.

    =========   ==================================================================
    Clips       18486 full tracks; 17982 in the splits
    Tags        59; 56 in the splits; one to eight a track
    Groups      artists
    Licence     annotations CC BY-NC-SA 4.0; audio: Creative Commons, by track
    =========   ==================================================================

    Parameters
    ----------
    split : int or None, default=0
        Which of the five published splits, 0 to 4. None: all tracks and tags, without a split.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : ndarray of str, shape (n_clips,)
            Paths of the tracks, in the order of their numbers.
        target : ndarray of int, shape (n_clips, n_tags)
            1 where a track has the tag.
        target_names : list of str
            The tags.
        groups : ndarray of str, shape (n_clips,)
            The artists.
        split : ndarray of str, shape (n_clips,), or None
            "train", "validation" or "test", for :class:`~skmer.evaluation.FixedSplit`.
        frame : DataFrame, shape (n_clips, 8)
            path, group; track (its number), track_id, album_id, duration (in seconds), tags
            (separated by semicolons), split.
        DESCR : str
            Description, counts, licence and citation.

    (data, target) : tuple
        If ``return_X_y`` is True.

    Raises
    ------
    DatasetNotFoundError
        If the tables are not in place, and may not or cannot be downloaded; or no track is.
    ValueError
        If a table is not what was published.

    Warns
    -----
    IncompleteDatasetWarning
        If tracks are missing; they are left out.

    References
    ----------
    .. [1] Bogdanov, D., et al., "The MTG-Jamendo dataset for automatic music tagging", Machine
       Learning for Music Discovery Workshop, ICML 2019.

    Examples
    --------
    >>> from skmer.datasets import fetch_mtg_jamendo_moodtheme
    >>> dataset = fetch_mtg_jamendo_moodtheme(annotations_only=True)  # doctest: +SKIP
    >>> dataset.target.shape  # doctest: +SKIP
    (17982, 56)
    """
    folder = INFO.place(data_home)
    names = table_names(split)
    found = find_published(folder, names.values())
    missing = [name for name in names.values() if name not in found]
    if missing and not download_if_missing:
        raise DatasetNotFoundError(
            f"There is no {messages.shorten(missing)} of {INFO.title} in {folder}. Get it from "
            f"{INFO.url}, or let 'download_if_missing' be True."
        )
    if missing:
        lists = [name for name in checksums() if name.startswith("download/")]
        needed = {name: checksums()[name] for name in [*missing, *lists]}
        fetch.download_files(f"{_RAW}/{_COMMIT}/data", needed, folder)
        found = find_published(folder, names.values())
    frame = read_tracks({part: found[name] for part, name in names.items()})
    info = replace(INFO, n_clips=INFO.n_clips if split is None else N_IN_SPLITS)
    extra = "" if split is None else tables.describe_split(frame["group"], frame["split"])
    if split is None:
        frame = frame.drop(columns="split")
    frame = files.match_audio(frame, folder, info, would_be=_file if annotations_only else None)
    tags = frame["tags"].str.split(";")
    target = tables.indicators(tags, TAGS if split is not None else None)
    return registry.make_bunch(
        frame,
        INFO,
        target=target,
        target_names=target.columns,
        extra=extra,
        split=frame.get("split"),
    )

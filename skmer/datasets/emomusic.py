"""Emotion in Music (emoMusic): excerpts of 744 songs, rated in arousal and valence.

The database, also called 1000 songs, is published at

    http://cvml.unige.ch/databases/emoMusic/

Excerpts of 45 s from the Free Music Archive were rated by crowd workers: once for the whole
excerpt, on a scale of 1 to 9 (static), and continuously from 15 s on, between -1 and 1, averaged
and resampled to 2 Hz (dynamic). Redundant songs were removed from the first 1000.

References
----------

Soleymani, M., Caro, M. N., Schmidt, E. M., Sha, C.-Y., and Yang, Y.-H., 1000 songs for emotional
analysis of music, Proceedings of the 2nd ACM International Workshop on Crowdsourcing for
Multimedia, 1-6, 2013.
"""

import hashlib
import os
import re
import warnings
from pathlib import Path, PurePosixPath
from typing import Literal

from skmer.datasets.fetch import Archive, download_and_unpack, get_data_home
from skmer.datasets.info import (
    DYNAMIC_SCALE,
    FETCH_CONSTRAINTS,
    STATIC_SCALE,
    DatasetInfo,
    describe,
    make_bunch,
)
from skmer.datasets.tables import (
    by_song,
    normalise_name,
    numbers,
    quadrants_of,
    read_csv_file,
    require_songs,
)
from skmer.datasets.validate import Finding, check_counts, check_presence, warn_of_cut_table
from skmer.exceptions import DatasetNotFoundError, IncompleteDatasetWarning, InputError
from skmer.utils.estimators import StrOptions, validate_params
from skmer.utils.messages import shorten

ANNOTATION_FILES = (
    "songs_info.csv",
    "static_annotations.csv",
    "arousal_cont_average.csv",
    "valence_cont_average.csv",
)
AXES = ("arousal", "valence")
# One sample every half second from 15 s to 45 s.
N_SAMPLES = 61

_SAMPLE = re.compile(r"sample_([0-9]+)ms")


def read_annotations(folder: Path):
    """Table of the songs, and the labels over time by axis (frames of song by seconds)."""
    songs = _read(
        folder / "songs_info.csv", ("Artist", "Song title", "Genre", "Mediaeval 2013 set")
    )
    static = _read(folder / "static_annotations.csv", tuple(f"mean_{axis}" for axis in AXES))
    _require_the_same_songs(songs, static, "static_annotations.csv")
    dynamic = {}
    for axis in AXES:
        dynamic[axis] = _read_dynamic(folder / f"{axis}_cont_average.csv", songs)
    frame = songs[["Artist", "Song title", "Genre"]].set_axis(["artist", "title", "genre"], axis=1)
    # No threshold on the static labels gives the counts in Table 1 of Koh and Dubnov (2021).
    arousal, valence = (dynamic[axis].mean(axis=1) for axis in AXES)
    frame.insert(0, "label", quadrants_of(arousal, valence, middle=0))
    frame.insert(1, "group", frame["artist"].map(normalise_name))
    frame["split"] = _splits(songs)
    for axis in AXES:
        labels = numbers(static[f"mean_{axis}"].loc[songs.index], "static_annotations.csv")
        frame[f"static_{axis}"] = STATIC_SCALE.check(labels, what=f"static {axis} labels")
    for axis in AXES:
        frame[f"dynamic_{axis}"] = dynamic[axis].mean(axis=1)
    return frame.reset_index(), dynamic


def _read(path: Path, columns: tuple[str, ...]):
    """Table of a file by song id, without the tabs and blanks around names and values."""
    frame = read_csv_file(path, ("song_id", *columns), separators=",").frame
    frame = by_song(frame, "song_id", str(path))
    song_ids = numbers(frame.index.to_series(), str(path)).astype(int)
    return frame.set_axis(song_ids, axis=0).rename_axis("song_id")


def _require_the_same_songs(songs, table, name: str) -> None:
    """Raise where one of two tables was cut."""
    require_songs(songs.index, table.index, name, "songs_info.csv")
    require_songs(table.index, songs.index, "songs_info.csv", name)


def _read_dynamic(path: Path, songs):
    """Labels of one axis over time: a row a song, a column a time in seconds."""
    import pandas as pd

    frame = _read(path, ())
    _require_the_same_songs(songs, frame, path.name)
    times = {name: int(match[1]) / 1000 for name in frame if (match := _SAMPLE.fullmatch(name))}
    if len(times) != N_SAMPLES:
        raise InputError(
            f"{path} must have {N_SAMPLES} columns such as 'sample_15000ms'. Got {len(times)}; "
            "fetch the annotations anew."
        )
    frame = frame.loc[songs.index, sorted(times, key=lambda name: times[name])]
    labels = DYNAMIC_SCALE.check(numbers(frame, str(path)), what=f"labels in {path.name}")
    frame = frame.rename(columns=times).rename_axis(columns="time")
    return pd.DataFrame(labels, frame.index, frame.columns)


def _splits(songs) -> list[str]:
    """The split in common use: 504 songs to train, 115 to validate, 125 to test."""
    return [
        "test" if part == "evaluation" else "valid" if _artist_bucket(artist) >= 8 else "train"
        for part, artist in zip(songs["Mediaeval 2013 set"], songs["Artist"])
    ]


def _artist_bucket(artist: str) -> int:
    """Number from 0 to 9 of an artist, from the ASCII letters of the name."""
    letters = "".join(c for c in artist.lower() if c.isascii() and (c.isalpha() or c.isspace()))
    name = " ".join(letters.split()).encode("ascii")
    return int(hashlib.sha1(name, usedforsecurity=False).hexdigest(), 16) % 10


INFO = DatasetInfo(
    name="emomusic",
    title="Emotion in Music",
    n_clips=744,
    class_counts={"Q1": 305, "Q2": 87, "Q3": 241, "Q4": 111},
    groups="411 artists",
    licence="audio: Creative Commons, by song (Free Music Archive); annotations: for research",
    citation="""@inproceedings{soleymani2013songs,
  author = {Soleymani, Mohammad and Caro, Micheal N. and Schmidt, Erik M. and Sha, Cheng-Ya and
            Yang, Yi-Hsuan},
  title = {1000 songs for emotional analysis of music},
  booktitle = {Proceedings of the 2nd ACM International Workshop on Crowdsourcing for Multimedia},
  pages = {1--6},
  year = {2013},
  doi = {10.1145/2506364.2506365},
}""",
    url="http://cvml.unige.ch/databases/emoMusic/",
    downloadable=True,
)
ANNOTATIONS_ARCHIVE = Archive(
    filename="annotations.tar.gz",
    url="https://cvml.unige.ch/databases/emoMusic/annotations.tar.gz",
    sha256="e0cb0b06e1b0ce7f04b1572fc410937699b7fad9dae67ddaa745f06cda4b0b33",
)
CLIPS_ARCHIVE = Archive(
    filename="clips_45sec.tar.gz",
    url="https://cvml.unige.ch/databases/emoMusic/clips_45sec.tar.gz",
    sha256="3994a5d5fefc27f9540d1a69cd7f1294c68e6cb311ce49765021e2e9c7a1057b",
)
FOLDER = "emomusic"
CHECKED = "columns, songs and quadrants of the annotations, names of the clips"
CLIPS_FOLDER = "clips_45seconds"

_SCALES = {"quadrant": None, "static": STATIC_SCALE, "dynamic": DYNAMIC_SCALE}


@validate_params(
    FETCH_CONSTRAINTS | {"target": [StrOptions(set(_SCALES))], "annotations_only": ["boolean"]},
    prefer_skip_nested_validation=True,
)
def fetch_emomusic(
    *,
    target: Literal["quadrant", "static", "dynamic"] = "quadrant",
    annotations_only: bool = False,
    data_home: str | os.PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
):
    """Load Emotion in Music, from its folder or from its publisher.

    =========   ==============================================================
    Clips       744, of 45 s
    Classes     Q1 305, Q2 87, Q3 241, Q4 111; or arousal and valence
    Groups      411 artists
    Licence     audio: Creative Commons; annotations: for research
    =========   ==============================================================

    Parameters
    ----------
    target : {"quadrant", "static", "dynamic"}, default="quadrant"
        "quadrant": the signs of the mean dynamic arousal and valence. "static": arousal
        and valence of the whole excerpt, 1 to 9. "dynamic": the mean over time of the
        continuous arousal and valence, -1 to 1.

    annotations_only : bool, default=False
        If True, need no audio: ``data`` says where the 744 clips would be.

    data_home : str or path-like, default=None
        Folder of the datasets; by default the environment variable ``SKMER_DATA``,
        else the user's data folder. ``<data_home>/emomusic/*.csv`` and
        ``<data_home>/emomusic/clips_45seconds/*.mp3`` are used as they are.

    download_if_missing : bool, default=True
        If False, raise an error where annotations or clips are not in place. Clips are
        not downloaded where only some are in place.

    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    as_frame : bool, default=False
        If True, ``data``, ``target`` and ``groups`` are pandas objects.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : ndarray of str, shape (n_clips,)
            Paths of the clips, in the order of songs_info.csv.
        target : ndarray, shape (n_clips,) of str, or (n_clips, 2) of float
            The quadrants, or arousal and valence on ``scale``.
        target_names : list of str
            The four quadrants, or "arousal" and "valence".
        groups : ndarray of str, shape (n_clips,)
            The artists, without differences in case and white space.
        scale : AffectScale or None
            The unit of ``target``; None for quadrants.
        split : ndarray of str, shape (n_clips,)
            "train" (504 songs), "valid" (115) or "test" (125): the split in common use.
            65 of the 125 test songs are by an artist of the others.
        dynamic : dict of DataFrame, shape (n_clips, 61)
            "arousal" and "valence" over time, -1 to 1: a row a song (indexed by
            song_id, in the order of ``data``), a column a time in seconds.
        frame : DataFrame, shape (n_clips, 12)
            path, label (the quadrant), group; song_id, artist, title, genre, split;
            static_arousal, static_valence, dynamic_arousal, dynamic_valence.
        DESCR : str
            Description, counts, licence and citation.

    (data, target) : tuple
        If ``return_X_y`` is True.

    Raises
    ------
    DatasetNotFoundError
        If files are not in place, and may not or cannot be downloaded.
    ValueError
        If an annotation file or an archive is not what was published.

    Warns
    -----
    IncompleteDatasetWarning
        If clips are missing; their songs are left out.

    References
    ----------
    .. [1] Soleymani, M., et al., "1000 songs for emotional analysis of music",
       CrowdMM 2013.

    Examples
    --------
    >>> from skmer.datasets import fetch_emomusic
    >>> dataset = fetch_emomusic(target="static", annotations_only=True)  # doctest: +SKIP
    >>> dataset.target.shape, str(dataset.scale)  # doctest: +SKIP
    ((744, 2), 'static, 1 to 9')
    """
    folder = get_data_home(data_home) / FOLDER
    missing = [name for name in ANNOTATION_FILES if not (folder / name).is_file()]
    if missing:
        _download(ANNOTATIONS_ARCHIVE, folder, shorten(missing), download_if_missing)
    frame, dynamic = read_annotations(folder)
    warn_of_cut_table(len(frame), INFO.n_clips, "songs_info.csv", INFO)
    paths = [folder / CLIPS_FOLDER / f"{song_id}.mp3" for song_id in frame["song_id"]]
    frame.insert(0, "path", [str(path) for path in paths])
    if not annotations_only:
        if not any(path.is_file() for path in paths):
            _download(CLIPS_ARCHIVE, folder, f"{CLIPS_FOLDER}/*.mp3", download_if_missing)
        frame = _keep_those_in_place(frame, paths, folder)
    labels = "label" if target == "quadrant" else [f"{target}_{axis}" for axis in AXES]
    split = frame["split"]
    columns = ["path", "label", "group", "song_id"]
    return make_bunch(
        frame[columns + [name for name in frame if name not in columns]],
        descr=describe(INFO),
        target_names=list(INFO.class_counts) if target == "quadrant" else AXES,
        target_columns=labels,
        return_X_y=return_X_y,
        as_frame=as_frame,
        scale=_SCALES[target],
        split=split if as_frame else split.to_numpy(dtype=str),
        dynamic={axis: dynamic[axis].loc[frame["song_id"]] for axis in AXES},
    )


def validate(folder: Path, *, verbose: bool) -> list[Finding]:
    """Compare the annotations with the published counts, and see that the clips are there."""
    missing = [name for name in ANNOTATION_FILES if not (folder / name).is_file()]
    if missing:
        return [Finding(name, "missing") for name in missing]
    try:
        frame, _ = read_annotations(folder)
    except ValueError as error:
        return [Finding("*.csv", "wrong", str(error).rstrip("."))]
    findings = [
        check_counts(name, frame["label"], INFO)
        if name.endswith("_cont_average.csv")
        else Finding(name, "unverified")
        for name in ANNOTATION_FILES
    ]
    names = [f"{CLIPS_FOLDER}/{song_id}.mp3" for song_id in frame["song_id"]]
    return findings + check_presence({name: folder / name for name in names}, folder)


def _download(archive: Archive, folder: Path, missing: str, download_if_missing: bool) -> None:
    """Fetch one of the two archives, or say where it goes."""
    if not download_if_missing:
        raise DatasetNotFoundError(
            f"There is no {missing} of Emotion in Music in {folder}. Unpack {archive.filename} "
            f"from {INFO.url} there, or fetch it with 'skmer datasets fetch emomusic'."
        )
    if archive is ANNOTATIONS_ARCHIVE:
        # tables that cannot be read would stay, and stand in the way of the next try
        download_and_unpack(archive, folder, wanted=_place_of_table, check=read_annotations)
    else:
        download_and_unpack(archive, folder, wanted=_place_of_clip)


def _place_of_table(member: str) -> str | None:
    """Where a file of the annotations goes, relative to the dataset's folder."""
    name = PurePosixPath(member).name
    return name if re.fullmatch(r"[a-z]\w+\.csv", name) else None


def _place_of_clip(member: str) -> str | None:
    """Where a file of the clips goes, relative to the dataset's folder."""
    name = PurePosixPath(member).name
    return f"{CLIPS_FOLDER}/{name}" if re.fullmatch(r"[0-9]+\.mp3", name) else None


def _keep_those_in_place(frame, paths: list[Path], folder: Path):
    """Rows whose clips exist, with a warning where some do not."""
    here = [path.is_file() for path in paths]
    missing = frame.loc[[not there for there in here], "song_id"]
    if len(missing):
        warnings.warn(
            f"{len(missing)} of {len(frame)} clips of Emotion in Music are missing in "
            f"{folder / CLIPS_FOLDER}, the songs {shorten(missing)}; the {sum(here)} others are "
            f"used. For all of them unpack {CLIPS_ARCHIVE.filename} from {INFO.url} there.",
            IncompleteDatasetWarning,
            stacklevel=5,
        )
    return frame[here].reset_index(drop=True)

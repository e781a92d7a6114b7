"""DEAM, the MediaEval database for emotional analysis in music: 1802 songs in arousal and valence.

The database is published at

    https://cvml.unige.ch/databases/DEAM/

It holds what was annotated for MediaEval in 2013, 2014 and 2015: 1744 excerpts of 45 s, among them
the 744 of Emotion in Music, and 58 full songs, the test part of 2015. Ratings are of the whole
song, on a scale of 1 to 9 (static), and continuous from 15 s on, between -1 and 1 at 2 Hz
(dynamic). No checksums are published.

References
----------

Aljanaki, A., Yang, Y.-H., and Soleymani, M., Developing a benchmark for emotional analysis of
music, PLoS ONE 12(3), e0173392, 2017.
"""

import os
import re
from pathlib import Path, PurePosixPath
from typing import Literal

from skmer.datasets.fetch import Archive, download_and_unpack, get_data_home
from skmer.datasets.files import find_tables, match_audio, match_songs
from skmer.datasets.info import (
    DYNAMIC_SCALE,
    FETCH_CONSTRAINTS,
    STATIC_SCALE,
    DatasetInfo,
    describe,
    describe_split,
    make_bunch,
)
from skmer.datasets.tables import (
    ANEW,
    QUADRANTS,
    artist_groups,
    by_song,
    numbers,
    quadrants_of,
    read_csv_file,
    require_songs,
)
from skmer.datasets.validate import Finding, check_presence, check_total, warn_of_cut_table
from skmer.exceptions import DatasetNotFoundError, InputError
from skmer.utils.estimators import StrOptions, validate_params
from skmer.utils.messages import shorten

AXES = ("arousal", "valence")
STATIC_FILES = (
    "static_annotations_averaged_songs_1_2000.csv",
    "static_annotations_averaged_songs_2000_2058.csv",
)
DYNAMIC_FILES = ("arousal.csv", "valence.csv")
# What the song's code, artist, title and genre are called in each year's table.
METADATA_FILES = {
    "metadata_2013.csv": ("song_id", "Artist", "Song title", "Genre"),
    "metadata_2014.csv": ("Id", "Artist", "Track", "Genre"),
    "metadata_2015.csv": ("id", "artist", "title", "genre"),
}
# Where the mean over time, or the rating of the whole, is neither high nor low.
MIDDLES = {"dynamic": 0.0, "static": 5.0}

_SAMPLE = re.compile(r"sample_([0-9]+)ms")


def read_annotations(paths: dict[str, Path], quadrants: str):
    """Table of the songs, and the labels over time by axis (frames of song by seconds)."""
    import pandas as pd

    static = pd.concat([_read_static(paths[name]) for name in STATIC_FILES])
    if static.index.has_duplicates:
        raise InputError(f"{' and '.join(STATIC_FILES)} of DEAM must share no song; {ANEW}.")
    dynamic = {}
    for axis, name in zip(AXES, DYNAMIC_FILES):
        dynamic[axis] = _read_dynamic(paths[name])
        require_songs(static.index, dynamic[axis].index, name, STATIC_FILES[0])
        require_songs(dynamic[axis].index, static.index, " and ".join(STATIC_FILES), name)
        dynamic[axis] = dynamic[axis].loc[static.index]
    metadata = pd.concat([_read_metadata(paths[name], names) for name, names in _here(paths)])
    # A song that is in the tables of two years is the same song.
    metadata = metadata[~metadata.index.duplicated()].reindex(static.index, fill_value="")
    frame = metadata[["artist", "title", "genre"]].copy()
    frame.insert(0, "group", artist_groups(frame["artist"], frame.index.to_series()))
    for axis in AXES:
        frame[f"static_{axis}"] = static[axis]
    for axis in AXES:
        frame[f"dynamic_{axis}"] = dynamic[axis].mean(axis=1)
    arousal, valence = (frame[f"{quadrants}_{axis}"] for axis in AXES)
    frame.insert(0, "label", quadrants_of(arousal, valence, MIDDLES[quadrants]))
    return frame.rename_axis("song_id").reset_index(), dynamic


def _here(paths: dict[str, Path]):
    """The metadata tables that there are, with the names of their columns."""
    return [(name, names) for name, names in METADATA_FILES.items() if name in paths]


def _read_static(path: Path):
    """Ratings of whole songs, 1 to 9, by song."""
    columns = [f"{axis}_mean" for axis in AXES]
    frame = read_csv_file(path, ["song_id", *columns], separators=",").frame
    frame = _by_number(frame, "song_id", path)
    labels = frame[columns].set_axis(list(AXES), axis=1)
    for axis in AXES:
        labels[axis] = STATIC_SCALE.check(
            numbers(labels[axis], path.name), what=f"{axis} labels in {path.name}"
        )
    return labels.astype(float)


def _read_dynamic(path: Path):
    """Labels of one axis over time, -1 to 1: a row a song, a column a time in seconds.

    Rows end where their song does; the rest of the row is NaN.
    """
    import pandas as pd

    frame = read_csv_file(path, ["song_id"], separators=",", ragged="short").frame
    frame = _by_number(frame, "song_id", path)
    times = {name: int(match[1]) / 1000 for name in frame if (match := _SAMPLE.fullmatch(name))}
    if not times:
        raise InputError(f"{path} must have columns such as 'sample_15000ms'; {ANEW}.")
    names = sorted(times, key=lambda name: times[name])
    labels = numbers(frame[names], path.name)
    there = labels[labels == labels]
    DYNAMIC_SCALE.check(there, what=f"labels in {path.name}")
    silent = frame.index[(labels != labels).all(axis=1)]
    if len(silent):
        raise InputError(f"{path} must have labels for every song. Song {silent[0]} has none.")
    columns = pd.Index([times[name] for name in names], name="time")
    return pd.DataFrame(labels, frame.index, columns)


def _read_metadata(path: Path, columns: tuple[str, ...]):
    """Artist, title and genre by song.

    Rows are ragged: lists at their end, of genres or tags, are not quoted. Values carry tabs,
    no-break spaces, and quotation marks that do not pair.
    """
    frame = read_csv_file(
        path,
        columns,
        separators=",",
        ragged="any",
        one_line_a_row=True,
        fallback="windows-1252",
    ).frame
    frame = frame[list(columns)].set_axis(["song_id", "artist", "title", "genre"], axis=1)
    # str.split takes tabs and no-break spaces for blanks, too.
    frame = frame.map(lambda cell: " ".join(cell.replace('"', " ").split()))
    return _by_number(frame[frame["song_id"] != ""], "song_id", path)


def _by_number(frame, column: str, path: Path):
    """The table by the number of the song."""
    frame = by_song(frame, column, path.name)
    codes = numbers(frame.index.to_series(), path.name)
    return frame.set_axis(codes.astype(int), axis=0).rename_axis("song_id")


INFO = DatasetInfo(
    name="deam",
    title="DEAM",
    n_clips=1802,
    # How many songs are in each quadrant is not published.
    class_counts={},
    groups="artists",
    licence="not stated; the music is from archives of free music",
    citation="""@article{aljanaki2017developing,
  author = {Aljanaki, Anna and Yang, Yi-Hsuan and Soleymani, Mohammad},
  title = {Developing a benchmark for emotional analysis of music},
  journal = {PLoS ONE},
  volume = {12},
  number = {3},
  pages = {e0173392},
  year = {2017},
  doi = {10.1371/journal.pone.0173392},
}""",
    url="https://cvml.unige.ch/databases/DEAM/",
    downloadable=True,
    contains=("emomusic",),
)
ANNOTATIONS_ARCHIVE = Archive(
    filename="DEAM_Annotations.zip",
    url="https://cvml.unige.ch/databases/DEAM/DEAM_Annotations.zip",
    sha256=None,
)
METADATA_ARCHIVE = Archive(
    filename="metadata.zip",
    url="https://cvml.unige.ch/databases/DEAM/metadata.zip",
    sha256=None,
)
CLIPS_ARCHIVE = Archive(
    filename="DEAM_audio.zip",
    url="https://cvml.unige.ch/databases/DEAM/DEAM_audio.zip",
    sha256=None,
)
FOLDER = "deam"
CHECKED = "columns, songs and scales of the annotations, names of the clips"
TABLES = (*STATIC_FILES, *DYNAMIC_FILES, *METADATA_FILES)
# Excerpts have smaller numbers; these are the full songs, the test part of 2015.
FIRST_FULL_SONG = 2001

_SCALES = {"quadrant": None, "static": STATIC_SCALE, "dynamic": DYNAMIC_SCALE}


@validate_params(
    FETCH_CONSTRAINTS
    | {
        "target": [StrOptions(set(_SCALES))],
        "quadrants": [StrOptions({"dynamic", "static"})],
        "annotations_only": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_deam(
    *,
    target: Literal["quadrant", "static", "dynamic"] = "quadrant",
    quadrants: Literal["dynamic", "static"] = "dynamic",
    annotations_only: bool = False,
    data_home: str | os.PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
):
    """Load DEAM, from its folder or from its publisher.

    =========   ==================================================================
    Clips       1802: 1744 excerpts of 45 s, 58 full songs
    Targets     quadrants; or arousal and valence, static 1 to 9, dynamic -1 to 1
    Groups      artists
    Licence     not stated; the music is from archives of free music
    =========   ==================================================================

    Parameters
    ----------
    target : {"quadrant", "static", "dynamic"}, default="quadrant"
        "quadrant": as ``quadrants`` says. "static": arousal and valence of the whole song, 1 to
        9. "dynamic": the mean over time of the continuous arousal and valence, -1 to 1.

    quadrants : {"dynamic", "static"}, default="dynamic"
        Where high begins. "dynamic": a mean over time above 0, as in Emotion in Music.
        "static": a rating of the whole song above 5.

    annotations_only : bool, default=False
        If True, need no audio: ``data`` says where the 1802 clips would be.

    data_home : str or path-like, default=None
        Folder of the datasets; by default the environment variable ``SKMER_DATA``, else the
        user's data folder. Tables and ``<song_id>.mp3`` are looked for in
        ``<data_home>/deam``, at any depth.

    download_if_missing : bool, default=True
        If False, raise an error where annotations or clips are not in place. Clips are not
        downloaded where only some are in place.

    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    as_frame : bool, default=False
        If True, ``data``, ``target`` and ``groups`` are pandas objects.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : ndarray of str, shape (n_clips,)
            Paths of the clips, in the order of the static annotations.
        target : ndarray, shape (n_clips,) of str, or (n_clips, 2) of float
            The quadrants, or arousal and valence on ``scale``.
        target_names : list of str
            The four quadrants, or "arousal" and "valence".
        groups : ndarray of str, shape (n_clips,)
            The artists, without differences in case and white space.
        scale : AffectScale or None
            The unit of ``target``; None for quadrants.
        split : ndarray of str, shape (n_clips,)
            "train" (excerpts) or "test" (full songs), for
            :class:`~skmer.evaluation.FixedSplit`.
        dynamic : dict of DataFrame, shape (n_clips, n_times)
            "arousal" and "valence" over time, -1 to 1: a row a song (indexed by song_id, in the
            order of ``data``), a column a time in seconds, NaN after the end of a song.
        frame : DataFrame, shape (n_clips, 12)
            path, label (the quadrant), group; song_id, artist, title, genre, split;
            static_arousal, static_valence, dynamic_arousal, dynamic_valence.
        DESCR : str
            Description, counts, licence and citation, and how many test songs are by artists of
            the training part.

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
        If songs are missing in the tables, or clips are; songs without a clip are left out.

    References
    ----------
    .. [1] Aljanaki, A., Yang, Y.-H., and Soleymani, M., "Developing a benchmark for emotional
       analysis of music", PLoS ONE 12(3), e0173392, 2017.

    Examples
    --------
    >>> from skmer.datasets import fetch_deam
    >>> dataset = fetch_deam(target="static", annotations_only=True)  # doctest: +SKIP
    >>> dataset.target.shape, str(dataset.scale)  # doctest: +SKIP
    ((1802, 2), 'static, 1 to 9')
    """
    folder = get_data_home(data_home) / FOLDER
    _put_tables_in_place(folder, download_if_missing)
    frame, dynamic = read_annotations(find_tables(folder, TABLES), quadrants)
    warn_of_cut_table(len(frame), INFO.n_clips, STATIC_FILES[0], INFO)
    frame.insert(6, "split", _parts(frame["song_id"]))
    descr = describe(INFO) + describe_split(frame["group"], frame["split"])
    codes = frame["song_id"].astype(str)
    if annotations_only:
        audio = match_songs(codes, folder, exact=True)
        places = [audio.get(code, folder / "MEMD_audio" / f"{code}.mp3") for code in codes]
        frame.insert(0, "path", [str(place) for place in places])
    else:
        if not match_songs(codes, folder, exact=True):
            _download(CLIPS_ARCHIVE, folder, "<song_id>.mp3", download_if_missing)
        frame = match_audio(frame, folder, INFO, column="song_id", exact=True)
    labels = "label" if target == "quadrant" else [f"{target}_{axis}" for axis in AXES]
    columns = ["path", "label", "group", "song_id"]
    frame = frame[columns + [name for name in frame if name not in columns]]
    return make_bunch(
        frame,
        descr=descr,
        target_names=QUADRANTS if target == "quadrant" else AXES,
        target_columns=labels,
        return_X_y=return_X_y,
        as_frame=as_frame,
        scale=_SCALES[target],
        split=frame["split"] if as_frame else frame["split"].to_numpy(dtype=str),
        dynamic={axis: dynamic[axis].loc[frame["song_id"]] for axis in AXES},
    )


def validate(folder: Path, *, verbose: bool) -> list[Finding]:
    """See that the annotations are whole and on their scales, and that the clips are there."""
    tables = find_tables(folder, TABLES)
    missing = [name for name in TABLES if name not in tables]
    if missing:
        return [Finding(name, "missing") for name in missing]
    try:
        frame, _ = read_annotations(tables, "dynamic")
    except ValueError as error:
        return [Finding("*.csv", "wrong", str(error).rstrip("."))]
    audio = match_songs(frame["song_id"].astype(str), folder, exact=True)
    paths = {f"{song}.mp3": audio.get(str(song)) for song in frame["song_id"]}
    return [
        check_total(" and ".join(STATIC_FILES), len(frame), INFO.n_clips),
        *check_presence(paths, folder),
    ]


def _parts(song_ids) -> list[str]:
    """The usual fixed split: excerpts to train, the full songs to test."""
    return ["test" if song_id >= FIRST_FULL_SONG else "train" for song_id in song_ids]


def _put_tables_in_place(folder: Path, download_if_missing: bool) -> None:
    """Fetch the archives of those tables that are not there."""
    for archive, names in (
        (ANNOTATIONS_ARCHIVE, (*STATIC_FILES, *DYNAMIC_FILES)),
        (METADATA_ARCHIVE, tuple(METADATA_FILES)),
    ):
        tables = find_tables(folder, names)
        missing = [name for name in names if name not in tables]
        if missing:
            _download(archive, folder, shorten(missing), download_if_missing)


def _download(archive: Archive, folder: Path, missing: str, download_if_missing: bool) -> None:
    """Fetch one of the archives, or say where it goes."""
    if not download_if_missing:
        raise DatasetNotFoundError(
            f"There is no {missing} of DEAM in {folder}. Unpack {archive.filename} from {INFO.url} "
            "there, or fetch it with 'skmer datasets fetch deam'."
        )
    download_and_unpack(archive, folder, wanted=_place_in_archive)


def _place_in_archive(member: str) -> str | None:
    """Where a file of an archive goes, relative to the dataset's folder."""
    name = PurePosixPath(member).name
    if re.fullmatch(r"[0-9]+\.mp3", name):
        return f"MEMD_audio/{name}"
    if name in METADATA_FILES:
        return f"metadata/{name}"
    return f"annotations/{name}" if name in TABLES else None

"""The annotation and metadata tables of DEAM, read by the names of their columns."""

import re
from pathlib import Path

from skmer.datasets.base._affect_scale import DYNAMIC_SCALE, STATIC_SCALE
from skmer.datasets.tables._csv_file import read_csv_file
from skmer.datasets.tables._names import artist_groups, quadrants_of
from skmer.datasets.tables._songs import ANEW, by_song, numbers, require_songs
from skmer.exceptions import InputError

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

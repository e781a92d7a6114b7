"""The annotation files of Emotion in Music, read by the names of their columns."""

import hashlib
import re
from pathlib import Path

from skmer.datasets.base._affect_scale import DYNAMIC_SCALE, STATIC_SCALE
from skmer.datasets.tables._csv_file import read_csv_file
from skmer.datasets.tables._names import normalise_name, quadrants_of
from skmer.datasets.tables._songs import by_song, numbers, require_songs
from skmer.exceptions import InputError

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

"""The annotation files of Emotion in Music, read by the names of their columns."""

import hashlib
import re
from pathlib import Path

from skmer.datasets.base._affect_scale import DYNAMIC_SCALE, STATIC_SCALE
from skmer.datasets.tables._names import normalise_name
from skmer.exceptions import InputError
from skmer.utils._words import shorten

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
    _require_songs(static, songs.index, folder / "static_annotations.csv")
    dynamic = {}
    for axis in AXES:
        path = folder / f"{axis}_cont_average.csv"
        dynamic[axis] = _read_dynamic(path, songs.index)
    frame = songs[["Artist", "Song title", "Genre"]].set_axis(["artist", "title", "genre"], axis=1)
    frame.insert(0, "label", _quadrants(dynamic))
    frame.insert(1, "group", frame["artist"].map(normalise_name))
    frame["split"] = _splits(songs)
    for axis in AXES:
        labels = _numbers(
            static[f"mean_{axis}"].loc[songs.index], folder / "static_annotations.csv"
        )
        frame[f"static_{axis}"] = STATIC_SCALE.check(labels, what=f"static {axis} labels")
    for axis in AXES:
        frame[f"dynamic_{axis}"] = dynamic[axis].mean(axis=1)
    return frame.reset_index(), dynamic


def _read(path: Path, columns: tuple[str, ...]):
    """Table of a file by song id, without the tabs and blanks around names and values."""
    import pandas as pd

    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except ValueError as error:
        raise InputError(
            f"{path} must be a csv file in UTF-8. Got: {error}; fetch the annotations anew."
        ) from error
    frame = frame.rename(columns=str.strip).apply(lambda column: column.str.strip())
    missing = [name for name in ("song_id", *columns) if name not in frame]
    if missing:
        raise InputError(
            f"{path} must have the columns {shorten(('song_id', *columns))} of Emotion in Music. "
            f"It lacks {shorten(missing)}; fetch the annotations anew."
        )
    frame["song_id"] = _numbers(frame["song_id"], path).astype(int)
    if frame["song_id"].duplicated().any():
        raise InputError(f"{path} must hold every song once; fetch the annotations anew.")
    return frame.set_index("song_id")


def _numbers(values, path: Path):
    """Values as floats."""
    try:
        return values.astype(float)
    except ValueError as error:
        raise InputError(
            f"{path} must hold numbers. Got: {error}; fetch the annotations anew."
        ) from error


def _require_songs(frame, song_ids, path: Path) -> None:
    """Raise where a table lacks songs."""
    missing = song_ids.difference(frame.index)
    if len(missing):
        raise InputError(
            f"{path} must hold every song of songs_info.csv. It lacks the songs "
            f"{shorten(missing)}; fetch the annotations anew."
        )


def _read_dynamic(path: Path, song_ids):
    """Labels of one axis over time: a row a song, a column a time in seconds."""
    frame = _read(path, ())
    _require_songs(frame, song_ids, path)
    times = {name: int(match[1]) / 1000 for name in frame if (match := _SAMPLE.fullmatch(name))}
    if len(times) != N_SAMPLES:
        raise InputError(
            f"{path} must have {N_SAMPLES} columns such as 'sample_15000ms'. Got {len(times)}; "
            "fetch the annotations anew."
        )
    frame = _numbers(frame.loc[song_ids, sorted(times, key=lambda name: times[name])], path)
    DYNAMIC_SCALE.check(frame, what=f"labels in {path.name}")
    return frame.rename(columns=times).rename_axis(columns="time")


def _quadrants(dynamic) -> list[str]:
    """Quadrant of the mean over time: no threshold on the static labels gives Table 1's counts."""
    names = {(True, True): "Q1", (True, False): "Q2", (False, False): "Q3", (False, True): "Q4"}
    return [
        names[arousal > 0, valence > 0]
        for arousal, valence in zip(*(dynamic[axis].mean(axis=1) for axis in AXES))
    ]


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

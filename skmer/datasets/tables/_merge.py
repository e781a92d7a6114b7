"""The tables of MERGE, read by the names of their columns."""

from collections.abc import Mapping
from pathlib import Path

from skmer.datasets.base._affect_scale import AffectScale
from skmer.datasets.tables._csv_file import read_csv_file
from skmer.datasets.tables._names import artist_groups, read_quadrants
from skmer.datasets.tables._songs import ANEW, by_song, numbers, require_songs
from skmer.exceptions import InputError
from skmer.utils._words import cut_middle

SCALE = AffectScale("from mood words", 0.0, 1.0)
PARTS = {"train": "train", "validate": "validation", "test": "test"}
SPLITS = ("70_15_15", "40_30_30")


def table_names(version: str, splits: str) -> dict[str, str]:
    """Files of a version, by what they hold."""
    parts = {part: f"tvt_{splits}_{name}_{version}.csv" for name, part in PARTS.items()}
    return {
        "metadata": f"merge_{version}_metadata.csv",
        "values": f"merge_{version}_av_values.csv",
        **parts,
    }


def read_annotations(paths: Mapping[str, Path]):
    """Table of the songs in the order of the metadata, from the files by what they hold."""
    metadata = _read(paths["metadata"], ("Song", "Quadrant", "Artist", "Title"))
    values = _read(paths["values"], ("Song", "Arousal", "Valence"))
    name, of = paths["metadata"].name, paths["values"].name
    require_songs(metadata.index, values.index, of, name)
    require_songs(values.index, metadata.index, name, of)
    artists = metadata["Artist"].map(lambda text: " ".join(text.split()))
    frame = metadata[[]].copy()
    frame["label"] = read_quadrants(metadata["Quadrant"], name)
    frame["group"] = artist_groups(artists, metadata.index.to_series())
    frame["artist"] = artists
    frame["title"] = metadata["Title"]
    frame["split"] = _read_parts(metadata, paths)
    for axis in ("arousal", "valence"):
        labels = numbers(values[axis.capitalize()].loc[frame.index], of)
        frame[axis] = SCALE.check(labels, what=f"{axis} labels in {of}")
    return frame.rename_axis("song").reset_index()


def _read(path: Path, columns: tuple[str, ...]):
    """Table of a file by song; lists in quotation marks may go over lines."""
    frame = read_csv_file(path, columns, separators=",", fallback="windows-1252").frame
    return by_song(frame[list(columns)], "Song", path.name)


def _read_parts(metadata, paths: Mapping[str, Path]):
    """The part of the published split that each song is in; every song is in one."""
    import pandas as pd

    parts = pd.Series("", index=metadata.index)
    for part in PARTS.values():
        path = paths[part]
        table = _read(path, ("Song", "Quadrant"))
        require_songs(table.index, metadata.index, paths["metadata"].name, path.name)
        twice = table.index[parts[table.index] != ""]
        if len(twice):
            raise InputError(
                f"A song must be in one part of the split. {cut_middle(twice[0], 50)} is in "
                f"{path.name} and in the part '{parts[twice[0]]}'; {ANEW}."
            )
        labels = read_quadrants(table["Quadrant"], path.name)
        other = read_quadrants(metadata.loc[table.index, "Quadrant"], paths["metadata"].name)
        wrong = [song for song, one, two in zip(table.index, labels, other) if one != two]
        if wrong:
            raise InputError(
                f"{path.name} and {paths['metadata'].name} must give a song the same quadrant. "
                f"They do not for {len(wrong)} songs, such as {cut_middle(wrong[0], 50)}; {ANEW}."
            )
        parts[table.index] = part
    rest = parts.index[parts == ""]
    if len(rest):
        raise InputError(
            f"The parts of the split must hold every song of {paths['metadata'].name}. "
            f"{len(rest)} are in none, such as {cut_middle(rest[0], 50)}; {ANEW}."
        )
    return parts

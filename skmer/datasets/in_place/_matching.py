"""Datasets that a person has to put in place: finding their tables and their audio."""

import warnings
from pathlib import Path

from skmer.datasets.base._dataset_info import DatasetInfo
from skmer.datasets.in_place._audio import match_songs
from skmer.exceptions import DatasetNotFoundError, IncompleteDatasetWarning
from skmer.utils._words import shorten


def find_table(folder: Path, names: tuple[str, ...], info: DatasetInfo) -> Path:
    """File of one of these names at any depth of a folder, the shallowest."""
    found = [path for name in names for path in folder.rglob(name)]
    if not found:
        raise DatasetNotFoundError(
            f"There is no {' or '.join(names)} in {folder}. The {info.title} cannot be downloaded "
            f"by a program: get it from {info.url} and unpack it in {folder}."
        )
    return min(found, key=lambda path: (len(path.parts), path))


def match_audio(frame, folder: Path, info: DatasetInfo):
    """Table with a column path in front, of the songs (column ``song``) whose audio is there."""
    paths = frame["song"].map(match_songs(frame["song"], folder))
    missing = frame.loc[paths.isna(), "song"]
    if len(missing) == len(frame):
        raise DatasetNotFoundError(
            f"There is no clip of the {info.title} in {folder}. Get the audio from {info.url} and "
            f"unpack it there; a name begins with the code of the song, such as {frame['song'][0]}."
        )
    if len(missing):
        warnings.warn(
            f"{len(missing)} of {len(frame)} clips of the {info.title} are missing in {folder}, "
            f"{shorten(missing)}; the {len(frame) - len(missing)} others are used. Get them from "
            f"{info.url}.",
            IncompleteDatasetWarning,
            stacklevel=4,
        )
    frame.insert(0, "path", paths.map(str, na_action="ignore"))
    return frame[paths.notna()].reset_index(drop=True)

"""Datasets in place as they were unpacked: finding their tables and their audio."""

import warnings
from collections.abc import Iterable
from pathlib import Path

from skmer.datasets.base._dataset_info import DatasetInfo
from skmer.datasets.in_place._audio import match_songs
from skmer.datasets.in_place._files import find_files
from skmer.exceptions import DatasetNotFoundError, IncompleteDatasetWarning
from skmer.utils._words import shorten


def find_tables(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """Those of the files that are below a folder, at any depth, by name; the shallowest of each."""
    wanted = set(names)
    found = [path for path in find_files(folder).paths if path.name in wanted]
    deepest_first = sorted(found, key=lambda path: (len(path.parts), path), reverse=True)
    return {path.name: path for path in deepest_first}


def find_table(folder: Path, names: tuple[str, ...], info: DatasetInfo) -> Path:
    """File of one of these names at any depth of a folder, the shallowest."""
    found = find_tables(folder, names).values()
    if not found:
        if info.downloadable:
            how = f"Fetch it with 'skmer datasets fetch {info.name}', or get it"
        else:
            how = f"The {info.title} cannot be downloaded by a program: get it"
        raise DatasetNotFoundError(
            f"There is no {' or '.join(names)} in {folder}. {how} from {info.url} and unpack it "
            f"in {folder}."
        )
    return min(found, key=lambda path: (len(path.parts), path))


def match_audio(frame, folder: Path, info: DatasetInfo, *, column="song", exact: bool = False):
    """Table with a column path in front, of the songs whose audio is there.

    `column` has the codes of the songs, with which names begin, or are where `exact` is true.
    """
    codes = frame[column].astype(str)
    paths = codes.map(match_songs(codes, folder, exact=exact))
    missing = codes[paths.isna()]
    if len(missing) == len(frame):
        name = "is" if exact else "begins with"
        raise DatasetNotFoundError(
            f"There is no clip of the {info.title} in {folder}. Get the audio from {info.url} and "
            f"unpack it there; a name {name} the code of the song, such as {codes.iloc[0]}."
        )
    if len(missing):
        warnings.warn(
            f"{len(missing)} of {len(frame)} clips of the {info.title} are missing in {folder}, "
            f"{shorten(missing)}; the {len(frame) - len(missing)} others are used. Get them from "
            f"{info.url}.",
            IncompleteDatasetWarning,
            stacklevel=5,
        )
    frame.insert(0, "path", paths.map(str, na_action="ignore"))
    return frame[paths.notna()].reset_index(drop=True)

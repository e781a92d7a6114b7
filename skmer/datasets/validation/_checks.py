"""Checks that several datasets share."""

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

from skmer.datasets.base._dataset_info import DatasetInfo
from skmer.datasets.in_place._audio import find_audio_files
from skmer.datasets.tables._names import QUADRANTS
from skmer.datasets.validation._finding import Finding
from skmer.exceptions import IncompleteDatasetWarning


def check_counts(file: str, labels: Iterable[str], info: DatasetInfo) -> Finding:
    """Finding about a table: whether its labels are as many as published."""
    labels = list(labels)
    counts = {name: labels.count(name) for name in info.class_counts}
    if counts == info.class_counts:
        return Finding(file, "ok")
    return Finding(
        file, "wrong", f"the clips per class are {counts}, published are {info.class_counts}"
    )


def check_total(file: str, n_songs: int, n_published: int) -> Finding:
    """Finding about a table whose counts per class are not published."""
    if n_songs == n_published:
        return Finding(file, "ok")
    return Finding(file, "wrong", f"it lists {n_songs} songs, published are {n_published}")


def warn_of_cut_table(n_songs: int, n_published: int, table: str, info: DatasetInfo) -> None:
    """Say it to the caller of a loader when its table does not have all songs, or has more."""
    if n_songs != n_published:
        warnings.warn(
            f"{table} lists {n_songs} songs, and the {info.title} as published has {n_published}; "
            f"those listed are used. Get the published table from {info.url}.",
            IncompleteDatasetWarning,
            stacklevel=5,
        )


def find_misplaced(paths: Mapping[str, Path | None], labels: Iterable[str]) -> dict[str, str]:
    """What is wrong with clips in the folder of another quadrant than they are annotated with."""
    return {
        song: f"it is in the folder {path.parent.name}, its annotation is {label}"
        for (song, path), label in zip(paths.items(), labels)
        if path is not None and path.parent.name in QUADRANTS and path.parent.name != label
    }


def check_presence(
    expected: Mapping[str, Path | None], folder: Path, wrong: Mapping[str, str] | None = None
) -> list[Finding]:
    """Findings about audio without checksums, by the name each clip should have."""
    findings = []
    for name, path in expected.items():
        if path is None or not path.is_file():
            findings.append(Finding(name, "missing"))
        elif wrong and name in wrong:
            findings.append(Finding(relative(path, folder), "wrong", wrong[name]))
        else:
            findings.append(Finding(relative(path, folder), "unverified"))
    known = {path for path in expected.values() if path is not None}
    return findings + find_extra(folder, known)


def find_extra(folder: Path, known: set[Path]) -> list[Finding]:
    """Findings about audio files that belong to no clip."""
    return [
        Finding(relative(path, folder), "extra")
        for path in find_audio_files(folder).paths
        if path not in known
    ]


def relative(path: Path, folder: Path) -> str:
    """Path below a folder, with forward slashes."""
    return path.relative_to(folder).as_posix()

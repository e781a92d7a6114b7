"""What a check of a dataset's files found."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from skmer.datasets.files import find_audio_files
from skmer.datasets.info import DatasetInfo
from skmer.datasets.tables import QUADRANTS
from skmer.exceptions import IncompleteDatasetWarning
from skmer.utils.messages import html_list, shorten

Status = Literal["ok", "unverified", "missing", "wrong", "extra"]


@dataclass(frozen=True)
class Finding:
    """One file, what is the matter with it, and why."""

    file: str
    status: Status
    detail: str = ""


@dataclass(frozen=True)
class ValidationReport:
    """Result of :func:`validate_dataset`.

    Parameters
    ----------
    name : str
        The dataset.
    folder : pathlib.Path
        Where it was looked for.
    checked : str
        What was compared with what.
    findings : list of Finding
        One for each file.

    Attributes
    ----------
    ok : bool
        Whether nothing is missing and nothing is wrong.
    """

    name: str
    folder: Path
    checked: str
    findings: list[Finding] = field(repr=False)

    def files(self, status: Status) -> list[str]:
        """Files of a status.

        Parameters
        ----------
        status : {"ok", "unverified", "missing", "wrong", "extra"}
            "unverified": in place, and nothing published to compare it with; "wrong":
            not what was published; "extra": not part of the dataset.

        Returns
        -------
        files : list of str
            Their names relative to the folder.
        """
        return [finding.file for finding in self.findings if finding.status == status]

    @property
    def ok(self) -> bool:
        """Whether nothing is missing and nothing is wrong."""
        return not self.files("missing") and not self.files("wrong")

    @property
    def frame(self):
        """The findings as a DataFrame with the columns file, status and detail."""
        import pandas as pd

        rows = [(finding.file, finding.status, finding.detail) for finding in self.findings]
        return pd.DataFrame(rows, columns=["file", "status", "detail"])

    def __str__(self) -> str:
        words: dict[Status, str] = {
            "ok": "as published",
            "unverified": "in place, without a checksum to compare with",
            "missing": "missing",
            "wrong": "wrong",
            "extra": "not part of the dataset",
        }
        lines = [f"{self.name} in {self.folder}: {'complete' if self.ok else 'not complete'}."]
        lines.append(f"Checked: {self.checked}.")
        for status, word in words.items():
            files = self.files(status)
            if files:
                names = f": {shorten(files)}" if status in ("missing", "wrong", "extra") else ""
                lines.append(f"{len(files)} files {word}{names}.")
        lines += [f"{item.file}: {item.detail}." for item in self.findings if item.detail]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the same lines as a list, as notebooks show it."""
        return html_list(str(self).splitlines())


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

"""The check of a dataset's files against what was published."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from skmer.datasets import files, registry, tables
from skmer.exceptions import DatasetNotFoundError, InputError
from skmer.utils import digest, messages

Status = Literal["ok", "unverified", "missing", "wrong", "extra"]
_MEANINGS: dict[Status, str] = {
    "ok": "as published",
    "unverified": "in place, without a checksum to compare with",
    "missing": "missing",
    "wrong": "wrong",
    "extra": "not part of the dataset",
}


class Finding(NamedTuple):
    """One file, its status, and the reason."""

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

        return pd.DataFrame(self.findings, columns=["file", "status", "detail"])

    def __str__(self) -> str:
        lines = [f"{self.name} in {self.folder}: {'complete' if self.ok else 'not complete'}."]
        lines.append(f"Checked: {self.checked}.")
        for status, meaning in _MEANINGS.items():
            if files := self.files(status):
                is_fine = status in ("ok", "unverified")
                names = "" if is_fine else f": {messages.shorten(files)}"
                lines.append(f"{messages.counted(len(files), 'file')} {meaning}{names}.")
        lines += [f"{item.file}: {item.detail}." for item in self.findings if item.detail]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the same lines as a list, as notebooks show it."""
        return messages.html_list(str(self).splitlines())


def validate_dataset(
    name: str, *, data_home: registry.DataHome = None, verbose: bool = False
) -> ValidationReport:
    """Compare the files of a dataset with what was published.

    Parameters
    ----------
    name : str
        The dataset, as :func:`list_datasets` has it.

    data_home : str or path-like, default=None
        Folder of the datasets; by default the environment variable ``SKMER_DATA``,
        else the user's data folder.

    verbose : bool, default=False
        Whether to show a progress bar where files are hashed.

    Returns
    -------
    report : ValidationReport
        What was checked, and which files are missing, wrong, or not of the dataset.

    Raises
    ------
    ValueError
        If there is no dataset of that name.
    DatasetNotFoundError
        If the dataset is not in place at all.

    Examples
    --------
    >>> from skmer.datasets import validate_dataset
    >>> report = validate_dataset("ravdess-song")  # doctest: +SKIP
    >>> report.ok, report.files("missing")  # doctest: +SKIP
    (True, [])
    """
    if not isinstance(name, str) or name not in registry.DATASETS:
        raise InputError(
            f"The dataset must be one of {', '.join(registry.DATASETS)}. Got {name!r}."
            f"{messages.suggest(name, registry.DATASETS)}",
            param="name",
        )
    info, _, validate = registry.DATASETS[name]
    folder = info.place(data_home)
    if not folder.is_dir():
        raise DatasetNotFoundError(
            f"There is no folder {folder} to validate. Fetch {name} first, or give the folder of "
            "the datasets by 'data_home' or the environment variable SKMER_DATA."
        )
    return ValidationReport(name, folder, info.checked, validate(folder, verbose))


def check_songs(folder: Path, info, tables, *, required=(), exact=False) -> list[Finding]:
    """Findings about tables of songs and about their audio; about the required tables alone, if
    some are missing.

    Each table, by its name, comes with the published number of its songs and a function that reads
    it; the first column of what that returns has the codes of the songs. The required ones come
    with their readers, as in `find_tables`.
    """
    found = files.find_tables(folder, required)
    if missing := [Finding(name, "missing") for name in required if name not in found]:
        return missing
    audio = files.find_audio_files(folder).paths
    findings: list[Finding] = []
    of_clips: dict[str, Finding] = {}
    known: set[Path] = set()
    for name, (n_songs, read) in tables.items():
        try:
            frame = read()
        except ValueError as error:
            findings.append(Finding(name, "wrong", str(error).rstrip(".")))
            continue
        findings.append(check_counts(name, frame["label"], info, n_songs))
        codes = frame.iloc[:, 0].astype(str)
        paths = files.match_songs(codes, audio, exact=exact)
        known |= set(paths.values())
        for code, label in zip(codes, frame["label"]):
            of_clips[code] = _check_clip(code, paths.get(code), label, folder)
    extra = find_extra(audio, known, folder) if of_clips else []
    return [*findings, *of_clips.values(), *extra]


def _check_clip(code: str, path: Path | None, label: str, folder: Path) -> Finding:
    """Finding about audio without a checksum, which may lie in the folder of another quadrant."""
    place = "" if path is None else path.parent.name
    if path is not None and place in tables.QUADRANTS and place != label:
        detail = f"it is in the folder {place}, its annotation is {label}"
        return Finding(relative(path, folder), "wrong", detail)
    return check_file(path, folder, None, code)


def check_file(path: Path | None, folder: Path, sha256: str | None, name: str = "") -> Finding:
    """Finding about a file, by its SHA-256 where that is published; `name` if it is missing."""
    if path is None:
        return Finding(name, "missing")
    is_same = sha256 is None or digest.file_digest(path) == sha256
    status: Status = "wrong" if not is_same else "unverified" if sha256 is None else "ok"
    return Finding(relative(path, folder), status)


def check_counts(file: str, labels, info, n_songs: int) -> Finding:
    """Finding about a table: whether its labels, or its songs, are as many as published."""
    labels = list(labels)
    counts = {name: labels.count(name) for name in info.class_counts}
    if counts != info.class_counts:
        detail = f"the clips per class are {counts}, published are {info.class_counts}"
        return Finding(file, "wrong", detail)
    if len(labels) != n_songs:
        listed = messages.counted(len(labels), "song")
        return Finding(file, "wrong", f"it lists {listed}, published are {n_songs}")
    return Finding(file, "ok")


def find_extra(audio, known: set[Path], folder: Path) -> list[Finding]:
    """Findings about audio files that belong to no clip."""
    return [Finding(relative(path, folder), "extra") for path in audio if path not in known]


def relative(path: Path, folder: Path) -> str:
    """Path below a folder, with forward slashes."""
    return path.relative_to(folder).as_posix()

"""What a check of a dataset's files found."""

from dataclasses import dataclass, field
from pathlib import Path

from skmer.datasets.validation._finding import Finding, Status
from skmer.utils._words import html_list, shorten


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

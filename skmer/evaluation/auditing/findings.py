"""What a leakage audit found, measured, and could not look at."""

from dataclasses import dataclass
from math import isfinite

import pandas as pd

from skmer.utils.messages import html_list


@dataclass(frozen=True)
class AuditFinding:
    """One leak, or one reason to suspect it.

    Attributes
    ----------
    kind : str
        What was found; :func:`audit` lists the kinds.
    severity : {"error", "warning"}
        "error": test scores are not what they seem. "warning": they may not be.
    message : str
        One sentence.
    row_sets : tuple of tuple of int
        Rows that belong together: the clips of one shared group, the copies of one recording.
        Empty when the finding is about all rows.
    """

    kind: str
    severity: str
    message: str
    row_sets: tuple[tuple[int, ...], ...] = ()

    @property
    def rows(self) -> tuple[int, ...]:
        """All rows concerned, in order."""
        return tuple(sorted({row for rows in self.row_sets for row in rows}))


@dataclass(frozen=True)
class AuditReport:
    """Outcome of :func:`audit`.

    Attributes
    ----------
    findings : tuple of AuditFinding
        Leaks and suspicions; empty for a clean design.
    checked : tuple of str
        The kinds that were looked for.
    skipped : dict of str to str
        The kinds that were not, with what they would have needed.
    measurements : dict of str to float
        Figures behind the checks, whether or not they led to a finding: ``identity_accuracy``,
        ``identity_chance``, ``identity_pvalue``, ``intrinsic_dimension``.
    """

    findings: tuple[AuditFinding, ...]
    checked: tuple[str, ...]
    skipped: dict[str, str]
    measurements: dict[str, float]

    @property
    def clean(self) -> bool:
        """Whether nothing was found in what was checked."""
        return not self.findings

    def to_frame(self):
        """Return the findings as a table.

        Returns
        -------
        pandas.DataFrame
            Columns kind, severity, message, n_rows, rows.
        """
        rows = [(f.kind, f.severity, f.message, len(f.rows), f.rows) for f in self.findings]
        return pd.DataFrame(rows, columns=["kind", "severity", "message", "n_rows", "rows"])

    def to_dict(self):
        """Return the report ready for JSON; which rows are meant is in the messages.

        Returns
        -------
        dict
            findings, checked and measurements, without figures that are not finite.
        """
        return {
            "findings": self.to_frame()[["kind", "severity", "message"]].to_dict("records"),
            "checked": list(self.checked),
            "measurements": {
                name: float(value) for name, value in self.measurements.items() if isfinite(value)
            },
        }

    def __str__(self) -> str:
        """Return the findings, then what was not looked at, a line each."""
        lines = [f"{found.severity}: {found.message}" for found in self.findings]
        if not lines:
            lines = [f"nothing found in {len(self.checked)} checks"]
        lines += [f"not checked: {kind} (needs {needs})" for kind, needs in self.skipped.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the same lines as a list, as notebooks show it."""
        return html_list(str(self).splitlines())

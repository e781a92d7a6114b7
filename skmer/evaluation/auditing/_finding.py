"""One thing that a leakage audit found."""

from dataclasses import dataclass


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

"""What a consistency check of a published table found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReportConsistency:
    """Outcome of :func:`check_report_consistency`.

    Attributes
    ----------
    n : int
        Number of clips asked about.
    consistent : bool
        Whether some confusion matrix of `n` clips prints as the table.
    supports, true_positives, predicted : tuple of int, or None
        One way to get there, class by class; None when there is none.
    """

    n: int
    consistent: bool
    supports: tuple[int, ...] | None
    true_positives: tuple[int, ...] | None
    predicted: tuple[int, ...] | None

"""The study of Koh and Dubnov (2021) done again, faithfully and defensibly, and its report."""

from skmer.studies.koh2021.consistency import (
    ReportConsistency,
    check_report_consistency,
    consistent_sizes,
)
from skmer.studies.koh2021.reproduce import reproduce_koh2021
from skmer.studies.koh2021.reproduction import Reproduction

__all__ = [
    "ReportConsistency",
    "Reproduction",
    "check_report_consistency",
    "consistent_sizes",
    "reproduce_koh2021",
]

"""Published studies, done again."""

from skmer.studies.koh2021.consistency import (
    ReportConsistency,
    check_report_consistency,
    consistent_sizes,
)
from skmer.studies.koh2021.reproduce import Reproduction, reproduce_koh2021

__all__ = [
    "ReportConsistency",
    "Reproduction",
    "check_report_consistency",
    "consistent_sizes",
    "reproduce_koh2021",
]

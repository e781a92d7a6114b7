"""Whether published tables can be what they say: the granularity test of precision and recall."""

from skmer.studies.koh2021.consistency._check import check_report_consistency, consistent_sizes
from skmer.studies.koh2021.consistency._result import ReportConsistency

__all__ = ["ReportConsistency", "check_report_consistency", "consistent_sizes"]

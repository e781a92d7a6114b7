"""The search for leaks: what makes test scores look better than they are."""

from skmer.evaluation.auditing._audit import audit
from skmer.evaluation.auditing._finding import AuditFinding
from skmer.evaluation.auditing._report import AuditReport

__all__ = ["AuditFinding", "AuditReport", "audit"]

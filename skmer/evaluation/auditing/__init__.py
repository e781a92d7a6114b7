"""The search for leaks: what makes test scores look better than they are."""

from skmer.evaluation.auditing.audit import audit
from skmer.evaluation.auditing.findings import AuditFinding, AuditReport

__all__ = ["AuditFinding", "AuditReport", "audit"]

"""The leakage audit of every protocol of an evaluation, ready for the manifest."""

import os

import numpy as np

from skmer.evaluation.auditing._audit import audit
from skmer.evaluation.experiment._features import View


def audit_protocols(X, y, groups, views: list[View], protocols, *, n_jobs) -> dict:
    """Audit the splits of each protocol, and the files by themselves where X holds paths.

    The first feature with one vector a clip stands for all: near duplicates and recognisable
    groups are a matter of the clips.
    """
    vectors = next((view.X for view in views if view.X.ndim == 2), None)
    audits = {
        protocol.name: audit(
            vectors,
            y,
            groups=groups,
            cv=[
                (np.concatenate([split.train, split.validation]), split.test)
                for split in protocol.splits
            ],
        )
        for protocol in protocols
    }
    if X is not None and all(isinstance(clip, str | os.PathLike) for clip in X):
        audits["files"] = audit(paths=X, n_jobs=n_jobs)
    return {name: _describe(report) for name, report in audits.items()}


def _describe(report) -> dict:
    """Return a report as plain values; which rows are meant is in the messages."""
    return {
        "findings": [
            {"kind": found.kind, "severity": found.severity, "message": found.message}
            for found in report.findings
        ],
        "checked": list(report.checked),
        "measurements": {name: float(value) for name, value in report.measurements.items()},
    }

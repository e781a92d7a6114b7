"""The leakage audit of every protocol of an evaluation, ready for the manifest."""

from math import isfinite

import numpy as np

from skmer.evaluation.auditing._audit import judge
from skmer.evaluation.auditing._evidence import Evidence
from skmer.evaluation.auditing._splits import Splits


def audit_protocols(
    vectors, y, *, groups, paths, audio_digests, protocols, n_jobs, verbose
) -> dict:
    """Audit the splits of each protocol.

    One feature with one vector a clip stands for all: near duplicates and recognisable groups are
    a matter of the clips. What is there to find out about them is found out once.
    """
    evidence = Evidence(
        None if vectors is None or len(vectors) < 4 else np.asarray(vectors, dtype=float),
        y,
        groups=groups,
        paths=paths,
        audio_hashes=audio_digests,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    return {
        protocol.name: describe_report(judge(evidence, _splits_of(protocol, len(y))))
        for protocol in protocols
    }


def _splits_of(protocol, n_clips: int) -> Splits:
    pairs = [
        (np.concatenate([split.train, split.validation]), split.test) for split in protocol.splits
    ]
    return Splits(pairs, n_clips, None, None, None)


def describe_report(report) -> dict:
    """Return a report as plain values; which rows are meant is in the messages."""
    return {
        "findings": [
            {"kind": found.kind, "severity": found.severity, "message": found.message}
            for found in report.findings
        ],
        "checked": list(report.checked),
        "measurements": {
            name: float(value) for name, value in report.measurements.items() if isfinite(value)
        },
    }

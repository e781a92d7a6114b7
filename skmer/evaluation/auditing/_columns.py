"""Are the columns what their names say?"""

import numpy as np
from scipy.optimize import linear_sum_assignment

from skmer.evaluation.auditing._finding import AuditFinding


def swapped_columns(targets, reference):
    """Find columns that go with another column of the reference than their own."""
    names = [str(name) for name in getattr(targets, "columns", range(np.shape(targets)[1]))]
    targets, reference = np.asarray(targets, dtype=float), np.asarray(reference, dtype=float)
    n = targets.shape[1]
    together = np.corrcoef(targets, reference, rowvar=False)[:n, n:]
    together = np.nan_to_num(together)
    best = linear_sum_assignment(-together)[1]
    gain = together[range(n), best].sum() - together.trace()
    # Less than this is within the spread of correlations that are in truth equal.
    if gain <= max(0.1, 4 * np.sqrt(n / len(targets))):
        return []
    moved = [j for j in range(n) if best[j] != j]
    pairs = ", ".join(
        f"{names[j]!r} correlates {together[j, j]:.2f} with the reference's {names[j]!r} and "
        f"{together[j, best[j]]:.2f} with its {names[best[j]]!r}"
        for j in moved
    )
    return [AuditFinding("swapped_columns", "error", f"Columns look swapped: {pairs}.")]

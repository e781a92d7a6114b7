"""The leakage audit: what makes test scores look better than they are.

Kinds of findings
-----------------
shared_rows           rows trained on and tested on in one split
shared_groups         groups (singers, artists) on both sides of a split
shared_files          files with parts (segments) on both sides of a split
contained_dataset     songs of a published dataset in one that contains it, by their codes
duplicate_files       identical files
duplicate_audio       identical waveforms, in any file format
near_duplicates       clips whose features are closer than chance allows
several_labels        one recording under several labels
duplicate_items       equal item names
item_in_two_datasets  any of the four above, between datasets
identity_probe        the group can be read off the features, and splits do not keep groups apart
swapped_columns       a target goes with another column of the reference than its own
similar_groups        groups whose names differ in case, blanks or the like only
target_in_features    a column of given features that determines the target
identical_features    two features with the same rows
preprocessing         something was fitted on training and test rows together
"""

from functools import partial
from os import PathLike
from typing import Annotated, Any

import numpy as np
from sklearn.utils import check_array

from skmer.evaluation.auditing import copies, leaks
from skmer.evaluation.auditing.findings import AuditFinding, AuditReport
from skmer.exceptions import InputError, InputTypeError
from skmer.utils import floats, labels
from skmer.utils.estimators import HasMethods, Many, Share, _num_samples, checked


@checked
def audit(
    X=None,
    y=None,
    *,
    groups=None,
    cv: Annotated[Any, HasMethods(["split"]), "array-like", None] = None,
    paths=None,
    items=None,
    datasets=None,
    targets=None,
    reference=None,
    preprocessing: Annotated[Any, HasMethods(["fit"]), list, tuple, None] = None,
    alpha: Share = 0.001,
    n_permutations: Many = 1999,
    random_state=0,
    n_jobs=None,
) -> AuditReport:
    """Look for leaks between training and test clips.

    Give what there is: each check runs when its data are there, and the report names those that
    could not. Rows of all arguments are the same clips in the same order; to audit two datasets
    against each other, stack them and give the dataset of each row as `datasets`.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features), default=None
        Features, one row a clip, as they enter the pipeline.
    y : array-like of shape (n_rows,) or (n_rows, n_targets), default=None
        Labels, tags, or numbers (then taken in five ranges), that a group must not be guessed from.
    groups : array-like of shape (n_rows,), default=None
        Singer, artist or album of each clip.
    cv : splitter or list of (train rows, test rows), default=None
        The splits to audit.
    paths : array-like of shape (n_rows,), default=None
        Audio files, which are read twice: their bytes, and their decoded waveforms. Those that
        are not here, or are no audio, are a warning.
    items : array-like of shape (n_rows,), default=None
        Names of what was recorded, such as "artist - title"; case, blanks and punctuation do not
        count.
    datasets : array-like of shape (n_rows,), default=None
        Dataset that each clip is from. Of those with a name here it is known which hold the songs
        of others, under the same codes (`items`, else the names of `paths`): Emotion in Music is
        in DEAM, 4Q and most of Bi-modal are in MERGE.
    targets, reference : array-like of shape (n_rows, n_columns), default=None
        Numbers such as static arousal and valence, and an independent measure of the same in the
        same order, such as the mean of the dynamic annotations.
    preprocessing : fitted transformer or list of them, default=None
        What `X` went through before, outside any pipeline.
    alpha : float, default=0.001
        Chance of a false alarm in the two checks that rest on probability, near duplicates and
        identity probe, each.
    n_permutations : int, default=1999
        Permutations of the identity probe, at most a million.
    random_state : int, RandomState instance or None, default=0
        Seed of the identity probe.
    n_jobs : int or None, default=None
        Jobs that read files, in joblib's meaning.

    Returns
    -------
    AuditReport
        Findings, what was checked and what was not, and the figures measured.

    Notes
    -----
    * Near duplicates are neighbours whose distance, in standardised features, is small for the
      intrinsic dimension of the data [1]_ [2]_. A copy with a little noise or another encoding is
      found, a second take by the same singer is not one. The audit finds up to 4 near duplicates
      of every clip, up to 9 of fewer than half of the rows, and any number of identical rows.
      Beyond that a clip's neighbors are all copies, whose distances are not compared with those
      of other clips, and near duplicates are not found.
    * The identity probe guesses a clip's group from its nearest neighbour. It is a finding where
      splits share groups, or where no splits are given; where splits keep groups apart a
      recognisable singer does no harm, and only the figures are reported.
    * Preprocessing outside the fold is seen where it leaves its mark on the whole of `X`: columns
      of mean 0 and deviation 1, of median 0 and interquartile range 1, from exactly 0 to 1, or
      without any correlation; or where a fitted transformer counted its rows. Feature
      selection, supervised transformations, and scaling that was fitted on other rows or followed
      by further steps leave no such mark.

    References
    ----------
    .. [1] E. Levina and P. J. Bickel. "Maximum likelihood estimation of intrinsic dimension".
       Advances in Neural Information Processing Systems 17, 2004.
    .. [2] E. Facco, M. d'Errico, A. Rodriguez and A. Laio. "Estimating the intrinsic dimension of
       datasets by a minimal neighborhood information". Scientific Reports 7, 12140, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import GroupKFold, KFold
    >>> from skmer.evaluation import audit
    >>> X = np.random.default_rng(0).normal(size=(60, 5))
    >>> singers = np.repeat(np.arange(10), 6)
    >>> audit(X, groups=singers, cv=GroupKFold(5)).clean
    True
    >>> print(audit(groups=singers, cv=KFold(4)).findings[0].message)
    2 of 10 groups have rows both in the training set and in the test set, in 4 of 4 splits.
    """
    given = {"X": X, "y": y, "groups": groups, "paths": paths, "items": items}
    given |= {"datasets": datasets, "targets": targets, "reference": reference}
    n_rows = _count_rows(given)
    labels.check_order(given)
    features, columns = {}, {}
    if X is not None:
        names = [str(name) for name in getattr(X, "columns", ())]
        X = features["X"] = _check_features(X)
        columns["X"] = names or [str(i) for i in range(X.shape[1])]
    if np.ndim(y) == 2:
        y = check_array(y, dtype=None)
    elif y is not None:
        y = labels.check_labels(y, "The labels y")
    groups = None if groups is None else labels.check_labels(groups, "The groups")
    datasets = None if datasets is None else labels.check_labels(datasets, "The datasets")
    evidence = copies.Evidence(
        X, y, groups, paths, items, datasets, targets, reference, preprocessing, alpha=alpha,
        n_permutations=n_permutations, random_state=random_state, n_jobs=n_jobs,
        features=features, columns=columns,
    )  # fmt: skip
    return judge(evidence, None if cv is None else leaks.Splits(cv, n_rows, X, y, groups))


def audit_protocols(evidence, protocols) -> dict[str, dict]:
    """Audit the splits of each protocol of an evaluation; return the reports ready for JSON.

    One feature with one vector a clip stands for all: near duplicates and recognisable groups are
    a matter of the clips. The evidence is the same for all protocols and is computed once.
    """
    reports = {}
    for protocol in protocols:
        pairs = [(np.append(one.train, one.validation), one.test) for one in protocol.splits]
        reports[protocol.name] = judge(evidence, leaks.Splits(pairs, len(evidence.y))).to_dict()
    return reports


# What finds each kind of leak in the evidence and the splits, and what it needs.
_CHECKS: dict[str, tuple[Any, ...]] = {
    "shared_rows": (leaks.shared_rows, "cv"),
    "shared_groups": (leaks.shared_groups, "groups", "cv"),
    "shared_files": (copies.shared_files, "paths", "cv"),
    "similar_groups": (leaks.similar_groups, "groups"),
    "contained_dataset": (copies.contained, "datasets, with items or paths"),
    **{kind: (partial(copies.duplicates, kind), need) for kind, (need, _) in copies.KINDS.items()},
    # Its findings are made by the four checks for copies.
    "item_in_two_datasets": (lambda evidence, splits: (), "datasets", "paths, items or X"),
    "identity_probe": (copies.recognised, "X", "groups of two or more rows"),
    "swapped_columns": (leaks.swapped_columns, "targets", "reference"),
    "target_in_features": (leaks.target_in_features, "features as a table", "y"),
    "preprocessing": (leaks.fitted_before, "X"),
}


@floats.numpy_defaults
def judge(evidence, splits) -> AuditReport:
    """Run every check whose data are there, and name what the others would need."""
    X, groups, paths = evidence.X, evidence.groups, evidence.paths
    is_repeated = groups is None or np.unique(groups).size < len(groups)
    given = vars(evidence) | {
        "cv": splits,
        "datasets, with items or paths": evidence.contained,
        "paths, items or X": evidence.copies or None,
        "groups of two or more rows": groups if is_repeated else None,
        "features as a table": evidence.columns or None,
    }
    findings: list[AuditFinding] = []
    checked, skipped, measurements = [], {}, {}
    for kind, (find, *needs) in _CHECKS.items():
        if missing := [need for need in needs if given[need] is None]:
            skipped[kind] = " and ".join(missing)
        else:
            checked.append(kind)
            findings += find(evidence, splits)
    if paths is not None:
        findings += copies.unread_files(evidence)
    findings += leaks.identical_features(evidence)
    if X is not None:
        measurements["intrinsic_dimension"] = evidence.near[1]
    if "identity_probe" in checked:
        probe = evidence.probe._asdict()
        measurements |= {f"identity_{name}": value for name, value in probe.items()}
    return AuditReport(tuple(findings), tuple(checked), skipped, measurements)


def _check_features(X):
    """Return features as a table of numbers."""
    if len(X) and not hasattr(X, "columns") and isinstance(next(iter(X)), str | PathLike):
        raise InputTypeError(
            "X of audit must be features, one row of numbers for each clip. Got text or paths "
            "instead; give files as paths=..., and names as items=..."
        )
    X = check_array(X, input_name="X", ensure_min_samples=4, dtype=float)
    floats.check_magnitude(X, "X of audit")
    return X


def _count_rows(given):
    """Return the number of rows of everything given."""
    lengths = {name: _num_samples(one) for name, one in given.items() if one is not None}
    if not lengths:
        raise InputError("audit needs something to look at, such as X or paths. Got nothing.")
    if len(set(lengths.values())) > 1:
        raise InputError(f"Everything given to audit must have one row a clip. Got {lengths}.")
    return next(iter(lengths.values()))

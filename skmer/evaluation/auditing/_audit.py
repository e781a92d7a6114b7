"""The leakage audit: what makes test scores look better than they are.

Kinds of findings
-----------------
shared_rows           rows trained on and tested on in one split
shared_groups         groups (singers, artists) on both sides of a split
duplicate_files       identical files
duplicate_audio       identical waveforms, whatever the file format
near_duplicates       clips whose features are closer than chance allows
duplicate_items       equal item names
item_in_two_datasets  any of the four above, between datasets
identity_probe        the group can be read off the features, and splits do not keep groups apart
swapped_columns       a target goes with another column of the reference than its own
preprocessing         something was fitted on training and test rows together
"""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.multiclass import type_of_target

from skmer.evaluation.auditing._columns import swapped_columns
from skmer.evaluation.auditing._duplicates import (
    audio_digests,
    duplicates,
    equal_sets,
    file_digests,
    near_sets,
)
from skmer.evaluation.auditing._finding import AuditFinding
from skmer.evaluation.auditing._preprocessing import fitted_outside, scaled_outside
from skmer.evaluation.auditing._probe import identity_probe
from skmer.evaluation.auditing._report import AuditReport
from skmer.evaluation.auditing._splits import Splits, shared_groups, shared_rows
from skmer.exceptions import InputError
from skmer.utils._sklearn import HasMethods, Interval, validate_params


@validate_params(
    {
        "X": ["array-like", None],
        "y": ["array-like", None],
        "groups": ["array-like", None],
        "cv": [HasMethods(["split"]), "array-like", None],
        "paths": ["array-like", None],
        "items": ["array-like", None],
        "datasets": ["array-like", None],
        "targets": ["array-like", None],
        "reference": ["array-like", None],
        "preprocessing": ["array-like", HasMethods(["fit"]), None],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    },
    prefer_skip_nested_validation=True,
)
def audit(
    X=None,
    y=None,
    *,
    groups=None,
    cv=None,
    paths=None,
    items=None,
    datasets=None,
    targets=None,
    reference=None,
    preprocessing=None,
    alpha=0.001,
    n_permutations=1999,
    random_state=0,
    n_jobs=None,
) -> AuditReport:
    """Look for leaks between training and test clips.

    Give what there is: each check runs when its data are there, and the report names those that
    could not. Rows of all arguments are the same clips in the same order; to audit two datasets
    against each other, stack them and say in `datasets` which row is whose.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features), default=None
        Features, one row a clip, as they enter the pipeline.
    y : array-like of shape (n_rows,), default=None
        Labels, or numbers (then taken in five ranges), that a group must not be guessed from.
    groups : array-like of shape (n_rows,), default=None
        Singer, artist or album of each clip.
    cv : splitter or list of (train rows, test rows), default=None
        The splits to audit.
    paths : array-like of shape (n_rows,), default=None
        Audio files, which are read twice: their bytes, and their decoded waveforms.
    items : array-like of shape (n_rows,), default=None
        Names of what was recorded, such as "artist - title"; case, blanks and punctuation do not
        count.
    datasets : array-like of shape (n_rows,), default=None
        Dataset that each clip is from.
    targets, reference : array-like of shape (n_rows, n_columns), default=None
        Numbers such as static arousal and valence, and an independent measure of the same in the
        same order, such as the mean of the dynamic annotations.
    preprocessing : fitted transformer or list of them, default=None
        What `X` went through before, outside any pipeline.
    alpha : float, default=0.001
        Chance of a false alarm in the two checks that rest on probability, near duplicates and
        identity probe, each.
    n_permutations : int, default=1999
        Permutations of the identity probe.
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
      found, a second take by the same singer is not one.
    * The identity probe guesses a clip's group from its nearest neighbour. It is a finding where
      splits share groups, or where no splits are given; where splits keep groups apart a
      recognisable singer does no harm, and only the figures are reported.
    * Preprocessing outside the fold is seen where it leaves its mark on the whole of `X`: columns
      of mean 0 and deviation 1, of median 0 and interquartile range 1, from exactly 0 to 1, or
      without any correlation; or where a fitted transformer tells how many rows it saw. Feature
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
    if X is not None:
        X = check_array(X, input_name="X", ensure_min_samples=4, dtype=float)
    columns = {"X": X, "y": y, "groups": groups, "paths": paths, "items": items}
    columns |= {"datasets": datasets, "targets": targets, "reference": reference}
    n_rows = _count_rows(columns)
    y, groups, datasets = (
        None if values is None else np.asarray(values) for values in (y, groups, datasets)
    )
    splits = None if cv is None else Splits(cv, n_rows, X, y, groups)
    looked = _Findings()

    looked.at("shared_rows", lambda: shared_rows(splits), cv=cv)
    looked.at("shared_groups", lambda: shared_groups(splits, groups), groups=groups, cv=cv)

    names = paths if paths is not None else items if items is not None else range(n_rows)
    context = {"splits": splits, "groups": groups, "datasets": datasets, "names": list(names)}
    known: list[set[int]] = []

    def repeated(kind, find):
        """Report sets of equal rows, once, by the strictest check that sees them."""
        sets = [
            rows for rows in find() if not any(known_set.issuperset(rows) for known_set in known)
        ]
        known.extend(map(set, sets))
        return duplicates(kind, sets, **context)

    def near():
        sets, looked.measurements["intrinsic_dimension"] = near_sets(X, alpha)
        return sets

    for kind, find, needs in (
        ("duplicate_files", lambda: equal_sets(file_digests(paths, n_jobs)), {"paths": paths}),
        ("duplicate_audio", lambda: equal_sets(audio_digests(paths, n_jobs)), {"paths": paths}),
        ("duplicate_items", lambda: equal_sets(map(_plain, items)), {"items": items}),
        ("near_duplicates", near, {"X": X}),
    ):
        looked.at(kind, lambda kind=kind, find=find: repeated(kind, find), **needs)
    sources = {
        "datasets": datasets,
        "paths, items or X": next(
            (source for source in (paths, items, X) if source is not None), None
        ),
    }
    looked.at("item_in_two_datasets", list, **sources)

    def probe():
        found = identity_probe(
            X,
            _strata(y, n_rows),
            groups,
            n_permutations=n_permutations,
            random_state=random_state,
        )
        for name, value in found._asdict().items():
            looked.measurements[f"identity_{name}"] = value
        apart = splits is not None and not shared_groups(splits, groups)
        if apart or found.pvalue > alpha:
            return []
        return [
            AuditFinding(
                "identity_probe",
                "warning" if splits is None else "error",
                f"The group can be read off the features: the nearest neighbour is of the same "
                f"group for {found.accuracy:.0%} of the rows, against {found.chance:.0%} by "
                "chance; keep groups apart in every split.",
            )
        ]

    repeatable = groups if groups is None or _has_repeats(groups) else None
    looked.at("identity_probe", probe, X=X, **{"groups of two or more rows": repeatable})
    looked.at(
        "swapped_columns",
        lambda: swapped_columns(targets, reference),
        targets=targets,
        reference=reference,
    )
    if hasattr(preprocessing, "fit"):
        preprocessing = [preprocessing]
    n_allowed = n_rows - 1 if splits is None else splits.largest_train
    looked.at(
        "preprocessing",
        lambda: fitted_outside(preprocessing or (), n_allowed) or scaled_outside(X),
        X=X,
    )
    return AuditReport(
        tuple(looked.findings), tuple(looked.checked), looked.skipped, looked.measurements
    )


class _Findings:
    """What was found, measured, looked for, and left out for want of data."""

    def __init__(self):
        self.findings = []
        self.checked = []
        self.skipped = {}
        self.measurements = {}

    def at(self, kind, find, **needs):
        """Run a check when all that it needs is there."""
        missing = [name for name, value in needs.items() if value is None]
        if missing:
            self.skipped[kind] = " and ".join(missing)
        else:
            self.checked.append(kind)
            self.findings += find()


def _count_rows(columns):
    """Return the number of rows of everything given."""
    lengths = {name: len(values) for name, values in columns.items() if values is not None}
    if not lengths:
        raise InputError("audit needs something to look at, such as X or paths. Got nothing.")
    if len(set(lengths.values())) > 1:
        raise InputError(f"Everything given to audit must have one row a clip. Got {lengths}.")
    return next(iter(lengths.values()))


def _plain(item):
    """Return a name without case, blanks and punctuation; None when nothing is left."""
    return "".join(filter(str.isalnum, str(item).casefold())) or None


def _strata(y, n_rows):
    """Return what a group must not be guessed from: labels, or ranges of a number."""
    if y is None:
        return np.zeros(n_rows, dtype=int)
    if type_of_target(y) == "continuous":
        return np.digitize(y, np.quantile(y, [0.2, 0.4, 0.6, 0.8]))
    return y


def _has_repeats(groups):
    return len(np.unique(groups)) < len(groups)

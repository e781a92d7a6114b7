"""What an audit knows of the rows whatever the splits are."""

from functools import cached_property

import numpy as np
from sklearn.utils.multiclass import type_of_target

from skmer.evaluation.auditing._contained import contained_sets
from skmer.evaluation.auditing._duplicates import (
    audio_digests,
    equal_sets,
    file_digests,
    near_sets,
)
from skmer.evaluation.auditing._probe import Probe, identity_probe


class Evidence:
    """Rows, and what is found out about them once, however many sets of splits are judged by it.

    The parameters are those of `audit`. `audio_hashes` has a digest of each clip's decoded audio
    where it is known already; else the files are decoded for it, with `verbose` behind a bar.
    """

    def __init__(
        self,
        X=None,
        y=None,
        *,
        groups=None,
        paths=None,
        items=None,
        datasets=None,
        audio_hashes=None,
        alpha=0.001,
        n_permutations=1999,
        random_state=0,
        n_jobs=None,
        verbose=False,
    ):
        self.X = X
        self.y = y
        self.groups = groups
        self.paths = paths
        self.items = items
        self.datasets = datasets
        self.audio_hashes = audio_hashes
        self.alpha = alpha
        self.n_permutations = n_permutations
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def name_of(self, row: int) -> str:
        """What messages call a row: its path, its item, or its number."""
        names = self.paths if self.paths is not None else self.items
        return str(row if names is None else list(names)[row])

    @cached_property
    def _near(self):
        return near_sets(self.X, self.alpha)

    @property
    def intrinsic_dimension(self) -> float:
        """The dimension of the features, by the distances to neighbours."""
        return self._near[1]

    @cached_property
    def contained(self) -> dict[tuple[str, str], list[tuple[int, ...]]] | None:
        """Rows of one song in a published dataset and in one that contains it."""
        if self.datasets is None or (self.items is None and self.paths is None):
            return None
        return contained_sets(self.datasets, self.items, self.paths)

    @cached_property
    def copies(self) -> dict[str, list[tuple[int, ...]]]:
        """Sets of rows that are equal or nearly equal, by the strictest check that sees them."""
        known: list[set[int]] = []
        copies = {}
        if self.contained is not None:
            known += [set(rows) for sets in self.contained.values() for rows in sets]
        for kind, given, find in (
            ("duplicate_files", self.paths, lambda: equal_sets(self._file_hashes)),
            ("duplicate_audio", self.paths, lambda: equal_sets(self._audio_hashes)),
            ("duplicate_items", self.items, lambda: equal_sets(map(_plain, self.items))),
            ("near_duplicates", self.X, lambda: self._near[0]),
        ):
            if given is not None:
                copies[kind] = [rows for rows in find() if not any(map(set(rows).issubset, known))]
                known += map(set, copies[kind])
        return copies

    @cached_property
    def unread(self) -> list[int]:
        """Rows whose file cannot be read."""
        pairs = zip(self._file_hashes, self._audio_hashes)
        return [row for row, pair in enumerate(pairs) if None in pair]

    @cached_property
    def _file_hashes(self):
        return file_digests(self.paths, self.n_jobs)

    @cached_property
    def _audio_hashes(self):
        if self.audio_hashes is not None:
            return self.audio_hashes
        return audio_digests(self.paths, self.n_jobs, self.verbose)

    @cached_property
    def probe(self) -> Probe:
        """How well the group can be read off the features."""
        return identity_probe(
            self.X,
            strata_of(self.y, len(self.X)),
            self.groups,
            n_permutations=self.n_permutations,
            random_state=self.random_state,
        )


def strata_of(y, n_rows) -> np.ndarray:
    """Return what a group must not be guessed from: labels, or ranges of one or several numbers."""
    if y is None:
        return np.zeros(n_rows, dtype=int)
    if np.ndim(y) == 2:
        columns = np.column_stack([strata_of(column, n_rows) for column in np.transpose(y)])
        return np.unique(columns, axis=0, return_inverse=True)[1]
    if type_of_target(y).startswith("continuous"):
        return np.digitize(y, np.quantile(y, [0.2, 0.4, 0.6, 0.8]))
    return y


def _plain(item) -> str | None:
    """Return a name without case, blanks and punctuation; None when nothing is left."""
    return "".join(filter(str.isalnum, str(item).casefold())) or None

"""Recordings that are there more than once, and groups that show in the features."""

import os
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePath
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import betainc, gammaincinv
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import type_of_target

from skmer.audio import Segment, read_audio
from skmer.audio.segment import file_of, part_of
from skmer.classifiers import FeatureScaler
from skmer.datasets import list_datasets
from skmer.evaluation.auditing.findings import AuditFinding
from skmer.evaluation.auditing.leaks import shared_groups
from skmer.exceptions import AudioDecodeError
from skmer.utils import digest, messages, processes, progress

# Neighbors whose distances show how close two unrelated clips may come.
N_NEIGHBORS = 10
# Of these the nearest may be copies, of every clip.
MOST_COPIES = 4
# The kinds of copies, the strictest first: what each is found in, and in words.
KINDS = {
    "duplicate_files": ("paths", "identical files"),
    "duplicate_audio": ("paths", "identical decoded audio"),
    "duplicate_items": ("items", "the same item name"),
    "near_duplicates": ("X", "embeddings closer than chance allows"),
}


class Probe(NamedTuple):
    """How well the group can be read off the features, and how well by chance."""

    accuracy: float
    chance: float
    pvalue: float


@dataclass
class Evidence:
    """Rows, and what is computed of them once, however many sets of splits are judged by it.

    The parameters are those of `audit`. `audio_hashes` has a digest of each clip's decoded audio
    where it is known already; else the files are decoded for it, with a bar if `verbose`.
    """

    X: Any = None
    y: Any = None
    groups: Any = None
    paths: Any = None
    items: Any = None
    datasets: Any = None
    targets: Any = None
    reference: Any = None
    preprocessing: Any = None
    audio_hashes: Any = None
    file_hashes: Any = None
    alpha: float = 0.001
    n_permutations: int = 1999
    random_state: Any = 0
    n_jobs: int | None = None
    verbose: bool = False
    # What models get of each feature; and of features that were given as tables, their columns.
    features: dict[str, np.ndarray] = field(default_factory=dict)
    columns: dict[str, list[str]] = field(default_factory=dict)

    def name_of(self, row: int) -> str:
        """Return what messages call a row: its path, its item, or its number."""
        names = self.paths if self.paths is not None else self.items
        return str(row if names is None else list(names)[row])

    @cached_property
    def _neighbors(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The scaled rows, and of each the distances and rows of its neighbors, nearest first."""
        X = FeatureScaler().fit_transform(self.X)
        n_neighbors = min(N_NEIGHBORS, len(X) - 1)
        return X, *NearestNeighbors(n_neighbors=n_neighbors).fit(X).kneighbors()

    @cached_property
    def near(self) -> tuple[list[tuple[int, ...]], float]:
        """Sets of rows that are near duplicates, and the intrinsic dimension of the features."""
        return near_sets(*self._neighbors, self.alpha)

    def keep(self, rows: np.ndarray) -> "Evidence":
        """Return the evidence of some rows, which are of one dataset."""
        given = {name: getattr(self, name) for name in ("y", "groups", "paths", "items")}
        given |= {"X": self.X if len(rows) > 3 else None, "audio_hashes": self.audio_hashes}
        if self.paths is not None:
            given |= {"file_hashes": self._file_hashes, "audio_hashes": self._audio_hashes}
        kept: dict[str, Any] = {
            name: None if one is None else np.asarray(one)[rows] for name, one in given.items()
        }
        kept["features"] = {name: one[rows] for name, one in self.features.items()}
        return replace(self, **kept, datasets=None)

    @cached_property
    def contained(self) -> dict[tuple[str, str], list[tuple[int, ...]]] | None:
        """Rows of one song, by the dataset that has it from another and by that other.

        A song's code is its item, or the name of its file, up to " - " where that is in it.
        """
        if self.datasets is None or (self.items is None and self.paths is None):
            return None
        table, known = list_datasets(), _known_datasets()
        items = map(_code_of, self.paths) if self.items is None else self.items
        codes: dict[str | None, dict[str, int]] = defaultdict(dict)
        for row, (dataset, item) in enumerate(zip(self.datasets, items)):
            codes[known.get(_plain(dataset))][str(item).strip().upper()] = row
        found = {}
        for outer, contains in zip(table.name, table.contains):
            for inner in contains:
                rows, others = codes[inner], codes[outer]
                pairs = [(rows[code], others[code]) for code in rows if code in others]
                if pairs:
                    found[outer, inner] = [tuple(sorted(pair)) for pair in pairs]
        return found

    @cached_property
    def copies(self) -> dict[str, list[tuple[int, ...]]]:
        """Sets of rows that are equal or nearly equal, each under the strictest kind."""
        find = {
            "duplicate_files": lambda: equal_sets(self._file_hashes),
            "duplicate_audio": lambda: equal_sets(self._audio_hashes),
            "duplicate_items": lambda: equal_sets(map(_plain, self.items)),
            "near_duplicates": lambda: self.near[0],
        }
        known = [set(rows) for sets in (self.contained or {}).values() for rows in sets]
        copies = {}
        for kind, (need, _) in KINDS.items():
            if getattr(self, need) is not None:
                sets = find[kind]()
                copies[kind] = [rows for rows in sets if not any(map(set(rows).issubset, known))]
                known += map(set, copies[kind])
        return copies

    def shared(self, is_second: np.ndarray) -> dict[str, list[tuple[int, ...]]]:
        """Rows of one recording in each of two datasets, by how they were found."""
        keys: dict = {}
        if self.paths is not None:
            keys["the same file"] = [os.path.abspath(path) for path in self.paths]
            keys["identical files"] = self._file_hashes
        if self.paths is not None or self.audio_hashes is not None:
            keys["identical decoded audio"] = self._audio_hashes
        if self.paths is not None and are_related(set(self.datasets)):
            keys["the same code"] = map(_code_of, self.paths)
        found: dict[str, list[tuple[int, ...]]] = {}
        known: set[int] = set()
        for how, of_rows in keys.items():
            sets = [rows for rows in equal_sets(of_rows) if _is_mixed(rows, is_second, False)]
            new = [rows for rows in sets if not known.issuperset(rows)]
            known.update(*new)
            found |= {how: new} if new else {}
        return found

    @cached_property
    def _file_hashes(self):
        known = self.file_hashes
        return self._digests(_file_digest, verbose=False) if known is None else known

    @cached_property
    def _audio_hashes(self):
        known = self.audio_hashes
        return self._digests(_audio_digest, verbose=self.verbose) if known is None else known

    def _digests(self, compute, *, verbose: bool) -> list[str | None]:
        digests = processes.run_parallel(compute, zip(self.paths), n_jobs=self.n_jobs)
        total = len(self.paths)
        return list(progress.track(digests, total=total, description="audit", enabled=verbose))

    @cached_property
    def probe(self) -> Probe:
        """How well the group can be read off the features."""
        strata = strata_of(self.y, len(self.X))
        nearest = self._neighbors[2][:, 0]
        return identity_probe(nearest, strata, self.groups, self.n_permutations, self.random_state)


def _file_digest(path):
    """Return the SHA-256 of a file; None for one that cannot be read."""
    try:
        return digest.file_digest(file_of(path)) + part_of(path)
    except OSError:
        return None


def _audio_digest(path):
    """Return the SHA-256 of a file's waveform, for any container; None as above."""
    waveform = digest.AudioDigest()
    try:
        part = path if isinstance(path, Segment) else Segment(path)
        length = None if part.end is None else part.end - part.start
        waveform.update(*read_audio(part.path, offset=part.start, duration=length))
    except AudioDecodeError:
        return None
    return waveform.hexdigest()


def equal_sets(keys):
    """Return sets of rows that have the same key; None is no key."""
    rows = defaultdict(list)
    for row, key in enumerate(keys):
        if key is not None:
            rows[key].append(row)
    return [tuple(found) for found in rows.values() if len(found) > 1]


def near_sets(X, distances, neighbors, alpha):
    """Return sets of rows that are closer than chance allows, and the intrinsic dimension.

    Where points lie at random in d dimensions, the distance to the nearest neighbor over that to
    the k-th, to the power d, is the least of k - 1 uniform numbers. A row whose ratio is so small
    that one in `alpha` data sets would have such a row has a near duplicate.

    Up to `MOST_COPIES` copies of every row are found; with more of most rows the dimension is that
    of the copies, and they are not.
    """
    k = distances.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        # Copies of copies have no spread to compare with: their ratio is 0.
        ratios = np.where(distances[:, -1:] > 0, distances / distances[:, -1:], 0.0)
        # Levina and Bickel's estimate without the nearest neighbors, which may be copies: the
        # logarithms are exponential, and those of the nearest are known to be above the others'.
        logs, n_left_out = -np.log(ratios[:, :-1]), min(MOST_COPIES, k - 2)
        sums = logs[:, n_left_out:].sum(axis=1) + n_left_out * logs[:, n_left_out]
        # The median over rows, of a sum that is distributed as gamma.
        dimension = float(gammaincinv(k - 1 - n_left_out, 0.5) / np.median(sums))
    if not np.isfinite(dimension) or dimension == 0:
        return equal_sets([row.tobytes() for row in X]), float("nan")
    chance = betainc(1, k - 1, ratios**dimension)
    rows, columns = np.nonzero(chance[:, :-1] * len(X) < alpha)
    links = coo_array((np.ones(len(rows)), (rows, neighbors[rows, columns])), shape=(len(X),) * 2)
    return equal_sets(connected_components(links, directed=False)[1].tolist()), dimension


def shared_files(evidence, splits):
    """Find files with parts on both sides of a split, which are of one recording."""
    paths = [one if isinstance(one, Segment) else None for one in evidence.paths]
    sets = equal_sets(one and os.path.abspath(one.path) for one in paths)
    sets = [rows for rows in sets if splits.crossed_by(rows)]
    if sets:
        files = messages.counted(len(sets), "file has", "files have")
        message = f"{files} parts on both sides of a split, such as "
        message += f"{evidence.name_of(sets[0][0])}; give the files as groups."
        yield AuditFinding("shared_files", "error", message, tuple(sets))


def unread_files(evidence):
    """Find clips whose files are not here, or are no audio: they were compared with no other."""
    pairs = zip(evidence._file_hashes, evidence._audio_hashes)
    rows = [row for row, pair in enumerate(pairs) if None in pair]
    if rows:
        message = f"{len(rows)} of {len(evidence.paths)} files could not be read here, such as "
        message += f"'{evidence.name_of(rows[0])}', so nobody knows whether they are copies of "
        message += "others."
        yield AuditFinding("unread_files", "warning", message, tuple((row,) for row in rows))


def duplicates(kind, evidence, splits):
    """Turn sets of equal or nearly equal rows into findings."""
    sets, groups, datasets = evidence.copies[kind], evidence.groups, evidence.datasets
    what, name_of = KINDS[kind][1], evidence.name_of
    crossing = [rows for rows in sets if splits is not None and splits.crossed_by(rows)]
    # Copies that one group keeps together, on one side of every split, do no harm.
    loose = [rows for rows in sets if rows not in crossing and _is_mixed(rows, groups, True)]
    for severity, chosen, where in (
        ("error", crossing, "on both sides of a split"),
        ("warning", loose, "though no split given separates them"),
    ):
        if chosen:
            in_sets = messages.counted(len(chosen), "set")
            message = f"{sum(map(len, chosen))} rows in {in_sets} have {what}, {where}, "
            message += f"such as {' and '.join(map(name_of, chosen[0][:2]))}."
            yield AuditFinding(kind, severity, message, tuple(chosen))
    if evidence.y is not None and kind in ("duplicate_files", "duplicate_audio"):
        # Several tags or numbers of a clip are one label.
        y = np.array([", ".join(map(str, np.ravel(row))) for row in evidence.y])
        if torn := [rows for rows in sets if _is_mixed(rows, y, False)]:
            labels = " and ".join(dict.fromkeys(y[row] for row in torn[0]))
            message = messages.counted(len(torn), "recording has", "recordings have")
            message += f" several labels, such as {name_of(torn[0][0])}, labelled {labels}; check "
            message += "which of them is right."
            yield AuditFinding("several_labels", "warning", message, tuple(torn))
    if between := [rows for rows in sets if _is_mixed(rows, datasets, False)]:
        pair = " and ".join(
            f"{name_of(row)} ({datasets[row]})"
            for row in {datasets[row]: row for row in between[0]}.values()
        )
        severity = "error" if any(rows in crossing for rows in between) else "warning"
        items = messages.counted(len(between), "item is", "items are")
        message = f"{items} in more than one dataset, with {what}, such as {pair}."
        yield AuditFinding("item_in_two_datasets", severity, message, tuple(between))


def _is_mixed(rows, names, if_unknown):
    """Whether rows have several names, such as groups or datasets."""
    return if_unknown if names is None else len(set(names[list(rows)])) > 1


def _known_datasets() -> dict[str | None, str]:
    """Return the name of each dataset that has one, by its name and its title."""
    names, titles = list_datasets()[["name", "title"]].to_numpy().T.tolist()
    return dict(zip(map(_plain, names + titles), names + names))


def _code_of(path) -> str:
    """Return the code of a song that the name of its file begins with."""
    return PurePath(file_of(path)).stem.split(" - ")[0].strip().upper()


def are_related(datasets: set[str]) -> bool:
    """Whether one dataset contains the other, or a third contains both, under the same codes."""
    known, table = _known_datasets(), list_datasets()
    names = {known.get(_plain(name)) for name in datasets}
    families = [{name, *inner} for name, inner in zip(table.name, table.contains)]
    return len(names) > 1 and any(names <= family for family in families)


def contained(evidence, splits):
    """Find datasets that hold songs of others, and whether a split trains on one of them."""
    for (outer, inner), sets in evidence.contained.items():
        crossing = [rows for rows in sets if splits is not None and splits.crossed_by(rows)]
        across = "no split given separates them"
        if crossing:
            across = f"{len(crossing)} of them on both sides of a split"
        clips = messages.counted(len(sets), "clip is", "clips are")
        message = f"{outer} contains {inner}: {clips} in both under the same codes, "
        message += f"{across}; leave them out of one of the two."
        severity = "error" if crossing else "warning"
        yield AuditFinding("contained_dataset", severity, message, tuple(sets))


# Of more strata than these, as tags make, a loop over them would take most of the audit's time.
_MANY_STRATA = 100


def identity_probe(nearest, strata, groups, n_permutations, random_state) -> Probe:
    """Guess each row's group to be that of its nearest neighbor, leaving the row itself out.

    Chance is the same guess after groups were shuffled among rows of one stratum (label), so that
    a group that shows only through its label does not count.
    """
    codes, counts = np.unique(groups, return_inverse=True, return_counts=True)[1:]
    of_strata = np.unique(strata, return_inverse=True)[1]
    # Of small integers a stable sort is several times as fast.
    of_strata = of_strata.astype(np.min_scalar_type(of_strata.max()))
    by_stratum = np.argsort(of_strata, kind="stable")
    members = np.split(by_stratum, np.bincount(of_strata).cumsum()[:-1])
    # To shuffle a single row draws no random number.
    members = [rows for rows in members if rows.size > 1]
    rng = check_random_state(random_state)

    def accuracy_of(codes):
        # A row that is alone in its group cannot be guessed.
        return np.mean((codes[nearest] == codes)[counts[codes] > 1])

    accuracy = accuracy_of(codes)
    by_chance = np.empty(n_permutations)
    for trial in range(n_permutations):
        shuffled = codes.copy()
        if len(members) > _MANY_STRATA:
            # One permutation of all rows, sorted by stratum.
            order = rng.permutation(codes.size)
            in_order = order[np.argsort(of_strata[order], kind="stable")]
            shuffled[by_stratum] = codes[in_order]
        for rows in members if len(members) <= _MANY_STRATA else ():
            shuffled[rows] = rng.permutation(codes[rows])
        by_chance[trial] = accuracy_of(shuffled)
    pvalue = float((1 + np.sum(by_chance >= accuracy)) / (1 + n_permutations))
    return Probe(float(accuracy), float(by_chance.mean()), pvalue)


def recognised(evidence, splits):
    """Find groups that can be read off the features, where splits do not keep them apart."""
    probe = evidence.probe
    mixed = splits is None or any(shared_groups(evidence, splits))
    if mixed and probe.pvalue <= evidence.alpha:
        message = (
            "The group can be read off the features: the nearest neighbour is of the same group "
            f"for {probe.accuracy:.0%} of the rows, against {probe.chance:.0%} by chance; keep "
            "groups apart in every split."
        )
        yield AuditFinding("identity_probe", "warning" if splits is None else "error", message)


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

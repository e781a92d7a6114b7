"""Recordings that are there more than once."""

from collections import defaultdict
from functools import cached_property
from pathlib import PurePath
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import betainc
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import type_of_target

from skmer.audio import read_audio
from skmer.datasets import list_datasets
from skmer.evaluation.auditing.findings import AuditFinding
from skmer.exceptions import AudioDecodeError
from skmer.utils.digest import AudioDigest, file_digest
from skmer.utils.messages import cut_middle
from skmer.utils.processes import run_parallel
from skmer.utils.progress import track

# Neighbours whose distances tell how close two unrelated clips may come.
N_NEIGHBOURS = 10


def equal_sets(keys):
    """Return sets of rows that have the same key; None is no key."""
    rows = defaultdict(list)
    for row, key in enumerate(keys):
        if key is not None:
            rows[key].append(row)
    return [tuple(found) for found in rows.values() if len(found) > 1]


def file_digests(paths, n_jobs):
    """Return the SHA-256 of each file; None for one that cannot be read."""
    return list(run_parallel(_file_digest, ((path,) for path in paths), n_jobs=n_jobs))


def audio_digests(paths, n_jobs, verbose=False):
    """Return the SHA-256 of each file's waveform, whatever its container; None as above."""
    digests = run_parallel(_audio_digest, ((path,) for path in paths), n_jobs=n_jobs)
    return list(track(digests, total=len(paths), description="audit", enabled=verbose))


def _file_digest(path):
    try:
        return file_digest(path)
    except OSError:
        return None


def _audio_digest(path):
    digest = AudioDigest()
    try:
        digest.update(*read_audio(path))
    except AudioDecodeError:
        return None
    return digest.hexdigest()


def unread_files(evidence):
    """Find clips whose files are not here, or are no audio: they were compared with no other."""
    if evidence.paths is None or not (rows := evidence.unread):
        return []
    return [
        AuditFinding(
            "unread_files",
            "warning",
            f"{len(rows)} of {len(evidence.paths)} files could not be read here, such as "
            f"'{cut_middle(evidence.name_of(rows[0]))}', so nobody knows whether they are copies "
            "of others.",
            tuple((row,) for row in rows),
        )
    ]


def near_sets(X, alpha):
    """Return sets of rows that are closer than chance allows, and the intrinsic dimension.

    Where points lie at random in d dimensions, the distance to the nearest neighbour over that to
    the k-th, to the power d, is the least of k - 1 uniform numbers. A row whose ratio is so small
    that one in `alpha` data sets would have such a row has a near duplicate.
    """
    X = StandardScaler().fit_transform(np.asarray(X, dtype=float))
    k = min(N_NEIGHBOURS, len(X) - 1)
    distances, neighbours = NearestNeighbors(n_neighbors=k).fit(X).kneighbors()
    with np.errstate(divide="ignore", invalid="ignore"):
        # Copies of copies have no spread to compare with: their ratio is 0.
        ratios = np.where(distances[:, -1:] > 0, distances / distances[:, -1:], 0.0)
        # Levina and Bickel's estimate, by the median over rows so that duplicates have no say.
        dimension = float(1 / np.median(-np.log(ratios[:, :-1]).mean(axis=1)))
    if not np.isfinite(dimension) or dimension == 0:
        return equal_sets([row.tobytes() for row in X]), float("nan")
    chance = betainc(1, k - 1, ratios**dimension)
    near = chance[:, :-1] * len(X) < alpha
    rows, columns = np.nonzero(near)
    links = coo_array((np.ones(len(rows)), (rows, neighbours[rows, columns])), shape=(len(X),) * 2)
    return equal_sets(connected_components(links, directed=False)[1].tolist()), dimension


def duplicates(kind, evidence, splits):
    """Turn sets of equal or nearly equal rows into findings."""
    sets, name_of = evidence.copies[kind], evidence.name_of
    groups, datasets = evidence.groups, evidence.datasets
    what = {
        "duplicate_files": "identical files",
        "duplicate_audio": "identical decoded audio",
        "near_duplicates": "embeddings closer than chance allows",
        "duplicate_items": "the same item name",
    }[kind]
    crossing = [rows for rows in sets if splits is not None and splits.crossed_by(rows)]
    between = [rows for rows in sets if datasets is not None and len(set(datasets[list(rows)])) > 1]
    # Copies that one group keeps together, on one side of every split, do no harm.
    loose = [
        rows
        for rows in sets
        if rows not in crossing and (groups is None or len(set(groups[list(rows)])) > 1)
    ]
    found = []
    for severity, chosen, where in (
        ("error", crossing, "on both sides of a split"),
        ("warning", loose, "though no split given separates them"),
    ):
        if chosen:
            pair = " and ".join(name_of(row) for row in chosen[0][:2])
            found.append(
                AuditFinding(
                    kind,
                    severity,
                    f"{sum(map(len, chosen))} rows in {len(chosen)} sets have {what}, {where}, "
                    f"such as {pair}.",
                    tuple(chosen),
                )
            )
    if between:
        pair = " and ".join(
            f"{name_of(row)} ({datasets[row]})"
            for row in {datasets[row]: row for row in between[0]}.values()
        )
        found.append(
            AuditFinding(
                "item_in_two_datasets",
                "error" if any(rows in crossing for rows in between) else "warning",
                f"{len(between)} items are in more than one dataset, with {what}, such as {pair}.",
                tuple(between),
            )
        )
    return found


def contained_sets(datasets, items, paths) -> dict[tuple[str, str], list[tuple[int, ...]]]:
    """Rows of one song, by the dataset that has it from another and by that other.

    A song's code is its item, or what the name of its file is or has before " - ".
    """
    table = list_datasets()
    known = {_plain_name(name): name for name in table.name}
    known |= {_plain_name(title): name for name, title in zip(table.name, table.title)}
    names = [known.get(_plain_name(dataset)) for dataset in datasets]
    codes = [_code(item) for item in items] if items is not None else list(map(_code_of, paths))
    found = {}
    for outer, contains in zip(table.name, table.contains):
        for inner in contains:
            of_inner, of_outer = (
                {code: row for row, code in enumerate(codes) if names[row] == which}
                for which in (inner, outer)
            )
            shared = [code for code in of_inner if code in of_outer]
            if shared:
                found[outer, inner] = [
                    tuple(sorted((of_inner[code], of_outer[code]))) for code in shared
                ]
    return found


def contained(evidence, splits) -> list[AuditFinding]:
    """Say which datasets hold songs of others, and whether a split trains on one of them."""
    findings = []
    for (outer, inner), sets in evidence.contained.items():
        crossing = [rows for rows in sets if splits is not None and splits.crossed_by(rows)]
        across = "no split given separates them"
        if crossing:
            across = f"{len(crossing)} of them on both sides of a split"
        findings.append(
            AuditFinding(
                "contained_dataset",
                "error" if crossing else "warning",
                f"{outer} contains {inner}: {len(sets)} clips are in both under the same codes, "
                f"{across}; leave them out of one of the two.",
                tuple(sets),
            )
        )
    return findings


def _plain_name(name) -> str:
    """A dataset's name without case, blanks and punctuation."""
    return "".join(filter(str.isalnum, str(name).casefold()))


def _code(item) -> str:
    return str(item).strip().upper()


def _code_of(path) -> str:
    return _code(PurePath(path).stem.split(" - ")[0])


class Probe(NamedTuple):
    """How well the group is read off the features, and how well it would be by chance."""

    accuracy: float
    chance: float
    pvalue: float


def identity_probe(X, strata, groups, *, n_permutations, random_state):
    """Guess each row's group to be that of its nearest neighbour, leaving the row itself out.

    Chance is the same guess after groups were shuffled among rows of one stratum (label), so that
    a group that shows only through its label does not count.
    """
    X = StandardScaler().fit_transform(np.asarray(X, dtype=float))
    nearest = NearestNeighbors(n_neighbors=1).fit(X).kneighbors(return_distance=False)[:, 0]
    codes, counts = np.unique(groups, return_inverse=True, return_counts=True)[1:]
    # A row that is alone in its group cannot be guessed.
    asked = counts[codes] > 1
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    rng = check_random_state(random_state)
    accuracy = np.mean((codes[nearest] == codes)[asked])
    by_chance = np.empty(n_permutations)
    for trial in range(n_permutations):
        shuffled = codes.copy()
        for rows in members:
            shuffled[rows] = rng.permutation(codes[rows])
        by_chance[trial] = np.mean((shuffled[nearest] == shuffled)[counts[shuffled] > 1])
    return Probe(
        float(accuracy),
        float(by_chance.mean()),
        float((1 + np.sum(by_chance >= accuracy)) / (1 + n_permutations)),
    )


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

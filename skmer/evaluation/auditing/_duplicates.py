"""Recordings that are there more than once."""

from collections import defaultdict

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import betainc
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from skmer.audio import read_audio
from skmer.evaluation.auditing._finding import AuditFinding
from skmer.exceptions import AudioDecodeError
from skmer.utils import track
from skmer.utils._words import cut_middle
from skmer.utils.files._digest import AudioDigest, file_digest
from skmer.utils.processes._parallel import run_parallel

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

"""What a result keeps of the clips themselves: their paths, and where they lie on a map."""

import os

import numpy as np

from skmer.utils.processes._parallel import run_parallel

# A map of more points than these is slow to make and too full to read.
MOST = 2000
# With fewer clips there is nothing to arrange.
FEWEST = 5


def find_paths(X) -> np.ndarray | None:
    """Return the path of each clip as text; None where some clip is no path."""
    clips = [] if X is None or hasattr(X, "columns") else list(X)
    if not clips or not all(isinstance(clip, str | os.PathLike) for clip in clips):
        return None
    # A name of bytes that are no text has marks in their place, so that every table can hold it.
    texts = [str(os.fspath(clip)).encode(errors="replace").decode() for clip in clips]
    return np.array(texts, dtype=object)


def map_clips(vectors: dict[str, np.ndarray], rows: np.ndarray, *, seed: int, n_jobs):
    """Lay the clips out by t-SNE, once for each feature.

    Parameters
    ----------
    vectors : dict of str to array of shape (n_clips, d)
        One vector a clip, by the name of the feature.
    rows : array of shape (n_clips,)
        What the clips are called.
    seed : int
        Of the maps, and of which clips are drawn where there are more than `MOST`.
    n_jobs : int or None
        Maps at once.

    Returns
    -------
    maps : pandas.DataFrame
        A row for each feature and clip: feature, row, x, y. Without a feature whose clips are all
        the same.
    """
    import pandas as pd

    chosen = np.arange(len(rows))
    if len(rows) > MOST:
        chosen = np.sort(np.random.default_rng(seed).choice(len(rows), MOST, replace=False))
    places = run_parallel(
        _place, ((values[chosen], seed) for values in vectors.values()), n_jobs=n_jobs
    )
    parts = [
        pd.DataFrame({"feature": name, "row": rows[chosen], "x": place[:, 0], "y": place[:, 1]})
        for name, place in zip(vectors, places)
        if place is not None
    ]
    return pd.concat(parts, ignore_index=True) if parts else None


def _place(vectors: np.ndarray, seed: int) -> np.ndarray | None:
    from sklearn.preprocessing import StandardScaler

    from skmer.evaluation.statistics._purity import tsne_map

    scaled = StandardScaler().fit_transform(vectors.astype(float))
    if len(scaled) < FEWEST or not np.ptp(scaled, axis=0).any():
        return None
    if scaled.shape[1] == 1:
        scaled = np.column_stack([scaled, np.zeros(len(scaled))])
    perplexity = min(30, (len(scaled) - 1) / 3)
    return tsne_map(scaled, perplexity=perplexity, random_state=seed).astype(float)

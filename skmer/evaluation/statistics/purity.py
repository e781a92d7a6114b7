"""The share of neighbors with the same label, and t-SNE maps."""

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_consistent_length

from skmer.exceptions import InputError
from skmer.utils.floats import check_floats
from skmer.utils.labels import check_labels, check_order


def neighbor_purity(embedding, labels, *, n_neighbors=10) -> float:
    """Return the mean share of a row's nearest neighbors that have its label.

    Parameters
    ----------
    embedding : array-like of shape (n_rows, n_dimensions)
        Points, such as a t-SNE map or the features themselves.
    labels : array-like of shape (n_rows,)
        Label of each point.
    n_neighbors : int, default=10
        Number of neighbors of each point, which is not among them.

    Returns
    -------
    float
        Between 0 and 1; by chance, the probability that two different rows have one label.

    Examples
    --------
    >>> from skmer.evaluation import neighbor_purity
    >>> points = [[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]]
    >>> neighbor_purity(points, ["a", "a", "a", "b", "b", "b"], n_neighbors=2)
    1.0
    """
    check_order({"embedding": embedding, "labels": labels})
    embedding = check_floats(embedding, "embedding", ndim=2)
    labels = check_labels(labels, "The labels")
    check_consistent_length(embedding, labels)
    nearest = NearestNeighbors(n_neighbors=n_neighbors).fit(embedding)
    neighbors = nearest.kneighbors(return_distance=False)
    return float(np.mean(labels[neighbors] == labels[:, None]))


def tsne_purity(
    features,
    labels_by_name,
    perplexities=(5, 10, 20, 30, 50, 75, 100),
    *,
    n_neighbors=10,
    random_state=0,
):
    """Measure which labels t-SNE maps group by, over perplexities.

    Parameters
    ----------
    features : array-like of shape (n_rows, n_features)
        What is mapped; scale it before, where its columns differ in unit.
    labels_by_name : dict of str to array-like of shape (n_rows,)
        The labels, such as ``{"emotion": ..., "singer": ..., "sex": ...}``.
    perplexities : array-like of float, default=(5, 10, 20, 30, 50, 75, 100)
        Perplexities of the maps, each below the number of rows.
    n_neighbors : int, default=10
        Number of neighbors of each point in each map.
    random_state : int, RandomState instance or None, default=0
        Seed of the maps.

    Returns
    -------
    pandas.DataFrame
        Columns perplexity, label (its name), purity (see :func:`neighbor_purity`), and chance,
        the purity of a map without order.

    References
    ----------
    .. [1] L. van der Maaten and G. Hinton. "Visualizing data using t-SNE". Journal of Machine
       Learning Research 9, 2579-2605, 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.evaluation import tsne_purity
    >>> X = np.random.default_rng(0).normal(size=(40, 5))
    >>> X[:20] += 5
    >>> table = tsne_purity(X, {"half": np.arange(40) < 20}, [5, 10], n_neighbors=5)
    >>> table["label"].tolist(), table["chance"].round(2).tolist()
    (['half', 'half'], [0.49, 0.49])
    >>> bool(table["purity"].min() > 0.9)
    True
    """
    check_order({"features": features, **labels_by_name})
    features = check_floats(features, "features", ndim=2)
    rows = []
    for perplexity in perplexities:
        embedding = tsne_map(features, perplexity=perplexity, random_state=random_state)
        for name, labels in labels_by_name.items():
            purity = neighbor_purity(embedding, labels, n_neighbors=n_neighbors)
            rows.append((perplexity, name, purity, _chance(labels)))
    return pd.DataFrame(rows, columns=["perplexity", "label", "purity", "chance"])


@config_context(transform_output="default")
def tsne_map(features, *, perplexity, random_state):
    """Return a two-dimensional t-SNE map, started from principal components."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    # scikit-learn does not check this, and its own code must not be reached without it.
    if not np.ptp(features, axis=0).any():
        raise InputError("A t-SNE map needs rows that differ from each other.")
    tsne = TSNE(perplexity=perplexity, init="pca", random_state=random_state)
    # Threads would add up in an order of their own, and the map would depend on the machine.
    with threadpool_limits(1, user_api="openmp"):
        return tsne.fit_transform(features)


def _chance(labels):
    """Return the probability that two different rows have one label."""
    counts = np.unique(np.asarray(labels), return_counts=True)[1]
    return float((counts * (counts - 1)).sum() / (counts.sum() * (counts.sum() - 1)))

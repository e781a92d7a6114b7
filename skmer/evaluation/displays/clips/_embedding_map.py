"""A map of clips, coloured by label."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_consistent_length

from skmer.evaluation.displays._style import MARKERS, PALETTE, axes_or_new, plain
from skmer.evaluation.statistics._purity import neighbour_purity, tsne_map
from skmer.utils._floats import check_floats
from skmer.utils._labels import check_labels


class EmbeddingMapDisplay:
    """Points of a two-dimensional map, a colour and a mark for each label.

    Parameters
    ----------
    embedding : array-like of shape (n_rows, 2)
        The map. Draw one map several times with different labels.
    labels : array-like of shape (n_rows,)
        Label of each point.
    name : str, default=None
        What the labels are, such as "emotion".

    Attributes
    ----------
    purity_ : float
        Share of neighbours with the same label, see :func:`neighbour_purity`.
    scatters_ : dict of label to matplotlib PathCollection
        The points of each label.
    ax_ : matplotlib Axes
        Axes of the map.
    figure_ : matplotlib Figure
        Figure of the axes.

    Examples
    --------
    >>> from skmer.evaluation import EmbeddingMapDisplay
    >>> display = EmbeddingMapDisplay([[0, 0], [1, 1]], ["calm", "angry"], name="emotion")
    >>> display.embedding.shape
    (2, 2)
    """

    def __init__(self, embedding, labels, *, name=None):
        self.embedding = check_floats(embedding, "embedding", ndim=2)
        self.labels = check_labels(labels, "The labels")
        check_consistent_length(self.embedding, self.labels)
        self.name = name

    @classmethod
    def from_features(cls, features, labels, *, name=None, perplexity=30, random_state=0, ax=None):
        """Map features by t-SNE, started from principal components, and draw the map.

        Parameters
        ----------
        features : array-like of shape (n_rows, n_features)
            What is mapped; scale it before, where its columns differ in unit.
        labels : array-like of shape (n_rows,)
            Label of each row.
        name : str, default=None
            What the labels are.
        perplexity : float, default=30
            Perplexity of the map, below the number of rows.
        random_state : int, RandomState instance or None, default=0
            Seed of the map.
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        EmbeddingMapDisplay
            The display, drawn.
        """
        features = check_floats(features, "features", ndim=2)
        labels = check_labels(labels, "The labels")
        check_consistent_length(features, labels)
        embedding = tsne_map(features, perplexity=perplexity, random_state=random_state)
        return cls(embedding, labels, name=name).plot(ax)

    def plot(self, ax=None, *, n_neighbors=10):
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.
        n_neighbors : int, default=10
            Neighbours that the purity in the title looks at.

        Returns
        -------
        EmbeddingMapDisplay
            The display itself.
        """
        if isinstance(n_neighbors, Integral):
            n_neighbors = min(n_neighbors, len(self.labels) - 1)
        self.purity_ = neighbour_purity(self.embedding, self.labels, n_neighbors=n_neighbors)
        self.ax_ = axes_or_new(ax, figsize=(5.6, 4.2))
        self.figure_ = self.ax_.figure
        self.scatters_ = {}
        for k, label in enumerate(np.unique(self.labels)):
            points = self.embedding[self.labels == label]
            self.scatters_[label] = self.ax_.scatter(
                *points.T,
                s=16,
                color=PALETTE[k % len(PALETTE)],
                # Beyond the palette's end, marks tell the labels of one colour apart.
                marker=MARKERS[(k + k // len(PALETTE)) % len(MARKERS)],
                edgecolors=self.ax_.get_facecolor(),
                linewidths=0.3,
                label=plain(label),
            )
        self.ax_.set_xticks([])
        self.ax_.set_yticks([])
        shared = f"{self.purity_:.0%} of {n_neighbors} neighbours share the "
        self.ax_.set_title(shared + plain(self.name or "label"), fontsize="medium")
        self.ax_.legend(
            title=None if self.name is None else plain(self.name),
            loc="center left",
            bbox_to_anchor=(1.0, 0.5),
            ncols=1 + (len(self.scatters_) - 1) // 14,
            frameon=False,
            markerscale=1.4,
        )
        return self

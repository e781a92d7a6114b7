"""Random against grouped splits."""

import numpy as np

from skmer.evaluation.displays._frames import check_columns, random_features, select
from skmer.evaluation.displays._style import (
    CLASSIFIER_NAMES,
    FEATURE_NAMES,
    PALETTE,
    axes_or_new,
    classifier_name,
    feature_name,
    in_order,
    plain,
)
from skmer.exceptions import InputError


class GapDisplay:
    """How much of a score is owed to groups that are on both sides of the splits.

    Parameters
    ----------
    random, grouped : array-like of shape (n_configurations,)
        Score of each configuration by random splits, and by splits that keep groups apart.
    names : list of str
        What to call the configurations.
    metric : str, default="accuracy"
        Name of the score.

    Attributes
    ----------
    random_, grouped_ : matplotlib PathCollection
        The points of the two.
    lines_ : matplotlib LineCollection
        A line from one to the other.
    ax_ : matplotlib Axes
        Axes of the points.
    figure_ : matplotlib Figure
        Figure of the axes.

    Examples
    --------
    >>> from skmer.evaluation import GapDisplay
    >>> GapDisplay([0.80, 0.73], [0.54, 0.55], ["SVM", "RF"]).gaps.round(2)
    array([0.26, 0.18])
    """

    def __init__(self, random, grouped, names, *, metric="accuracy"):
        self.random = np.asarray(random, dtype=float)
        self.grouped = np.asarray(grouped, dtype=float)
        self.names = list(names)
        self.metric = metric

    @property
    def gaps(self):
        """Random minus grouped, for each configuration."""
        return self.random - self.grouped

    @classmethod
    def from_scores(
        cls, scores, *, random="koh2021", grouped="grouped", metric="accuracy", ax=None
    ):
        """Draw the mean scores of two protocols of an evaluation.

        Parameters
        ----------
        scores : pandas.DataFrame
            The `scores` of an evaluation's result.
        random, grouped : str
            Names of the two protocols.
        metric : str, default="accuracy"
            Column of the score.
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        GapDisplay
            The display, drawn.
        """
        check_columns(scores, metric)
        means = [
            select(scores, protocol=protocol).groupby(["feature", "classifier"])[metric].mean()
            for protocol in (random, grouped)
        ]
        both = set(means[0].index) & set(means[1].index)
        features, classifiers = (
            in_order([pair[k] for pair in means[0].index], known)
            for k, known in enumerate((FEATURE_NAMES, CLASSIFIER_NAMES))
        )
        pairs = [(f, c) for f in features for c in classifiers if (f, c) in both]
        if not pairs:
            raise InputError(
                f"No feature and classifier was scored by both {random!r} and {grouped!r}."
            )
        untrained = random_features(scores)
        names = [f"{feature_name(f, untrained)} + {classifier_name(c)}" for f, c in pairs]
        values = [mean.loc[pairs].to_numpy() for mean in means]
        return cls(values[0], values[1], names, metric=metric).plot(ax)

    def plot(self, ax=None):
        """Draw a line for each configuration, from grouped to random.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        GapDisplay
            The display itself.
        """
        places = np.arange(len(self.names))
        self.ax_ = axes_or_new(ax, figsize=(5.6, 0.32 * len(places) + 1.3))
        self.figure_ = self.ax_.figure
        self.lines_ = self.ax_.hlines(
            places, self.grouped, self.random, color="#999999", linewidth=2, zorder=1
        )
        self.random_ = self.ax_.scatter(
            self.random, places, s=46, marker="s", color=PALETTE[1], label="random splits", zorder=2
        )
        self.grouped_ = self.ax_.scatter(
            self.grouped, places, s=46, color=PALETTE[0], label="groups kept apart", zorder=2
        )
        for place, end, gap in zip(places, np.maximum(self.random, self.grouped), self.gaps):
            self.ax_.annotate(
                f"{gap:+.2f}",
                (end, place),
                xytext=(7, 0),
                textcoords="offset points",
                va="center",
                fontsize="small",
            )
        self.ax_.set_yticks(places, [plain(name) for name in self.names])
        self.ax_.invert_yaxis()
        self.ax_.margins(x=0.15)
        self.ax_.set_xlabel(plain(self.metric.replace("_", " ")))
        self.ax_.spines[["top", "right"]].set_visible(False)
        self.ax_.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
        return self

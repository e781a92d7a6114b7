"""Scores as bars, and what splits that mix groups add to them."""

import numpy as np

from skmer.evaluation.displays import style
from skmer.exceptions import InputError
from skmer.utils.floats import check_floats


class AccuracyBarsDisplay(style.Display):
    """Bars of a score, a cluster for each classifier and a color for each feature.

    Parameters
    ----------
    heights : array-like of shape (n_features, n_classifiers)
        The scores; NaN leaves a bar out.
    features, classifiers : list of str
        Their names.
    errors : array-like of shape (n_features, n_classifiers) or (2, n_features, n_classifiers), \
default=None
        Lengths of the error bars, or below and above.
    metric : str, default="accuracy"
        Name of the score.
    error_name : str, default=None
        The name of the error bars.
    random_weights : collection of str, default=()
        The features whose network was never trained, which the legend marks.

    Attributes
    ----------
    bars_ : dict of str to matplotlib BarContainer
        The bars of each feature.
    ax_ : matplotlib Axes
        Axes of the bars.
    figure_ : matplotlib Figure
        Figure of the axes.

    Examples
    --------
    >>> from skmer.evaluation import AccuracyBarsDisplay
    >>> display = AccuracyBarsDisplay([[0.7, 0.5], [0.6, 0.5]], ["l3", "mfcc"], ["svm", "nb"])
    >>> display.classifiers
    ['svm', 'nb']
    """

    def __init__(
        self,
        heights,
        features,
        classifiers,
        *,
        errors=None,
        metric="accuracy",
        error_name=None,
        random_weights=(),
    ):
        self.heights = check_floats(heights, "heights", ndim=2, finite=False)
        self.features = list(features)
        self.classifiers = list(classifiers)
        self.errors = None if errors is None else np.asarray(errors, dtype=float)
        self.metric = metric
        self.error_name = error_name
        self.random_weights = set(random_weights)

    @classmethod
    def from_frame(cls, frame, *, metric="accuracy", protocol=None, chance=None, ax=None):
        """Draw the scores of an evaluation, or its intervals.

        Parameters
        ----------
        frame : pandas.DataFrame
            The `scores` of an evaluation's result: bars are means over splits, with their standard
            deviation. Or what its ``intervals()`` returns: bars are the estimates, with their
            intervals. The legend marks random weights where there is a column `random_weights`.
        metric : str, default="accuracy"
            Column of the score.
        protocol : str, default=None
            Protocol to draw; needed when there is more than one.
        chance : float, default=None
            Height of a dashed line.
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        AccuracyBarsDisplay
            The display, drawn.
        """
        grouped = style.select(frame, protocol=protocol).groupby(["feature", "classifier"])
        middle = _table(grouped[metric].mean())
        if "low" in frame:
            error_name = "95 % interval"
            low, high = (_table(grouped[column].mean()) for column in ("low", "high"))
            errors = np.stack([middle - low, high - middle])
        else:
            error_name = "standard deviation over splits"
            errors = np.nan_to_num(_table(grouped[metric].std()).to_numpy())
        display = cls(
            middle.to_numpy(),
            middle.index,
            middle.columns,
            errors=errors,
            metric=metric,
            error_name=error_name,
            random_weights=style.random_features(frame),
        )
        return display.plot(ax, chance=chance)

    from_scores = style.renamed("from_frame")
    from_intervals = style.renamed("from_frame")

    def plot(self, ax=None, *, chance=None):
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.
        chance : float, default=None
            Height of a dashed line.

        Returns
        -------
        AccuracyBarsDisplay
            The display itself.
        """
        ax = self._start(ax, 6.0, 3.2)
        n_features = len(self.features)
        places, width = np.arange(len(self.classifiers)), 0.84 / n_features
        colors = style.feature_colors(self.features)
        self.bars_ = {}
        for k, feature in enumerate(self.features):
            self.bars_[feature] = ax.bar(
                places + (k - (n_features - 1) / 2) * width,
                self.heights[k],
                width * 0.94,
                yerr=None if self.errors is None else self.errors[..., k, :],
                color=colors[feature],
                ecolor=style.text_color(),
                capsize=2,
                error_kw={"elinewidth": 0.9},
                label=style.plain(style.name_of(feature, self.random_weights)),
            )
        if chance is not None:
            ax.axhline(chance, color=style.text_color(), linestyle="--", linewidth=0.9)
            side = ("axes fraction", "data")
            style.annotate(ax, "chance", (1, chance), shift=3, coordinates=side)
        ax.set_xticks(places, [style.plain(style.name_of(name)) for name in self.classifiers])
        ax.set_ylim(0, 1)
        ax.set_ylabel(style.plain(self.metric.replace("_", " ")))
        if self.error_name and self.errors is not None:
            ax.set_xlabel(f"error bars: {self.error_name}", fontsize="small")
        return self._finish(legend_columns=min(3, n_features))


def _table(values):
    """Return features by classifiers, in the study's order."""
    table = values.unstack("classifier")
    return table.loc[style.in_order(table.index), style.in_order(table)]


class GapDisplay(style.Display):
    """How much splits that mix groups add to a score.

    Parameters
    ----------
    random, grouped : array-like of shape (n_configurations,)
        Score of each configuration by random splits, and by splits that keep groups apart.
    names : list of str
        Names of the configurations.
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
    def from_frame(cls, frame, *, random="koh2021", grouped="grouped", metric="accuracy", ax=None):
        """Draw the mean scores of two protocols of an evaluation.

        Parameters
        ----------
        frame : pandas.DataFrame
            The `scores` of an evaluation's result, or what its ``intervals()`` returns.
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
        mixed, apart = (
            style.select(frame, protocol=name).groupby(["feature", "classifier"])[metric].mean()
            for name in (random, grouped)
        )
        order = _table(mixed)
        pairs = [(feature, classifier) for feature in order.index for classifier in order]
        pairs = [pair for pair in pairs if pair in mixed and pair in apart]
        if not pairs:
            raise InputError(
                f"No feature and classifier was scored by both {random!r} and {grouped!r}."
            )
        untrained = style.random_features(frame)
        names = [f"{style.name_of(f, untrained)} + {style.name_of(c)}" for f, c in pairs]
        return cls(mixed.loc[pairs], apart.loc[pairs], names, metric=metric).plot(ax)

    from_scores = style.renamed("from_frame")

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
        ax = self._start(ax, 5.6, 0.32 * len(places) + 1.3)
        self.lines_ = ax.hlines(
            places, self.grouped, self.random, color="#999999", linewidth=2, zorder=1
        )
        dots = {"s": 46, "zorder": 2}
        self.random_ = ax.scatter(
            self.random, places, marker="s", color=style.PALETTE[1], label="random splits", **dots
        )
        self.grouped_ = ax.scatter(
            self.grouped, places, color=style.PALETTE[0], label="groups kept apart", **dots
        )
        for place, end, gap in zip(places, np.maximum(self.random, self.grouped), self.gaps):
            style.annotate(ax, f"{gap:+.2f}", (end, place), shift=7)
        ax.set_yticks(places, [style.plain(name) for name in self.names])
        ax.invert_yaxis()
        ax.margins(x=0.15)
        ax.set_xlabel(style.plain(self.metric.replace("_", " ")))
        return self._finish(legend_columns=2)

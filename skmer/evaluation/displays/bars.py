"""Accuracy by classifier and feature, in the study's form."""

import numpy as np

from skmer.evaluation.displays.style import (
    CLASSIFIER_NAMES,
    FEATURE_NAMES,
    PALETTE,
    axes_or_new,
    check_columns,
    classifier_name,
    feature_colours,
    feature_name,
    in_order,
    ink,
    plain,
    random_features,
    select,
)
from skmer.exceptions import InputError
from skmer.utils.floats import check_floats


class AccuracyBarsDisplay:
    """Bars of a score, a cluster for each classifier and a colour for each feature.

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
        What the error bars are.
    random_weights : collection of str, default=()
        The features whose network was never trained; the legend says so.

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
    def from_scores(cls, scores, *, metric="accuracy", protocol=None, chance=None, ax=None):
        """Draw the means of an evaluation's scores, with their standard deviation over splits.

        Parameters
        ----------
        scores : pandas.DataFrame
            The `scores` of an evaluation's result.
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
        check_columns(scores, metric)
        grouped = select(scores, protocol=protocol).groupby(["feature", "classifier"])[metric]
        mean, spread = (_table(grouped.agg(how)) for how in ("mean", "std"))
        display = cls(
            mean.to_numpy(),
            mean.index,
            mean.columns,
            errors=np.nan_to_num(spread.to_numpy()),
            metric=metric,
            error_name="standard deviation over splits",
            random_weights=random_features(scores),
        )
        return display.plot(ax, chance=chance)

    @classmethod
    def from_intervals(cls, intervals, *, metric="accuracy", protocol=None, chance=None, ax=None):
        """Draw estimates with their intervals.

        Parameters
        ----------
        intervals : pandas.DataFrame
            Columns feature, classifier, protocol, the metric, low and high, as an evaluation's
            ``intervals()`` returns; where there is a column random_weights, the legend says so.
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
        check_columns(intervals, metric, "low", "high")
        chosen = select(intervals, protocol=protocol).set_index(["feature", "classifier"])
        middle, low, high = (_table(chosen[column]) for column in (metric, "low", "high"))
        display = cls(
            middle.to_numpy(),
            middle.index,
            middle.columns,
            errors=np.stack([middle - low, high - middle]),
            metric=metric,
            error_name="95 % interval",
            random_weights=random_features(intervals),
        )
        return display.plot(ax, chance=chance)

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
        self.ax_ = axes_or_new(ax, figsize=(6.0, 3.2))
        self.figure_ = self.ax_.figure
        places = np.arange(len(self.classifiers))
        width = 0.84 / len(self.features)
        colours = feature_colours(self.features)
        self.bars_ = {}
        for k, feature in enumerate(self.features):
            self.bars_[feature] = self.ax_.bar(
                places + (k - (len(self.features) - 1) / 2) * width,
                self.heights[k],
                width * 0.94,
                yerr=None if self.errors is None else self.errors[..., k, :],
                color=colours[feature],
                ecolor=ink(),
                capsize=2,
                error_kw={"elinewidth": 0.9},
                label=plain(feature_name(feature, self.random_weights)),
            )
        if chance is not None:
            check_floats(chance, "chance", ndim=0)
            self.ax_.axhline(chance, color=ink(), linestyle="--", linewidth=0.9)
            self.ax_.annotate(
                "chance",
                (1, chance),
                xycoords=("axes fraction", "data"),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize="small",
            )
        self.ax_.set_xticks(places, [plain(classifier_name(name)) for name in self.classifiers])
        self.ax_.set_ylim(0, 1)
        self.ax_.set_ylabel(plain(self.metric.replace("_", " ")))
        if self.error_name and self.errors is not None:
            self.ax_.set_xlabel(f"error bars: {self.error_name}", fontsize="small")
        self.ax_.spines[["top", "right"]].set_visible(False)
        self.ax_.legend(
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=min(3, len(self.features)),
            frameon=False,
        )
        return self


def _table(values):
    """Return features by classifiers, in the study's order."""
    table = values.unstack("classifier")
    return table.loc[in_order(table.index, FEATURE_NAMES), in_order(table, CLASSIFIER_NAMES)]


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

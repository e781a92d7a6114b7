"""Scores as bars, what splits that mix groups add to them, and two configurations by split."""

import numpy as np

from skmer.evaluation.displays import style
from skmer.evaluation.statistics.paired import corrected_resampled_ttest
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
        return cls(
            middle.to_numpy(),
            middle.index,
            middle.columns,
            errors=errors,
            metric=metric,
            error_name=error_name,
            random_weights=style.random_features(frame),
        ).plot(ax, chance=chance)

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
            style.annotate(ax, "chance", (1, chance), shift=3, coordinates=ax.get_yaxis_transform())
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


class PairedComparisonDisplay(style.Display):
    """Scores of two configurations on the same splits, one against the other.

    Points above the diagonal are splits on which the second is better.

    Parameters
    ----------
    first, second : array-like of shape (n_splits,)
        Scores of the two, split by split.
    names : tuple of str
        Their names.
    metric : str, default="accuracy"
        Name of the score.
    test : CorrectedTTest, default=None
        Test of second minus first, whose outcome is in the title.

    Attributes
    ----------
    points_ : matplotlib PathCollection
        A point for each split.
    mean_ : matplotlib PathCollection
        The mean over splits.
    ax_ : matplotlib Axes
        Axes of the points.
    figure_ : matplotlib Figure
        Figure of the axes.

    Examples
    --------
    >>> from skmer.evaluation import PairedComparisonDisplay
    >>> display = PairedComparisonDisplay([0.5, 0.6], [0.6, 0.6], ["512", "6144"])
    >>> display.names
    ('512', '6144')
    """

    def __init__(self, first, second, names, *, metric="accuracy", test=None):
        self.first = check_floats(first, "first", ndim=1)
        self.second = check_floats(second, "second", ndim=1)
        self.names = tuple(names)
        self.metric = metric
        self.test = test

    @classmethod
    def from_frame(cls, frame, first, second, *, names=None, metric="accuracy", ax=None):
        """Draw two configurations of an evaluation, with the corrected resampled t-test.

        Parameters
        ----------
        frame : pandas.DataFrame
            The `scores` of an evaluation's result.
        first, second : dict of str to str
            Values of columns that pick each, such as ``{"feature": "l3", "classifier": "svm"}``.
            Both must have been scored on the same splits.
        names : tuple of str, default=None
            Their names. None: the values that differ.
        metric : str, default="accuracy"
            Column of the score.
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        PairedComparisonDisplay
            The display, drawn.
        """
        chosen = [_pick(frame, name, one) for name, one in (("first", first), ("second", second))]
        if not chosen[0].index.equals(chosen[1].index):
            raise InputError("'first' and 'second' must have been scored on the same splits.")
        if names is None:
            untrained = style.random_features(frame)
            keys = [key for key in first if first[key] != second.get(key)]
            names = [
                ", ".join(_name(one, key, untrained) for key in keys) for one in (first, second)
            ]
        values = [rows[metric].to_numpy() for rows in chosen]
        n_train, n_test = ([rows[key] for rows in chosen[::-1]] for key in ("n_train", "n_test"))
        test = corrected_resampled_ttest(*values[::-1], n_train=n_train, n_test=n_test)
        return cls(values[0], values[1], names, metric=metric, test=test).plot(ax)

    from_scores = style.renamed("from_frame")

    def plot(self, ax=None):
        """Draw the points.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        PairedComparisonDisplay
            The display itself.
        """
        ax = self._start(ax, 4.2, 4.2)
        low = min(self.first.min(), self.second.min())
        high = max(self.first.max(), self.second.max())
        margin = 0.08 * (high - low) or 0.02
        ends = low - margin, high + margin
        ax.plot(ends, ends, color="#888888", linewidth=0.9, zorder=0)
        splits = {"s": 22, "color": style.PALETTE[0], "alpha": 0.55, "linewidths": 0}
        self.points_ = ax.scatter(self.first, self.second, label="split", **splits)
        mean = {"s": 90, "color": style.PALETTE[3], "marker": "P", "edgecolors": "white"}
        self.mean_ = ax.scatter(self.first.mean(), self.second.mean(), label="mean", **mean)
        metric = style.plain(self.metric.replace("_", " "))
        first, second = map(style.plain, self.names)
        ax.set(xlim=ends, ylim=ends, aspect="equal")
        ax.set(xlabel=f"{metric}, {first}", ylabel=f"{metric}, {second}")
        title = f"{second} minus {first}: {self.second.mean() - self.first.mean():+.3f}"
        if self.test is not None:
            title += f"\n{self.test.confidence_level:.0%} interval {self.test.low:+.3f} to "
            title += f"{self.test.high:+.3f}, p = {self.test.pvalue:.2g}"
        ax.set_title(title, fontsize="medium")
        ax.legend(loc="lower right", frameon=False)
        return self


def _pick(scores, name, conditions):
    """Return the rows that satisfy the conditions, one for each split."""
    for column, value in conditions.items():
        scores = scores[scores[column] == value]
    scores = scores.set_index(["protocol", "repeat", "fold"]).sort_index()
    if scores.empty or scores.index.has_duplicates:
        raise InputError(
            f"The {name!r} parameter must pick one score a split. "
            f"{conditions} picks {len(scores)} scores for {scores.index.nunique()} splits."
        )
    return scores


def _name(conditions, key, untrained):
    """Return a value for people, with a remark where its network was never trained."""
    value = conditions.get(key)
    is_random = key == "feature" and value in untrained
    return f"{value} (random weights)" if is_random else str(value)

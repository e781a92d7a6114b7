"""Two configurations, split by split."""

from skmer.evaluation.displays.style import PALETTE, Display, plain, random_features, renamed
from skmer.evaluation.statistics.paired import corrected_resampled_ttest
from skmer.exceptions import InputError
from skmer.utils.floats import check_floats


class PairedComparisonDisplay(Display):
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
            untrained = random_features(frame)
            differ = [key for key in first if first[key] != second.get(key)]
            names = [
                ", ".join(_name(one, key, untrained) for key in differ) for one in (first, second)
            ]
        values = [rows[metric].to_numpy() for rows in chosen]
        n_train, n_test = ([rows[key] for rows in chosen[::-1]] for key in ("n_train", "n_test"))
        test = corrected_resampled_ttest(*values[::-1], n_train=n_train, n_test=n_test)
        return cls(values[0], values[1], names, metric=metric, test=test).plot(ax)

    from_scores = renamed("from_frame")

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
        self.points_ = ax.scatter(
            self.first, self.second, s=22, color=PALETTE[0], alpha=0.55, linewidths=0, label="split"
        )
        self.mean_ = ax.scatter(
            [self.first.mean()],
            [self.second.mean()],
            s=90,
            marker="P",
            color=PALETTE[3],
            edgecolors="white",
            label="mean",
        )
        metric = plain(self.metric.replace("_", " "))
        first, second = map(plain, self.names)
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

"""Two configurations, split by split."""

from collections.abc import Mapping

import numpy as np

from skmer.evaluation.displays.style import (
    PALETTE,
    axes_or_new,
    check_columns,
    plain,
    random_features,
)
from skmer.evaluation.statistics.paired import corrected_resampled_ttest
from skmer.exceptions import InputError, InputTypeError
from skmer.utils.floats import check_floats
from skmer.utils.labels import check_labels
from skmer.utils.messages import cut_middle


class PairedComparisonDisplay:
    """Scores of two configurations on the same splits, one against the other.

    Points above the diagonal are splits on which the second is better.

    Parameters
    ----------
    first, second : array-like of shape (n_splits,)
        Scores of the two, split by split.
    names : tuple of str
        What to call them.
    metric : str, default="accuracy"
        Name of the score.
    test : CorrectedTTest, default=None
        Test of second minus first, whose outcome is printed.

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
        self.names = tuple(check_labels(names, "The 'names'").tolist())
        if len(self.names) != 2:
            raise InputError(f"'names' must be two. Got {len(self.names)}.")
        self.metric = metric
        self.test = test

    @classmethod
    def from_scores(cls, scores, first, second, *, names=None, metric="accuracy", ax=None):
        """Draw two configurations of an evaluation, with the corrected resampled t-test.

        Parameters
        ----------
        scores : pandas.DataFrame
            The `scores` of an evaluation's result.
        first, second : dict of str to str
            What tells each from the rest, such as ``{"feature": "l3", "classifier": "svm"}``.
            Both must have been scored on the same splits.
        names : tuple of str, default=None
            What to call them. None: the values that differ.
        metric : str, default="accuracy"
            Column of the score.
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        PairedComparisonDisplay
            The display, drawn.
        """
        split = ["protocol", "repeat", "fold"]
        check_columns(scores, *split, metric)
        chosen = []
        for name, conditions in (("first", first), ("second", second)):
            if not isinstance(conditions, Mapping):
                raise InputTypeError(
                    f"The {name!r} parameter must be a dict of column to value. "
                    f"Got {cut_middle(repr(conditions), 100)} instead."
                )
            check_columns(scores, *conditions)
            rows = scores
            for column, value in conditions.items():
                rows = rows[rows[column] == value]
            rows = rows.set_index(split)
            if rows.empty or rows.index.has_duplicates:
                raise InputError(
                    f"The {name!r} parameter must pick one score a split. "
                    f"{conditions} picks {len(rows)} scores for {rows.index.nunique()} splits."
                )
            chosen.append(rows.sort_index())
        if not chosen[0].index.equals(chosen[1].index):
            raise InputError("'first' and 'second' must have been scored on the same splits.")
        if names is None:
            differ = [key for key in first if first[key] != second.get(key)]
            untrained = random_features(scores)
            names = tuple(
                ", ".join(
                    f"{conditions.get(key)} (random weights)"
                    if key == "feature" and conditions.get(key) in untrained
                    else str(conditions.get(key))
                    for key in differ
                )
                for conditions in (first, second)
            )
        values = [rows[metric].to_numpy() for rows in chosen]
        sizes = {key: [rows[key] for rows in chosen[::-1]] for key in ("n_train", "n_test")}
        test = corrected_resampled_ttest(values[1], values[0], **sizes)
        return cls(values[0], values[1], names, metric=metric, test=test).plot(ax)

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
        self.ax_ = axes_or_new(ax, figsize=(4.2, 4.2))
        self.figure_ = self.ax_.figure
        low, high = (
            extreme(np.concatenate([self.first, self.second])) for extreme in (np.min, np.max)
        )
        margin = 0.08 * (high - low) or 0.02
        ends = low - margin, high + margin
        self.ax_.plot(ends, ends, color="#888888", linewidth=0.9, zorder=0)
        self.points_ = self.ax_.scatter(
            self.first, self.second, s=22, color=PALETTE[0], alpha=0.55, linewidths=0, label="split"
        )
        self.mean_ = self.ax_.scatter(
            [self.first.mean()],
            [self.second.mean()],
            s=90,
            marker="P",
            color=PALETTE[3],
            edgecolors="white",
            label="mean",
        )
        self.ax_.set(xlim=ends, ylim=ends, aspect="equal")
        metric = plain(self.metric.replace("_", " "))
        first, second = map(plain, self.names)
        self.ax_.set_xlabel(f"{metric}, {first}")
        self.ax_.set_ylabel(f"{metric}, {second}")
        difference = self.second.mean() - self.first.mean()
        title = f"{second} minus {first}: {difference:+.3f}"
        if self.test is not None:
            title += f"\n{self.test.confidence_level:.0%} interval {self.test.low:+.3f} to "
            title += f"{self.test.high:+.3f}, p = {self.test.pvalue:.2g}"
        self.ax_.set_title(title, fontsize="medium")
        self.ax_.legend(loc="lower right", frameon=False)
        return self

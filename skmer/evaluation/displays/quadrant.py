"""The plane of arousal and valence."""

import numpy as np
from sklearn.utils import check_consistent_length

from skmer.evaluation.displays.style import Display, plain, text_color
from skmer.utils.floats import check_floats
from skmer.utils.labels import check_labels, check_order


class QuadrantDisplay(Display):
    """Clips in the plane of valence and arousal, with the mean of each label and its interval.

    Parameters
    ----------
    valence, arousal : array-like of shape (n_clips,)
        Where each clip is.
    labels : array-like of shape (n_clips,), default=None
        Labels that color the clips. None: all alike.
    intervals : array-like of shape (2, 2, n_clips), default=None
        Ends of an interval of each clip: ``intervals[0]`` of valence, low and high, and
        ``intervals[1]`` of arousal.
    center : tuple of float, default=(0.0, 0.0)
        Valence and arousal where the quadrants touch.
    names : tuple of str, default=("valence", "arousal")
        Names of the axes.

    Attributes
    ----------
    scatters_ : dict of label to matplotlib PathCollection
        The clips of each label.
    ax_ : matplotlib Axes
        Axes of the plane.
    figure_ : matplotlib Figure
        Figure of the axes.

    References
    ----------
    Russell, J. A. (1980). A circumplex model of affect. Journal of Personality and Social
    Psychology, 39(6), 1161-1178.

    Examples
    --------
    >>> from skmer.evaluation import QuadrantDisplay
    >>> QuadrantDisplay([0.5, -0.2], [0.3, -0.4]).quadrants().tolist()
    ['Q1', 'Q3']
    """

    def __init__(
        self,
        valence,
        arousal,
        *,
        labels=None,
        intervals=None,
        center=(0.0, 0.0),
        names=("valence", "arousal"),
    ):
        self.valence = check_floats(valence, "valence", ndim=1)
        self.arousal = check_floats(arousal, "arousal", ndim=1)
        self.labels = None if labels is None else np.asarray(labels)
        check_consistent_length(self.valence, self.arousal, self.labels)
        self.intervals = None if intervals is None else np.asarray(intervals, dtype=float)
        self.center = tuple(center)
        self.names = tuple(names)

    @classmethod
    def from_predictions(
        cls, valence, arousal, clips, *, labels=None, center=(0.0, 0.0), level=0.95, ax=None
    ):
        """Draw one point a clip from several predictions of it, with their spread as interval.

        Parameters
        ----------
        valence, arousal : array-like of shape (n_predictions,)
            What was predicted: over the repeats of an evaluation, or the moments of a clip.
        clips : array-like of shape (n_predictions,)
            Which clip each prediction is of.
        labels : array-like of shape (n_predictions,), default=None
            Label of the clip of each prediction.
        center : tuple of float, default=(0.0, 0.0)
            Valence and arousal where the quadrants touch.
        level : float, default=0.95
            Share of a clip's predictions that lies inside its interval.
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        QuadrantDisplay
            The display, drawn.
        """
        check_order({"valence": valence, "arousal": arousal, "clips": clips, "labels": labels})
        clips = check_labels(clips, "The clips")
        labels = None if labels is None else check_labels(labels, "The labels")
        check_consistent_length(valence, arousal, clips, labels)
        _, first, codes = np.unique(clips, return_index=True, return_inverse=True)
        ends = [(1 - level) / 2, (1 + level) / 2]
        values = check_floats(valence, "valence", ndim=1), check_floats(arousal, "arousal", ndim=1)
        means = [np.bincount(codes, one) / np.bincount(codes) for one in values]
        intervals = [
            np.transpose([np.quantile(one[codes == clip], ends) for clip in range(len(first))])
            for one in values
        ]
        labels = None if labels is None else labels[first]
        return cls(*means, labels=labels, intervals=intervals, center=center).plot(ax)

    def quadrants(self):
        """Return the quadrant of each clip.

        Returns
        -------
        quadrants : ndarray of str of shape (n_clips,)
            "Q1" (valence and arousal high), "Q2" (arousal high, valence low), "Q3" (both low) or
            "Q4" (arousal low, valence high); a clip on the border counts as low.
        """
        glad, lively = self.valence > self.center[0], self.arousal > self.center[1]
        return np.where(lively, np.where(glad, "Q1", "Q2"), np.where(glad, "Q4", "Q3"))

    def plot(self, ax=None):
        """Draw the plane.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        QuadrantDisplay
            The display itself.
        """
        ax = self._start(ax, 4.6, 4.4)
        x, y = self.center
        ax.axvline(x, color=text_color(), linewidth=0.8)
        ax.axhline(y, color=text_color(), linewidth=0.8)
        points = np.stack([self.valence, self.arousal])
        if self.intervals is not None:
            below, above = points - self.intervals[:, 0], self.intervals[:, 1] - points
            # The mean may lie outside of an interval of quantiles.
            right, up = np.maximum(np.stack([below, above], axis=1), 0)
            ax.errorbar(*points, up, right, fmt="none", ecolor="#999999", elinewidth=0.8)
        labels = np.zeros(self.valence.size) if self.labels is None else self.labels
        self.scatters_ = self._scatter(points.T, labels, s=24, linewidths=0.4, zorder=3)
        # The quadrants are of one size, so that no quadrant looks more likely than another.
        reach = *np.abs(ax.dataLim.intervalx - x), *np.abs(ax.dataLim.intervaly - y), 1e-6
        half = 1.08 * max(reach)
        ax.set(xlim=(x - half, x + half), ylim=(y - half, y + half), aspect="equal")
        for name, is_right, is_top in (("Q1", 1, 1), ("Q2", 0, 1), ("Q3", 0, 0), ("Q4", 1, 0)):
            ax.text(
                0.98 if is_right else 0.02,
                0.98 if is_top else 0.02,
                name,
                transform=ax.transAxes,
                ha="right" if is_right else "left",
                va="top" if is_top else "bottom",
                alpha=0.7,
            )
        ax.set(xlabel=plain(self.names[0]), ylabel=plain(self.names[1]))
        if self.labels is not None:
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, frameon=False)
        return self

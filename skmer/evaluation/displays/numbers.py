"""Predicted numbers: over time with the truth, and on the plane of arousal and valence."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length

from skmer.evaluation.displays.style import PALETTE, Display, plain, select, text_color
from skmer.utils import floats, messages
from skmer.utils.labels import check_labels, check_order


class Curve(NamedTuple):
    """One clip: seconds, the target and the mean prediction there, and an interval around that."""

    times: np.ndarray
    y_true: np.ndarray
    y_pred: np.ndarray
    interval: np.ndarray

    @property
    def error(self) -> float:
        """The root mean squared error."""
        return float(np.sqrt(np.mean((self.y_true - self.y_pred) ** 2)))


def curves_of(predictions, n_worst: int | None = None, *, row=None, level=0.95) -> dict[int, Curve]:
    """Return curves from the predictions of one configuration and target, by clip.

    They are those of the clips with the largest errors, worst first, or of one clip.

    The half width of a clip's interval is the quantile of the absolute errors at the moments of
    all other clips, as in split conformal prediction (Lei et al., 2018), with the clip as the unit.
    """
    means = predictions.groupby(["row", "time"])[["y_true", "y_pred"]].mean().reset_index()
    errors = (means["y_true"] - means["y_pred"]).abs().to_numpy()
    squares = means["row"].to_frame().assign(error=errors**2).groupby("row")["error"].mean()
    rows, curves = means["row"].to_numpy(), {}
    worst = squares.sort_values(ascending=False, kind="stable").index[:n_worst]
    for clip in worst if row is None else [row]:
        part, others = means[rows == clip], errors[rows != clip]
        width = np.quantile(others, level) if others.size else np.nan
        times, y_true, y_pred = (part[name].to_numpy() for name in ("time", "y_true", "y_pred"))
        curves[int(clip)] = Curve(times, y_true, y_pred, y_pred + width * np.array([[-1], [1]]))
    return curves


class CurveDisplay(Display):
    """A target of one clip over time: annotated, predicted, and an interval of the prediction.

    Parameters
    ----------
    times : array-like of shape (n_moments,)
        Seconds.
    y_true, y_pred : array-like of shape (n_moments,)
        The target and its prediction at these times.
    intervals : array-like of shape (2, n_moments), default=None
        Low and high ends around the prediction.
    name : str, default="target"
        What is predicted.

    Attributes
    ----------
    lines_ : dict of str to matplotlib Line2D
        "annotated" and "predicted".
    ax_ : matplotlib Axes
        Axes of the curves.
    figure_ : matplotlib Figure
        Figure of the axes.

    Examples
    --------
    >>> from skmer.evaluation import CurveDisplay
    >>> display = CurveDisplay([15, 15.5], [0.1, 0.2], [0.0, 0.2], name="arousal").plot()
    >>> display.ax_.get_ylabel()
    'arousal'
    """

    def __init__(self, times, y_true, y_pred, *, intervals=None, name="target"):
        self.times = floats.check_floats(times, "times", ndim=1)
        self.y_true = floats.check_floats(y_true, "y_true", ndim=1)
        self.y_pred = floats.check_floats(y_pred, "y_pred", ndim=1)
        self.intervals = None if intervals is None else np.asarray(intervals, dtype=float)
        self.name = name

    @classmethod
    def from_frame(
        cls,
        predictions,
        *,
        row,
        feature=None,
        regressor=None,
        target=None,
        protocol=None,
        level=0.95,
        ax=None,
    ):
        """Draw one clip from `DynamicRegressionResult.predictions`.

        The interval is as wide as the errors at the moments of all other clips: `level` of them are
        smaller, so that it is what to expect of a clip that the model was not fitted to.

        Parameters
        ----------
        predictions : pandas.DataFrame
            A row for each moment. What several repeats predict is averaged.
        row : int
            The clip, by its place in X.
        feature, regressor, target, protocol : str, default=None
            Which of them; None where there is one.
        level : float, default=0.95
            Share of the errors of other clips that is inside.
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        CurveDisplay
            The display, drawn.

        Raises
        ------
        InputError
            For a clip or a configuration that is not there.
        """
        keys = {"feature": feature, "regressor": regressor, "target": target, "protocol": protocol}
        chosen = select(predictions, **keys)
        messages.check_choice("CurveDisplay", chosen["row"].unique().tolist(), row=row)
        *curve, interval = curves_of(chosen, row=row, level=level)[row]
        return cls(*curve, intervals=interval, name=chosen["target"].iloc[0]).plot(ax)

    def plot(self, ax=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        CurveDisplay
            The display itself.
        """
        ax = self._start(ax, 6.0, 2.6)
        if self.intervals is not None:
            ax.fill_between(self.times, *self.intervals, color=PALETTE[0], alpha=0.18, linewidth=0)
        (true,) = ax.plot(self.times, self.y_true, color=text_color(), label="annotated")
        (predicted,) = ax.plot(self.times, self.y_pred, "--", color=PALETTE[0], label="predicted")
        self.lines_ = {"annotated": true, "predicted": predicted}
        ax.set(xlabel="time [s]", ylabel=plain(self.name))
        return self._finish(legend_columns=2)


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
        self.valence = floats.check_floats(valence, "valence", ndim=1)
        self.arousal = floats.check_floats(arousal, "arousal", ndim=1)
        self.labels = None if labels is None else np.asarray(labels)
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
        given = {"valence": valence, "arousal": arousal}
        columns = {name: floats.check_floats(one, name, ndim=1) for name, one in given.items()}
        points = pd.DataFrame(columns).groupby(clips)
        low, high = (points.quantile(end) for end in ((1 - level) / 2, (1 + level) / 2))
        return cls(
            *points.mean().to_numpy().T,
            labels=None if labels is None else pd.Series(labels).groupby(clips).first(),
            intervals=[[low[name], high[name]] for name in columns],
            center=center,
        ).plot(ax)

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
            sides = {"ha": ("left", "right")[is_right], "va": ("bottom", "top")[is_top]}
            place = 0.02 + 0.96 * is_right, 0.02 + 0.96 * is_top
            ax.text(*place, name, transform=ax.transAxes, alpha=0.7, **sides)
        ax.set(xlabel=plain(self.names[0]), ylabel=plain(self.names[1]))
        if self.labels is not None:
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, frameon=False)
        return self

"""What a model predicts over time, with the truth."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_consistent_length

from skmer.evaluation.displays.style import PALETTE, Display, plain, select, text_color
from skmer.utils import floats, messages


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
        check_consistent_length(self.times, self.y_true, self.y_pred)
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
        curve = curves_of(chosen, row=row, level=level)[row]
        name = chosen["target"].iloc[0]
        return cls(*curve[:3], intervals=curve.interval, name=name).plot(ax)

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
        (predicted,) = ax.plot(
            self.times, self.y_pred, color=PALETTE[0], linestyle="--", label="predicted"
        )
        self.lines_ = {"annotated": true, "predicted": predicted}
        ax.set(xlabel="time [s]", ylabel=plain(self.name))
        return self._finish(legend_columns=2)

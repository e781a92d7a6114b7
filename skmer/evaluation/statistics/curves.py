"""Curves of clips from the predictions of their moments, with intervals."""

from typing import NamedTuple

import numpy as np


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

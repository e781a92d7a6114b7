"""Are probabilities calibrated: of clips that are sad with 70 %, are 70 of 100 sad?"""

import numpy as np
from sklearn import calibration

from skmer.evaluation.displays import style
from skmer.exceptions import InputError

_PROBA = "proba_"


def most_probable(predictions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return whether the most probable class is the true one, its probability, and which rows.

    Rows without probabilities are left out.
    """
    columns = [name for name in predictions if name.startswith(_PROBA)]
    proba = predictions[columns].to_numpy(dtype=float)
    rows = np.flatnonzero(np.isfinite(proba).all(axis=1) & (len(columns) > 0))
    if not rows.size:
        return np.zeros(0, bool), np.zeros(0), rows
    names = np.array([name.removeprefix(_PROBA) for name in columns])
    truth = predictions["y_true"].astype(str).to_numpy()[rows]
    return names[proba[rows].argmax(axis=1)] == truth, proba[rows].max(axis=1), rows


class CalibrationDisplay(calibration.CalibrationDisplay):
    """Reliability curve of scikit-learn, of the most probable class of an evaluation's predictions.

    On the diagonal, the most probable emotion of clips is the true one as often as its probability
    states; below it a classifier is too sure, above it not sure enough.

    Parameters
    ----------
    prob_true : ndarray of shape (n_bins,)
        The share of the clips of a bin whose most probable class is the true one.
    prob_pred : ndarray of shape (n_bins,)
        The mean of their largest probabilities.
    y_prob : ndarray of shape (n_samples,)
        The largest probability of each clip.
    estimator_name : str, default=None
        What the legend calls the curve.
    pos_label : int, default=None
        Not used; there for scikit-learn's sake.

    References
    ----------
    Guo, C., Pleiss, G., Sun, Y., & Weinberger, K. Q. (2017). On calibration of modern neural
    networks. ICML.

    Examples
    --------
    >>> import pandas as pd
    >>> from skmer.evaluation import CalibrationDisplay
    >>> frame = pd.DataFrame(
    ...     {
    ...         "feature": "mfcc",
    ...         "classifier": "nb",
    ...         "protocol": "grouped",
    ...         "y_true": ["calm", "sad"] * 4,
    ...         "proba_calm": 0.6,
    ...         "proba_sad": 0.4,
    ...     }
    ... )
    >>> display = CalibrationDisplay.from_frame(frame, n_bins=1)
    >>> display.prob_pred, display.prob_true
    (array([0.6]), array([0.5]))
    """

    @classmethod
    def from_frame(cls, frame, *, feature=None, classifier=None, protocol=None, n_bins=5, ax=None):
        """Draw the out-of-fold predictions of one feature, classifier and protocol.

        Parameters
        ----------
        frame : pandas.DataFrame
            The `predictions` of an evaluation's result.
        feature, classifier, protocol : str, default=None
            Which to draw; needed where there is more than one.
        n_bins : int, default=5
            Bins of equally many clips.
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        CalibrationDisplay
            The display, drawn.

        Raises
        ------
        InputError
            Where the classifier gives no probabilities.
        """
        chosen = style.select(frame, feature=feature, classifier=classifier, protocol=protocol)
        is_right, largest, _ = most_probable(chosen)
        if not largest.size:
            raise InputError(
                "The predictions have no probabilities (columns 'proba_*' with numbers); take a "
                "classifier that gives some."
            )
        first = chosen.iloc[0]
        names = style.name_of(first["feature"]), style.name_of(first["classifier"])
        return cls.from_predictions(
            is_right,
            largest,
            n_bins=n_bins,
            strategy="quantile",
            name=" + ".join(names),
            color=style.PALETTE[0],
            ax=style.axes_or_new(ax, figsize=(4.6, 4.2)),
        )

    @style.without_tex
    def plot(self, *, ax=None, name=None, ref_line=True, **options):
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.
        name : str, default=None
            What the legend calls the curve.
        ref_line : bool, default=True
            Draw the diagonal.
        **options
            For matplotlib's ``plot``.

        Returns
        -------
        CalibrationDisplay
            This display.
        """
        super().plot(ax=ax, name=name, ref_line=ref_line, **options)
        self.ax_.set(
            xlabel="probability of the most probable emotion",
            ylabel="share of clips where it is the true one",
        )
        self.ax_.spines[["top", "right"]].set_visible(False)
        return self

"""The confusion of out-of-fold predictions, the scores of each class, and its probabilities."""

import numpy as np
from sklearn import calibration
from sklearn.metrics import ConfusionMatrixDisplay, precision_recall_fscore_support
from sklearn.utils.multiclass import unique_labels

from skmer.evaluation.displays import style
from skmer.exceptions import InputError
from skmer.utils.labels import check_order

_PROBA = "proba_"


class _PredictionsInOrder:
    """Compares the indexes of pandas objects, whose rows scikit-learn's displays pair by place."""

    @classmethod
    def from_predictions(cls, y_true, *args, **options):
        """Draw labels and predictions, as scikit-learn's method of this name does.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            The true labels.
        *args
            The predicted labels, or their probabilities.
        **options
            The other parameters of scikit-learn's method.

        Returns
        -------
        display : object
            The display, drawn.

        Raises
        ------
        InputError
            When pandas objects have the same rows in another order.
        """
        check_order({"y_true": y_true, "predictions": next(iter(args), None)} | options)
        return super().from_predictions(y_true, *args, **options)  # type: ignore[misc]


class ConfusionDisplay(_PredictionsInOrder, ConfusionMatrixDisplay):
    """Confusion matrix of scikit-learn, which can be drawn from an evaluation's predictions.

    Parameters
    ----------
    confusion_matrix : ndarray of shape (n_classes, n_classes)
        True classes in rows, predicted ones in columns.
    display_labels : array-like of shape (n_classes,), default=None
        Names of the classes.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.evaluation import ConfusionDisplay
    >>> ConfusionDisplay(np.eye(2), display_labels=["calm", "angry"]).display_labels
    ['calm', 'angry']
    """

    @classmethod
    def from_frame(
        cls,
        frame,
        *,
        feature=None,
        classifier=None,
        protocol=None,
        labels=None,
        normalize="true",
        ax=None,
    ):
        """Draw the out-of-fold predictions of one feature, classifier and protocol.

        Every clip is there once for each time it was tested on.

        Parameters
        ----------
        frame : pandas.DataFrame
            The `predictions` of an evaluation's result.
        feature, classifier, protocol : str, default=None
            Which to draw; needed where there is more than one.
        labels : array-like of shape (n_classes,), default=None
            Classes in the order to draw.
        normalize : {"true", "pred", "all"} or None, default="true"
            What sums to 1; None shows counts.
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        ConfusionDisplay
            The display, drawn.
        """
        chosen = style.select(frame, feature=feature, classifier=classifier, protocol=protocol)
        return cls.from_predictions(
            chosen["y_true"],
            chosen["y_pred"],
            labels=labels,
            normalize=normalize,
            values_format=None if normalize is None else ".2f",
            cmap="Blues",
            colorbar=False,
            xticks_rotation=45,
            im_kw=None if normalize is None else {"vmin": 0, "vmax": 1},
            ax=style.axes_or_new(ax, figsize=(4.6, 4.2)),
        )

    @style.without_tex
    def plot(self, **options):
        """Draw the matrix.

        Parameters
        ----------
        **options : dict of str to object
            As in ``sklearn.metrics.ConfusionMatrixDisplay.plot``.

        Returns
        -------
        ConfusionDisplay
            The display itself.
        """
        super().plot(**options)
        # Class names are text, not formulas, and text is read on dark and on pale cells.
        for axis in (self.ax_.xaxis, self.ax_.yaxis):
            names = [style.plain(label.get_text()) for label in axis.get_ticklabels()]
            axis.set_ticks(range(len(names)), names)
        if self.text_ is not None:
            for text, value in zip(self.text_.ravel(), self.confusion_matrix.ravel()):
                text.set_color(style.contrast_color(self.im_.to_rgba(value)[:3]))
        return self


class PerClassReportDisplay(style.Display):
    """A table of precision, recall and F1 of each class, shaded by height.

    Parameters
    ----------
    report : array-like of shape (n_classes, 3)
        Precision, recall and F1.
    support : array-like of shape (n_classes,)
        Clips of each class.
    labels : list of str
        Names of the classes.

    Attributes
    ----------
    text_ : ndarray of shape (n_classes + 2, 3) of matplotlib Text
        The figures; the last two rows are the averages over classes, plain and weighted.
    im_ : matplotlib AxesImage
        The shades.
    ax_ : matplotlib Axes
        Axes of the table.
    figure_ : matplotlib Figure
        Figure of the axes.

    Examples
    --------
    >>> from skmer.evaluation import PerClassReportDisplay
    >>> display = PerClassReportDisplay([[0.5, 1.0, 0.67], [1.0, 0.5, 0.67]], [1, 2], ["a", "b"])
    >>> display.rows().round(2)
    array([[0.5 , 1.  , 0.67],
           [1.  , 0.5 , 0.67],
           [0.75, 0.75, 0.67],
           [0.83, 0.67, 0.67]])
    """

    def __init__(self, report, support, labels):
        self.report = np.asarray(report, dtype=float)
        self.support = np.asarray(support)
        self.labels = list(labels)

    @classmethod
    def from_predictions(cls, y_true, y_pred, *, labels=None, ax=None):
        """Draw the report of some predictions.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_rows,)
            True and predicted classes.
        labels : array-like of shape (n_classes,), default=None
            Classes in the order to draw.
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        PerClassReportDisplay
            The display, drawn.
        """
        check_order({"y_true": y_true, "y_pred": y_pred})
        labels = unique_labels(y_true, y_pred) if labels is None else labels
        *report, support = precision_recall_fscore_support(
            y_true, y_pred, labels=labels, zero_division=0
        )
        return cls(np.transpose(report), support, labels).plot(ax)

    @classmethod
    def from_frame(
        cls, frame, *, feature=None, classifier=None, protocol=None, labels=None, ax=None
    ):
        """Draw the report of one feature, classifier and protocol, over all repeats.

        Parameters
        ----------
        frame : pandas.DataFrame
            The `predictions` of an evaluation's result.
        feature, classifier, protocol : str, default=None
            Which to draw; needed where there is more than one.
        labels : array-like of shape (n_classes,), default=None
            Classes in the order to draw.
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        PerClassReportDisplay
            The display, drawn.
        """
        chosen = style.select(frame, feature=feature, classifier=classifier, protocol=protocol)
        return cls.from_predictions(chosen["y_true"], chosen["y_pred"], labels=labels, ax=ax)

    def rows(self):
        """Return the rows of the table, the averages among them.

        Returns
        -------
        ndarray of shape (n_classes + 2, 3)
            Classes, their average, and their average weighted by support.
        """
        averages = [self.report.mean(axis=0), np.average(self.report, axis=0, weights=self.support)]
        return np.vstack([self.report, *averages])

    def plot(self, ax=None):
        """Draw the table.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        PerClassReportDisplay
            The display itself.
        """
        rows = self.rows()
        ax = self._start(ax, 4.2, 0.38 * len(rows) + 0.7)
        self.im_ = ax.imshow(rows, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        self.text_ = np.empty(rows.shape, dtype=object)
        for (row, column), value in np.ndenumerate(rows):
            color = style.contrast_color(self.im_.to_rgba(value)[:3])
            self.text_[row, column] = ax.text(
                column, row, f"{value:.2f}", ha="center", va="center", color=color
            )
        names = [f"{style.plain(label)} ({n})" for label, n in zip(self.labels, self.support)]
        names += [f"{kind} average ({self.support.sum()})" for kind in ("macro", "weighted")]
        ax.set_yticks(range(len(rows)), names)
        ax.set_xticks(range(3), ["precision", "recall", "F1"])
        ax.xaxis.tick_top()
        ax.tick_params(length=0)
        ax.axhline(len(self.labels) - 0.5, color=style.text_color(), linewidth=0.9)
        ax.spines[:].set_visible(False)
        return self


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


class CalibrationDisplay(_PredictionsInOrder, calibration.CalibrationDisplay):
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
        return cls.from_predictions(
            is_right,
            largest,
            n_bins=n_bins,
            strategy="quantile",
            name=" + ".join(map(style.name_of, chosen.iloc[0][["feature", "classifier"]])),
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

"""The confusion matrix of out-of-fold predictions."""

from sklearn.metrics import ConfusionMatrixDisplay

from skmer.evaluation.displays._frames import check_classes, select
from skmer.evaluation.displays._style import axes_or_new, plain, text_colour


class ConfusionDisplay(ConfusionMatrixDisplay):
    """Confusion matrix of scikit-learn, with a way in from an evaluation's predictions.

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
        predictions,
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
        predictions : pandas.DataFrame
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
        chosen = select(predictions, feature=feature, classifier=classifier, protocol=protocol)
        return cls.from_predictions(
            chosen["y_true"],
            chosen["y_pred"],
            labels=check_classes(labels, chosen["y_true"], chosen["y_pred"]),
            normalize=normalize,
            values_format=None if normalize is None else ".2f",
            cmap="Blues",
            colorbar=False,
            xticks_rotation=45,
            im_kw=None if normalize is None else {"vmin": 0, "vmax": 1},
            ax=axes_or_new(ax, figsize=(4.6, 4.2)),
        )

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
            names = [plain(label.get_text()) for label in axis.get_ticklabels()]
            axis.set_ticks(range(len(names)), names)
        if self.text_ is not None:
            for text, value in zip(self.text_.ravel(), self.confusion_matrix.ravel()):
                text.set_color(text_colour(self.im_.to_rgba(value)[:3]))
        return self

"""Tags of a clip over time."""

from os.path import commonprefix

import numpy as np

from skmer.evaluation.displays._style import axes_or_new, plain
from skmer.exceptions import InputError
from skmer.utils._floats import check_floats


class TagsDisplay:
    """Tags in rows, seconds in columns, and how sure the network is of a tag as a shade.

    Parameters
    ----------
    probabilities : array-like of shape (n_frames, n_tags)
        Of each tag in each frame.
    times : array-like of shape (n_frames,)
        When the centres of the frames are [s].
    tags : list of str
        Their names.

    Attributes
    ----------
    shown_ : ndarray of int
        Indices of the tags that were drawn, from top to bottom.
    im_ : matplotlib QuadMesh
        The shades.
    ax_ : matplotlib Axes
        Axes of the picture.
    figure_ : matplotlib Figure
        Figure of the axes.

    Examples
    --------
    >>> from skmer.evaluation import TagsDisplay
    >>> TagsDisplay([[0.1, 0.7], [0.2, 0.5]], [1.5, 3.0], ["happy", "sad"]).ranking().tolist()
    [1, 0]
    """

    def __init__(self, probabilities, times, tags):
        self.probabilities = check_floats(probabilities, "probabilities", ndim=2)
        self.times = np.asarray(times, dtype=float)
        self.tags = list(tags)
        shape = (self.times.size, len(self.tags))
        if self.probabilities.shape != shape:
            raise InputError(
                "The 'probabilities' parameter of TagsDisplay must have a row for each time and a "
                f"column for each tag, {shape}. Got shape {self.probabilities.shape} instead."
            )

    @classmethod
    def from_transformer(cls, transformer, clip, *, n_tags=15, ax=None):
        """Draw the tags that a transformer finds in a clip.

        Parameters
        ----------
        transformer : MusiCNNTransformer with ``layer="tags"``, or any clip transformer
            Fitted; its columns are taken as tags and named by ``get_feature_names_out``.
        clip : str, path-like, waveform or (waveform, sr) pair
            The clip.
        n_tags : int, default=15
            How many tags to show, those with the highest mean.
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        TagsDisplay
            The display, drawn.
        """
        frames = transformer.transform_frames([clip])[0]
        names = list(transformer.get_feature_names_out())[: frames.shape[1]]
        # The names of one network's columns begin alike: musicnn_mean_happy, musicnn_mean_sad.
        start = commonprefix(names).rfind("_") + 1 if len(names) > 1 else 0  # noqa: RUF071
        tags = [name[start:] for name in names]
        return cls(frames, transformer.frame_times(len(frames)), tags).plot(ax, n_tags=n_tags)

    def ranking(self):
        """Return the tags from the highest mean over time to the lowest.

        Returns
        -------
        order : ndarray of int of shape (n_tags,)
            Indices into `tags`.
        """
        return np.argsort(-self.probabilities.mean(axis=0), kind="stable")

    def plot(self, ax=None, *, n_tags=15):
        """Draw the tags.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.
        n_tags : int, default=15
            How many, those with the highest mean.

        Returns
        -------
        TagsDisplay
            The display itself.
        """
        self.shown_ = self.ranking()[:n_tags]
        n_shown = self.shown_.size
        self.ax_ = axes_or_new(ax, figsize=(6.0, 0.22 * n_shown + 1.0))
        self.figure_ = self.ax_.figure
        step = np.diff(self.times).mean() if self.times.size > 1 else 1.0
        edges = np.append(self.times - step / 2, self.times[-1] + step / 2)
        self.im_ = self.ax_.pcolormesh(
            edges,
            np.arange(n_shown + 1) - 0.5,
            self.probabilities[:, self.shown_].T,
            cmap="cividis",
            vmin=0,
        )
        self.ax_.set_yticks(range(n_shown), [plain(self.tags[tag]) for tag in self.shown_])
        self.ax_.invert_yaxis()
        self.ax_.set_xlabel("time [s]")
        self.ax_.tick_params(axis="y", length=0)
        self.figure_.colorbar(self.im_, ax=self.ax_, pad=0.02, label="probability")
        return self

"""A map of clips, and the spectrogram and tags of one."""

from os.path import commonprefix

import numpy as np
from sklearn.utils import check_consistent_length

from skmer.audio import stream_audio
from skmer.embeddings.registry import known_features, label_of
from skmer.evaluation.displays.style import Display, plain
from skmer.evaluation.statistics.purity import neighbor_purity, tsne_map
from skmer.utils import floats, messages
from skmer.utils.labels import check_labels, check_order


class EmbeddingMapDisplay(Display):
    """Points of a two-dimensional map, a color and a mark for each label.

    Parameters
    ----------
    embedding : array-like of shape (n_rows, 2)
        The map. Draw one map several times with different labels.
    labels : array-like of shape (n_rows,)
        Label of each point.
    name : str, default=None
        What the labels are, such as "emotion".

    Attributes
    ----------
    purity_ : float
        Share of neighbors with the same label, see :func:`neighbor_purity`.
    scatters_ : dict of label to matplotlib PathCollection
        The points of each label.
    ax_ : matplotlib Axes
        Axes of the map.
    figure_ : matplotlib Figure
        Figure of the axes.

    Examples
    --------
    >>> from skmer.evaluation import EmbeddingMapDisplay
    >>> display = EmbeddingMapDisplay([[0, 0], [1, 1]], ["calm", "angry"], name="emotion")
    >>> display.embedding.shape
    (2, 2)
    """

    def __init__(self, embedding, labels, *, name=None):
        check_order({"embedding": embedding, "labels": labels})
        self.embedding = floats.check_floats(embedding, "embedding", ndim=2)
        self.labels = check_labels(labels, "The labels")
        check_consistent_length(self.embedding, self.labels)
        self.name = name

    @classmethod
    def from_features(cls, features, labels, *, name=None, perplexity=30, random_state=0, ax=None):
        """Map features by t-SNE, started from principal components, and draw the map.

        Parameters
        ----------
        features : array-like of shape (n_rows, n_features)
            What is mapped; scale it before, where its columns differ in unit.
        labels : array-like of shape (n_rows,)
            Label of each row.
        name : str, default=None
            What the labels are.
        perplexity : float, default=30
            Perplexity of the map, below the number of rows.
        random_state : int, RandomState instance or None, default=0
            Seed of the map.
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        EmbeddingMapDisplay
            The display, drawn.
        """
        check_order({"features": features, "labels": labels})
        display = cls(floats.check_floats(features, "features", ndim=2), labels, name=name)
        display.embedding = tsne_map(
            display.embedding, perplexity=perplexity, random_state=random_state
        )
        return display.plot(ax)

    def plot(self, ax=None, *, n_neighbors=10):
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.
        n_neighbors : int, default=10
            Number of neighbors for the purity in the title.

        Returns
        -------
        EmbeddingMapDisplay
            The display itself.
        """
        n_neighbors = min(n_neighbors, len(self.labels) - 1)
        self.purity_ = neighbor_purity(self.embedding, self.labels, n_neighbors=n_neighbors)
        ax = self._start(ax, 5.6, 4.2)
        self.scatters_ = self._scatter(self.embedding, self.labels, s=16, linewidths=0.3)
        ax.set(xticks=[], yticks=[])
        shared = f"{self.purity_:.0%} of {n_neighbors} neighbours share the "
        ax.set_title(shared + plain(self.name or "label"), fontsize="medium")
        ax.legend(
            title=None if self.name is None else plain(self.name),
            loc="center left",
            bbox_to_anchor=(1.0, 0.5),
            ncols=1 + (len(self.scatters_) - 1) // 14,
            frameon=False,
            markerscale=1.4,
        )
        return self


class SpectrogramDisplay(Display):
    """The spectrogram of a clip as a network takes it, over time.

    Parameters
    ----------
    spectrogram : array-like of shape (n_bands, n_columns)
        The lowest band first.
    duration : float
        What the columns span [s].
    name : str, default=None
        The title.
    unit : str, default=None
        What the values are.
    start : float, default=0.0
        Where in the clip the first column begins [s].

    Attributes
    ----------
    im_ : matplotlib AxesImage
        The picture.
    ax_ : matplotlib Axes
        Axes of the picture.
    figure_ : matplotlib Figure
        Figure of the axes.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.evaluation import SpectrogramDisplay
    >>> SpectrogramDisplay(np.zeros((96, 187)), 3.0, name="MusiCNN").spectrogram.shape
    (96, 187)
    """

    def __init__(self, spectrogram, duration, *, name=None, unit=None, start=0.0):
        self.spectrogram = floats.check_floats(spectrogram, "spectrogram", ndim=2)
        self.duration = float(duration)
        self.name = name
        self.unit = unit
        self.start = float(start)

    @classmethod
    def from_clip(cls, clip, network="l3", *, offset=0.0, duration=10.0, ax=None):
        """Draw a part of a clip as one of the networks takes it.

        Frames of L3-Net and VGGish are put side by side, each as its network gets it: those of
        L3-Net are scaled one by one, which shows as steps between seconds.

        Parameters
        ----------
        clip : str, path-like, or (waveform, sr) pair
            The clip.
        network : {"l3", "vggish", "musicnn", "mfcc"}, default="l3"
            Whose front-end, with its default settings; "mfcc" is the mel spectrogram that the
            coefficients are computed from.
        offset, duration : float, default=0.0, 10.0
            The part of the clip [s].
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        SpectrogramDisplay
            The display, drawn.

        Raises
        ------
        InputError
            For an unknown network, or a clip that cannot be read.

        Examples
        --------
        >>> import numpy as np
        >>> from skmer.evaluation import SpectrogramDisplay
        >>> tone = np.sin(2 * np.pi * 440 * np.arange(48000) / 16000)
        >>> display = SpectrogramDisplay.from_clip((tone, 16000), "vggish")
        >>> display.spectrogram.shape
        (64, 288)
        """
        pictures = {one.name: one.picture for one in known_features() if one.picture}
        messages.check_choice("SpectrogramDisplay", pictures, network=network)
        sr, column_size, unit, compute = pictures[network]
        blocks = stream_audio(clip, sr=sr, offset=offset, duration=duration)
        spectrogram = compute(np.concatenate(list(blocks)).astype(np.float32, copy=False))
        span = spectrogram.shape[1] * column_size
        return cls(spectrogram, span, name=label_of(network), unit=unit, start=offset).plot(ax)

    def plot(self, ax=None):
        """Draw the spectrogram.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.

        Returns
        -------
        SpectrogramDisplay
            The display itself.
        """
        ax = self._start(ax, 6.0, 2.6)
        self.im_ = ax.imshow(
            self.spectrogram,
            origin="lower",
            aspect="auto",
            interpolation="nearest",
            cmap="cividis",
            extent=(self.start, self.start + self.duration, 0, len(self.spectrogram)),
        )
        ax.set(xlabel="time [s]", ylabel="band, low to high")
        ax.set_title(plain(self.name or ""), fontsize="medium")
        self.figure_.colorbar(self.im_, ax=ax, pad=0.02, label=plain(self.unit or ""))
        return self


class TagsDisplay(Display):
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
        self.probabilities = floats.check_floats(probabilities, "probabilities", ndim=2)
        self.times = np.asarray(times, dtype=float)
        self.tags = list(tags)

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
        ax = self._start(ax, 6.0, 0.22 * n_shown + 1.0)
        step = np.diff(self.times).mean() if self.times.size > 1 else 1.0
        edges = np.append(self.times - step / 2, self.times[-1] + step / 2)
        values = self.probabilities[:, self.shown_].T
        self.im_ = ax.pcolormesh(
            edges, np.arange(n_shown + 1) - 0.5, values, cmap="cividis", vmin=0
        )
        ax.set_yticks(range(n_shown), [plain(self.tags[tag]) for tag in self.shown_])
        ax.invert_yaxis()
        ax.set_xlabel("time [s]")
        ax.tick_params(axis="y", length=0)
        self.figure_.colorbar(self.im_, ax=ax, pad=0.02, label="probability")
        return self

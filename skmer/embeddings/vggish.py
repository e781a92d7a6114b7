"""VGGish embeddings of clips."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from numbers import Integral, Real
from os import PathLike
from typing import Literal

import numpy as np

from skmer.audio import Framing, vggish_log_mel
from skmer.audio.vggish import FRAME_LENGTH, HOP_LENGTH, N_COLUMNS, N_MELS, SR
from skmer.embeddings.base import MAX_BATCH_SIZE, MAX_HOP_SIZE, BaseClipTransformer
from skmer.embeddings.engines import get_engine, resolve_engine
from skmer.embeddings.loading import load_vggish_pca, load_vggish_weights, vggish_weights_digest
from skmer.embeddings.readers import digest_arrays
from skmer.embeddings.recipe import Recipe, SampleCounter, StatedWeights
from skmer.embeddings.registry import Feature
from skmer.exceptions import InputError, WeightsIntegrityError, WeightsNotFoundError
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
from skmer.utils.messages import cut_middle
from skmer.utils.processes import one_blas_thread

_CLIP = 2.0


@dataclass(frozen=True, kw_only=True)
class VGGishRecipe(Recipe):
    """Clip -> VGGish frames; raw ones in the cache, post-processed ones for users."""

    sr: int = SR
    weights: str | None
    seed: int
    digest: str
    # Of the PCA, which is in a file of its own; None where it is not used. It is not in the key of
    # the cache, which keeps the frames that it is applied to.
    pca_digest: str | None
    postprocess: str | None
    hop_length: int
    batch_size: int
    engine: str
    kind = "vggish"

    def settings(self):
        names = "digest hop_length engine"
        return super().settings() | {name: getattr(self, name) for name in names.split()}

    def compute(self, waveform: Iterable[np.ndarray], n_threads: int | None):
        network = get_engine(
            "vggish",
            engine=self.engine,
            weights=StatedWeights(self.digest, self._load_weights),
            input_shape=(N_COLUMNS, N_MELS),
            n_threads=n_threads,
        )
        counted = SampleCounter(waveform)
        framing = Framing(FRAME_LENGTH, self.hop_length, keep_tail=False)
        parts = [
            network(vggish_log_mel(frames))
            for frames in framing.blocks(counted, size=self.batch_size)
        ]
        notes = {"short"} if counted.n_samples < FRAME_LENGTH else set()
        return np.concatenate(parts), notes

    def finish(self, frames):
        if self.postprocess is not None:
            eigen_vectors, means = _load_pca(self.weights, self.seed, self.pca_digest)
            with one_blas_thread():
                frames = np.clip((eigen_vectors @ (frames.T - means)).T, -_CLIP, _CLIP)
        if self.postprocess == "quantize":
            # Truncated, not rounded, as published.
            frames = np.floor((frames + _CLIP) * (255 / (2 * _CLIP)))
        return super().finish(frames)

    def _load_weights(self):
        return load_vggish_weights(self.weights, seed=self.seed, with_pca=False)


@lru_cache(maxsize=2)
def _load_pca(weights, seed, digest):
    """Load the PCA whose digest `fit` has stated."""
    pca = _read_pca(weights, seed)
    if digest_arrays(pca) != digest:
        raise WeightsIntegrityError(
            "The file vggish_pca_params.npz of VGGishTransformer has changed since fit. Fit the "
            "transformer again."
        )
    return pca


def pca_digest(weights, seed: int) -> str:
    """Return the SHA-256 over the arrays of the PCA that the weights come with."""
    return digest_arrays(_read_pca(weights, seed))


def _read_pca(weights, seed):
    pca = load_vggish_pca(weights, seed=seed)
    if pca is None:
        raise WeightsNotFoundError(
            "The 'postprocess' parameter of VGGishTransformer needs the file "
            f"vggish_pca_params.npz beside {cut_middle(repr(weights))}, and it is not there. Put "
            "it there, or set postprocess=None."
        )
    return pca


class VGGishTransformer(BaseClipTransformer):
    """Embed clips with VGGish, the network published with AudioSet.

    A clip is cut into examples of 0.96 s, each becomes a log-mel spectrogram of 96 x 64, and the
    network turns that into 128 numbers, which are pooled over the clip. A clip shorter than one
    example is padded with zeros, and a `ShortClipWarning` says so. Nothing is trained here.

    Parameters
    ----------
    weights : {"pretrained"}, path, or None, default="pretrained"
        "pretrained": the published weights, fetched once and verified. A path: a checkpoint in
        the published format; ``vggish_pca_params.npz`` is read from beside it. None: random
        weights drawn from `random_state`, for tests and baselines.
    postprocess : {None, "pca", "quantize"}, default=None
        None: the embedding layer itself, which is linear. "pca": whitened and clipped to
        [-2, 2]. "quantize": that in steps of 0 to 255, as AudioSet publishes it.
    hop_size : float, default=0.96
        Seconds between the starts of two examples, at most 3600; rounded to whole columns of
        10 ms, one at least.
    batch_size : int, default=32
        The most frames of one clip that go through the network at once, 65536 at the highest.
    engine : {"auto", "tensorflow", "ncnn"}, default="auto"
        What runs the network; "auto" takes the fastest one that is installed.
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
        filter, as the published VGGish code has it (extra ``skmer[resampy]``).
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
        Numbers a frame, 128.
    n_features_in_ : int
        Samples a clip; only where X was a 2-D array.

    See Also
    --------
    L3Transformer : The other network.
    MFCCStatsTransformer : The baseline without a network.

    Notes
    -----
    X is a sequence of paths, of open binary files (or BytesIO), of waveforms of shape (n_samples,)
    or (n_samples, n_channels), of ``(waveform, sr)`` pairs, or of mappings with "array" and
    "sampling_rate"; or a 2-D float array with one clip a row. A waveform is whatever
    `numpy.asarray` takes.

    The embedding layer has no activation, as in the published code since August 2020; ports made
    before that (torchvggish among them) put a ReLU after it, so their numbers are never negative.

    References
    ----------
    S. Hershey et al., "CNN Architectures for Large-Scale Audio Classification", ICASSP 2017.
    tensorflow/models, research/audioset/vggish.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer import VGGishTransformer
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(32000) / 16000)
    >>> VGGishTransformer(weights=None, random_state=0).fit_transform([tone]).shape
    (1, 128)
    """

    _parameter_constraints: dict = {
        **BaseClipTransformer._parameter_constraints,
        "weights": [str, PathLike, None],
        "postprocess": [StrOptions({"pca", "quantize"}), None],
        "hop_size": [Interval(Real, 0, MAX_HOP_SIZE, closed="right")],
        "batch_size": [Interval(Integral, 1, MAX_BATCH_SIZE, closed="both")],
        "engine": [StrOptions({"auto", "tensorflow", "ncnn"})],
        "random_state": ["random_state"],
    }
    _name = "vggish"

    def __init__(
        self,
        *,
        weights: Weights = "pretrained",
        postprocess: Literal["pca", "quantize"] | None = None,
        hop_size: float = 0.96,
        batch_size: int = 32,
        engine: Literal["auto", "tensorflow", "ncnn"] = "auto",
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
        self.postprocess = postprocess
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
        if self._hop_length() < 1:
            raise InputError(
                "The 'hop_size' parameter of VGGishTransformer must round to at least one column "
                f"of 0.01 s. Got {self.hop_size!r} instead."
            )

    def _fit_network(self):
        resolve_engine("vggish", self.engine, "float32")
        self._seed, self.weights_label_ = seed_and_label(self.weights, self.random_state)
        self.weights_are_random_ = self.weights is None
        self.weights_digest_ = vggish_weights_digest(self.weights, seed=self._seed)
        self._pca_digest = None
        if self.postprocess is not None:
            self._pca_digest = pca_digest(self._weights(), self._seed)

    def _weights(self):
        return None if self.weights is None else str(self.weights)

    def _hop_length(self):
        return round(float(self.hop_size) * SR / HOP_LENGTH) * HOP_LENGTH

    def _frame_size(self):
        return 128

    def _hop_seconds(self):
        return self._hop_length() / SR

    def _first_center(self):
        return FRAME_LENGTH / 2 / SR

    def _network_sr(self):
        return SR

    def _recipe(self, *, pooled):
        return VGGishRecipe(
            offset=self.offset,
            duration=self.duration,
            resampler=self.resampler,
            frame_size=self._frame_size(),
            pooling=self.pooling if pooled else None,
            weights=self._weights(),
            seed=self._seed,
            digest=self.weights_digest_,
            pca_digest=self._pca_digest,
            postprocess=self.postprocess,
            hop_length=self._hop_length(),
            batch_size=self.batch_size,
            engine=resolve_engine("vggish", self.engine, "float32"),
        )


FEATURE = Feature(
    name="vggish",
    make=VGGishTransformer,
    label="VGGish",
    colour="#E69F00",
    licence="Apache 2.0 (AudioSet)",
    bibtex="""@inproceedings{hershey2017cnn,
  title     = {{CNN} architectures for large-scale audio classification},
  author    = {Hershey, Shawn and others},
  booktitle = {ICASSP},
  year      = {2017}
}""",
)

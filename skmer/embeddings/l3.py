"""L3-Net embeddings of clips."""

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike
from typing import Literal

import numpy as np

from skmer.audio import Framing, l3_spectrogram
from skmer.audio.l3 import FRAME_LENGTH, FRONTENDS, INPUT_SHAPES, SR
from skmer.embeddings.base import MAX_BATCH_SIZE, MAX_HOP_SIZE, BaseClipTransformer
from skmer.embeddings.engines import get_engine, resolve_engine
from skmer.embeddings.loading import l3_weights_digest, load_l3_weights
from skmer.embeddings.recipe import Recipe, StatedWeights
from skmer.embeddings.registry import Feature
from skmer.utils.estimators import (
    Interval,
    Memory,
    OnError,
    Options,
    Pooling,
    RandomState,
    Resampler,
    StrOptions,
    Weights,
    seed_and_label,
)

# The engines return 4 x 3 cells of 512 channels; the smaller embedding is the maximum over cells.
_N_CELLS = 12


@dataclass(frozen=True, kw_only=True)
class L3Recipe(Recipe):
    """Clip -> L3-Net frames."""

    sr: int = SR
    weights: str | None
    seed: int
    digest: str
    content_type: str
    input_repr: str
    embedding_size: int
    frontend: str
    hop_length: int
    center: bool
    batch_size: int
    engine: str
    precision: str
    kind = "l3"

    def settings(self):
        names = "digest input_repr embedding_size frontend hop_length center engine precision"
        return super().settings() | {name: getattr(self, name) for name in names.split()}

    def framing(self):
        return Framing(FRAME_LENGTH, self.hop_length, FRAME_LENGTH // 2 if self.center else 0)

    def compute(self, waveform: Iterable[np.ndarray], n_threads: int | None):
        network = get_engine(
            "l3",
            engine=self.engine,
            precision=self.precision,
            weights=StatedWeights(self.digest, self._load_weights),
            input_shape=INPUT_SHAPES[self.input_repr],
            n_threads=n_threads,
        )
        parts = []
        for frames in self.framing().blocks(waveform, size=self.batch_size):
            cells = network(
                l3_spectrogram(frames, input_repr=self.input_repr, frontend=self.frontend)
            )
            if self.embedding_size == 512:
                cells = cells.reshape(len(cells), _N_CELLS, 512).max(axis=1)
            parts.append(cells)
        return np.concatenate(parts), set()

    def _load_weights(self):
        return load_l3_weights(
            self.weights,
            content_type=self.content_type,
            input_repr=self.input_repr,
            random_state_seed=self.seed,
        )


class L3Transformer(BaseClipTransformer):
    """Embed clips with L3-Net, the network behind openl3.

    A clip is cut into frames of one second, each frame becomes a spectrogram, and the network
    turns that into 512 (or 6144) numbers, which are pooled over the clip. The network was trained
    to tell whether a picture and a sound belong together; nothing is trained here.

    Parameters
    ----------
    weights : {"pretrained"}, path, or None, default="pretrained"
        "pretrained": the published weights, fetched once and verified. A path: a file in the
        published format (.h5 or .h5.gz). None: random weights drawn from `random_state`, for
        tests and baselines.
    content_type : {"music", "env"}, default="music"
        Which of the published weights: trained on music or on environmental videos.
    input_repr : {"linear", "mel128", "mel256"}, default="mel256"
        The spectrogram that the network takes.
    embedding_size : {512, 6144}, default=512
        Numbers a frame; 512 are the maxima over the 12 cells of the 6144.
    frontend : {"kapre", "librosa", "trained"}, default="kapre"
        How the spectrogram is made: as openl3 0.4 does by default, as its librosa variant does,
        or as it was when the published weights were trained. The embeddings differ.
    hop_size : float, default=0.5
        Seconds between the starts of two frames, 0.001 to 3600.
    center : bool, default=True
        Put half a second of silence before the clip, so that the first frame is centred on its
        start.
    batch_size : int, default=32
        The most frames of one clip that go through the network at once, 65536 at the highest.
    engine : {"auto", "tensorflow", "ncnn", "onnxruntime"}, default="auto"
        What runs the network; "auto" takes the fastest exact one that is installed.
    precision : {"float32", "int8"}, default="float32"
        "float32" is exact to 1e-4 of the scale on every engine; "int8" trades that for speed.
    random_state : int, RandomState instance or None, default=None
        Seed of random weights.
    sr : int, default=None
        Rate of waveforms given without one [Hz], at most 768000; None = 48000.
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
        filter, as openl3 has it (extra ``skmer[resampy]``).
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
    VGGishTransformer : The other network.
    MFCCStatsTransformer : The baseline without a network.

    Notes
    -----
    X is a sequence of paths, of open binary files (or BytesIO), of waveforms of shape (n_samples,)
    or (n_samples, n_channels), of ``(waveform, sr)`` pairs, or of mappings with "array" and
    "sampling_rate"; or a 2-D float array with one clip a row. A waveform is whatever
    `numpy.asarray` takes.

    References
    ----------
    R. Arandjelovic, A. Zisserman, "Look, Listen and Learn", ICCV 2017.
    A. Cramer, H.-H. Wu, J. Salamon, J. P. Bello, "Look, Listen, and Learn More: Design Choices
    for Deep Audio Embeddings", ICASSP 2019. The openl3 package, version 0.4.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer import L3Transformer
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)
    >>> l3 = L3Transformer(weights=None, random_state=0, center=False)
    >>> l3.fit_transform([tone, (tone, 44100)]).shape
    (2, 512)
    """

    _parameter_constraints: dict = {
        **BaseClipTransformer._parameter_constraints,
        "weights": [str, PathLike, None],
        "content_type": [StrOptions({"music", "env"})],
        "input_repr": [StrOptions(set(INPUT_SHAPES))],
        "embedding_size": [Options(Integral, {512, 6144})],
        "frontend": [StrOptions(set(FRONTENDS))],
        "hop_size": [Interval(Real, 0.001, MAX_HOP_SIZE, closed="both")],
        "center": ["boolean"],
        "batch_size": [Interval(Integral, 1, MAX_BATCH_SIZE, closed="both")],
        "engine": [StrOptions({"auto", "tensorflow", "ncnn", "onnxruntime"})],
        "precision": [StrOptions({"float32", "int8"})],
        "random_state": ["random_state"],
    }
    _name = "l3"

    def __init__(
        self,
        *,
        weights: Weights = "pretrained",
        content_type: Literal["music", "env"] = "music",
        input_repr: Literal["linear", "mel128", "mel256"] = "mel256",
        embedding_size: Literal[512, 6144] = 512,
        frontend: Literal["kapre", "librosa", "trained"] = "kapre",
        hop_size: float = 0.5,
        center: bool = True,
        batch_size: int = 32,
        engine: Literal["auto", "tensorflow", "ncnn", "onnxruntime"] = "auto",
        precision: Literal["float32", "int8"] = "float32",
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
        self.content_type = content_type
        self.input_repr = input_repr
        self.embedding_size = embedding_size
        self.frontend = frontend
        self.hop_size = hop_size
        self.center = center
        self.batch_size = batch_size
        self.engine = engine
        self.precision = precision
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

    def _fit_network(self):
        resolve_engine("l3", self.engine, self.precision)
        self._seed, self.weights_label_ = seed_and_label(self.weights, self.random_state)
        self.weights_are_random_ = self.weights is None
        self.weights_digest_ = l3_weights_digest(
            self.weights,
            content_type=self.content_type,
            input_repr=self.input_repr,
            random_state_seed=self._seed,
        )

    def _hop_length(self):
        # Truncated, not rounded, as openl3 does.
        return int(float(self.hop_size) * SR)

    def _frame_size(self):
        return int(self.embedding_size)

    def _hop_seconds(self):
        return self._hop_length() / SR

    def _first_center(self):
        return 0.0 if self.center else FRAME_LENGTH / 2 / SR

    def _network_sr(self):
        return SR

    def _recipe(self, *, pooled):
        return L3Recipe(
            offset=self.offset,
            duration=self.duration,
            resampler=self.resampler,
            frame_size=self._frame_size(),
            pooling=self.pooling if pooled else None,
            weights=None if self.weights is None else str(self.weights),
            seed=self._seed,
            digest=self.weights_digest_,
            content_type=self.content_type,
            input_repr=self.input_repr,
            embedding_size=self.embedding_size,
            frontend=self.frontend,
            hop_length=self._hop_length(),
            center=self.center,
            batch_size=self.batch_size,
            engine=resolve_engine("l3", self.engine, self.precision),
            precision=self.precision,
        )


FEATURE = Feature(
    name="l3",
    make=L3Transformer,
    label="L3-Net",
    colour="#0072B2",
    licence="CC BY 4.0 (openl3)",
    bibtex="""@inproceedings{cramer2019look,
  title     = {Look, listen, and learn more: Design choices for deep audio embeddings},
  author    = {Cramer, Aurora Linh and Wu, Ho-Hsiang and Salamon, Justin and Bello, Juan Pablo},
  booktitle = {ICASSP},
  year      = {2019}
}""",
    # The study (April 2021) is older than openl3 0.4, whose spectrograms are others.
    study={"hop_size": 0.1, "frontend": "trained"},
)

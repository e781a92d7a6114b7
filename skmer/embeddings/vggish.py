"""VGGish, the network published with AudioSet: transformer, front-end, layers and weights."""

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from math import sqrt
from typing import Annotated, Any, Literal

import numpy as np

from skmer.audio.framing import Framing, check_table
from skmer.audio.spectra import MelProduct, columns, magnitude, periodic_hann
from skmer.embeddings import base, engines, readers, recipe, registry
from skmer.embeddings.engines import layers as nn
from skmer.embeddings.weights import WeightsCheck, WeightsFile
from skmer.exceptions import WeightsNotFoundError
from skmer.utils import estimators, processes

SR = 16000
WINDOW_LENGTH, HOP_LENGTH, N_FFT = 400, 160, 512
N_COLUMNS, N_MELS = 96, 64
# 96 columns of 400 samples, 160 apart.
FRAME_LENGTH = (N_COLUMNS - 1) * HOP_LENGTH + WINDOW_LENGTH
_FMIN, _FMAX, _LOG_OFFSET = 125.0, 7500.0, 0.01


def vggish_log_mel(frames: np.ndarray) -> np.ndarray:
    """Log-mel examples of frames, as VGGish takes them.

    Parameters
    ----------
    frames : ndarray [shape=(n, 15600), dtype=float32]
        Frames of 0.975 s at 16 kHz: exactly the samples that 96 columns need.

    Returns
    -------
    log_mel : ndarray [shape=(n, 96, 64), dtype=float32]
        ``ln(mel + 0.01)``, time first.

    References
    ----------
    S. Hershey et al., "CNN Architectures for Large-Scale Audio Classification", ICASSP 2017;
    ``mel_features.py`` in tensorflow/models, research/audioset/vggish.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.audio import vggish_log_mel
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(15600, dtype=np.float32) / 16000)
    >>> vggish_log_mel(tone[None]).shape
    (1, 96, 64)
    """
    frames = check_table("vggish_log_mel", frames, FRAME_LENGTH)
    window = periodic_hann(WINDOW_LENGTH)
    spectrum = magnitude(columns(frames, WINDOW_LENGTH, HOP_LENGTH), window, N_FFT)
    mel = _mel_product()(spectrum)
    return np.log(mel + np.float32(_LOG_OFFSET))


@cache
def _mel_product():
    """Triangles linear in mel, no area norm, nothing at DC; librosa's are linear in hertz."""

    def mel(frequency):
        return 1127 * np.log(1 + frequency / 700)

    bins = mel(np.linspace(0, SR / 2, 1 + N_FFT // 2))
    edges = np.linspace(mel(_FMIN), mel(_FMAX), N_MELS + 2)
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - lower) / (centre - lower)
    falling = (upper - bins) / (upper - centre)
    bank = np.maximum(0, np.minimum(rising, falling))
    bank[:, 0] = 0
    return MelProduct(bank.astype(np.float32))


_SAME_3X3 = (1, 1, 1, 1)
_CONVOLUTIONS = {
    "conv1": (3, 3, 1, 64),
    "conv2": (3, 3, 64, 128),
    "conv3/conv3_1": (3, 3, 128, 256),
    "conv3/conv3_2": (3, 3, 256, 256),
    "conv4/conv4_1": (3, 3, 256, 512),
    "conv4/conv4_2": (3, 3, 512, 512),
}
_POOLED = ("conv1", "conv2", "conv3/conv3_2", "conv4/conv4_2")
_DENSE = {"fc1/fc1_1": (12288, 4096), "fc1/fc1_2": (4096, 4096), "fc2": (4096, 128)}
SHAPES = tuple(
    item
    for name, shape in (_CONVOLUTIONS | _DENSE).items()
    for item in ((f"vggish/{name}/weights", shape), (f"vggish/{name}/biases", shape[-1:]))
)


def describe(arrays) -> nn.Network:
    """Return the network as layers; the last one is linear."""

    def pair(name) -> tuple[np.ndarray, np.ndarray]:
        return arrays[f"vggish/{name}/weights"], arrays[f"vggish/{name}/biases"]

    body, head = nn.LayerList(), nn.LayerList()
    for name in _CONVOLUTIONS:
        body.add(nn.Convolution(*pair(name), _SAME_3X3, relu=True))
        if name in _POOLED:
            body.add(nn.MaxPool((2, 2)))
    for name in _DENSE:
        head.add(nn.Dense(*pair(name), relu=name != "fc2"))
    scale, offset = np.float32(1), np.float32(0)
    return nn.Network("vggish", (N_COLUMNS, N_MELS), scale, offset, body, head, (len(head),))


NETWORK_FILE = WeightsFile(
    name="vggish",
    file="vggish_model.ckpt",
    base_url="https://storage.googleapis.com/audioset/",
    checksums={"md5": "d1c7011e6366aa34176bb05c705e31a8"},
    licence="Apache 2.0",
    citation=(
        "S. Hershey et al., 'CNN Architectures for Large-Scale Audio Classification', ICASSP "
        "2017, pp. 131-135."
    ),
    kinds="vggish_model.ckpt (TensorFlow V1) or an npz of its arrays",
    shapes=SHAPES,
    read=readers.read_checkpoint,
    estimator="VGGishTransformer",
    describe=describe,
)
PCA_FILE = replace(
    NETWORK_FILE,
    name="vggish-pca",
    file="vggish_pca_params.npz",
    checksums={"md5": "c80cae691033abe7c7ecd11ea39fc834"},
    kinds="an npz of VGGish's PCA",
    shapes=(("pca_eigen_vectors", (128, 128)), ("pca_means", (128, 1))),
    read=readers.read_npz,
)


def load_pca(weights, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return eigen vectors (128, 128) and means (128, 1), which are in a file of their own."""
    if weights is None:
        # A stream of its own, so that it can be had without the arrays of the network. The scale
        # of an embedding stays about as it is.
        bits = np.random.PCG64([seed, 1])
        return readers.uniform(bits, (128, 128), sqrt(3 / 128)), np.zeros((128, 1), np.float32)
    if weights == "pretrained":
        path = PCA_FILE.obtain()
    else:
        path = NETWORK_FILE.given_path(weights).with_name(PCA_FILE.file)
        if not path.is_file():
            raise WeightsNotFoundError(
                "The 'postprocess' parameter of VGGishTransformer needs the file "
                f"{PCA_FILE.file} beside {weights!r}, and it is not there. Put it there, or set "
                "postprocess=None."
            )
    vectors, means = PCA_FILE.parse(path)[0].values()
    return vectors, means


@lru_cache(maxsize=2)
def _checked_pca(weights, seed: int, digest: str):
    pca = load_pca(weights, seed)
    recipe.check_unchanged(f"The file {PCA_FILE.file}", digest, readers.digest_arrays(pca))
    return pca


_LARGEST = 2.0


@dataclass(frozen=True, kw_only=True)
class VGGishRecipe(recipe.NetworkRecipe):
    """Clip -> VGGish frames; raw ones in the cache, post-processed ones for users."""

    # Of the PCA, which is in a file of its own; None where it is not used.
    pca_digest: str | None
    postprocess: str | None
    hop_length: int
    kind = "vggish"
    decisive = ("digest", "hop_length", "engine")

    def compute(self, waveform, n_threads):
        network = self.load(n_threads)
        notes: set[str] = set()
        padded = recipe.pad_short(waveform, FRAME_LENGTH, notes)
        framing = Framing(FRAME_LENGTH, self.hop_length, keep_tail=False)
        blocks = framing.blocks(padded, size=self.batch_size)
        return np.concatenate([network(vggish_log_mel(frames)) for frames in blocks]), notes

    def finish(self, frames):
        if self.postprocess is not None:
            eigen_vectors, means = _checked_pca(self.weights, self.seed, self.pca_digest)
            with processes.one_blas_thread():
                frames = np.clip((eigen_vectors @ (frames.T - means)).T, -_LARGEST, _LARGEST)
        if self.postprocess == "quantize":
            # Truncated, not rounded, as published.
            frames = np.floor((frames + _LARGEST) * (255 / (2 * _LARGEST)))
        return super().finish(frames)


@estimators.estimator
class VGGishTransformer(base.NetworkTransformer):
    """Embed clips with VGGish, the network published with AudioSet.

    A clip is cut into examples of 0.96 s, each becomes a log-mel spectrogram of 96 x 64, and the
    network turns that into 128 numbers, which are pooled over the clip. A clip shorter than one
    example is padded with zeros, with a `ShortClipWarning`. Nothing is trained here.

    Parameters
    ----------
    sr : int, default=None
        Rate of waveforms given without one [Hz], at most 768000; None = 16000.
    offset : float, default=0.0
        Where to start in each clip [s].
    duration : float, default=None
        How much of each clip to use [s]; None = all of it.
    pooling : {"mean", "std", "max", "min"}, tuple of those, or None, default="mean"
        Statistics over the frames of a clip, concatenated in this order. None: no pooling.
    memory : str, path-like, joblib.Memory or None, default=None
        Folder of the cache: the frames of every clip are computed once, for any fold, pooling,
        classifier and process.
    n_jobs : int, default=None
        Number of threads over clips, as in joblib; obeys `joblib.parallel_config`.
    on_error : {"raise", "nan"}, default="raise"
        What a clip that cannot be read does: raise `AudioDecodeError`, or become a row of NaN
        with one warning for all of them.
    resampler : {"soxr_hq", "kaiser_best"}, default="soxr_hq"
        How clips of another rate are brought to that of the network: by soxr, or by resampy's
        filter, as the published VGGish code has it (extra ``skmer[resampy]``).
    verbose : bool, default=False
        Show a progress bar over clips.
    weights : {"pretrained"}, path, or None, default="pretrained"
        "pretrained": the published weights, fetched once and verified. A path: a checkpoint in
        the published format; ``vggish_pca_params.npz`` is read from beside it. None: random
        weights drawn from `random_state`, for tests and baselines.
    batch_size : int, default=32
        The most frames of one clip that go through the network at once, 65536 at the highest.
    random_state : int, RandomState instance or None, default=None
        Seed of random weights.
    postprocess : {None, "pca", "quantize"}, default=None
        None: the embedding layer itself, which is linear. "pca": whitened and clipped to
        [-2, 2]. "quantize": that in steps of 0 to 255, as AudioSet publishes it.
    hop_size : float, default=0.96
        Seconds between the starts of two examples, more than 0.005 and at most 3600; rounded to
        whole columns of 10 ms.
    engine : {"auto", "tensorflow", "ncnn"}, default="auto"
        What runs the network; "auto" takes the fastest one that is installed.

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
    X is as of `L3Transformer`.

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

    _name = "vggish"
    postprocess: Literal["pca", "quantize"] | None = None
    # At least what rounds to one column.
    hop_size: Annotated[float, base.seconds(0.005, closed="right")] = 0.96
    engine: Literal["auto", "tensorflow", "ncnn"] = "auto"

    def _fit_network(self):
        super()._fit_network()
        self._pca_digest = None
        if self.postprocess is not None:
            weights = None if self.weights is None else str(self.weights)
            self._pca_digest = readers.digest_arrays(load_pca(weights, self._seed))

    def _engine(self):
        return engines.resolve_engine(self.engine, ("ncnn", "tensorflow"))

    def _file(self):
        return NETWORK_FILE

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
        computed = {"hop_length": self._hop_length(), "pca_digest": self._pca_digest}
        return self._fill(VGGishRecipe, pooled=pooled, **computed)


# As in the published smoke test, whose figures these are: post-processing, mean, deviation.
FIGURES: dict[str, tuple[Any, float, float]] = {
    "vggish": (None, 0.000657, 0.343),
    "vggish-pca": ("quantize", 126.0, 89.3),
}
_ERROR = 0.1


def verify(file: WeightsFile) -> list[WeightsCheck]:
    """Run the published smoke test: three seconds of a 1 kHz sine."""
    postprocess, mean, std = FIGURES[file.name]
    what = "published smoke test of VGGish" + (", post-processed" if postprocess else "")
    if NETWORK_FILE.find() is None:
        return [WeightsCheck(what, True, f"not run, since '{NETWORK_FILE.name}' is missing")]
    clip = np.sin(2 * np.pi * 1000 * np.arange(0, 3, 1 / SR)), SR
    (frames,) = VGGishTransformer(postprocess=postprocess).fit([clip]).transform_frames([clip])
    got = float(frames.mean()), float(frames.std())
    passed = bool(np.allclose(got, (mean, std), rtol=_ERROR, atol=0))
    detail = (
        f"mean {got[0]:.6g} and standard deviation {got[1]:.4g} (published {mean:g} and {std:g}, "
        f"within {_ERROR:.0%})"
    )
    return [WeightsCheck(what, passed, detail)]


def _picture(audio: np.ndarray) -> np.ndarray:
    framing = Framing(FRAME_LENGTH, N_COLUMNS * HOP_LENGTH, keep_tail=False)
    blocks = [vggish_log_mel(frames) for frames in framing.blocks([audio], size=32)]
    return np.concatenate(blocks).reshape(-1, N_MELS).T


FEATURE = registry.Feature(
    name="vggish",
    make=VGGishTransformer,
    label="VGGish",
    color="#E69F00",
    licence="Apache 2.0 (AudioSet)",
    bibtex="""@inproceedings{hershey2017cnn,
  title     = {{CNN} architectures for large-scale audio classification},
  author    = {Hershey, Shawn and others},
  booktitle = {ICASSP},
  year      = {2017}
}""",
    picture=registry.Picture(SR, HOP_LENGTH / SR, "ln(mel + 0.01)", _picture),
    weights=(NETWORK_FILE, PCA_FILE),
    verify=verify,
)

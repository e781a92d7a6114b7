"""L3-Net, the network behind openl3: its transformer, front-end, layers and weights."""

from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

from skmer.audio.framing import Framing, check_table
from skmer.audio.spectra import columns, magnitude, mel_product, periodic_hann
from skmer.embeddings import base, engines, readers, recipe, registry, weights
from skmer.embeddings.engines import layers as nn
from skmer.utils import estimators, messages

SR = 48000
FRAME_LENGTH = 48000
HOP_LENGTH = 242
INPUT_SHAPES = {"linear": (257, 197), "mel128": (128, 199), "mel256": (256, 199)}
FRONTENDS = ("kapre", "librosa", "trained")
# Zeros (before, after) a frame; the columns that come out are 199 in each case.
_MEL_PADDING = {"kapre": (0, 1964), "librosa": (1024, 1024), "trained": (982, 982)}
_FLOOR, _RANGE_DB = 1e-10, 80


def l3_spectrogram(
    frames: np.ndarray, *, input_repr: str = "mel256", frontend: str = "kapre"
) -> np.ndarray:
    """Spectrograms of one-second frames, as L3-Net takes them.

    Parameters
    ----------
    frames : ndarray [shape=(n, 48000), dtype=float32]
        One-second frames at 48 kHz.
    input_repr : {"linear", "mel128", "mel256"}, default="mel256"
        The representation.
    frontend : {"kapre", "librosa", "trained"}, default="kapre"
        Which of the three constructions: openl3 0.4's default, its librosa variant, or what the
        published weights were trained on (openl3 up to 0.3.1). They differ in the mel scale, in
        where the power is taken, and in the padding.

    Returns
    -------
    spectrogram : ndarray [shape=(n, bins, columns), dtype=float32]
        Decibels below the frame's maximum, [-80, 0]: 257 x 197, 128 x 199 or 256 x 199. Silence
        is 0 everywhere, as in openl3.

    References
    ----------
    A. Cramer, H.-H. Wu, J. Salamon, J. P. Bello, "Look, Listen, and Learn More: Design Choices
    for Deep Audio Embeddings", ICASSP 2019; the openl3 package, versions 0.3.1 and 0.4.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.audio import l3_spectrogram
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(48000, dtype=np.float32) / 48000)
    >>> l3_spectrogram(tone[None]).shape
    (1, 256, 199)
    """
    messages.check_choice("l3_spectrogram", tuple(INPUT_SHAPES), input_repr=input_repr)
    messages.check_choice("l3_spectrogram", FRONTENDS, frontend=frontend)
    frames = check_table("l3_spectrogram", frames, FRAME_LENGTH)
    spectrogram = np.empty((len(frames), *INPUT_SHAPES[input_repr]), np.float32)
    # One at a time: the arrays of several are so large that memory is mapped anew for each block.
    for out, frame in zip(spectrogram, frames):
        out[:] = _spectrogram(frame, input_repr, frontend)
    return spectrogram


def _spectrogram(frame, input_repr, frontend):
    # kapre computes in float32, librosa in float64: where a clip has next to nothing, it shows.
    if frontend == "kapre":
        frame = frame.astype(np.float32, copy=False)
    if input_repr == "linear":
        level = magnitude(columns(frame, 512, HOP_LENGTH), _window(512, frontend), 512)
    else:
        padded = np.pad(frame, _MEL_PADDING[frontend])
        spectrum = magnitude(columns(padded, 2048, HOP_LENGTH), _window(2048, frontend), 2048)
        scale = "htk" if frontend == "trained" else "slaney"
        product = mel_product(SR, 2048, INPUT_SHAPES[input_repr][0], scale)
        if frontend == "trained":
            level = np.sqrt(product(np.square(spectrum, out=spectrum)))
        else:
            level = product(spectrum)
    # As librosa.power_to_db has it, in place and a third of the time: 0.08 ms a frame, not 0.24.
    np.maximum(level, _FLOOR, out=level)
    np.log10(level, out=level)
    level *= 10
    level -= level.max()
    np.maximum(level, -_RANGE_DB, out=level)
    return level.T


@cache
def _window(length, frontend):
    if frontend == "kapre":
        with np.load(Path(__file__).with_name("kapre_windows.npz"), allow_pickle=False) as windows:
            return windows[f"hann_{length}"]
    return periodic_hann(length)


_WIDTHS = (64, 64, 128, 128, 256, 256, 512, 512)
# The engines return 4 x 3 cells of 512 channels; the smaller embedding is the maximum over cells.
_CELLS, _N_CELLS = (4, 3), 12
_SAME_3X3 = (1, 1, 1, 1)
_NORM = ("gamma", "beta", "moving mean", "moving variance")


def _shapes() -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return names and shapes of the 48 arrays in stored order."""
    shapes: list[tuple[str, tuple[int, ...]]] = [(f"norm0/{role}", (1,)) for role in _NORM]
    before = 1
    for layer, width in enumerate(_WIDTHS, start=1):
        kernel = (3, 3, before, width)
        shapes += [(f"conv{layer}/kernel", kernel), (f"conv{layer}/bias", (width,))]
        if layer < len(_WIDTHS):
            shapes += [(f"norm{layer}/{role}", (width,)) for role in _NORM]
        before = width
    return tuple(shapes)


SHAPES = _shapes()


def describe(arrays, input_repr: str) -> nn.Network:
    """Return the network as layers."""
    input_shape = INPUT_SHAPES[input_repr]

    def norm(layer):
        return nn.batch_norm(*(arrays[f"norm{layer}/{role}"] for role in _NORM))

    # Zero padding follows the first batch normalisation, so it cannot move into a kernel.
    scale, offset = (np.float32(value.item()) for value in norm(0))
    pooled_thrice = tuple(size // 8 for size in input_shape)
    last_pool = pooled_thrice[0] // _CELLS[0], pooled_thrice[1] // _CELLS[1]
    body = nn.LayerList()
    for layer in range(1, len(_WIDTHS) + 1):
        kernel, bias = arrays[f"conv{layer}/kernel"], arrays[f"conv{layer}/bias"]
        is_last = layer == len(_WIDTHS)
        if not is_last:
            factor, shift = norm(layer)
            kernel = kernel.astype(np.float64) * factor
            bias = bias.astype(np.float64) * factor + shift
        kernel, bias = nn.as_float32(kernel), nn.as_float32(bias)
        body.add(nn.Convolution(kernel, bias, _SAME_3X3, relu=not is_last))
        if is_last or layer % 2 == 0:
            body.add(nn.MaxPool(last_pool if is_last else (2, 2)))
    return nn.Network("l3", input_shape, scale, offset, body)


# Blob ids as the branch "models" of github marl/openl3 lists them. The two SHA-256 of mel256_music
# are those that a third party pinned (github whepper/musicpack).
_BLOBS = {
    ("linear", "env"): "7837407f033f3564c7e8d53fc4a4241fe160478b",
    ("linear", "music"): "4e2e61beb17865481c8b8791c72eac8307e2753a",
    ("mel128", "env"): "8c3dfee140f7776373841e5938a3e76c54f28942",
    ("mel128", "music"): "73ff29de441865318c4b3a3f98c40763c4773e7c",
    ("mel256", "env"): "34dbd7a91cdd2de6a3d6d036ac0a24d27d78e3cc",
    ("mel256", "music"): "15e483646fa3d4091a463f0affbb706e6bbbb098",
}
_PACKED = {"sha256": "e379f41e880b78e157c199ebddac80d3764e6a46282bcccdbe875bcf538f9afd"}
_UNPACKED = {"sha256": "624ee7b1dd5ff87e18073f66fd8b2052bebb8ac70210e9c0937c0c940c63e9d6"}
WEIGHTS = {
    key: weights.WeightsFile(
        name="openl3-{}-{}".format(*key),
        file="openl3_audio_{}_{}-v0_4_0.h5.gz".format(*key),
        base_url="https://github.com/marl/openl3/raw/models/",
        checksums={"git-blob": blob} | (_PACKED if key == ("mel256", "music") else {}),
        licence="CC BY 4.0",
        citation=(
            "A. L. Cramer, H.-H. Wu, J. Salamon and J. P. Bello, 'Look, Listen, and Learn More: "
            "Design Choices for Deep Audio Embeddings', ICASSP 2019, pp. 3852-3856."
        ),
        installed="openl3/openl3_audio_{}_{}.h5".format(*key),
        installed_checksums=_UNPACKED if key == ("mel256", "music") else {},
        kinds="the published .h5 or .h5.gz of OpenL3",
        shapes=SHAPES,
        read=readers.read_keras_h5,
        estimator="L3Transformer",
        describe=partial(describe, input_repr=key[0]),
        # For decibels between -80 and 0, about zero mean and unit variance.
        input_norm={"norm0/moving mean": -40.0, "norm0/moving variance": 400.0},
    )
    for key, blob in _BLOBS.items()
}


@dataclass(frozen=True, kw_only=True)
class L3Recipe(recipe.NetworkRecipe):
    """Clip -> L3-Net frames."""

    input_repr: str
    embedding_size: int
    frontend: str
    hop_length: int
    center: bool
    precision: str
    kind = "l3"
    decisive = (
        "digest", "input_repr", "embedding_size", "frontend", "hop_length", "center", "engine",
        "precision",
    )  # fmt: skip

    def compute(self, waveform, n_threads):
        network = self.load(n_threads)
        framing = Framing(FRAME_LENGTH, self.hop_length, FRAME_LENGTH // 2 if self.center else 0)
        notes: set[str] = set()
        noted = recipe.note_short(waveform, FRAME_LENGTH, notes)
        options = {"input_repr": self.input_repr, "frontend": self.frontend}
        blocks = []
        for frames in framing.blocks(noted, size=self.batch_size):
            cells = network(l3_spectrogram(frames, **options))
            if self.embedding_size == 512:
                cells = cells.reshape(len(cells), _N_CELLS, 512).max(axis=1)
            blocks.append(cells)
        return np.concatenate(blocks), notes


@estimators.estimator
class L3Transformer(base.NetworkTransformer):
    """Embed clips with L3-Net, the network behind openl3.

    A clip is cut into frames of one second. The network computes 512 (or 6144) numbers from the
    spectrogram of each frame, and these are pooled over the clip. The network was trained
    to detect whether a picture and a sound belong together; `fit` does not train it.

    Parameters
    ----------
    sr : int, default=None
        Rate of waveforms given without one [Hz], at most 768000; None = 48000.
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
        filter, as openl3 has it (extra ``skmer[resampy]``).
    verbose : bool, default=False
        Show a progress bar over clips.
    weights : {"pretrained"}, path, or None, default="pretrained"
        "pretrained": the published weights, fetched once and verified. A path: a file in the
        published format (.h5 or .h5.gz). None: random weights drawn from `random_state`, for
        tests and baselines.
    batch_size : int, default=32
        The most frames of one clip that go through the network at once, 65536 at the highest.
    random_state : int, RandomState instance or None, default=None
        Seed of random weights.
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
    engine : {"auto", "tensorflow", "ncnn", "onnxruntime"}, default="auto"
        What runs the network; "auto" takes the fastest exact one that is installed.
    precision : {"float32", "int8"}, default="float32"
        "float32" is exact to 1e-4 of the scale on every engine; "int8" trades that for speed.

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
    X is a sequence of paths, of `Segment` or ``(path, start, end)``, of open binary files (or
    BytesIO), of waveforms of shape (n_samples,) or (n_samples, n_channels), of ``(waveform, sr)``
    pairs, of decoders, or of mappings with "array" and "sampling_rate", or "bytes" or "path"; a
    table of one such column; or a 2-D float array with one clip a row. A waveform is any object
    that `numpy.asarray` takes.

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

    _name = "l3"
    content_type: Literal["music", "env"] = "music"
    input_repr: Literal["linear", "mel128", "mel256"] = "mel256"
    embedding_size: Literal[512, 6144] = 512
    frontend: Literal["kapre", "librosa", "trained"] = "kapre"
    hop_size: Annotated[float, base.seconds(0.001)] = 0.5
    center: bool = True
    engine: Literal["auto", "tensorflow", "ncnn", "onnxruntime"] = "auto"
    precision: Literal["float32", "int8"] = "float32"

    def _engine(self):
        able = ("onnxruntime",) if self.precision == "int8" else ("ncnn", "tensorflow")
        return engines.resolve_engine(self.engine, able, self.precision)

    def _file(self):
        return WEIGHTS[self.input_repr, self.content_type]

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
        return self._fill(L3Recipe, pooled=pooled, hop_length=self._hop_length())


# Least mean cosine and largest relative error of a frame's mean and standard deviation. The
# front-ends are exact, but the reference was resampled from 44.1 kHz by another resampler, and
# above 22 kHz holds the rounding noise of another FFT, of which the linear one sees most. Other
# weights give far less; the wrong one of two front-ends at mel256 0.98 and 5 to 11 %.
TOLERANCES = {"openl3-mel256-music": (0.99, 0.04), "openl3-linear-env": (0.98, 0.05)}
# The settings of openl3's own regression files.
_SETTINGS: dict[str, dict[str, Any]] = {
    "openl3-mel256-music": {"embedding_size": 6144, "hop_size": 0.1, "center": True},
    "openl3-linear-env": {"embedding_size": 512, "hop_size": 0.5, "center": False},
}


def verify(file: weights.WeightsFile) -> list[weights.WeightsCheck]:
    """Check openl3's regression figures, where there are any: columns of a chirp's frames."""
    if file.name not in _SETTINGS:
        return []
    checks = []
    _, input_repr, content_type = file.name.split("-")
    clip = weights.REFERENCE / "chirp_44k.flac"
    with np.load(weights.REFERENCE / "openl3_chirp.npz", allow_pickle=False) as published:
        for frontend in FRONTENDS:
            chosen = {"content_type": content_type, "input_repr": input_repr, "frontend": frontend}
            l3 = L3Transformer(**(_SETTINGS[file.name] | chosen))
            (frames,) = l3.fit([clip]).transform_frames([clip])
            key = f"{file.name}|{frontend}|"
            wanted = {name: published[key + name] for name in ("columns", "mean", "std")}
            checks.append(compare(file.name, frontend, frames, wanted))
    return checks


def compare(name: str, frontend: str, frames: np.ndarray, published) -> weights.WeightsCheck:
    """Compare frames with openl3's published figures."""
    least_cosine, largest_error = TOLERANCES[name]
    what = f"openl3's published embedding of a chirp, front-end '{frontend}'"
    columns = published["columns"]
    if len(frames) != len(columns):
        return weights.WeightsCheck(what, False, f"{len(frames)} frames instead of {len(columns)}")
    step = frames.shape[1] // columns.shape[1]
    ours = frames[:, step // 2 :: step]
    norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(columns, axis=1)
    cosine = float(np.mean(np.sum(ours * columns, axis=1) / norms))
    errors = [getattr(frames, name)(axis=1) / published[name] - 1 for name in ("mean", "std")]
    error = float(np.max(np.abs(errors)))
    detail = (
        f"mean cosine {cosine:.5f} (at least {least_cosine}), means and standard deviations of "
        f"the frames within {error:.1%} (at most {largest_error:.0%})"
    )
    return weights.WeightsCheck(what, cosine >= least_cosine and error <= largest_error, detail)


def _picture(audio: np.ndarray) -> np.ndarray:
    blocks = Framing(FRAME_LENGTH, FRAME_LENGTH).blocks([audio], size=8)
    return np.hstack([image for frames in blocks for image in l3_spectrogram(frames)])


FEATURE = registry.Feature(
    name="l3",
    make=L3Transformer,
    label="L3-Net",
    color="#0072B2",
    licence="CC BY 4.0 (openl3)",
    bibtex="""@inproceedings{cramer2019look,
  title     = {Look, listen, and learn more: Design choices for deep audio embeddings},
  author    = {Cramer, Aurora Linh and Wu, Ho-Hsiang and Salamon, Justin and Bello, Juan Pablo},
  booktitle = {ICASSP},
  year      = {2019}
}""",
    picture=registry.Picture(SR, 1 / 199, "dB below the maximum of a frame", _picture),
    weights=tuple(WEIGHTS.values()),
    verify=verify,
    # The study (April 2021) is older than openl3 0.4, whose spectrograms are others.
    study={"hop_size": 0.1, "frontend": "trained"},
)

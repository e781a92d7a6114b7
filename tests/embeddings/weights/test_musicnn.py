"""MusiCNN's weights: from a wheel, an installed package, converted arrays, or the package client."""

import hashlib
import importlib.util
import io
import shutil
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from skmer.embeddings.weights import (
    MUSICNN_TAGS,
    digest_arrays,
    fetch_weights,
    list_weights,
    load_musicnn_weights,
    musicnn_weights_digest,
)
from skmer.embeddings.weights import _registry as registry
from skmer.embeddings.weights._registry import REGISTRY
from skmer.embeddings.weights.musicnn import MUSICNN_SHAPES, PUBLISHED_DIGESTS

WHEEL = "musicnn-0.1.0-py3-none-any.whl"


@pytest.fixture(scope="module")
def arrays():
    """By `trained_on`: small numbers in the shapes of the network."""
    return {
        trained_on: dict(load_musicnn_weights(None, trained_on, seed=seed).arrays)
        for seed, trained_on in enumerate(("msd", "mtt"))
    }


@pytest.fixture(scope="module")
def wheel(arrays, v2_checkpoint):
    """The bytes of a wheel as the published one is made, with arrays of our own."""
    members = {}
    for trained_on, model in arrays.items():
        folder = f"musicnn/{trained_on.upper()}_musicnn"
        index, numbers = v2_checkpoint(model)
        members |= {f"{folder}/.index": index, f"{folder}/.data-00000-of-00001": numbers}
    members["musicnn/__init__.py"] = b"raise RuntimeError('must not be imported')\n"
    info = "musicnn-0.1.0.dist-info"
    members[f"{info}/METADATA"] = b"Metadata-Version: 2.1\nName: musicnn\nVersion: 0.1.0\n"
    members[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    members[f"{info}/RECORD"] = b"".join(f"{name},,\n".encode() for name in members)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.fixture
def published(folder, wheel, arrays, monkeypatch):
    """Let our wheel pass for the published one, and an offline folder for the index."""
    for trained_on, model in arrays.items():
        digest = digest_arrays([model[name] for name, _ in MUSICNN_SHAPES])
        monkeypatch.setitem(PUBLISHED_DIGESTS, trained_on, digest)
    checksums = {"sha256": hashlib.sha256(wheel).hexdigest()}
    entries = {
        name: replace(entry, checksums=checksums) if entry.file == WHEEL else entry
        for name, entry in REGISTRY.items()
    }
    monkeypatch.setattr(registry, "REGISTRY", entries)
    offline = folder.parent / "offline"
    offline.mkdir(parents=True)
    (offline / WHEEL).write_bytes(wheel)
    for client in ("PIP", "UV"):
        monkeypatch.setenv(f"{client}_NO_INDEX", "1")
        monkeypatch.setenv(f"{client}_FIND_LINKS", str(offline))
    monkeypatch.setenv("UV_CACHE_DIR", str(folder.parent / "uv"))
    return offline


def left_in(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def state_of(name):
    return next(row.state for row in list_weights() if row.name == name)


def without_pip(monkeypatch):
    """Let this environment have no pip."""
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "pip" else find_spec(name)
    )


def same(loaded, model):
    assert set(loaded.arrays) == set(model)
    for name, array in model.items():
        np.testing.assert_array_equal(loaded.arrays[name], array)
        assert not loaded.arrays[name].flags.writeable


def test_tags():
    for tags in MUSICNN_TAGS.values():
        assert len(set(tags)) == len(tags) == 50
    assert MUSICNN_TAGS["msd"][-1] == "happy"
    assert MUSICNN_TAGS["mtt"][21] == "no vocals"


def test_random_weights():
    loaded = load_musicnn_weights(None, "msd", seed=3)
    assert (loaded.digest, loaded.label) == ("random-3", "random (seed 3)")
    assert musicnn_weights_digest(None, "msd", seed=3) == "random-3"
    assert {name: array.shape for name, array in loaded.arrays.items()} == dict(MUSICNN_SHAPES)
    kernel = loaded.arrays["dense/kernel"]
    assert kernel.dtype == np.float32
    assert abs(kernel.mean()) < 0.01 * kernel.std()
    again = load_musicnn_weights(None, "mtt", seed=3).arrays["dense/kernel"]
    np.testing.assert_array_equal(kernel, again)


@pytest.mark.parametrize("client", ["pip", "uv"])
def test_fetched_by_the_package_client(published, folder, arrays, client, monkeypatch):
    if client == "uv":
        if shutil.which("uv") is None:
            pytest.skip("uv is not on this machine")
        without_pip(monkeypatch)
    assert state_of("musicnn-mtt") == "missing"
    same(load_musicnn_weights("pretrained", "mtt", seed=0), arrays["mtt"])
    # neither the wheel nor what is unpacked of it stays
    assert left_in(folder) == ["musicnn_mtt.npz"]
    assert state_of("musicnn-mtt") == "converted"
    shutil.rmtree(published)
    loaded = load_musicnn_weights("pretrained", "mtt", seed=0)
    assert (loaded.digest, loaded.label) == (PUBLISHED_DIGESTS["mtt"], "pretrained")
    assert "musicnn" not in sys.modules


def test_wheel_put_into_the_folder_by_hand(published, folder, wheel, arrays):
    shutil.rmtree(published)
    folder.mkdir(parents=True)
    (folder / WHEEL).write_bytes(wheel)
    assert state_of("musicnn-msd") == "verified"
    assert fetch_weights("musicnn-msd") == folder / WHEEL
    same(load_musicnn_weights("pretrained", "msd", seed=0), arrays["msd"])
    assert left_in(folder) == [WHEEL, "musicnn_msd.npz"]
    assert fetch_weights("musicnn-msd") == folder / "musicnn_msd.npz"


def test_installed_package_is_not_imported(published, folder, wheel, arrays, monkeypatch):
    site = folder.parent / "site"
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        archive.extractall(site)
    shutil.rmtree(published)
    monkeypatch.syspath_prepend(str(site))
    assert state_of("musicnn-msd") == "verified"
    same(load_musicnn_weights("pretrained", "msd", seed=0), arrays["msd"])
    assert "musicnn" not in sys.modules


@pytest.mark.parametrize("kind", ["wheel", "index", "prefix", "npz"])
def test_given_by_path(tmp_path, wheel, arrays, v2_checkpoint, kind):
    index, numbers = v2_checkpoint(arrays["mtt"])
    (tmp_path / "own.index").write_bytes(index)
    (tmp_path / "own.data-00000-of-00001").write_bytes(numbers)
    (tmp_path / "own.whl").write_bytes(wheel)
    np.savez(tmp_path / "own.npz", **arrays["mtt"])
    suffix = {"wheel": ".whl", "index": ".index", "prefix": "", "npz": ".npz"}[kind]
    path = tmp_path / f"own{suffix}"
    loaded = load_musicnn_weights(path, "mtt", seed=0)
    same(loaded, arrays["mtt"])
    assert musicnn_weights_digest(str(path), "mtt", seed=0) == loaded.digest

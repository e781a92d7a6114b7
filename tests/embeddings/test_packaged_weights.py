"""MusiCNN's weights: from a wheel, an installed package, converted arrays, or the package client."""

import errno
import hashlib
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from skmer.embeddings import fetch_weights, list_weights, musicnn
from skmer.embeddings.musicnn import SHAPES, TAGS
from skmer.embeddings.readers import digest_arrays
from skmer.exceptions import WeightsIntegrityError, WeightsNotFoundError
from skmer.utils import download

WHEEL = "musicnn-0.1.0-py3-none-any.whl"


@pytest.fixture(scope="module")
def arrays():
    """By `trained_on`: small numbers in the shapes of the network."""
    return {
        trained_on: musicnn.WEIGHTS[trained_on].load(None, seed)[0]
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


def use(monkeypatch, digest=None, **changes):
    """Let other files pass for the published ones."""
    for key, file in musicnn.WEIGHTS.items():
        own = changes | ({"digest": digest[key]} if digest else {})
        monkeypatch.setitem(musicnn.WEIGHTS, key, replace(file, **own))
    feature = replace(musicnn.FEATURE, weights=tuple(musicnn.WEIGHTS.values()))
    monkeypatch.setattr(musicnn, "FEATURE", feature)


@pytest.fixture
def published(folder, wheel, arrays, monkeypatch):
    """Let our wheel pass for the published one, and an offline folder for the index."""
    use(
        monkeypatch,
        checksums={"sha256": hashlib.sha256(wheel).hexdigest()},
        digest={
            key: digest_arrays(model[name] for name, _ in SHAPES) for key, model in arrays.items()
        },
    )
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
    arrays, digest = loaded
    assert list(arrays) == [name for name, _ in SHAPES]
    assert digest == digest_arrays(arrays.values())
    for name, array in model.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert not arrays[name].flags.writeable


def test_tags():
    for tags in TAGS.values():
        assert len(set(tags)) == len(tags) == 50
    assert TAGS["msd"][-1] == "happy"
    assert TAGS["mtt"][21] == "no vocals"


@pytest.mark.parametrize("client", ["pip", "uv"])
def test_fetched_by_the_package_client(published, folder, arrays, client, monkeypatch):
    if client == "uv":
        if shutil.which("uv") is None:
            pytest.skip("uv is not on this machine")
        without_pip(monkeypatch)
    assert state_of("musicnn-mtt") == "missing"
    same(musicnn.WEIGHTS["mtt"].load("pretrained", 0), arrays["mtt"])
    # neither the wheel nor what is unpacked of it stays
    assert left_in(folder) == ["musicnn_mtt.npz"]
    assert state_of("musicnn-mtt") == "converted"
    shutil.rmtree(published)
    assert musicnn.WEIGHTS["mtt"].load("pretrained", 0)[1] == musicnn.WEIGHTS["mtt"].digest
    assert "musicnn" not in sys.modules


def test_wheel_put_into_the_folder_by_hand(published, folder, wheel, arrays):
    shutil.rmtree(published)
    folder.mkdir(parents=True)
    (folder / WHEEL).write_bytes(wheel)
    assert state_of("musicnn-msd") == "verified"
    assert fetch_weights("musicnn-msd") == folder / WHEEL
    same(musicnn.WEIGHTS["msd"].load("pretrained", 0), arrays["msd"])
    assert left_in(folder) == [WHEEL, "musicnn_msd.npz"]
    assert fetch_weights("musicnn-msd") == folder / "musicnn_msd.npz"


def test_installed_package_is_not_imported(published, folder, wheel, arrays, monkeypatch):
    site = folder.parent / "site"
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        archive.extractall(site)
    shutil.rmtree(published)
    monkeypatch.syspath_prepend(str(site))
    assert state_of("musicnn-msd") == "verified"
    same(musicnn.WEIGHTS["msd"].load("pretrained", 0), arrays["msd"])
    assert "musicnn" not in sys.modules


def refused(kind=WeightsNotFoundError):
    """The sentence that says why there are no pretrained weights."""
    with pytest.raises(kind) as caught:
        musicnn.WEIGHTS["msd"].load("pretrained", 0)
    message = str(caught.value)
    assert "\n" not in message
    assert WHEEL in message
    return message


def clients(monkeypatch):
    """Pip, then uv, as far as this environment has them."""
    if importlib.util.find_spec("pip") is not None:
        yield "pip"
    if shutil.which("uv") is not None:
        without_pip(monkeypatch)
        yield "uv"


def test_not_on_the_index(published, folder, monkeypatch):
    (published / WHEEL).unlink()
    for _ in clients(monkeypatch):
        message = refused()
        assert (
            "musicnn" in message.partition("the package client failed: ")[2].partition(". Put")[0]
        )
        assert f"Put {WHEEL} from the package musicnn==0.1.0 into {folder}" in message
        assert left_in(folder) == []


def test_no_package_client(published, monkeypatch):
    without_pip(monkeypatch)
    monkeypatch.setenv("PATH", "")
    assert "this environment has neither pip nor uv" in refused()


def test_client_that_does_not_end(published, monkeypatch):
    monkeypatch.setattr(download, "CLIENT_TIMEOUT", 0.01)
    assert "did not end in 0 s" in refused()


def test_wrong_wheel_on_the_index(published, folder, wheel, monkeypatch):
    use(monkeypatch, checksums={"sha256": "0" * 64})
    for client in clients(monkeypatch):
        assert ("do not match" if client == "pip" else "mismatch") in refused().lower()
        assert left_in(folder) == []


def test_wheel_with_other_arrays(published, folder, monkeypatch):
    use(monkeypatch, digest={"msd": "0" * 64, "mtt": "0" * 64})
    assert "is not the published 'musicnn-msd': its arrays" in refused(WeightsIntegrityError)
    assert left_in(folder) == []


@pytest.mark.parametrize("age", [0, 1000])
def test_planted_arrays_are_not_believed(published, folder, arrays, age):
    folder.mkdir(parents=True)
    planted = folder / "musicnn_msd.npz"
    np.savez(planted, **arrays["mtt"])
    os.utime(planted, (time.time() - age, time.time() - age))
    assert state_of("musicnn-msd") == "wrong"
    assert "is not the published 'musicnn-msd': its arrays" in refused(WeightsIntegrityError)
    assert left_in(folder) == ["musicnn_msd.npz.rejected" if age else "musicnn_msd.npz"]


def test_no_space_left(published, folder, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", full)
        assert f"{folder} cannot be read or written (No space left on device" in refused()
    assert left_in(folder) == []
    done = subprocess.CompletedProcess([], 1, "", "ERROR: [Errno 28] No space left on device")
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: done)
    assert "No space left on device" in refused()


def test_folder_that_cannot_be_written(published, folder, wheel, arrays, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert "Permission denied" in refused()
    # a wheel that somebody else put there is read all the same
    os.makedirs(folder)
    (folder / WHEEL).write_bytes(wheel)
    same(musicnn.WEIGHTS["msd"].load("pretrained", 0), arrays["msd"])
    assert left_in(folder) == [WHEEL]


def test_leftovers_are_removed_and_a_file_called_pip_is_not_run(
    published, folder, tmp_path, monkeypatch
):
    (folder / ".fetching-killed").mkdir(parents=True)
    (tmp_path / "pip.py").write_text("raise SystemExit('must not be run')")
    monkeypatch.chdir(tmp_path)
    fetch_weights("musicnn-msd")
    assert left_in(folder) == ["musicnn_msd.npz"]


def test_password_of_an_index_is_not_shown():
    reason = download.client_error("ERROR: 401 for https://me:secret@index.example/simple")
    assert reason == "the package client failed: 401 for https://index.example/simple"


def test_damaged_checkpoint(tmp_path, arrays, v2_checkpoint):
    index, numbers = v2_checkpoint(arrays["msd"])
    numbers = bytes([numbers[0] ^ 1]) + numbers[1:]
    (tmp_path / "own.index").write_bytes(index)
    (tmp_path / "own.data-00000-of-00001").write_bytes(numbers)
    with pytest.raises(WeightsIntegrityError, match=r"damaged .*Checksum does not match"):
        musicnn.WEIGHTS["msd"].load(tmp_path / "own", 0)
    (tmp_path / "own.data-00000-of-00001").unlink()
    with pytest.raises(WeightsIntegrityError, match=r"damaged .*own\.data-00000-of-00001"):
        musicnn.WEIGHTS["msd"].load(tmp_path / "own", 0)
    with pytest.raises(WeightsNotFoundError, match="MusiCNNTransformer must be 'pretrained'"):
        musicnn.WEIGHTS["msd"].load(tmp_path / "absent", 0)

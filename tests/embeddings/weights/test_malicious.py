"""Weights files made to do harm: each is refused in one sentence, and nothing is run or filled."""

import gzip
import io
import os
import pickle
import resource
import struct
import zipfile
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest

from skmer.embeddings.loading import load_l3_weights, load_vggish_pca
from skmer.embeddings.musicnn_weights import MUSICNN_SHAPES, load_musicnn_weights
from skmer.exceptions import WeightsIntegrityError

SETTINGS = {"content_type": "music", "input_repr": "mel256", "random_state_seed": 0}


@pytest.fixture(scope="module")
def arrays():
    return [array.copy() for array in load_l3_weights(None, **SETTINGS).arrays]


@contextmanager
def little_memory():
    """Let a few hundred MB more than now be the limit of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 500 * 2**20, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def refuse(load, *args, **settings):
    """Load, which must end in one sentence; returns it."""
    with little_memory(), pytest.raises(WeightsIntegrityError) as caught:
        load(*args, **settings)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) <= 500 + len(str(args[0]))
    return message


def replace_array(path, make):
    """Let `make(group, name)` put another dataset in the place of the first bias."""
    with h5py.File(path, "r+") as file:
        group = file["layer_95"]
        name = "layer_95/array_1:0"
        del group[name]
        make(group, name)


def external_storage(group, name):
    group.create_dataset(name, (64,), "f4", external=[("secret.bin", 0, 256)])


def external_link(group, name):
    group[name] = h5py.ExternalLink("other.h5", "/x")


def soft_link(group, name):
    group[name] = h5py.SoftLink("/elsewhere")


def virtual(group, name):
    layout = h5py.VirtualLayout((64,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (64,))
    group.create_virtual_dataset(name, layout)


def vast(group, name):
    group.create_dataset(name, (3_000_000_000_000, 3), "f4", chunks=(1000, 3))


def vast_chunk(group, name):
    group.create_dataset(name, (64,), "f4", chunks=(500_000_000,), maxshape=(None,))


def foreign_filter(group, name):
    group.create_dataset(name, (64,), "f4", chunks=(64,), compression="lzf")


@pytest.mark.parametrize(
    "make",
    [external_storage, external_link, soft_link, virtual, vast, vast_chunk, foreign_filter],
)
def test_hdf5(tmp_path, arrays, write_h5, as_layers, make, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.bin").write_bytes(np.ones(64, "f4").tobytes())
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.ones(64, "f4")
    path = write_h5(tmp_path / "w.h5", as_layers(arrays))
    load_l3_weights(path, **SETTINGS)
    replace_array(path, make)
    refuse(load_l3_weights, path, **SETTINGS)


def test_hdf5_with_a_vast_list_of_names(tmp_path):
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["x"] * 2000
    assert "more than 1000 names" in refuse(load_l3_weights, path, **SETTINGS)


@pytest.mark.parametrize("what", ["free space", "text", "reference", "nothing", "nowhere"])
def test_hdf5_whose_texts_have_impossible_lengths(tmp_path, what):
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["one", "two"]
    data = bytearray(path.read_bytes())
    heap = data.index(b"GCOL")
    if what in ("reference", "nothing", "nowhere"):
        # HDF5 would take 4 GB, also for a text that is not there.
        at = data.index(struct.pack("<IQI", 3, heap, 1))
        there = {"reference": (heap, 1), "nothing": (heap, 9), "nowhere": (8, 1)}[what]
        data[at : at + 16] = struct.pack("<IQI", 2**32 - 1, *there)
    else:
        # HDF5 would never end. The free space is behind the second text.
        at, size = (heap + 16, 2**64 - 16) if what == "text" else (heap + 64, 0)
        data[at + 8 : at + 16] = size.to_bytes(8, "little")
    path.write_bytes(data)
    assert "impossible length" in refuse(load_l3_weights, path, **SETTINGS)


def test_gzip_bomb(tmp_path):
    path = tmp_path / "w.h5.gz"
    path.write_bytes(gzip.compress(b"\x89HDF\r\n\x1a\n" + bytes(200 * 2**20), 1))
    assert "holds more than 128 MB" in refuse(load_l3_weights, path, **SETTINGS)


class Harm:
    """What runs when it is unpickled."""

    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_conversion_that_is_no_file_is_not_waited_for(tmp_path, make, monkeypatch):
    monkeypatch.setenv("SKMER_WEIGHTS", str(tmp_path))
    make(tmp_path / "musicnn_msd.npz")
    with pytest.raises(WeightsIntegrityError, match=r"musicnn_msd.npz is damaged"):
        load_musicnn_weights("pretrained", "msd", seed=0)


def npy(shape, *, descr="<f4", data=b""):
    """An array whose header states what it wants."""
    stream = io.BytesIO()
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + data


def pack(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


KINDS = {
    "pickle": npy((1,), descr="|O", data=pickle.dumps([Harm()])),
    "vast": npy((3_000_000_000_000, 3)),
    "long": npy((128, 128), data=bytes(1_000_000)),
    "cut": npy((128, 128), data=bytes(100)),
    "negative": npy((-1, 128)),
    "vast header": b"\x93NUMPY\x02\x00" + b"\xff\xff\xff\x7f" + b" " * 100_000,
    "no array": b"text",
    # numpy parses this as Python.
    "header without an end": b"\x93NUMPY\x01\x00\x05\x00{'a':",
}


@pytest.mark.parametrize("kind", KINDS)
def test_npz(tmp_path, kind, capsys):
    members = {"pca_eigen_vectors": KINDS[kind], "pca_means": npy((128, 1), data=bytes(512))}
    pack(tmp_path / "vggish_pca_params.npz", {f"{name}.npy": members[name] for name in members})
    (tmp_path / "w.ckpt").write_bytes(b"x")
    refuse(load_vggish_pca, tmp_path / "w.ckpt", seed=0)
    members = {f"{name}.npy": KINDS[kind] for name, _ in MUSICNN_SHAPES}
    refuse(load_musicnn_weights, pack(tmp_path / "w.npz", members), "msd", seed=0)
    # the pickle would have said that it runs
    assert capsys.readouterr().out == ""


def flagged(content, *, encrypted=False, compression=None):
    """A zip whose first member asks for a password, or for an unknown compression."""
    content = bytearray(content)
    central = content.index(b"PK\x01\x02")
    if encrypted:
        content[6] |= 1
        content[central + 8] |= 1
    if compression is not None:
        content[8] = content[central + 10] = compression
    return bytes(content)


@pytest.mark.parametrize("how", [{"encrypted": True}, {"compression": 77}])
@pytest.mark.parametrize("name", ["conv2d/kernel.npy", "musicnn/MSD_musicnn/.index"])
def test_zip_that_cannot_be_unpacked(tmp_path, how, name):
    path = pack(tmp_path / "w.whl", {name: b"x", "musicnn/MSD_musicnn/.data-00000-of-00001": b""})
    path.write_bytes(flagged(path.read_bytes(), **how))
    refuse(load_musicnn_weights, path, "msd", seed=0)


@pytest.mark.parametrize("bomb", [".index", ".data-00000-of-00001"])
def test_wheel_that_unpacks_to_far_more(tmp_path, bomb):
    members = {".index": b"", ".data-00000-of-00001": b"", bomb: bytes(200 * 2**20)}
    path = pack(tmp_path / "w.whl", {f"musicnn/MSD_musicnn/{k}": v for k, v in members.items()})
    assert "more than 64 MB" in refuse(load_musicnn_weights, path, "msd", seed=0)

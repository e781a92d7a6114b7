"""Arrays of the networks: from files of every format, from a seed, and from files that are wrong."""

import gzip
import os
import pickle
import zipfile
from contextlib import suppress
from dataclasses import replace

import h5py
import numpy as np
import pytest

from skmer.embeddings import l3, musicnn, readers, vggish
from skmer.embeddings.readers import digest_arrays
from skmer.exceptions import WeightsIntegrityError, WeightsNotFoundError

L3 = l3.WEIGHTS["mel256", "music"]
SHAPES = (("a/kernel", (3, 2)), ("a/bias", (2,)), ("norm/moving_variance", (1,)))


@pytest.fixture(scope="module")
def arrays():
    return L3.load(None, 5)[0]


@pytest.fixture
def small(monkeypatch):
    """Three small arrays in the place of VGGish's, and of the others'."""
    monkeypatch.setattr(vggish, "NETWORK_FILE", replace(vggish.NETWORK_FILE, shapes=SHAPES))
    for module in (musicnn, l3):
        for key, file in module.WEIGHTS.items():
            monkeypatch.setitem(module.WEIGHTS, key, replace(file, shapes=SHAPES))
    rng = np.random.default_rng(0)
    return {name: rng.uniform(0.5, 1, shape).astype(np.float32) for name, shape in SHAPES}


def same(found, expected):
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == np.float32
        assert not found[name].flags.writeable


def write_small(path, kind, small, v1_checkpoint, v2_checkpoint):
    index, numbers = v2_checkpoint(small)
    if kind == "npz":
        with path.open("wb") as stream:
            np.savez(stream, **small)
    elif kind == "v1":
        path.write_bytes(v1_checkpoint(small))
    elif kind == "v2":
        path = path.with_name("own.index")
        path.write_bytes(index)
        path.with_name("own.data-00000-of-00001").write_bytes(numbers)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("musicnn/MSD_musicnn/.index", index)
            archive.writestr("musicnn/MSD_musicnn/.data-00000-of-00001", numbers)
    return path


def source_of(kind):
    return musicnn.WEIGHTS["msd"] if kind in ("wheel", "v2") else vggish.NETWORK_FILE


@pytest.mark.parametrize("kind", ["npz", "v1", "v2", "wheel"])
def test_every_format_is_read(tmp_path, small, v1_checkpoint, v2_checkpoint, kind):
    path = write_small(tmp_path / "own", kind, small, v1_checkpoint, v2_checkpoint)
    source = source_of(kind)
    found, digest = source.load(path, 0)
    same(found, small)
    assert digest == digest_arrays(small.values()) == source.digest_of(str(path), 0)
    if kind == "v2":
        same(source.load(path.with_name("own"), 0)[0], small)
    if kind == "v1":
        # TensorFlow would take the name for a pattern.
        same(source.load(path.rename(tmp_path / "own [1].ckpt"), 0)[0], small)


def test_a_checkpoint_without_tensorflow_is_one_sentence(tmp_path, small, monkeypatch):
    (tmp_path / "own.ckpt").write_bytes(b"a table")
    monkeypatch.setattr(readers, "find_spec", lambda name: None)
    with pytest.raises(WeightsNotFoundError, match=r"own\.ckpt is a checkpoint.*install it, or"):
        vggish.NETWORK_FILE.load(tmp_path / "own.ckpt", 0)


@pytest.mark.parametrize("kind", ["npz", "v1", "v2", "wheel"])
@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_file_is_one_sentence(tmp_path, small, v1_checkpoint, v2_checkpoint, kind, seed):
    path = write_small(tmp_path / "own", kind, small, v1_checkpoint, v2_checkpoint)
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(seed)
    if seed % 3 == 0:
        content = content[: rng.integers(len(content))]
    else:
        content[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))
    path.write_bytes(content)
    # No checksum covers what nobody reads.
    with suppress(WeightsIntegrityError):
        same(source_of(kind).load(path, 0)[0], small)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"a/bias": np.zeros((2, 2), np.float32)}, r"'a/bias' must hold floats of shape \(2,\)"),
        ({"a/bias": np.zeros(2, np.int64)}, "'a/bias' must hold floats .* Got int64"),
        ({"a/bias": np.full(2, np.inf, np.float32)}, "'a/bias' holds values that are not finite"),
        ({"norm/moving_variance": -np.ones(1, np.float32)}, "holds negative values"),
        ({"a/bias": np.array([None, 1])}, "damaged and cannot be read"),
        ({"a/bias": None}, "lacks the array 'a/bias'"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path, small, changes, message):
    kept = {name: array for name, array in (small | changes).items() if array is not None}
    np.savez(tmp_path / "w.npz", **kept)
    with pytest.raises(WeightsIntegrityError, match=message) as caught:
        vggish.NETWORK_FILE.load(tmp_path / "w.npz", 0)
    assert "w.npz" in str(caught.value)


@pytest.mark.parametrize("as_bytes", [False, True])
@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_hdf5_comes_back_in_stored_order(tmp_path, arrays, write_h5, as_layers, as_bytes, libver):
    layers = as_layers(list(arrays.values()))
    path = write_h5(tmp_path / "any name", layers, as_bytes=as_bytes, libver=libver)
    same(L3.load(path, 0)[0], arrays)
    packed = tmp_path / "w.h5.gz"
    packed.write_bytes(gzip.compress(path.read_bytes(), 0))
    assert L3.digest_of(packed, 0) == digest_arrays(arrays.values())


def test_a_file_that_changes_is_read_again(tmp_path, small):
    source = vggish.NETWORK_FILE
    np.savez(tmp_path / "w.npz", **small)
    first = source.digest_of(tmp_path / "w.npz", 0)
    np.savez(tmp_path / "w.npz", **{name: 2 * array for name, array in small.items()})
    os.utime(tmp_path / "w.npz", ns=(0, 0))
    assert source.digest_of(tmp_path / "w.npz", 0) != first


def external_storage(group, name):
    group.create_dataset(name, (64,), "f4", external=[("secret.bin", 0, 256)])


def virtual(group, name):
    layout = h5py.VirtualLayout((64,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (64,))
    group.create_virtual_dataset(name, layout)


def external_link(group, name):
    group[name] = h5py.ExternalLink("other.h5", "/x")


def soft_link(group, name):
    group[name] = h5py.SoftLink("/elsewhere")


def another_shape(group, name):
    group.create_dataset(name, (65,), "f4")


def nothing(group, name):
    pass


@pytest.mark.parametrize(
    "make", [external_storage, virtual, external_link, soft_link, another_shape, nothing]
)
def test_hdf5_that_leads_elsewhere_or_does_not_fit(
    tmp_path, arrays, write_h5, as_layers, make, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.bin").write_bytes(np.ones(64, "f4").tobytes())
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.ones(64, "f4")
    path = write_h5(tmp_path / "w.h5", as_layers(list(arrays.values())))
    with h5py.File(path, "r+") as file:
        del file["layer_95"]["layer_95/array_1:0"]
        make(file["layer_95"], "layer_95/array_1:0")
    with pytest.raises(WeightsIntegrityError, match=r"w\.h5"):
        L3.load(path, 0)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>not found</html>",
        gzip.compress(b"<html>not found</html>"),
        gzip.compress(bytes(range(256)) * 100)[:-20],
    ],
    ids=["empty", "page", "packed page", "cut"],
)
def test_a_file_of_another_kind(tmp_path, content):
    path = tmp_path / "openl3.h5.gz"
    path.write_bytes(content)
    for source in (L3, vggish.NETWORK_FILE, musicnn.WEIGHTS["msd"]):
        with pytest.raises(WeightsIntegrityError, match=r"openl3\.h5\.gz is damaged .*must be"):
            source.load(path, 0)


def test_hdf5_of_something_else(tmp_path):
    with h5py.File(tmp_path / "table.h5", "w") as file:
        file["x"] = np.zeros(3)
    with pytest.raises(WeightsIntegrityError, match="no attribute 'layer_names'"):
        L3.load(tmp_path / "table.h5", 0)
    with h5py.File(tmp_path / "table.h5", "r+") as file:
        file.attrs["layer_names"] = ["x"] * 47
    with pytest.raises(WeightsIntegrityError, match=r"must hold 48 arrays\. Got 0|damaged"):
        L3.load(tmp_path / "table.h5", 0)


def test_what_unpacks_to_more_than_weights_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "LARGEST", 1000)
    path = tmp_path / "w.h5.gz"
    path.write_bytes(gzip.compress(bytes(1001)))
    with pytest.raises(WeightsIntegrityError, match="holds more than 0 MB"):
        L3.load(path, 0)


class Harm:
    """What runs when it is unpickled."""

    def __reduce__(self):
        return print, ("run",)


def test_no_pickle_is_loaded(tmp_path, small, capsys):
    np.savez(tmp_path / "w.npz", **small | {"a/bias": np.array([Harm()], dtype=object)})
    assert b"print" in pickle.dumps(Harm())
    with pytest.raises(WeightsIntegrityError, match="damaged"):
        vggish.NETWORK_FILE.load(tmp_path / "w.npz", 0)
    assert capsys.readouterr().out == ""


def test_a_pipe_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setenv("SKMER_WEIGHTS", str(tmp_path))
    os.mkfifo(tmp_path / "musicnn_msd.npz")
    with pytest.raises(WeightsIntegrityError, match=r"musicnn_msd\.npz is damaged"):
        musicnn.WEIGHTS["msd"].load("pretrained", 0)


def test_path_that_is_no_file(tmp_path):
    with pytest.raises(WeightsNotFoundError, match=r"'pretrained', the path of a file .*or None"):
        L3.load("pretraned", 0)
    with pytest.raises(WeightsNotFoundError, match="is no file"):
        L3.load(tmp_path, 0)
    with pytest.raises(TypeError, match=r"'weights' parameter of L3Transformer must be .* Got 3"):
        l3.L3Transformer(weights=3).fit([np.zeros(9)])


def test_pca_beside_the_checkpoint(tmp_path):
    path = tmp_path / "own.ckpt"
    path.write_bytes(b"x")
    with pytest.raises(WeightsNotFoundError, match=r"vggish_pca_params\.npz beside"):
        vggish.load_pca(path, 0)
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((128, 128)).astype(np.float32)
    means = rng.standard_normal((128, 1)).astype(np.float32)
    beside = path.with_name("vggish_pca_params.npz")
    np.savez(beside, pca_eigen_vectors=vectors, pca_means=means)
    for found, expected in zip(vggish.load_pca(path, 0), (vectors, means)):
        np.testing.assert_array_equal(found, expected)
    np.savez(beside, pca_eigen_vectors=vectors, pca_means=means[:, 0])
    with pytest.raises(WeightsIntegrityError, match=r"'pca_means' must hold .*\(128, 1\)"):
        vggish.load_pca(path, 0)
    beside.write_text("not an npz")
    with pytest.raises(WeightsIntegrityError, match=r"vggish_pca_params\.npz is damaged"):
        vggish.load_pca(path, 0)


def test_random_values_are_the_same_on_every_machine():
    arrays, digest = L3.load(None, 7)
    assert digest == L3.digest_of(None, 7) == "random-7"
    # 16-bit integers of a documented stream, times the bound of He's uniform distribution.
    first = arrays["conv1/kernel"].ravel()[:4] / (np.sqrt(6 / 9) / 2**15)
    last = arrays["conv8/kernel"].ravel()[-3:] / (np.sqrt(6 / (9 * 512)) / 2**15)
    np.testing.assert_allclose(first, [19083, -3611, 16809, -24570], rtol=1e-6)
    np.testing.assert_allclose(last, [-21224, -21637, 20826], rtol=1e-6)
    assert not np.array_equal(L3.load(None, 8)[0]["conv1/kernel"], arrays["conv1/kernel"])
    norm = [arrays[f"norm0/{role}"].item() for role in l3._NORM]
    assert norm == [1, 0, -40, 400]
    vectors, means = vggish.load_pca(None, 1)
    out = vectors @ (np.random.default_rng(0).standard_normal((128, 500)) - means)
    assert out.std() == pytest.approx(1, rel=0.1)


def test_shapes_are_those_of_the_published_networks():
    sizes = [sum(int(np.prod(shape)) for _, shape in module.SHAPES) for module in (l3, vggish)]
    assert sizes == [4_689_860, 72_141_184]
    assert [len(module.SHAPES) for module in (l3, vggish, musicnn)] == [48, 18, 64]


def test_published_format_of_the_reference(shared):
    path = shared / "golden" / "l3" / "openl3_audio_synthetic.h5.gz"
    expected = "3d971367801e4c612d5381fa6f8dfe4f8cd19d1a0bf3d67fee7f297e041f0816"
    assert L3.digest_of(path, 0) == expected

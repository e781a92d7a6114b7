"""VGGish's checkpoint, converted once, and the npz files beside it."""

import gc
import os
import weakref
from dataclasses import replace

import numpy as np
import pytest

from skmer.embeddings.weights import (
    _checkpoint,
    _load,
    digest_arrays,
    load_vggish_pca,
    load_vggish_weights,
    vggish_weights_digest,
)
from skmer.embeddings.weights._checkpoint import converted_path
from skmer.embeddings.weights._registry import REGISTRY
from skmer.exceptions import WeightsIntegrityError, WeightsNotFoundError

SMALL = tuple(
    (name, (3, 2) if name.endswith("weights") else (2,)) for name, _ in _checkpoint.VGGISH_SHAPES
)


def small_arrays(seed=0):
    """Arrays in the small shapes."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(np.float32) for _, shape in SMALL]


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A checkpoint of a small network, read by a stand-in for TensorFlow that counts its uses."""
    reads = []

    def read(path):
        reads.append(path)
        return tuple(small_arrays(int(path.read_text())))

    monkeypatch.setattr(_checkpoint, "VGGISH_SHAPES", SMALL)
    monkeypatch.setattr(_checkpoint, "_read_checkpoint", read)
    path = tmp_path / "model.ckpt"
    path.write_text("1")
    return path, reads


def test_checkpoint_is_converted_once(small):
    path, reads = small
    expected = digest_arrays(small_arrays(1))
    loaded = load_vggish_weights(path, seed=0)
    assert (loaded.digest, loaded.label, loaded.pca) == (expected, "model.ckpt", None)
    del loaded
    loaded = load_vggish_weights(path, seed=0)
    for got, array in zip(loaded.arrays, small_arrays(1), strict=True):
        np.testing.assert_array_equal(got, array)
        assert not got.flags.writeable
    assert vggish_weights_digest(path, seed=0) == expected
    assert reads == [path]


def test_converted_file_serves_as_a_path(small):
    path, reads = small
    load_vggish_weights(path, seed=0)
    loaded = load_vggish_weights(str(converted_path(path)), seed=0)
    assert loaded.digest == digest_arrays(small_arrays(1))
    assert len(reads) == 1


def test_changed_checkpoint_is_converted_again(small):
    path, reads = small
    load_vggish_weights(path, seed=0)
    before = path.stat()
    path.write_text("2")
    # same size and same time of change, as after unpacking two archives
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    _, digest = _checkpoint.read_vggish_arrays(path)
    assert digest == digest_arrays(small_arrays(2))
    assert len(reads) == 2


def test_copied_checkpoint_keeps_its_conversion(small):
    path, reads = small
    load_vggish_weights(path, seed=0)
    os.utime(path, ns=(0, 0))
    assert load_vggish_weights(path, seed=0).digest == digest_arrays(small_arrays(1))
    assert len(reads) == 1


@pytest.mark.parametrize("damage", ["empty", "truncated", "other array"])
def test_damaged_conversion_is_made_again(small, damage):
    path, reads = small
    load_vggish_weights(path, seed=0)
    conversion = converted_path(path)
    if damage == "other array":
        with np.load(conversion) as stored:
            members = dict(stored)
        members[SMALL[0][0]] = members[SMALL[0][0]] + 1
        np.savez(conversion, **members)
    else:
        content = conversion.read_bytes()
        conversion.write_bytes(content[: len(content) // 2 if damage == "truncated" else 0])
    loaded = load_vggish_weights(path, seed=0)
    assert loaded.digest == digest_arrays(small_arrays(1))
    assert len(reads) == 2
    assert load_vggish_weights(path, seed=0).digest == loaded.digest
    assert len(reads) == 2


def test_folder_that_cannot_be_written_is_no_obstacle(small, monkeypatch, caplog):
    path, reads = small

    def refuse(source, target):
        raise PermissionError(13, "Permission denied", str(target))

    monkeypatch.setattr(os, "replace", refuse)
    for _ in range(2):
        assert _checkpoint.read_vggish_arrays(path)[1] == digest_arrays(small_arrays(1))
    assert len(reads) == 2
    assert "cannot be kept beside it" in caplog.text
    assert not list(path.parent.glob("*.part"))


def test_published_checksum_makes_the_checkpoint_unnecessary(small):
    path, reads = small
    load_vggish_weights(path, seed=0)
    md5 = _checkpoint.checksum(path, "md5")
    path.unlink()
    assert _checkpoint.read_vggish_digest(path, md5) == digest_arrays(small_arrays(1))
    assert _checkpoint.read_vggish_arrays(path, md5)[1] == digest_arrays(small_arrays(1))
    assert _checkpoint.read_vggish_digest(path, "0" * 32) is None
    assert len(reads) == 1


def test_pretrained_is_fetched_and_needs_its_checkpoint_once(small, server, folder, monkeypatch):
    path, reads = small
    server.content = path.read_bytes()
    entry = replace(
        REGISTRY["vggish"], checksums={"md5": _checkpoint.checksum(path, "md5")}, file="v.ckpt"
    )
    monkeypatch.setattr(_load, "REGISTRY", {**REGISTRY, "vggish": entry})
    monkeypatch.setenv("SKMER_WEIGHTS_MIRROR", server.url)
    expected = digest_arrays(small_arrays(1))
    loaded = load_vggish_weights("pretrained", seed=0, with_pca=False)
    assert (loaded.digest, loaded.label, loaded.pca) == (expected, "pretrained", None)
    (folder / "v.ckpt").unlink()
    del loaded
    assert load_vggish_weights("pretrained", seed=0, with_pca=False).digest == expected
    assert vggish_weights_digest("pretrained", seed=0) == expected
    assert len(server.requests) == len(reads) == 1
    # the PCA is a file of its own, and the server has another one
    with pytest.raises(WeightsIntegrityError, match="vggish_pca_params"):
        load_vggish_weights("pretrained", seed=0)


def test_damaged_conversion_without_its_checkpoint(small):
    path, _ = small
    load_vggish_weights(path, seed=0)
    md5 = _checkpoint.checksum(path, "md5")
    conversion = converted_path(path)
    content = bytearray(conversion.read_bytes())
    content[200] ^= 1  # in the first array
    conversion.write_bytes(content)
    path.unlink()
    with pytest.raises(WeightsIntegrityError, match=r"skmer\.npz are damaged; it was kept as"):
        _checkpoint.read_vggish_arrays(path, md5)
    assert not conversion.exists()


def test_arrays_are_let_go_when_nobody_uses_them(small):
    path, _ = small
    loaded = load_vggish_weights(path, seed=0)
    assert load_vggish_weights(path, seed=1) is loaded
    gone = weakref.ref(loaded)
    del loaded
    gc.collect()
    assert gone() is None


def save(path, members):
    """An npz with these members."""
    np.savez(path, **members)
    return path


def test_npz_that_does_not_fit(small, tmp_path):
    members = dict(zip((name for name, _ in SMALL), small_arrays(), strict=True))
    path = tmp_path / "w.npz"
    name = SMALL[3][0]
    for changed, message in [
        (np.zeros((2, 2), np.float32), rf"'{name}' must hold floats of shape \(2,\)"),
        (np.full(2, np.inf, np.float32), f"'{name}' holds values that are not finite"),
        (np.array([None, 1]), "damaged, or is not one of VGGish"),
    ]:
        with pytest.raises(WeightsIntegrityError, match=message) as caught:
            load_vggish_weights(save(path, members | {name: changed}), seed=0)
        assert str(path) in str(caught.value)
    del members[name]
    with pytest.raises(WeightsIntegrityError, match=f"lacks the array '{name}'"):
        load_vggish_weights(save(path, members), seed=0)


def test_pca_beside_the_checkpoint(small):
    path, _ = small
    assert load_vggish_pca(path, seed=0) is None
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((128, 128)).astype(np.float32)
    means = rng.standard_normal((128, 1)).astype(np.float32)
    beside = path.with_name("vggish_pca_params.npz")
    save(beside, {"pca_eigen_vectors": vectors, "pca_means": means})
    for pca in (load_vggish_pca(path, seed=0), load_vggish_weights(path, seed=0).pca):
        np.testing.assert_array_equal(pca[0], vectors)
        np.testing.assert_array_equal(pca[1], means)
    assert load_vggish_weights(path, seed=0, with_pca=False).arrays
    save(beside, {"pca_eigen_vectors": vectors, "pca_means": means[:, 0]})
    with pytest.raises(WeightsIntegrityError, match=r"'pca_means' must hold .*\(128, 1\)"):
        load_vggish_pca(path, seed=0)
    beside.write_text("not an npz")
    with pytest.raises(WeightsIntegrityError, match="no npz archive"):
        load_vggish_pca(path, seed=0)


def test_path_that_is_no_file(tmp_path):
    with pytest.raises(WeightsNotFoundError, match="VGGishTransformer must be 'pretrained'"):
        load_vggish_weights(tmp_path / "absent.ckpt", seed=0)


def write_checkpoint(path, members):
    """A TensorFlow V1 checkpoint, the published format."""
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        variables = [
            v1.get_variable(name, array.shape, array.dtype, v1.zeros_initializer())
            for name, array in members.items()
        ]
        for variable, array in zip(variables, members.values(), strict=True):
            variable.load(array, session)
        saver = v1.train.Saver(variables, write_version=1)
        saver.save(session, str(path), write_meta_graph=False, write_state=False)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_tensorflow_checkpoint(monkeypatch, tmp_path):
    monkeypatch.setattr(_checkpoint, "VGGISH_SHAPES", SMALL)
    members = dict(zip((name for name, _ in SMALL), small_arrays(3), strict=True))
    write_checkpoint(tmp_path / "model.ckpt", members | {"global_step": np.zeros((), np.float32)})
    loaded = load_vggish_weights(tmp_path / "model.ckpt", seed=0)
    assert loaded.digest == digest_arrays(small_arrays(3))

    name = SMALL[2][0]
    write_checkpoint(tmp_path / "shape.ckpt", members | {name: np.zeros((2, 3), np.float32)})
    with pytest.raises(WeightsIntegrityError, match=rf"'{name}' must hold floats of shape \(3, 2"):
        load_vggish_weights(tmp_path / "shape.ckpt", seed=0)
    del members[name]
    write_checkpoint(tmp_path / "fewer.ckpt", members)
    with pytest.raises(WeightsIntegrityError, match=f"lacks the array '{name}'"):
        load_vggish_weights(tmp_path / "fewer.ckpt", seed=0)

    content = (tmp_path / "model.ckpt").read_bytes()
    (tmp_path / "short.ckpt").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.ckpt").write_text("<html>not found</html>")
    for file in ("short.ckpt", "text.ckpt"):
        with pytest.raises(WeightsIntegrityError, match="is not a VGGish checkpoint"):
            load_vggish_weights(tmp_path / file, seed=0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_tensorflow_checkpoint_in_true_shapes(tmp_path):
    arrays = load_vggish_weights(None, seed=0).arrays
    names = (name for name, _ in _checkpoint.VGGISH_SHAPES)
    path = tmp_path / "vggish_model.ckpt"
    write_checkpoint(path, dict(zip(names, arrays, strict=True)))
    assert vggish_weights_digest(path, seed=0) == digest_arrays(arrays)
    path.unlink()
    assert load_vggish_weights(converted_path(path), seed=0).digest == digest_arrays(arrays)

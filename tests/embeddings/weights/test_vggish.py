"""VGGish's arrays from a TensorFlow V1 checkpoint or an npz, and its PCA."""

import gc
import os
import weakref
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from skmer.embeddings import loading as _load
from skmer.embeddings import loading as _vggish
from skmer.embeddings import weights as _registry
from skmer.embeddings.loading import load_vggish_pca, load_vggish_weights, vggish_weights_digest
from skmer.embeddings.readers import digest_arrays
from skmer.embeddings.verify import describe_weights
from skmer.embeddings.weights import REGISTRY
from skmer.exceptions import WeightsIntegrityError, WeightsNotFoundError
from skmer.utils.digest import file_digest

SMALL = tuple(
    (name, (3, 2) if name.endswith("weights") else (2,)) for name, _ in _vggish.VGGISH_SHAPES
)


def small_members(seed=0):
    """Arrays in the small shapes, by name."""
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in SMALL}


def small_arrays(seed=0):
    """Arrays in the small shapes."""
    return list(small_members(seed).values())


@pytest.fixture
def small(monkeypatch, tmp_path, v1_checkpoint):
    """A checkpoint of a small network, as TensorFlow writes it."""
    monkeypatch.setattr(_vggish, "VGGISH_SHAPES", SMALL)
    path = tmp_path / "model.ckpt"
    path.write_bytes(v1_checkpoint(small_members(1)))
    return path


def test_checkpoint_is_read(small):
    loaded = load_vggish_weights(small, seed=0)
    expected = digest_arrays(small_arrays(1))
    assert (loaded.digest, loaded.label, loaded.pca) == (expected, "model.ckpt", None)
    for got, array in zip(loaded.arrays, small_arrays(1), strict=True):
        np.testing.assert_array_equal(got, array)
        assert not got.flags.writeable
    assert vggish_weights_digest(small, seed=0) == expected
    assert [each.name for each in small.parent.iterdir()] == ["model.ckpt"]


def test_changed_checkpoint_is_read_again(small, v1_checkpoint):
    load_vggish_weights(small, seed=0)
    small.write_bytes(v1_checkpoint(small_members(2)))
    os.utime(small, ns=(0, 0))
    assert load_vggish_weights(small, seed=0).digest == digest_arrays(small_arrays(2))


@pytest.fixture
def published(small, server, folder, monkeypatch):
    """Let the server have the small checkpoint in the place of the published one."""
    server.content = small.read_bytes()
    entry = replace(REGISTRY["vggish"], checksums={"md5": file_digest(small, "md5")})
    monkeypatch.setattr(_load, "REGISTRY", {**REGISTRY, "vggish": entry})
    monkeypatch.setattr(_registry, "REGISTRY", {**REGISTRY, "vggish": entry})
    monkeypatch.setenv("SKMER_WEIGHTS_MIRROR", server.url)
    return folder


def test_pretrained_is_fetched_once(published, server):
    expected = digest_arrays(small_arrays(1))
    for _ in range(2):
        loaded = load_vggish_weights("pretrained", seed=0, with_pca=False)
        assert (loaded.digest, loaded.label, loaded.pca) == (expected, "pretrained", None)
        del loaded
    assert vggish_weights_digest("pretrained", seed=0) == expected
    assert len(server.requests) == 1
    # the PCA is a file of its own, and the server has another one
    with pytest.raises(WeightsIntegrityError, match="vggish_pca_params"):
        load_vggish_weights("pretrained", seed=0)


@pytest.mark.parametrize("present", [True, False])
def test_planted_arrays_beside_the_checkpoint_are_not_believed(published, server, small, present):
    # skmer 0.1 kept such a file there and took what it stated for true
    published.mkdir(parents=True)
    if present:
        (published / "vggish_model.ckpt").write_bytes(small.read_bytes())
    md5 = _load.REGISTRY["vggish"].checksums["md5"]
    planted = small_members(7)
    np.savez(
        published / "vggish_model.ckpt.skmer.npz",
        digest=digest_arrays(list(planted.values())),
        source_md5=md5,
        source_stamp=np.zeros(3, np.int64),
        **planted,
    )
    assert describe_weights("vggish").state == ("verified" if present else "missing")
    assert vggish_weights_digest("pretrained", seed=0) == digest_arrays(small_arrays(1))
    assert len(server.requests) == (0 if present else 1)


@pytest.mark.parametrize("seed", range(200))
def test_damaged_checkpoint_is_one_sentence(small, seed):
    content = bytearray(small.read_bytes())
    rng = np.random.default_rng(seed)
    if seed % 4 == 0:
        content = content[: rng.integers(len(content))]
    else:
        # structure lies in the first and the last bytes, and between the arrays
        content[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))
    small.write_bytes(content)
    # a bit of a number may change unseen; whatever else is wrong is said
    with suppress(WeightsIntegrityError):
        load_vggish_weights(small, seed=0)


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        (b"", "no TensorFlow checkpoint"),
        (b"<html>not found</html>" * 10, "no TensorFlow checkpoint"),
        (bytes(40) + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb", "one of its blocks is empty"),
        (b"\xff" * 40 + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb", "a number in it has no end"),
    ],
)
def test_what_is_no_checkpoint(small, replaced, message):
    small.write_bytes(replaced)
    with pytest.raises(WeightsIntegrityError, match=f"{message}.* it must be vggish_model.ckpt"):
        load_vggish_weights(small, seed=0)


def test_checkpoint_that_does_not_fit(small, v1_checkpoint):
    name = SMALL[2][0]
    members = small_members() | {name: np.zeros((2, 3), np.float32)}
    small.write_bytes(v1_checkpoint(members))
    with pytest.raises(WeightsIntegrityError, match=rf"'{name}' must hold floats of shape \(3, 2"):
        load_vggish_weights(small, seed=0)
    del members[name]
    small.write_bytes(v1_checkpoint(members))
    with pytest.raises(WeightsIntegrityError, match=f"lacks the array '{name}'"):
        load_vggish_weights(small, seed=0)


def test_arrays_are_let_go_when_nobody_uses_them(small):
    loaded = load_vggish_weights(small, seed=0)
    assert load_vggish_weights(small, seed=1) is loaded
    gone = weakref.ref(loaded)
    del loaded
    gc.collect()
    assert gone() is None


def save(path, members):
    """An npz with these members."""
    np.savez(path, **members)
    return path


def test_npz_that_does_not_fit(small, tmp_path):
    members = small_members()
    path = tmp_path / "w.npz"
    name = SMALL[3][0]
    for changed, message in [
        (np.zeros((2, 2), np.float32), rf"'{name}' must hold floats of shape \(2,\)"),
        (np.full(2, np.inf, np.float32), f"'{name}' holds values that are not finite"),
        (np.array([None, 1]), "must hold floats"),
    ]:
        with pytest.raises(WeightsIntegrityError, match=message) as caught:
            load_vggish_weights(save(path, members | {name: changed}), seed=0)
        assert str(path) in str(caught.value)
    del members[name]
    with pytest.raises(WeightsIntegrityError, match=f"lacks the array '{name}'"):
        load_vggish_weights(save(path, members), seed=0)


def test_pca_beside_the_checkpoint(small):
    path = small
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
    with pytest.raises(WeightsIntegrityError, match="not a zip file"):
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
def test_tensorflow_writes_what_is_read(tmp_path):
    arrays = load_vggish_weights(None, seed=0).arrays
    names = (name for name, _ in _vggish.VGGISH_SHAPES)
    path = tmp_path / "vggish_model.ckpt"
    members = dict(zip(names, arrays, strict=True))
    write_checkpoint(path, members | {"global_step": np.zeros((), np.float32)})
    assert vggish_weights_digest(path, seed=0) == digest_arrays(arrays)

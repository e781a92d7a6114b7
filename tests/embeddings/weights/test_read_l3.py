"""L3-Net's arrays from files in the published layout, and from files that are something else."""

import gzip

import h5py
import numpy as np
import pytest

from skmer.embeddings.loading import l3_weights_digest, load_l3_weights
from skmer.embeddings.readers import L3_SHAPES, digest_arrays
from skmer.exceptions import WeightsIntegrityError, WeightsNotFoundError

SETTINGS = {"content_type": "music", "input_repr": "mel256", "random_state_seed": 0}


@pytest.fixture(scope="module")
def arrays():
    """A set of arrays that fits, every value told apart by its place."""
    return load_l3_weights(None, **SETTINGS | {"random_state_seed": 5}).arrays


def test_shapes_are_those_of_the_published_network():
    assert len(L3_SHAPES) == 48
    assert sum(int(np.prod(shape)) for _, shape in L3_SHAPES) == 4_689_860


@pytest.mark.parametrize("as_bytes", [False, True])
@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_arrays_come_back_in_stored_order(tmp_path, arrays, write_h5, as_layers, as_bytes, libver):
    path = write_h5(tmp_path / "any name", as_layers(arrays), as_bytes=as_bytes, libver=libver)
    loaded = load_l3_weights(path, **SETTINGS)
    for got, expected in zip(loaded.arrays, arrays, strict=True):
        np.testing.assert_array_equal(got, expected)
        assert got.dtype == np.float32
        assert not got.flags.writeable
    assert loaded.label == "any name"
    assert loaded.digest == digest_arrays(arrays) == l3_weights_digest(str(path), **SETTINGS)


def test_packed_file_is_the_same(tmp_path, arrays, write_h5, as_layers):
    plain = write_h5(tmp_path / "w.h5", as_layers(arrays))
    packed = tmp_path / "w.h5.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes(), 0))
    assert load_l3_weights(packed, **SETTINGS).digest == digest_arrays(arrays)


def test_digest_tells_arrays_apart(arrays):
    changed = list(arrays)
    changed[-1] = changed[-1].copy()
    changed[-1][0] += 1e-3
    assert digest_arrays(changed) != digest_arrays(arrays)


def test_file_is_read_once_while_it_is_in_use_and_again_when_it_changes(
    tmp_path, arrays, write_h5, as_layers
):
    path = write_h5(tmp_path / "w.h5", as_layers(arrays))
    first = load_l3_weights(path, **SETTINGS)
    assert load_l3_weights(str(path), **SETTINGS) is first
    other = [np.zeros_like(array) for array in arrays]
    write_h5(path, as_layers(other))
    assert load_l3_weights(path, **SETTINGS).digest == digest_arrays(other)
    assert l3_weights_digest(path, **SETTINGS) == digest_arrays(other)


def broken(arrays, how):
    """The arrays with one thing wrong."""
    arrays = [array.copy() for array in arrays]
    if how == "missing":
        return arrays[:-1]
    if how == "shape":
        arrays[4] = np.zeros((3, 3, 64, 1), np.float32)
    elif how == "integers":
        arrays[5] = np.zeros(64, np.int64)
    elif how == "nan":
        arrays[10][0, 0, 0, 0] = np.nan
    elif how == "variance":
        arrays[9][3] = -1.0
    return arrays


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("missing", r"must hold 48 arrays\. Got 47 instead"),
        ("shape", r"'kernel' must hold floats of shape \(3, 3, 1, 64\)\. Got .*\(3, 3, 64, 1\)"),
        ("integers", "'bias' must hold floats .* Got int64"),
        ("nan", "'kernel' holds values that are not finite"),
        ("variance", "'moving variance' holds negative values"),
    ],
)
def test_file_that_does_not_fit(tmp_path, arrays, write_h5, as_layers, how, message):
    path = write_h5(tmp_path / "w.h5", as_layers(broken(arrays, how)))
    with pytest.raises(WeightsIntegrityError, match=message) as caught:
        load_l3_weights(path, **SETTINGS)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must be HDF5"),
        (b"<html>not found</html>", "must be HDF5"),
        (gzip.compress(b"<html>not found</html>"), "must be HDF5"),
        (gzip.compress(bytes(range(256)) * 100)[:-20], "damaged and cannot be read"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 500, "damaged and cannot be read"),
    ],
    # Named, since gzip writes the time.
    ids=["empty", "page", "packed page", "cut", "no groups"],
)
def test_file_of_another_kind(tmp_path, content, message):
    path = tmp_path / "openl3.h5.gz"
    path.write_bytes(content)
    with pytest.raises(WeightsIntegrityError, match=message) as caught:
        load_l3_weights(path, **SETTINGS)
    assert str(path) in str(caught.value)


def test_truncated_h5(tmp_path, arrays, write_h5, as_layers):
    path = write_h5(tmp_path / "w.h5", as_layers(arrays))
    path.write_bytes(path.read_bytes()[:-1_000_000])
    with pytest.raises(WeightsIntegrityError, match="damaged and cannot be read"):
        load_l3_weights(path, **SETTINGS)


def test_other_h5(tmp_path):
    with h5py.File(tmp_path / "table.h5", "w") as file:
        file["x"] = np.zeros(3)
    with pytest.raises(WeightsIntegrityError, match="no attribute 'layer_names'"):
        load_l3_weights(tmp_path / "table.h5", **SETTINGS)


@pytest.mark.parametrize("names", [3, [1, 2], ["x"], np.array([b"\xff"])])
def test_h5_whose_attributes_make_no_sense(tmp_path, names):
    with h5py.File(tmp_path / "odd.h5", "w") as file:
        file["x"] = np.zeros(3)
        file.attrs["layer_names"] = names
        file["x"].attrs["weight_names"] = ["y"]
    with pytest.raises(WeightsIntegrityError, match="damaged and cannot be read"):
        load_l3_weights(tmp_path / "odd.h5", **SETTINGS)


def test_path_that_is_no_file(tmp_path):
    with pytest.raises(WeightsNotFoundError, match=r"'pretrained', the path of a file .*or None"):
        load_l3_weights("pretraned", **SETTINGS)
    with pytest.raises(WeightsNotFoundError, match="is no file"):
        load_l3_weights(tmp_path, **SETTINGS)
    with pytest.raises(TypeError, match=r"L3Transformer must be .* Got 3 instead"):
        load_l3_weights(3, **SETTINGS)


def test_published_format_of_the_reference(shared):
    path = shared / "golden" / "l3" / "openl3_audio_synthetic.h5.gz"
    loaded = load_l3_weights(path, **SETTINGS)
    assert loaded.label == path.name
    assert loaded.digest == "3d971367801e4c612d5381fa6f8dfe4f8cd19d1a0bf3d67fee7f297e041f0816"

"""The code of the page "Your own network" runs."""

import re
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skmer.embeddings import extract
from skmer.exceptions import IgnoredCacheWarning, WeightsIntegrityError, WeightsNotFoundError
from skmer.models import load_model, read_card, save_model
from skmer.utils.digest import key_of

pytestmark = pytest.mark.filterwarnings("ignore::skmer.exceptions.ShortClipWarning")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "own_network.rst"
BLOCKS = re.findall(r"\.\. code-block:: python\n\n((?:   .*\n|\n)+)", PAGE.read_text("utf-8"))


def run(block, **names):
    exec(textwrap.dedent(block), names)
    return names


def block(word):
    (found,) = [one for one in BLOCKS if word in one]
    return found


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_page_has_its_blocks():
    assert len(BLOCKS) == 4
    for word in ("network = torch", "onnxruntime"):
        lines = [line for line in block(word).splitlines() if line.strip()]
        assert len(lines) < 15


@pytest.mark.slow
def test_a_torch_model(waveforms):
    pytest.importorskip("torch", reason="needs torch")
    mine = run(block("network = torch"))["mine"]
    first = mine.fit_transform(waveforms)
    assert first.shape == (5, 64)
    np.testing.assert_array_equal(mine.set_params(n_jobs=2).transform(waveforms), first)


def test_an_onnx_file(waveforms):
    onnx = pytest.importorskip("onnx", reason="needs onnx")
    pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    helper = onnx.helper
    matrix = np.random.default_rng(0).standard_normal((16000, 8)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["frames", "matrix"], ["out"])],
        "network",
        [helper.make_tensor_value_info("frames", onnx.TensorProto.FLOAT, ["n", 16000])],
        [helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, ["n", 8])],
        [onnx.numpy_helper.from_array(matrix, "matrix")],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), "network.onnx")
    assert run(block("onnxruntime"))["mine"].fit_transform(waveforms).shape == (5, 8)


def test_an_embedding_that_stays(waveforms):
    source = block("class NetTransformer")
    assert len(source.splitlines()) < 80
    matrix = np.random.default_rng(0).standard_normal((16000, 64))
    np.save("net.npy", matrix)
    transformer = run(source, __name__="net")["NetTransformer"]
    made = transformer(memory="cache", pooling=("mean", "std"))
    rows = made.fit_transform(waveforms)
    assert rows.shape == (5, 128)
    np.testing.assert_array_equal(made.transform(waveforms), rows)
    assert made.get_feature_names_out()[64] == "net_std_0"
    assert made.frame_times(2).tolist() == [0.5, 1.5]


def test_a_file_of_weights_is_its_content(waveforms, paths):
    """In the cache and in tables: another file is another network, whatever it is called."""
    net = run(block("class NetTransformer"), __name__="net")["NetTransformer"]
    matrices = np.random.default_rng(0).standard_normal((3, 16000, 64))
    np.save("a.npy", matrices[0])
    np.save("b.npy", matrices[1])
    for memory in (None, "cache"):
        a = net(weights="a.npy", memory=memory)
        one = extract(paths[:2], a, "t.parquet")
        same = extract(paths[:2], net(weights=str(Path("a.npy").absolute())), "t.parquet")
        assert (one.n_computed, same.n_computed) == (2, 0)
        first = pd.read_parquet("t.parquet")
        with pytest.warns(IgnoredCacheWarning):
            assert extract(paths[:2], net(weights="b.npy"), "t.parquet").n_computed == 2
        assert not np.allclose(pd.read_parquet("t.parquet")["net_mean_0"], first["net_mean_0"])
        Path("t.parquet").unlink()
    rows = a.fit_transform(waveforms)
    np.save("a.npy", matrices[2])
    changed = a.fit_transform(waveforms)
    assert not np.allclose(changed, rows)
    np.testing.assert_array_equal(changed, net(weights="a.npy").fit_transform(waveforms))


def test_a_model_is_loaded_with_the_weights_of_its_training_alone(paths, monkeypatch):
    module = ModuleType("net")
    monkeypatch.setitem(sys.modules, "net", module)
    exec(textwrap.dedent(block("class NetTransformer")), vars(module))
    matrices = np.random.default_rng(0).standard_normal((2, 16000, 64))
    np.save("net.npy", matrices[0])
    model = make_pipeline(module.NetTransformer(), GaussianNB()).fit(paths, list("ababa"))
    save_model(model, "m.skmer", trusted=[module.NetTransformer])
    (feature,) = read_card("m.skmer")["features"]
    assert feature["weights"] == "net.npy"

    def load():
        return load_model("m.skmer", trusted=[module.NetTransformer])

    np.testing.assert_array_equal(load().predict(paths), model.predict(paths))
    np.save("net.npy", matrices[1])
    with pytest.raises(WeightsIntegrityError, match=r"NetTransformer has 'net\.npy' with"):
        load()
    Path("net.npy").unlink()
    with pytest.raises(WeightsNotFoundError, match=r"no file 'net\.npy'.*was trained on them"):
        load()


def test_what_stands_for_a_path_in_keys(tmp_path):
    Path("mel256").mkdir()
    Path("mel256/file").write_text("sound")
    assert key_of(("mel256", 3, None)) == ["mel256", 3, None]
    (whole,) = key_of({"model": tmp_path / "mel256"}).values()
    assert whole.startswith("sha256:")
    Path("mel256/file").write_text("another")
    assert key_of("./mel256") == key_of(tmp_path / "mel256") != whole

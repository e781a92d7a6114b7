"""The code of the page "Your own network" runs."""

import re
import textwrap
from pathlib import Path

import numpy as np
import pytest

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

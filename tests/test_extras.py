"""A missing package is named together with its extra, before any work."""

import sys
from importlib.util import find_spec
from pathlib import Path

import joblib
import numpy as np
import pytest

from skmer import L3Transformer, MFCCStatsTransformer, MusiCNNTransformer, VGGishTransformer
from skmer.audio import read_audio
from skmer.datasets.bimodal import _read_rows as read_table
from skmer.embeddings.engines import resolve_engine
from skmer.evaluation.displays.style import axes_or_new
from skmer.exceptions import EngineNotAvailableError, InputError, MissingPackageError

NOISE = 0.1 * np.random.default_rng(0).standard_normal(64000)
FAST, RESAMPY = 'pip install "skmer[fast]"', "pip install 'skmer[resampy]'"


@pytest.fixture
def without(monkeypatch):
    """Hide packages that are installed."""

    def hide(*packages):
        for name in packages:
            if find_spec(name) is not None:
                monkeypatch.setitem(sys.modules, name, None)

    return hide


@pytest.mark.parametrize(
    ("packages", "call", "error", "said"),
    [
        (("ncnn",), lambda: L3Transformer(weights=None, engine="ncnn").fit([NOISE]),
         EngineNotAvailableError, FAST),
        (("ncnn",), lambda: VGGishTransformer(weights=None, engine="ncnn").fit([NOISE]),
         EngineNotAvailableError, FAST),
        (("onnx", "onnxruntime"),
         lambda: L3Transformer(weights=None, precision="int8").fit([NOISE]),
         EngineNotAvailableError, FAST),
        *((("resampy",), lambda kind=kind: kind(resampler="kaiser_best").fit([NOISE]),
           InputError, RESAMPY)
          for kind in (MFCCStatsTransformer, L3Transformer, VGGishTransformer, MusiCNNTransformer)),
        (("resampy",), lambda: read_audio("any.wav", sr=8000, resampler="kaiser_best"),
         InputError, RESAMPY),
        (("fsspec",), lambda: MFCCStatsTransformer().fit(["ftp://host/a.wav"]), MissingPackageError,
         'pip install "skmer[remote]"'),
        (("matplotlib",), lambda: axes_or_new(None), MissingPackageError, 'pip install "skmer[plot]"'),
        (("openpyxl", "xlrd"), lambda: read_table(Path("any.xls")), MissingPackageError,
         'pip install "skmer[excel]"'),
    ],
)  # fmt: skip
def test_the_extra_is_named_before_any_work(without, packages, call, error, said):
    without(*packages)
    with pytest.raises(error) as caught:
        call()
    sentence = str(caught.value)
    assert said in sentence
    assert all(package in sentence for package in packages)
    assert len(sentence) <= 500


def test_networks_run_without_the_fast_engines(without):
    without("ncnn", "onnx", "onnxruntime")
    assert resolve_engine("auto", ("ncnn", "tensorflow")) == "tensorflow"
    rows = MusiCNNTransformer(weights=None, engine="numpy", random_state=0).fit_transform([NOISE])
    assert np.isfinite(rows).all()


def test_joblib_names_dask_where_it_is_missing(without):
    without("dask", "distributed")
    with (
        pytest.raises((ImportError, ValueError), match="dask"),
        joblib.parallel_config("dask", n_jobs=2),
    ):
        MFCCStatsTransformer().fit_transform([NOISE] * 2)

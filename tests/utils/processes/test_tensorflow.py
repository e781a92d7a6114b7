"""TensorFlow is started in one place, and its switches are put back."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from skmer.classifiers.base import check_keras_backend
from skmer.exceptions import EngineNotAvailableError
from skmer.utils import processes as _blas
from skmer.utils import processes as _tensorflow
from skmer.utils.processes import exact_float32, one_blas_thread


class FakeTensorFlow:
    """Its switch for TF32, which is on as it comes."""

    def __init__(self):
        self.config = self.experimental = self
        self.on = True

    def tensor_float_32_execution_enabled(self):
        return self.on

    def enable_tensor_float_32_execution(self, on):
        self.on = on


@pytest.fixture
def fake(monkeypatch):
    fake = FakeTensorFlow()
    monkeypatch.setattr(_tensorflow, "import_tensorflow", lambda: fake)
    return fake


@pytest.mark.parametrize("before", [True, False])
def test_tf32_is_off_inside_and_as_before_outside(fake, before):
    fake.on = before
    with pytest.raises(KeyError), exact_float32():
        assert not fake.on
        with exact_float32():
            assert not fake.on
        assert not fake.on
        raise KeyError
    assert fake.on == before


def test_tf32_with_many_threads(fake):
    def look(_):
        with exact_float32():
            return fake.on

    with ThreadPoolExecutor(4) as pool:
        assert not any(pool.map(look, range(200)))
    assert fake.on


def test_blas_threads_are_put_back():
    def limits():
        return [
            one["num_threads"] for one in _blas._controller().info() if one["user_api"] == "blas"
        ]

    np.ones((2, 2)) @ np.ones((2, 2))
    before = limits()

    def look(_):
        with one_blas_thread():
            return limits()

    with ThreadPoolExecutor(4) as pool:
        assert {number for found in pool.map(look, range(50)) for number in found} == {1}
    assert limits() == before


@pytest.mark.slow
def test_workers_say_nothing_when_tensorflow_starts():
    """Neither the process nor those it starts, which inherit its environment."""
    code = (
        "import subprocess, sys\n"
        "from skmer.utils.processes import import_tensorflow\n"
        "import_tensorflow().constant(1) + 1\n"
        "if len(sys.argv) < 2:\n"
        "    subprocess.run([sys.executable, *sys.orig_argv[1:], 'child'], check=True)\n"
    )
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("TF_CPP")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=quiet, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == done.stdout == ""


def test_tensorflow_that_is_not_eager_is_an_error():
    tensorflow = _tensorflow.import_tensorflow()
    with (
        tensorflow.Graph().as_default(),
        pytest.raises(EngineNotAvailableError, match="does not run eagerly"),
    ):
        check_keras_backend()

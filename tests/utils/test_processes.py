"""Parallel work, switches that hold for a process, and how TensorFlow is started."""

import multiprocessing
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from skmer.evaluation import evaluate, group_block_permutation_test
from skmer.exceptions import WorkerError
from skmer.utils import processes
from skmer.utils.processes import (
    ProcessSetting,
    call_in_forked_child,
    exact_float32,
    one_blas_thread,
    run_parallel,
)

LABELS = np.tile(["calm", "tense"], 12)
GROUPS = np.repeat(np.arange(6), 4)
VECTORS = np.random.default_rng(0).normal(size=(24, 3)) + (LABELS == "calm")[:, None]


class KilledForMemory(GaussianNB):
    """A classifier whose worker the system ends."""

    def fit(self, X, y):
        os.kill(os.getpid(), signal.SIGKILL)


def test_results_come_in_order():
    calls = ((number, 2) for number in range(5))
    assert list(run_parallel(pow, calls, n_jobs=1)) == [0, 1, 4, 9, 16]


@pytest.mark.slow
def test_a_worker_that_dies_is_one_sentence():
    with pytest.raises(WorkerError, match=r"memory.*n_jobs"):
        list(run_parallel(os.abort, [()] * 4, n_jobs=2))
    with pytest.raises(WorkerError, match=r"memory.*n_jobs"):
        evaluate({"f": VECTORS}, {"c": KilledForMemory()}, None, LABELS, groups=GROUPS, n_jobs=2)


@pytest.mark.parametrize(
    "backend", ["threading", pytest.param("multiprocessing", marks=pytest.mark.slow)]
)
def test_evaluations_are_the_same_on_every_backend(backend):
    def scores(n_jobs):
        result = evaluate({"f": VECTORS}, {"nb": GaussianNB()}, None, LABELS, groups=GROUPS,
                          n_repeats=1, n_jobs=n_jobs)  # fmt: skip
        return result.scores.filter(regex="^(?!.*time)")

    def null(n_jobs):
        return group_block_permutation_test(
            scored, LABELS, groups=GROUPS, n_permutations=20, random_state=0, n_jobs=n_jobs
        ).null_distribution

    with joblib.parallel_config(backend):
        assert scores(2).equals(scores(1))
        np.testing.assert_array_equal(null(2), null(1))


def scored(labels):
    return float(np.mean(labels == LABELS))


ORPHANS = """
import time
from skmer.utils.processes import run_parallel

if __name__ == "__main__":
    # Work for each of them, also for one that starts late.
    results = run_parallel(time.sleep, [(0.01,), *[(60,)] * 7], n_jobs=2)
    next(results)
    print("at work", flush=True)
    list(results)
"""


@pytest.mark.slow
def test_workers_of_a_killed_process_end(tmp_path):
    psutil = pytest.importorskip("psutil")
    script = tmp_path / "run.py"
    script.write_text(ORPHANS)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "at work\n"
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) >= 2
        process.kill()
    assert psutil.wait_procs(family, timeout=20)[1] == []


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
    monkeypatch.setattr(processes, "import_tensorflow", lambda: fake)
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
            one["num_threads"]
            for one in processes._controller().info()
            if one["user_api"] == "blas"
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


def test_systems_without_forks_have_nothing_to_call(monkeypatch):
    monkeypatch.delattr(os, "register_at_fork", raising=False)
    assert call_in_forked_child(print) is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_block_of_the_parent_is_no_matter_in_a_forked_child():
    state = {"set": 0}

    def enter():
        state["set"] += 1
        return lambda: state.update({"set": state["set"] - 1})

    setting = ProcessSetting(enter)

    def child(queue):
        with setting.hold():
            queue.put(state["set"])

    forking = multiprocessing.get_context("fork")
    queue = forking.Queue()
    with setting.hold():
        process = forking.Process(target=child, args=(queue,))
        process.start()
        # Entered anew: once by the parent before the fork, and once by the child.
        assert queue.get(timeout=60) == 2
        process.join()
    assert state["set"] == 0

"""Workers that die, workers whose parent dies, and every backend of joblib's."""

import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
from joblib.externals.loky.backend.process import LokyProcess
from sklearn.naive_bayes import GaussianNB

from skmer.evaluation import evaluate, group_block_permutation_test
from skmer.exceptions import InputError, WorkerError
from skmer.utils import processes
from skmer.utils.processes import check_n_jobs, run_parallel, threads_per_worker

LABELS = np.tile(["calm", "tense"], 12)
GROUPS = np.repeat(np.arange(6), 4)
VECTORS = np.random.default_rng(0).normal(size=(24, 3)) + (LABELS == "calm")[:, None]


class KilledForMemory(GaussianNB):
    """A classifier whose worker the system ends."""

    def fit(self, X, y):
        os.kill(os.getpid(), signal.SIGKILL)


def hold(n_bytes, _held=[]):  # noqa: B006
    """Keep so many bytes until the process ends, as a library that is loaded does."""
    _held.append(np.ones(n_bytes, np.int8))
    time.sleep(1.1)
    return os.getpid()


def test_results_come_in_order():
    calls = ((number, 2) for number in range(5))
    assert list(run_parallel(pow, calls, n_jobs=1)) == [0, 1, 4, 9, 16]


def test_no_jobs_are_a_mistake():
    for do in (check_n_jobs, threads_per_worker):
        with pytest.raises(InputError, match="'n_jobs' parameter must be"):
            do(0)


@pytest.mark.slow
def test_a_worker_that_dies_is_one_sentence():
    with pytest.raises(WorkerError, match=r"memory.*n_jobs"):
        list(run_parallel(os.abort, [()] * 4, n_jobs=2))
    with pytest.raises(WorkerError, match=r"memory.*n_jobs"):
        evaluate({"f": VECTORS}, {"c": KilledForMemory()}, None, LABELS, groups=GROUPS, n_jobs=2)


@pytest.mark.slow
def test_a_worker_keeps_what_it_has_loaded():
    """Else TensorFlow would be loaded again after the first network of each worker."""
    pytest.importorskip("psutil")
    sizes = [(1,)] * 2 + [(350_000_000,)] * 2 + [(1,)] * 4
    assert len(set(run_parallel(hold, sizes, n_jobs=2))) == 2


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


def test_a_worker_that_starts_after_its_parent_has_ended_ends_too(monkeypatch):
    ended = threading.Event()
    monkeypatch.setattr(processes, "current_process", lambda: object.__new__(LokyProcess))
    monkeypatch.setattr(
        processes, "parent_process", lambda: SimpleNamespace(pid=123), raising=False
    )
    monkeypatch.setattr(processes.os, "getppid", lambda: 1)
    monkeypatch.setattr(processes.os, "_exit", lambda status: ended.set())
    processes._prepare_worker.__wrapped__()
    assert ended.wait(5)

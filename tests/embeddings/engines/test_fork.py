"""A process that is forked after networks ran computes the same, or says why it cannot."""

import subprocess
import sys

import pytest

FORK = """
import multiprocessing, warnings
import numpy as np

def answer(queue, function, given):
    try:
        queue.put(function(given))
    except Exception as error:
        queue.put(f"{type(error).__name__}: {error}")

def in_a_child(function, given):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=answer, args=(queue, function, given))
    with warnings.catch_warnings():
        # Of forking a process that has threads.
        warnings.simplefilter("ignore")
        child.start()
    try:
        return queue.get(timeout=60)
    finally:
        child.kill()

clips = [np.random.default_rng(i).standard_normal(48000).astype("f4") for i in range(2)]
"""
EMBED = """
from skmer import {name}
network = {name}(weights=None, random_state=0, engine="{engine}", n_jobs=1).fit(clips)
expected = network.transform(clips)
found = in_a_child(network.transform, clips)
"""
KERAS = """
from skmer.classifiers import KerasMLPClassifier
X = np.eye(20, 8)
network = KerasMLPClassifier(hidden_layer_sizes=(4,), epochs=1).fit(X, np.arange(20) % 2)
found = in_a_child(network.predict, X)
"""
SAME = "np.testing.assert_array_equal(found, expected)"
REFUSED = "assert 'EngineNotAvailableError: TensorFlow ran before this process was forked' in found"


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "engine"), [("VGGishTransformer", "ncnn"), ("MusiCNNTransformer", "numpy")]
)
def test_forked_engines_start_anew(name, engine):
    pytest.importorskip(engine)
    run(FORK + EMBED.format(name=name, engine=engine) + SAME)


@pytest.mark.slow
@pytest.mark.parametrize(
    "use", [EMBED.format(name="MusiCNNTransformer", engine="tensorflow"), KERAS]
)
def test_forked_tensorflow_is_refused_in_one_sentence(use):
    run(FORK + use + REFUSED)

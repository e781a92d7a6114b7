"""Saving that is killed, repeated, or done by several processes at once."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sklearn.naive_bayes import GaussianNB

from skmer.evaluation import EvaluationResult, evaluate
from skmer.utils import store as _files
from tests.evaluation.results.same import assert_same
from tests.evaluation.singers import LABELS, SINGERS


def test_a_second_save_replaces_everything_or_nothing(result, feature, tmp_path):
    folder = result.save(tmp_path)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    second = evaluate({"a": feature}, {"nb": GaussianNB()}, None, LABELS, groups=SINGERS)

    def fail(path):
        path.write_text("half a page")
        raise OSError("the disk is full")

    second.report = fail
    with pytest.raises(OSError, match="disk is full"):
        second.save(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("n_moved", range(-1, 5))
def test_a_save_that_was_killed_is_done_or_was_not_begun(result, tmp_path, monkeypatch, n_moved):
    folder = result.save(tmp_path)
    reverse = slice(None, None, -1)
    second = EvaluationResult(
        result.scores[reverse].reset_index(drop=True),
        result.predictions[reverse].reset_index(drop=True),
        result.manifest,
    )
    steps = []

    def die(name):
        real = getattr(os, name)

        def call(source, target):
            if "moving" in f"{source} {target}":
                if len(steps) > n_moved:
                    raise KeyboardInterrupt
                steps.append(target)
            return real(source, target)

        return call

    with monkeypatch.context() as patched:
        for name in ("replace", "rename"):
            patched.setattr(os, name, die(name))
        with pytest.raises(KeyboardInterrupt):
            second.save(folder)
    assert_same(EvaluationResult.load(folder), result if n_moved < 0 else second)
    assert_same(EvaluationResult.load(result.save(folder)), result)
    assert len(list(folder.iterdir())) == 5


SAVE_FOR_EVER = """
import random
import sys
import time
from pathlib import Path
from skmer.evaluation import EvaluationResult
result = EvaluationResult.load(sys.argv[1])
result.report = Path.touch
while True:
    result.save(sys.argv[2])
    # Who reads comes to an end in a pause.
    time.sleep(random.uniform(0, 0.3))
"""


def test_results_that_are_saved_into_one_folder_at_once_never_mix(result, tmp_path):
    few = EvaluationResult(result.scores[:4], result.predictions[:8], result.manifest)
    saved = [few, result]
    for number, one in enumerate(saved):
        one.report = Path.touch
        one.save(tmp_path / str(number))
    folder = few.save(tmp_path / "both")
    processes = [
        subprocess.Popen([sys.executable, "-c", SAVE_FOR_EVER, tmp_path / str(number), folder])
        for number in range(2)
    ]
    sizes = []
    try:
        deadline = time.monotonic() + 200
        while (len(set(sizes)) < 2 or len(sizes) < 10) and time.monotonic() < deadline:
            loaded = EvaluationResult.load(folder)
            sizes.append(len(loaded.scores))
            assert_same(loaded, saved[len(loaded.scores) > 4])
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert set(sizes) == {len(few.scores), len(result.scores)}
    loaded = EvaluationResult.load(folder)
    assert_same(loaded, saved[len(loaded.scores) > 4])


def test_a_result_that_others_replaced_while_it_was_read_by_another_and_by_the_same(
    result, tmp_path, monkeypatch
):
    few = EvaluationResult(result.scores[:4], result.predictions[:8], result.manifest)
    few.report = result.report = Path.touch
    folder, real, others = few.save(tmp_path), _files.open_placed, [result, few]

    def open_late(folder, name):
        if name == "predictions.csv" and others:
            others.pop(0).save(folder)
            file = real(folder, name)
            others.pop(0).save(folder)
            return file
        return real(folder, name)

    monkeypatch.setattr(_files, "open_placed", open_late)
    assert_same(EvaluationResult.load(folder), few)
    assert not others

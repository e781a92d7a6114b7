"""What a forked process starts anew."""

import multiprocessing
import os

import pytest

from skmer.utils.processes import ProcessSetting, call_in_forked_child


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

"""What killed processes leave is removed by those that come after."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from skmer.utils.files import atomic_folder, atomic_write, open_placed

NAMES = ("a", "b", "c")
PLACE_FOR_EVER = """
import sys
from pathlib import Path
from skmer.utils.files import atomic_folder
n = 0
while True:
    n += 1
    with atomic_folder(Path(sys.argv[1])) as whole:
        for name in ("a", "b", "c"):
            (whole / name).write_text(f"{n} of {sys.argv[2]}")
"""


@pytest.mark.parametrize("write", [atomic_write, atomic_folder])
def test_nothing_is_left_after_an_error(tmp_path, write):
    with pytest.raises(KeyError), write(tmp_path / "x") as temporary:
        (temporary / "a" if temporary.is_dir() else temporary).touch()
        raise KeyError
    assert not list(tmp_path.iterdir())


def test_a_file_is_replaced_when_it_is_whole(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with atomic_write(path) as temporary:
        assert (temporary.parent, temporary.suffix) == (tmp_path, ".csv")
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_abandoned_files_and_folders_are_removed_and_others_stay(tmp_path):
    names = (".unfinished-old", ".unfinished-new", "results")
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    (tmp_path / ".unfinished-file.csv").touch()
    for name in (".unfinished-old/file", ".unfinished-old", "results", ".unfinished-file.csv"):
        os.utime(tmp_path / name, (1, 1))
    with atomic_write(tmp_path / "a") as temporary:
        temporary.touch()
    assert {path.name for path in tmp_path.iterdir()} == {".unfinished-new", "results", "a"}


def test_a_new_folder_is_there_at_once(tmp_path):
    with atomic_folder(tmp_path / "new") as temporary:
        (temporary / "a").write_text("1")
        assert not (tmp_path / "new").exists()
    assert (tmp_path / "new" / "a").read_text() == "1"
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def read(folder, name):
    with open_placed(folder, name) as file:
        return file.read()


def read_all(folder):
    """Read the files, once more where others were placed meanwhile."""
    while True:
        texts = [read(folder, name) for name in NAMES]
        if texts[0] == read(folder, NAMES[0]):
            return set(texts)


def test_files_of_three_processes_never_mix_whichever_is_killed(tmp_path):
    def start(number):
        return subprocess.Popen([sys.executable, "-c", PLACE_FOR_EVER, tmp_path, str(number)])

    rng = np.random.default_rng(0)
    processes = [start(number) for number in range(3)]
    try:
        while len(list(tmp_path.glob("[abc]"))) < 3:
            time.sleep(0.01)
        for number in range(3, 12):
            until = time.monotonic() + rng.uniform(0.05, 0.2)
            while time.monotonic() < until:
                assert len(read_all(tmp_path)) == 1
            processes[-1].kill()
            processes[-1].wait()
            processes.insert(0, start(number))
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert len(read_all(tmp_path)) == 1
    with atomic_folder(tmp_path) as whole:
        for name in NAMES:
            (whole / name).write_text("last")
    assert {(tmp_path / name).read_text() for name in NAMES} == {"last"}
    assert not list(tmp_path.glob(".skmer*"))

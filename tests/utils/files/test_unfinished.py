"""What killed processes leave is removed by those that come after."""

import os

import pytest

from skmer.utils.files._unfinished import unfinished_folder


def test_a_folder_is_gone_after_the_block_whatever_ends_it(tmp_path):
    with unfinished_folder(tmp_path) as made:
        assert made.parent == tmp_path
    with pytest.raises(KeyError), unfinished_folder(tmp_path) as made:
        (made / "a").touch()
        raise KeyError
    assert not list(tmp_path.iterdir())


def test_abandoned_folders_are_removed_and_others_stay(tmp_path):
    names = (".unfinished-old", ".unfinished-new", "results")
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    for name in (".unfinished-old", "results"):
        os.utime(tmp_path / name, (1, 1))
    with unfinished_folder(tmp_path):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {".unfinished-new", "results"}

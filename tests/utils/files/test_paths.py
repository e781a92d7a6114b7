"""Paths as users write them, and users without a home."""

import os
import pwd
from pathlib import Path

import pytest

from skmer.datasets import get_data_home
from skmer.exceptions import InputError
from skmer.utils import files as _paths
from skmer.utils.files import check_output_folder, expand_path, user_folder


@pytest.fixture
def homeless(monkeypatch, tmp_path):
    """A user without HOME and without an entry in the table of users."""

    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "SKMER_DATA"):
        monkeypatch.delenv(name, raising=False)

    def nobody(uid):
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.setattr(_paths.tempfile, "gettempdir", lambda: str(tmp_path))
    _paths._temporary_folder.cache_clear()
    yield
    _paths._temporary_folder.cache_clear()


@pytest.mark.parametrize("give", [str, Path])
def test_a_tilde_is_the_home(give, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expand_path(give("~/x")) == tmp_path / "x"
    assert check_output_folder(give("~/x")) == tmp_path / "x"
    assert (tmp_path / "x").is_dir()


def test_a_tilde_of_nobody_is_one_sentence(homeless):
    with pytest.raises(InputError, match="this user has no home; write the whole path"):
        expand_path("~/x")


def test_without_a_home_a_temporary_folder_is_used_and_told_once(homeless, tmp_path, recwarn):
    folders = [user_folder("data"), user_folder("data"), get_data_home()]
    assert len(set(folders)) == 1
    assert tmp_path in folders[0].parents
    assert oct((tmp_path / f"skmer-{os.getuid()}").stat().st_mode)[-3:] == "700"
    assert len(recwarn) == 1
    assert "is used instead" in str(recwarn[0].message)


@pytest.mark.filterwarnings("ignore:This user")
def test_a_folder_that_another_user_put_there_is_not_trusted(homeless, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"skmer-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere") not in user_folder("cache").resolve().parents


def test_a_home_that_cannot_be_written(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert tmp_path in user_folder("data").parents
    monkeypatch.setattr(_paths.os, "access", lambda *args: False)
    _paths._temporary_folder.cache_clear()
    with pytest.warns(UserWarning, match="no home folder that can be written"):
        assert tmp_path not in user_folder("data").parents
    _paths._temporary_folder.cache_clear()

"""The cache keeps what it was given, notices damage, and can be bounded."""

import os

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skmer.exceptions import IgnoredCacheWarning
from skmer.utils import ClipCache


def entry(value):
    return lambda: (np.full((2, 3), value, np.float32), ["short"])


def never():
    raise AssertionError("the entry should have come from the cache")


def test_an_entry_is_computed_once(tmp_path):
    cache = ClipCache(tmp_path)
    first, notes = cache.remember({"a": 1, "b": 2}, entry(7))
    again, same_notes = ClipCache(tmp_path).remember({"b": 2, "a": 1}, never)
    np.testing.assert_array_equal(first, again)
    assert again.dtype == np.float32
    assert notes == same_notes == ["short"]
    assert len(cache) == 1


SETTINGS = st.dictionaries(st.sampled_from("abcde"), st.none() | st.integers() | st.text())


@given(SETTINGS, SETTINGS)
def test_keys_are_equal_where_settings_are(one, other):
    cache = ClipCache("never-made")

    def exact(settings):
        return {key: (type(value), value) for key, value in settings.items()}

    same = exact(one) == exact(other)
    if same or one != other:
        assert (cache._path(one) == cache._path(other)) == same


@pytest.mark.parametrize("damage", [b"", b"x" * 10, None])
def test_a_damaged_entry_is_noticed(tmp_path, damage):
    cache = ClipCache(tmp_path)
    cache.remember({"a": 1}, entry(1))
    (file,) = tmp_path.rglob("*.clip")
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data) if damage is None else damage)
    with pytest.warns(IgnoredCacheWarning, match="is damaged"):
        array, _ = cache.remember({"a": 1}, entry(2))
    assert (array == 2).all()
    again, _ = cache.remember({"a": 1}, never)
    assert (again == 2).all()


def test_a_folder_that_cannot_be_written(tmp_path):
    in_the_way = tmp_path / "skmer-clips"
    in_the_way.write_text("a file where the folder should be")
    with pytest.warns(IgnoredCacheWarning, match="computed instead"):
        array, _ = ClipCache(tmp_path).remember({"a": 1}, entry(3))
    assert (array == 3).all()


def test_pruning_removes_the_oldest(tmp_path):
    cache = ClipCache(tmp_path)
    for age in range(4):
        cache.remember({"age": age}, entry(age))
        os.utime(cache._path({"age": age}), (age, age))
    size = cache.size()
    assert cache.prune(size // 2) == 2
    assert cache.size() == size // 2
    cache.remember({"age": 3}, never)
    assert cache.prune(0) == 2
    assert len(cache) == 0


def test_a_joblib_memory_lends_its_folder_and_clears_it(tmp_path):
    memory = joblib.Memory(tmp_path, verbose=0)
    cache = ClipCache(memory)
    cache.remember({"a": 1}, entry(1))
    assert len(ClipCache(memory)) == 1
    memory.clear(warn=False)
    assert len(cache) == 0


def test_many_processes_share_a_folder(tmp_path):
    seen = joblib.Parallel(n_jobs=2)(
        joblib.delayed(ClipCache(tmp_path).remember)({"a": 1}, lambda: (np.arange(5), []))
        for _ in range(20)
    )
    assert all((array == np.arange(5)).all() for array, _ in seen)
    assert len(ClipCache(tmp_path)) == 1
    assert not list(tmp_path.rglob("*.part"))

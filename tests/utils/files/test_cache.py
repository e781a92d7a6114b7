"""The cache keeps what it was given, notices damage, and can be bounded."""

import contextlib
import hashlib
import json
import os
import shutil
import stat
import threading
import time

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skmer.exceptions import IgnoredCacheWarning
from skmer.utils import CacheEntry, ClipCache
from skmer.utils.cache import open_cache, warn_of_cache
from skmer.utils.digest import canonical_json


def entry(value):
    return lambda: CacheEntry(np.full((2, 3), value, np.float32), ["short"], "abc")


def never():
    raise AssertionError("the entry should have come from the cache")


def test_an_entry_is_computed_once(tmp_path):
    cache = ClipCache(tmp_path)
    first = cache.get_or_compute({"a": 1, "b": 2}, entry(7))
    again = ClipCache(tmp_path).get_or_compute({"b": 2, "a": 1}, never)
    np.testing.assert_array_equal(first.array, again.array)
    assert again.array.dtype == np.float32
    assert first.notes == again.notes == ["short"]
    assert first.audio_digest == again.audio_digest == "abc"
    assert first.error is again.error is None
    assert len(cache) == 1
    assert cache.get_or_compute({"a": 2}, lambda: (np.zeros(3), [])).audio_digest is None


SETTINGS = st.dictionaries(st.sampled_from("abcde"), st.none() | st.integers() | st.text())


@given(SETTINGS, SETTINGS)
def test_keys_are_equal_where_settings_are(one, other):
    def exact(settings):
        return {key: (type(value), value) for key, value in settings.items()}

    same = exact(one) == exact(other)
    if same or one != other:
        assert (canonical_json(one) == canonical_json(other)) == same


def forge(header, numbers=b"\0" * 24):
    """An entry with a right checksum and whatever content."""
    payload = json.dumps(header).encode() + b"\n" + numbers
    return hashlib.blake2b(payload, digest_size=16).digest() + payload


KEY = canonical_json({"cache_version": 3, "a": 1})
GOOD = {"key": KEY, "notes": [], "audio_digest": None, "sr": 8000, "n_samples": 9}
GOOD |= {"dtype": "<f4", "shape": [2, 3]}


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "is damaged"),
        (b"x" * 10, "is damaged"),
        (forge(GOOD)[:-1], "is damaged"),
        (forge(GOOD | {"key": "another"}), "holds another clip or other settings"),
        (forge([]), "has another format than this cache writes"),
        (forge(GOOD | {"dtype": "O"}), "has another format than this cache writes"),
        (forge(GOOD | {"dtype": "no type"}), "has another format than this cache writes"),
        # numpy parses this as Python.
        (forge(GOOD | {"dtype": ",<f4"}), "has another format than this cache writes"),
        (forge(GOOD | {"shape": [2**40, 2**40]}), "has another format than this cache writes"),
        (forge(GOOD | {"shape": [3, 2]}), "has another format than this cache writes"),
        (forge({}), "has another format than this cache writes"),
    ],
)
def test_what_is_not_the_entry_is_computed_again(tmp_path, content, error):
    cache = ClipCache(tmp_path)
    cache.get_or_compute({"a": 1}, entry(1))
    (file,) = tmp_path.rglob("*.clip")
    file.write_bytes(content)
    found = cache.get_or_compute({"a": 1}, entry(2), is_valid=lambda array: array.shape == (2, 3))
    assert found.error.endswith(error)
    assert (found.array == 2).all()
    again = cache.get_or_compute({"a": 1}, never)
    assert (again.array == 2).all()
    file.write_bytes(forge(GOOD))
    assert (cache.get_or_compute({"a": 1}, never).array == 0).all()


def test_an_entry_copied_over_another_is_noticed(tmp_path):
    cache = ClipCache(tmp_path)
    cache.get_or_compute({"a": 1}, entry(1))
    (one,) = tmp_path.rglob("*.clip")
    cache.get_or_compute({"a": 2}, entry(2))
    (other,) = set(tmp_path.rglob("*.clip")) - {one}
    shutil.copy(one, other)
    found = cache.get_or_compute({"a": 2}, entry(2))
    assert (found.array == 2).all()
    assert "holds another clip" in found.error


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes in folders are a thing of POSIX")
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_an_entry_without_end_is_not_read(tmp_path, kind):
    cache = ClipCache(tmp_path)
    cache.get_or_compute({"a": 1}, entry(1))
    (file,) = tmp_path.rglob("*.clip")
    file.unlink()
    os.mkfifo(file) if kind == "pipe" else file.symlink_to("/dev/zero")
    assert "it is no regular file" in cache.get_or_compute({"a": 1}, entry(2)).error
    assert (cache.get_or_compute({"a": 1}, never).array == 2).all()


def test_a_folder_that_cannot_be_written(tmp_path):
    in_the_way = tmp_path / "skmer-clips"
    in_the_way.write_text("a file where the folder should be")
    found = ClipCache(tmp_path).get_or_compute({"a": 1}, entry(3))
    assert (found.array == 3).all()
    assert "could not be" in found.error


@pytest.mark.skipif(os.name != "posix", reason="the umask is a thing of POSIX")
def test_who_may_read_an_entry_follows_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        ClipCache(tmp_path).get_or_compute({"a": 1}, entry(1))
    finally:
        os.umask(before)
    (file,) = tmp_path.rglob("*.clip")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_numbers_of_numpy_have_the_key_of_pythons(tmp_path):
    cache = ClipCache(tmp_path)
    cache.get_or_compute({"n": 3, "hop": 0.5, "center": True, "sizes": [1, 2]}, entry(1))
    same = {
        "n": np.int64(3),
        "hop": np.float32(0.5),
        "center": np.bool_(True),
        "sizes": np.array([1, 2]),
    }
    assert (cache.get_or_compute(same, never).array == 1).all()


def test_no_folder_is_no_cache(tmp_path):
    assert open_cache(None) is None
    assert open_cache(joblib.Memory(None)) is None
    assert open_cache(tmp_path).folder.parent == tmp_path


def test_home_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    ClipCache("~/cache").get_or_compute({"a": 1}, entry(1))
    assert len(list((tmp_path / "cache").rglob("*.clip"))) == 1


def test_pruning_removes_the_oldest(tmp_path):
    cache = ClipCache(tmp_path)
    for age in range(4):
        known = set(tmp_path.rglob("*.clip"))
        cache.get_or_compute({"age": age}, entry(age))
        (new,) = set(tmp_path.rglob("*.clip")) - known
        os.utime(new, (age, age))
    size = cache.size()
    assert cache.prune(size // 2) == 2
    assert cache.size() == size // 2
    for kept in (2, 3):
        cache.get_or_compute({"age": kept}, never)
    assert cache.prune(cache.size()) == 0
    assert cache.prune(cache.size() - 1) == 1
    assert cache.prune(0) == 1
    assert len(cache) == 0


def test_a_joblib_memory_lends_its_folder_and_clears_it(tmp_path):
    memory = joblib.Memory(tmp_path, verbose=0)
    cache = ClipCache(memory)
    cache.get_or_compute({"a": 1}, entry(1))
    assert len(ClipCache(memory)) == 1
    memory.clear(warn=False)
    assert len(cache) == 0


def test_many_processes_share_a_folder(tmp_path):
    seen = joblib.Parallel(n_jobs=2)(
        joblib.delayed(ClipCache(tmp_path).get_or_compute)(
            {"a": 1}, lambda: CacheEntry(np.arange(5), [])
        )
        for _ in range(20)
    )
    assert all((found.array == np.arange(5)).all() for found in seen)
    assert len(ClipCache(tmp_path)) == 1
    assert {path.suffix for path in tmp_path.rglob("*.*")} == {".clip"}


def test_threads_compute_an_entry_once_and_a_failure_is_tried_again(tmp_path):
    cache, calls = ClipCache(tmp_path), []

    def compute():
        calls.append(1)
        time.sleep(0.1)
        if len(calls) == 1:
            raise OSError("the first one fails")
        return np.arange(5), []

    def attempt():
        with contextlib.suppress(OSError):
            return cache.get_or_compute({"a": 1}, compute)

    found = joblib.Parallel(4, prefer="threads")(joblib.delayed(attempt)() for _ in range(4))
    assert len(calls) == 2
    assert [entry is None or entry.error is None for entry in found] == [True] * 4
    assert sum(entry is None for entry in found) == 1


def test_a_finished_entry_is_read_without_a_lock(tmp_path, monkeypatch):
    cache = ClipCache(tmp_path)
    cache.get_or_compute({"hop": 1}, lambda: CacheEntry(np.ones(2), []))
    monkeypatch.setattr("skmer.utils.cache._lock", None)
    assert not cache.get_or_compute({"hop": 1}, lambda: 1 / 0).is_new


def test_a_folder_without_locks_computes_all_the_same(tmp_path, monkeypatch):
    def acquire(*_):
        raise NotImplementedError

    monkeypatch.setattr("filelock.FileLock.acquire", acquire)
    assert ClipCache(tmp_path).get_or_compute({"a": 1}, entry(1)).error is None
    assert len(ClipCache(tmp_path)) == 1


def test_the_name_of_0_2_warns(tmp_path):
    with pytest.warns(DeprecationWarning, match="call ClipCache.get_or_compute"):
        assert ClipCache(tmp_path).remember({"a": 1}, entry(1)).is_new


def test_unfinished_files_are_counted_and_the_old_ones_removed(tmp_path):
    cache = ClipCache(tmp_path)
    cache.get_or_compute({"a": 1}, entry(1))
    (file,) = tmp_path.rglob("*.clip")
    whole = cache.size()
    names = (".unfinished-new", ".unfinished-old", ".unfinished-later")
    new, old, later = (file.with_name(f"{name}.clip") for name in names)
    for path in (new, old, later):
        path.write_bytes(b"12345")
    os.utime(old, (1, 1))
    os.utime(later, (time.time() + 10**6,) * 2)
    assert cache.size() == whole + 15
    assert len(cache) == 1
    assert cache.prune(10**9) == 0
    assert set(tmp_path.rglob(".unfinished-*")) == {new}
    assert cache.prune(0) == 1


def test_pruning_beside_others_that_prune_and_write(tmp_path):
    cache, errors = ClipCache(tmp_path), []
    stop = time.monotonic() + 1.5

    def again_and_again(work):
        try:
            while time.monotonic() < stop:
                work()
        except Exception as error:
            errors.append(error)

    def write():
        for number in range(50):
            assert cache.get_or_compute({"a": number}, entry(number)).error is None

    works = [write, write, cache.size, lambda: cache.prune(0), lambda: cache.prune(0)]
    threads = [threading.Thread(target=again_and_again, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_errors_are_warned_of_once():
    warn_of_cache([], stacklevel=1)
    with pytest.warns(
        IgnoredCacheWarning, match=r"^It is full; the clip was computed instead\.$"
    ) as said:
        warn_of_cache(["It is full"], stacklevel=1)
    # Where it was called from, as a user would be shown.
    assert said[0].filename == __file__
    with pytest.warns(
        IgnoredCacheWarning, match=r"It is full; .* instead, and so were 2 others\.$"
    ):
        warn_of_cache(["It is full", "a", "b"], stacklevel=1)

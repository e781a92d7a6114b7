"""Digests are those that other tools print, and the same for what is equal."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from skmer.utils.digest import (
    AudioDigest,
    canonical_json,
    file_digest,
    open_regular,
    settings_digest,
)


def test_files_have_the_digests_of_other_tools(tmp_path):
    path = tmp_path / "hello"
    path.write_bytes(b"hello\n")
    assert file_digest(path) == hashlib.sha256(b"hello\n").hexdigest()
    assert file_digest(path, "md5") == "b1946ac92492d2347c6235b4d2611184"
    # What `git hash-object` prints.
    assert file_digest(path, "git-blob") == "ce013625030ba8dba906f756967f9e9ca394464a"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_what_may_never_end_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", os.devnull):
        with pytest.raises(OSError, match="no regular file"):
            open_regular(path)


def test_equal_settings_have_one_digest(tmp_path):
    settings = {"hop": 0.5, "n": 3, "names": ["a"], "path": str(tmp_path)}
    same = {"path": tmp_path, "names": np.array(["a"]), "n": np.int64(3), "hop": np.float32(0.5)}
    assert canonical_json(settings) == canonical_json(same)
    assert settings_digest(same) == settings_digest(settings)
    assert settings_digest(settings) == hashlib.sha256(canonical_json(same).encode()).hexdigest()
    for change in ({"hop": 0.25}, {"n": True}, {"names": "a"}, {"path": str(Path(tmp_path, "b"))}):
        assert settings_digest(settings | change) != settings_digest(settings)
    with pytest.raises(TypeError, match="of type set cannot be part of a key"):
        canonical_json({"a": {1}})


def test_a_recording_is_its_samples_and_its_rate():
    def digest(samples, sr=8000):
        total = AudioDigest()
        total.update(np.asarray(samples), sr)
        return total.hexdigest()

    noise = np.random.default_rng(0).uniform(-1, 1, 100)
    assert digest(noise) == digest(np.round(noise * 2**15) / 2**15)
    assert digest(noise) != digest(noise, 16000)
    assert digest(noise) != digest(-noise)
    assert digest(noise) != digest(noise[:-1])
    # Samples far beyond full scale are numbers like others, and differ from those within.
    assert digest([1e30]) == digest([1e20]) != digest([1.0])


def test_audio_is_taken_at_16_bits_and_bounded():
    digest = AudioDigest()
    digest.update(np.array([0.5, -1.0, 2.0**-15, 2.0**-17, 1e30]), 8000)
    taken = np.array([2**14, -(2**15), 1, 0, 2**30], "<i4").tobytes()
    assert digest.hexdigest() == hashlib.sha256(taken + b"8000").hexdigest()

"""Both resamplers: the numbers of their packages, whatever the blocks, and one sentence without."""

import numpy as np
import pytest
import resampy
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from skmer.audio import read_audio, stream_audio
from skmer.audio import resampling as _resampling
from skmer.audio.resampling import RESAMPLERS, resample
from skmer.exceptions import InputError

RATES = st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000, 96000, 47999])


def whole(audio, from_sr, to_sr, resampler):
    if resampler == "soxr_hq":
        return soxr.resample(audio, from_sr, to_sr, quality="HQ")
    return resampy.resample(audio.astype(float), from_sr, to_sr, filter="kaiser_best")


@settings(max_examples=12)
@given(
    from_sr=RATES,
    to_sr=RATES,
    resampler=st.sampled_from(sorted(RESAMPLERS)),
    cuts=st.lists(st.integers(0, 9000), max_size=3),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_any_cut_gives_what_the_package_gives(from_sr, to_sr, resampler, cuts, dtype):
    audio = np.random.default_rng(0).standard_normal(9000).astype(dtype)
    at_once = np.concatenate(list(resample([audio], from_sr, to_sr, resampler)))
    in_blocks = list(resample(np.split(audio, sorted(cuts)), from_sr, to_sr, resampler))
    np.testing.assert_array_equal(np.concatenate(in_blocks), at_once)
    is_resampys = resampler == "kaiser_best" and from_sr != to_sr
    assert at_once.dtype == (np.float64 if is_resampys else dtype)
    if from_sr != to_sr:
        expected = whole(audio, from_sr, to_sr, resampler)
        # At odd rates the first sample differs by the rounding of its place in the table of the window.
        np.testing.assert_allclose(at_once, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("resampler", RESAMPLERS)
def test_files_and_arrays_longer_than_a_chunk_agree(tmp_path, resampler):
    audio = np.random.default_rng(1).standard_normal(8000 * 65 + 17).astype(np.float32)
    path = tmp_path / "long.wav"
    soundfile.write(path, audio, 8000, subtype="FLOAT")
    from_file = list(stream_audio(path, sr=11025, resampler=resampler))
    assert len(from_file) > 3
    from_file = np.concatenate(from_file)
    read, _ = read_audio(path, sr=11025, resampler=resampler)
    np.testing.assert_array_equal(read, from_file.astype(np.float32))
    assert read.dtype == np.float32
    from_array = np.concatenate(list(stream_audio((audio, 8000), sr=11025, resampler=resampler)))
    np.testing.assert_array_equal(from_array, from_file)
    np.testing.assert_allclose(from_file, whole(audio, 8000, 11025, resampler), atol=2e-6)


def test_unknown_and_missing(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"'resampler'.*'kaiser_best', 'soxr_hq'.*Got 'linear'"):
        read_audio(tmp_path / "any.wav", resampler="linear")
    monkeypatch.setattr(_resampling, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs the package resampy.*skmer\[resampy\]"):
        next(stream_audio((np.zeros(9), 9), sr=9, resampler="kaiser_best"))

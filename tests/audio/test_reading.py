"""Files and arrays of every usual kind become the same waveform; the others, one sentence."""

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from skmer import MFCCStatsTransformer
from skmer.audio import as_waveform, read_audio, stream_audio
from skmer.exceptions import AudioDecodeError, InputError, SampleScaleWarning


@pytest.fixture(scope="module")
def stereo():
    tones = 0.3 * np.sin(2 * np.pi * np.outer(np.arange(30011), [220, 550]) / 44100)
    return tones.astype(np.float32)


@pytest.mark.parametrize(
    ("suffix", "kwargs", "tolerance"),
    [
        ("wav", {"subtype": "PCM_16"}, 2**-15),
        ("wav", {"subtype": "PCM_U8"}, 2**-7),
        ("wav", {"subtype": "FLOAT"}, 0),
        ("flac", {}, 2**-15),
        ("ogg", {}, 0.05),
        ("mp3", {}, 0.1),
    ],
)
def test_formats(tmp_path, stereo, suffix, kwargs, tolerance):
    path = tmp_path / f"clip.{suffix}"
    soundfile.write(path, stereo, 44100, **kwargs)
    waveform, sr = read_audio(path)
    assert sr == 44100
    assert waveform.dtype == np.float32
    assert waveform.shape == (len(stereo),)
    np.testing.assert_allclose(waveform, stereo.mean(axis=1), atol=tolerance)


def test_offset_and_duration_cut_samples(tmp_path, stereo):
    path = tmp_path / "clip.wav"
    soundfile.write(path, stereo, 1000, subtype="FLOAT")
    waveform, _ = read_audio(path, offset=1.5, duration=2.25)
    np.testing.assert_array_equal(waveform, stereo.mean(axis=1)[1500:3750])
    from_array = np.concatenate(list(stream_audio((stereo, 1000), sr=1000, offset=1.5, duration=2)))
    np.testing.assert_array_equal(from_array, stereo.mean(axis=1)[1500:3500])


@settings(deadline=None, max_examples=25)
@given(sr=st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000]))
def test_a_tone_keeps_its_pitch_and_length(sr):
    tone = np.sin(2 * np.pi * 440 * np.arange(sr) / sr)
    out = np.concatenate(list(stream_audio((tone, sr), sr=48000)))
    assert abs(len(out) - 48000) <= 1
    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out))))
    assert abs(np.argmax(spectrum) * 48000 / len(out) - 440) < 2


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int32])
def test_integer_pcm_is_scaled(dtype):
    info = np.iinfo(dtype)
    waveform = as_waveform(np.array([info.min, info.max], dtype=dtype))
    assert waveform[0] == -1
    assert 0.99 < waveform[1] <= 1


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (np.zeros((2, 2, 2)), "3 dimensions"),
        (np.zeros(0), "empty"),
        (np.zeros((2, 100)), "more channels than samples"),
        (np.array([0.0, np.nan]), "sample 1 is nan"),
        (np.array([np.inf, 0.0]), "sample 0 is inf"),
        (np.zeros(3, np.int64), "dtype int64: their full scale is not known"),
        ([1, -2, 3], "dtype int64: their full scale is not known"),
        (np.zeros(3, np.uint16), "dtype uint16: their full scale is not known"),
        (np.array([0.0, 1e30]), "sample 1 is 1e\\+30; full scale is 1"),
        (np.array([0.0, -1e30], np.float32), "sample 1 is -1e\\+30; full scale is 1"),
        (np.ma.masked_array([0.1, 0.2], [False, True]), "samples are masked"),
        (np.zeros((4000, 900)), "900 channels"),
        (np.array(["a"]), "dtype"),
    ],
)
def test_bad_arrays(audio, message):
    with pytest.raises(AudioDecodeError, match=message):
        as_waveform(audio, name="Row 7")


def test_bad_files(tmp_path):
    text = tmp_path / "text.wav"
    text.write_text("not audio at all")
    empty = tmp_path / "empty.wav"
    empty.touch()
    no_samples = tmp_path / "none.wav"
    soundfile.write(no_samples, np.zeros(0), 8000)
    not_finite = tmp_path / "nan.wav"
    soundfile.write(not_finite, np.array([0.0, np.nan]), 8000, subtype="FLOAT")
    short = tmp_path / "short.wav"
    soundfile.write(short, np.zeros(80), 8000)
    cases = {
        tmp_path / "missing.wav": "does not exist",
        tmp_path: "may not be read",
        text: "not in a format",
        empty: "0 bytes",
        no_samples: "no samples",
        not_finite: "sample 1 is nan",
    }
    for path, message in cases.items():
        with pytest.raises(AudioDecodeError, match=message) as caught:
            read_audio(path)
        assert str(caught.value).count(path.name) == 1
    with pytest.raises(AudioDecodeError, match="ends before offset=1"):
        read_audio(short, offset=1)


def test_a_file_that_breaks_off(tmp_path):
    path = tmp_path / "cut.flac"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 80000), 8000)
    data = path.read_bytes()
    half = len(data) // 2
    path.write_bytes(data[:half] + bytes(20000) + data[half + 20000 :])
    with pytest.raises(AudioDecodeError, match=r"cut\.flac.* breaks off or is damaged"):
        read_audio(path)


def test_blocks_are_passed_on_before_they_are_resampled(tmp_path, stereo):
    path = tmp_path / "clip.wav"
    soundfile.write(path, stereo, 1000, subtype="FLOAT")
    decoded = []

    def note(block, sr):
        assert sr == 1000
        decoded.append(block)

    resampled = np.concatenate(list(stream_audio(path, sr=500, offset=1, on_decoded=note)))
    assert len(resampled) < len(stereo)
    np.testing.assert_array_equal(np.concatenate(decoded), read_audio(path, offset=1)[0])
    decoded.clear()
    list(stream_audio((stereo, 1000), sr=500, on_decoded=note))
    np.testing.assert_array_equal(np.concatenate(decoded), as_waveform(stereo))


@pytest.mark.parametrize(
    "read", [read_audio, lambda path, **part: list(stream_audio(path, **part))]
)
@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"offset": -1}, "'offset' parameter of .*_audio must be seconds from 0 to .*. Got -1"),
        ({"offset": 1e308}, "'offset' parameter .* to 1000000000. Got 1e.308"),
        ({"offset": np.nan}, "'offset' parameter .* Got nan"),
        ({"duration": 0}, "'duration' parameter of .*_audio must be seconds above 0 .*. Got 0"),
        ({"duration": np.inf}, "'duration' parameter .* Got inf"),
        ({"sr": 0}, "'sr' parameter of .*_audio must be an integer from 1 to 768000. Got 0"),
        ({"sr": 10**9}, "'sr' parameter .* 1 to 768000. Got 1000000000"),
        ({"sr": 22050.5}, "'sr' parameter .* Got 22050.5"),
    ],
)
def test_parameters_out_of_range(tmp_path, read, part, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path / "not_reached.wav", **{"sr": 8000, **part})


def test_numpy_numbers_and_home_are_taken(tmp_path, stereo, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    soundfile.write(tmp_path / "clip.wav", stereo, 44100)
    waveform, sr = read_audio("~/clip.wav", sr=np.int64(22050), duration=np.float32(0.5))
    assert (len(waveform), sr) == (11025, 22050)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.int32, np.uint8])
@pytest.mark.parametrize("n_channels", [1, 2, 3, 6])
def test_channels_are_averaged_with_the_bits_of_the_mean(dtype, n_channels):
    rng = np.random.default_rng(0)
    audio = rng.uniform(-1, 1, (1000, n_channels)) if np.dtype(dtype).kind == "f" else None
    if audio is None:
        info = np.iinfo(dtype)
        audio = rng.integers(info.min, info.max, (1000, n_channels))
    audio = audio.astype(dtype)
    mono = [as_waveform(audio[:, channel].copy()) for channel in range(n_channels)]
    if dtype == np.int32:
        # Rounded to float32 once, after the mean.
        expected = (audio / 2**31).mean(axis=1).astype(np.float32)
    else:
        expected = np.stack(mono, axis=1).mean(axis=1)
    np.testing.assert_array_equal(as_waveform(audio), expected)


@pytest.mark.parametrize("audio", [np.full(9, 3000.0), np.full((9, 2), -32768.0, np.float32)])
def test_samples_far_beyond_full_scale_warn(audio):
    with pytest.warns(SampleScaleWarning, match=r"Row 3: samples are far beyond full scale"):
        as_waveform(audio, name="Row 3")


def test_loud_music_does_not_warn():
    as_waveform(3 * np.random.default_rng(0).standard_normal(100000))


@pytest.mark.parametrize("bits", [16, 24])
def test_pcm_of_fewer_bits_in_wider_integers_warns(bits):
    audio = np.round(2.0 ** (bits - 1) * np.sin(np.arange(8000))).astype(np.int32)
    with pytest.warns(SampleScaleWarning, match=r"Row 3: 32-bit integers are so small"):
        as_waveform(np.stack([audio, -audio], axis=1), name="Row 3")
    with pytest.warns(SampleScaleWarning, match="In 1 of 1 clips 32-bit integers"):
        MFCCStatsTransformer().fit_transform([(audio, 8000)])


def test_integers_on_their_scale_and_silence_do_not_warn():
    notes = []
    as_waveform((2.0**24 * np.sin(np.arange(8000))).astype(np.int32), on_note=notes.append)
    as_waveform(np.ones(8000, np.int16), on_note=notes.append)
    assert notes == []
    as_waveform(np.zeros(8000, np.int32), on_note=notes.append)
    assert notes == ["silent"]

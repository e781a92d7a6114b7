"""Files as they are: joined, cut short, with headers that say too little, too much, or nonsense.

What is wrong with them is put into files that libsndfile wrote, byte by byte.
"""

import contextlib
import io
import os
import re
import struct
import warnings

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from skmer import MFCCStatsTransformer
from skmer.audio import read_audio, stream_audio
from skmer.audio.containers import PartFile, find_parts
from skmer.exceptions import AudioDecodeError, SilentClipWarning, TruncatedClipWarning
from tests.audio.encoding import SECONDS, SR, encoded, variable_mp3, without_xing, write


def aligned_error(ours, expected, at=SR, length=2 * SR):
    """The relative error of a stretch at the best of the shifts that encoders make."""
    wanted = expected[at : at + length]
    shifts = range(-1700, 1700)
    ours = np.pad(ours, (2000, 2000))
    spectrum = np.correlate(ours[at + 2000 - 1700 : at + 2000 + 1700 + length - 1], wanted, "valid")
    shift = shifts[int(np.argmax(spectrum))]
    found = ours[at + 2000 + shift : at + 2000 + shift + length]
    return np.linalg.norm(found - wanted) / np.linalg.norm(wanted)


def test_a_variable_mp3_without_a_count_is_read_to_its_end(tmp_path, clip):
    data = variable_mp3(clip)
    path = write(tmp_path, "bare.mp3", without_xing(data))
    waveform, _ = read_audio(path)
    whole, _ = read_audio(write(tmp_path, "whole.mp3", data))
    assert len(whole) == len(clip)
    assert 0 <= len(waveform) - len(clip) < 3000
    assert aligned_error(waveform, whole) < 1e-3
    assert aligned_error(waveform, whole, at=(SECONDS - 2) * SR, length=SR) < 1e-3


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "opus", "flac", "wav", "aiff"])
def test_joined_files_are_read_to_their_end(tmp_path, clip, suffix):
    sr = 48000 if suffix == "opus" else SR
    first, second = (encoded(part, suffix, sr) for part in (clip[: 2 * sr], clip[2 * sr : 5 * sr]))
    path = write(tmp_path, f"joined.{suffix}", first + second)
    waveform, _ = read_audio(path)
    assert 0 <= len(waveform) - 5 * sr < 4000
    parts = [read_audio(write(tmp_path, f"part.{suffix}", data))[0] for data in (first, second)]
    assert aligned_error(waveform, np.concatenate(parts), at=sr // 2, length=sr) < 1e-3
    extra = len(waveform) - 5 * sr
    assert aligned_error(waveform[extra:], np.concatenate(parts), at=3 * sr, length=sr) < 1e-3
    part, _ = read_audio(path, offset=1.5, duration=2.0)
    np.testing.assert_allclose(part, waveform[round(1.5 * sr) :][: 2 * sr], atol=1e-6)


def test_joined_files_of_two_rates_are_one_sentence(tmp_path, clip):
    data = encoded(clip, "ogg", 44100) + encoded(clip, "ogg", 48000)
    with pytest.raises(AudioDecodeError, match="joins parts of 44100 and 48000 Hz"):
        read_audio(write(tmp_path, "joined.ogg", data))


def test_a_stream_joined_to_one_that_was_cut_is_read_too(tmp_path, clip):
    data = encoded(clip, "ogg")
    cut = data[: len(data) // 2]
    with pytest.warns(TruncatedClipWarning):
        first, _ = read_audio(write(tmp_path, "cut.ogg", cut))
    with pytest.warns(TruncatedClipWarning):
        both, _ = read_audio(write(tmp_path, "both.ogg", cut + data))
    assert len(both) == len(first) + len(clip)


def test_tags_between_joined_mp3_files_are_no_sound(tmp_path, clip):
    mp3 = encoded(clip, "mp3")
    tag = b"ID3\x04\x00\x00" + bytes([0, 0, 0x20, 0]) + b"\xff\xfb\x90\x00" * 1024
    plain, _ = read_audio(write(tmp_path, "plain.mp3", mp3 + mp3))
    tagged, _ = read_audio(
        write(tmp_path, "tagged.mp3", tag + mp3 + tag + mp3 + b"TAG" + bytes(125))
    )
    np.testing.assert_array_equal(tagged, plain)


@pytest.mark.parametrize("states_length", [True, False])
def test_a_tag_behind_a_flac_file_is_no_damage(tmp_path, clip, states_length):
    data = bytearray(encoded(clip, "flac"))
    if not states_length:
        data[21:26] = bytes([data[21] & 0xF0, 0, 0, 0, 0])
    path = write(tmp_path, "a.flac", data + b"TAG" + bytes(125))
    np.testing.assert_allclose(read_audio(path)[0], clip, atol=2**-15)
    assert len(read_audio(path, offset=SECONDS - 0.1)[0]) == SR // 10


def test_a_header_without_a_length(tmp_path, clip):
    wav = bytearray(encoded(clip, "wav"))
    at = wav.index(b"data") + 4
    wav[at : at + 4] = bytes(4)
    np.testing.assert_allclose(read_audio(write(tmp_path, "a.wav", wav))[0], clip, atol=2**-15)
    aiff = bytearray(encoded(clip, "aiff"))
    at = aiff.index(b"SSND") + 4
    aiff[at : at + 4] = bytes(4)
    waveform, _ = read_audio(write(tmp_path, "a.aiff", aiff))
    np.testing.assert_allclose(waveform[-len(clip) :], clip, atol=2**-15)
    flac = bytearray(encoded(clip, "flac"))
    flac[21] &= 0xF0
    flac[22:26] = bytes(4)
    np.testing.assert_allclose(read_audio(write(tmp_path, "a.flac", flac))[0], clip, atol=2**-15)
    np.testing.assert_allclose(
        read_audio(write(tmp_path, "aa.flac", flac + flac))[0], np.tile(clip, 2), atol=2**-15
    )


def test_an_empty_wav_with_other_chunks_stays_empty(tmp_path):
    wav = encoded(np.zeros(0), "wav") + b"LIST" + struct.pack("<I", 4) + b"INFO"
    with pytest.raises(AudioDecodeError, match="no samples"):
        read_audio(write(tmp_path, "none.wav", wav))


@pytest.mark.parametrize("suffix", ["wav", "aiff", "flac", "mp3", "ogg", "opus"])
@pytest.mark.parametrize("share", [0.3, 0.95])
def test_a_file_cut_short_is_read_and_said_once_with_its_name(tmp_path, clip, suffix, share):
    data = encoded(clip, suffix, 48000 if suffix == "opus" else SR)
    path = write(tmp_path, f"cut.{suffix}", data[: int(share * len(data))])
    with pytest.warns(TruncatedClipWarning, match=rf"cut\.{suffix}.*ends before") as caught:
        waveform, _ = read_audio(path)
    assert len(caught) == 1
    assert 0.05 * len(clip) < len(waveform) < len(clip)
    with pytest.warns(TruncatedClipWarning, match=rf"Row 0, '.*cut\.{suffix}'") as caught:
        MFCCStatsTransformer().fit_transform([path])
    assert len(caught) == 1
    # What is used is whole.
    read_audio(path, duration=0.3)


@pytest.mark.parametrize("suffix", ["ogg", "opus"])
@pytest.mark.parametrize("page", [-1, 4])
def test_a_damaged_page_is_said(tmp_path, clip, suffix, page):
    """A decoder leaves it out, and of the last ones it does not know."""
    data = bytearray(encoded(clip, suffix, 48000 if suffix == "opus" else SR))
    pages = [found.start() for found in re.finditer(b"OggS", data)]
    data[pages[page] + 100] ^= 1
    with pytest.warns(TruncatedClipWarning, match="has holes"):
        waveform, _ = read_audio(write(tmp_path, f"a.{suffix}", data))
    assert 0.5 * len(clip) < len(waveform) < len(clip)


@pytest.mark.parametrize("suffix", ["wav", "aiff", "flac", "mp3", "ogg", "opus"])
def test_whole_files_are_not_called_cut(tmp_path, clip, suffix):
    sr = 48000 if suffix == "opus" else SR
    for n_samples in (1, 700, 48000, len(clip)):
        path = write(tmp_path, f"whole.{suffix}", encoded(clip[:n_samples], suffix, sr))
        waveform, _ = read_audio(path)
        assert len(waveform) == n_samples
    if suffix == "mp3":
        bare = write(tmp_path, "bare.mp3", without_xing(path.read_bytes()))
        assert abs(len(read_audio(bare)[0]) - len(clip)) < 4000


def test_a_long_mp3_is_read_without_seams(tmp_path):
    """soundfile alone, reading in blocks, gives wrong samples after each."""
    noise = 0.1 * np.random.default_rng(0).standard_normal(25 * 44100)
    path = write(tmp_path, "long.mp3", variable_mp3(noise))
    whole, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_allclose(read_audio(path)[0], whole, atol=1e-6)


def wav_header(sr, channels, n_samples=4000):
    data = bytes(2 * n_samples * channels)
    width, rate = 2 * channels, min(2 * sr * channels, 2**32 - 1)
    head = struct.pack("<IHHIIHH", 16, 1, channels, sr, rate, width, 16)
    body = b"WAVEfmt " + head + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    ("sr", "channels"),
    [(0, 1), (1, 1), (10, 1), (2**31 - 1, 1), (2**32 - 1, 1), (8000, 0), (8000, 500), (8000, 5000)],
)
def test_a_header_that_no_recording_has(tmp_path, sr, channels):
    path = write(tmp_path, "odd.wav", wav_header(sr, channels, 200))
    with pytest.raises(AudioDecodeError, match=r"odd\.wav"):
        read_audio(path, sr=48000)


def test_names_that_are_odd(tmp_path, clip):
    good = write(tmp_path, "good.wav", encoded(clip[:SR], "wav"))
    # What lies beside it, from a disk of another system, is no part of it.
    write(tmp_path, "._good.mp3", b"\0\5\x16\7" + bytes(300))
    mp3 = write(tmp_path, "good.mp3", without_xing(encoded(clip[:SR], "mp3")))
    assert len(read_audio(mp3)[0]) > SR
    for bad in ("x" * 300 + ".wav", "a\0b.wav", os.devnull):
        with pytest.raises(AudioDecodeError):
            read_audio(bad)
    rows = MFCCStatsTransformer(on_error="nan").fit([good])
    with pytest.warns(UserWarning, match="1 of 3 clips could not be read"):
        X = rows.transform([good, "x" * 300 + ".wav", mp3])
    assert np.isnan(X).any(axis=1).tolist() == [False, True, False]


@pytest.mark.skipif(os.name == "nt", reason="names there are Unicode")
def test_a_name_in_another_encoding(tmp_path, clip):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/Stra\xdfe.wav")
    try:
        with open(name, "wb") as file:
            file.write(encoded(clip, "wav"))
    except OSError:
        pytest.skip("this file system has no such names")
    assert len(read_audio(name)[0]) == len(clip)
    with pytest.raises(AudioDecodeError) as caught:
        read_audio(name + "x")
    str(caught.value).encode()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_is_an_error_and_no_wait(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(AudioDecodeError, match=r"pipe\.wav.*no regular file"):
        read_audio(tmp_path / "pipe.wav")


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg"])
def test_open_files_are_read_from_their_start(tmp_path, clip, suffix):
    data = encoded(clip, suffix)
    expected, _ = read_audio(write(tmp_path, f"a.{suffix}", data))
    file = io.BytesIO(data)
    file.seek(100)
    np.testing.assert_array_equal(read_audio(file)[0], expected)
    assert not file.closed
    np.testing.assert_array_equal(np.concatenate(list(stream_audio(file, sr=SR))), expected)


@pytest.mark.parametrize("suffix", ["wav", "mp3", "opus", "flac"])
def test_channels_that_cancel_are_silent(tmp_path, clip, suffix):
    sr = 48000 if suffix == "opus" else SR
    path = write(tmp_path, f"anti.{suffix}", encoded(np.stack([clip, -clip], axis=1), suffix, sr))
    with pytest.warns(SilentClipWarning, match=rf"channels cancel.*anti\.{suffix}"):
        MFCCStatsTransformer().fit_transform([path])
    wide = np.stack([clip, -0.9 * clip], axis=1)
    path = write(tmp_path, f"wide.{suffix}", encoded(wide, suffix, sr))
    MFCCStatsTransformer().fit_transform([path])


SIZED = ("au", "caf", "nist", "rf64", "svx", "voc", "w64")
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 12), st.binary(max_size=12)), min_size=1, max_size=8
)


@given(
    suffix=st.sampled_from(["mp3", "ogg", "flac", "wav", "aiff", *SIZED]),
    edits=EDITS,
    data=st.data(),
)
def test_the_parts_of_any_bytes_are_found(sources, suffix, edits, data):
    """Bytes put in, left out and changed, anywhere and above all in the header."""
    content = bytearray(sources[suffix])
    for place, n_removed, added in edits:
        scope = data.draw(st.sampled_from([64, len(content)]))
        at = int(place * min(scope, len(content)))
        content[at : at + n_removed] = added
    file = io.BytesIO(bytes(content))
    for part in find_parts(file):
        length = sum(len(p) if isinstance(p, bytes) else p.stop - p.start for p in part.pieces)
        assert len(PartFile(file, part).read()) == (length or len(content))


@pytest.fixture(scope="module")
def sources(clip):
    """Two joined files of each kind, the first without a length where that can be."""
    made = {suffix: 2 * encoded(clip[:4000], suffix) for suffix in ("ogg", "wav", "aiff")}
    made |= {suffix: encoded(clip[:4000], suffix, subtype="PCM_16") for suffix in SIZED}
    flac = bytearray(encoded(clip[:4000], "flac"))
    flac[21:26] = bytes([flac[21] & 0xF0, 0, 0, 0, 0])
    mp3 = variable_mp3(clip[-8000:])
    return {**made, "flac": bytes(2 * flac), "mp3": without_xing(mp3) + mp3}


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg", "aiff"])
def test_damaged_bytes_never_end_in_anything_else(tmp_path, clip, suffix):
    data = bytearray(encoded(clip[:SR], suffix))
    rng = np.random.default_rng(0)
    for _ in range(10):
        damaged = data.copy()
        for at in rng.integers(0, len(data), 20):
            damaged[at] = rng.integers(256)
        damaged = damaged[: rng.integers(1, len(data))]
        path = write(tmp_path, f"damaged.{suffix}", damaged)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with contextlib.suppress(AudioDecodeError):
                assert np.isfinite(read_audio(path)[0]).all()


@pytest.mark.parametrize(
    "data",
    [
        b"FORM\0\0\x0f\xceAIFFCOMM\0\0\0\x12\x01\0AIFFCOMM\0\0\0\x12\0\x01\0\0\x07\xd0D\0\0\x0f\xa8",
        b"RIFF\xc4\x0f\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80>\0\0\0\x14\0\0\x02\0\x10\0\0\0\0A\0\0\0\0",
    ],
)
def test_headers_that_fuzzing_found(tmp_path, data):
    with pytest.raises(AudioDecodeError):
        read_audio(write(tmp_path, "found", data))


def test_the_last_frame_of_a_flac_file_may_end_in_its_head(tmp_path, clip):
    data = bytearray(encoded(clip[:100], "flac"))
    data[21:26] = bytes([data[21] & 0xF0, 0, 0, 0, 0])
    # A block whose size is in two bytes that are not there.
    data += bytes([0xFF, 0xF8, 0x7D, 0, 0, 0, 0, 0, 0])
    assert len(read_audio(write(tmp_path, "head.flac", data))[0]) == 100


@pytest.mark.parametrize("resampler", ["soxr_hq", "kaiser_best"])
def test_a_clip_of_which_no_sample_is_left_is_an_error(tmp_path, resampler):
    path = write(tmp_path, "short.wav", encoded(np.ones(1), "wav", 48000))
    for source in (path, (np.ones(1), 48000)):
        with pytest.raises(AudioDecodeError, match="too short, nothing is left of it at 8000 Hz"):
            list(stream_audio(source, sr=8000, resampler=resampler))
    with pytest.raises(AudioDecodeError, match=r"short.wav': the clip is too short"):
        read_audio(path, sr=8000, resampler=resampler)
    assert read_audio(path)[0].shape == (1,)

"""Files as they are: joined, cut short, with headers that state too little, too much, or nonsense.

The faults are put into files that libsndfile wrote, byte by byte.
"""

import contextlib
import io
import itertools
import re
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from skmer import MFCCStatsTransformer
from skmer.audio import read_audio
from skmer.audio.containers import RecordingFile, Window, find_recordings
from skmer.exceptions import AudioDecodeError, TruncatedClipWarning
from tests.audio.encoding import SR, encoded, without_xing, write

KINDS = ["wav", "rf64", "w64", "aiff", "flac", "ogg", "opus", "mp3", "vbr.mp3"]
CHUNKED = ["wav", "rf64", "w64", "aiff"]


def rate(suffix):
    return 48000 if suffix == "opus" else SR


def waveform(data):
    return read_audio(io.BytesIO(bytes(data)))[0]


def pcm(audio, suffix):
    return encoded(audio, suffix, subtype="PCM_16")


def assert_is(data, audio):
    np.testing.assert_allclose(waveform(data), audio, atol=2**-15)


@pytest.mark.parametrize("suffix", KINDS)
def test_whole_files_are_not_called_cut(clip, suffix):
    for n_samples in (1, 700, 48000, len(clip)):
        assert len(waveform(encoded(clip[:n_samples], suffix, rate(suffix)))) == n_samples


@pytest.mark.parametrize("suffix", [*KINDS, "bare.mp3"])
def test_a_cut_file_is_read_to_the_cut_with_one_warning_of_its_name(tmp_path, clip, suffix):
    data = encoded(clip, suffix.removeprefix("bare."), rate(suffix))
    data = without_xing(data) if suffix == "bare.mp3" else data
    whole = waveform(data)
    for share in (0.3, 0.617, 0.95):
        path = write(tmp_path, f"cut.{suffix}", data[: int(share * len(data))])
        with pytest.warns(TruncatedClipWarning, match=rf"cut\.{suffix}.*ends before") as caught:
            part, _ = read_audio(path)
        assert len(caught) == 1
        assert 0.05 * len(whole) < len(part) < len(whole)
        # The last frame of a lossy file overlaps with one that is missing.
        same = slice(0, max(len(part) - 4096, 4096))
        np.testing.assert_allclose(part[same], whole[same], atol=1e-6)
        # The part that is used is whole.
        read_audio(path, duration=0.3)
    with pytest.warns(TruncatedClipWarning, match=rf"Row 0, '.*cut\.{suffix}'") as caught:
        MFCCStatsTransformer().fit_transform([path])
    assert len(caught) == 1


@pytest.mark.parametrize("suffix", [*CHUNKED, "flac", "ogg", "opus"])
def test_joined_files_are_their_segments_bit_for_bit(clip, suffix):
    sr = rate(suffix)
    cuts = 0, 2 * sr, 2 * sr + 5000, 5 * sr
    files = [encoded(clip[start:stop], suffix, sr) for start, stop in itertools.pairwise(cuts)]
    joined = b"".join(files)
    expected = np.concatenate([waveform(file) for file in files])
    np.testing.assert_array_equal(waveform(joined), expected)
    part, _ = read_audio(io.BytesIO(joined), offset=1.5, duration=2.0)
    np.testing.assert_allclose(part, expected[round(1.5 * sr) :][: 2 * sr], atol=1e-6)


@pytest.mark.parametrize("suffix", ["mp3", "vbr.mp3", "bare.mp3"])
def test_joined_mp3_files_are_read_to_their_end(clip, suffix):
    files = [encoded(part, suffix.removeprefix("bare.")) for part in (clip[: 2 * SR], clip)]
    if suffix == "bare.mp3":
        files = [without_xing(file) for file in files]
    first, second = map(waveform, files)
    joined = waveform(b"".join(files))
    assert 0 <= len(joined) - len(first) - len(second) < 4000
    # Where the second begins depends on the delay that its encoder stated.
    shifts = range(4000)
    wanted = second[SR : 2 * SR]
    at = len(first) + SR
    errors = [np.abs(joined[at + shift :][:500] - wanted[:500]).max() for shift in shifts]
    start = at + int(np.argmin(errors))
    np.testing.assert_allclose(joined[start:][: len(wanted)], wanted, atol=1e-4)
    # Tags between them are no sound, whatever they look like.
    tag = b"ID3\x04\x00\x00" + bytes([0, 0, 0x20, 0]) + b"\xff\xfb\x90\x00" * 1024
    tagged = tag.join([b"", *files]) + b"TAG" + bytes(125)
    np.testing.assert_array_equal(waveform(tagged), joined)


def test_joined_files_of_two_rates_are_an_error(clip):
    data = encoded(clip, "ogg", 44100) + encoded(clip, "ogg", 48000)
    with pytest.raises(AudioDecodeError, match="joins recordings of 44100 and 48000 Hz"):
        waveform(data)


@pytest.mark.parametrize("suffix", [*CHUNKED, "flac", "ogg", "opus"])
def test_a_tag_in_front_costs_no_samples(clip, suffix):
    """libsndfile alone leaves out as many bytes of a wav or AIFF at its end."""
    data = encoded(clip[:SR], suffix, rate(suffix))
    tag = b"ID3\x04\x00\x00" + bytes([0, 0, 1, 0]) + bytes(128)
    np.testing.assert_array_equal(waveform(tag + data), waveform(data))


@pytest.mark.parametrize("suffix", ["ogg", "flac"])
def test_a_stream_joined_to_one_that_was_cut_is_read_too(clip, suffix):
    data = encoded(clip, suffix)
    cut = data[: len(data) // 2]
    with pytest.warns(TruncatedClipWarning):
        first = waveform(cut)
    with pytest.warns(TruncatedClipWarning):
        both = waveform(cut + data)
    assert len(both) == len(first) + len(clip)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_variable_mp3_without_a_count_has_every_sample_in_its_place(clip, channels):
    """The decoder alone reads the beginning right, and stops early."""
    data = encoded(np.stack([clip] * channels, axis=1), "vbr.mp3")
    bare = without_xing(data)
    alone, _ = soundfile.read(io.BytesIO(bare), dtype="float32", always_2d=True)
    ours = waveform(bare)
    assert 0 <= len(ours) - len(clip) < 3000
    n_samples = min(len(alone), 40000)
    np.testing.assert_allclose(ours[:n_samples], alone[:n_samples].mean(axis=1), rtol=0, atol=1e-6)
    # The whole, which has a count, begins later by the delays of encoder and decoder.
    whole = waveform(data)
    delay = len(clip) - len(whole) + 1105
    np.testing.assert_allclose(ours[delay:][: len(whole)][:-2000], whole[:-2000], atol=1e-3)


def stated(data, suffix, size):
    """The same file, whose chunk of samples, or whose head, states a size."""
    data = bytearray(data)
    if suffix == "flac":
        data[21:26] = bytes([data[21] & 0xF0]) + size.to_bytes(4, "big")
    elif suffix == "rf64":
        data[20:44] = size.to_bytes(24, "little")
    else:
        at = data.index({"wav": b"data", "aiff": b"SSND"}[suffix]) + 4
        data[at : at + 4] = size.to_bytes(4, {"wav": "little", "aiff": "big"}[suffix])
    return bytes(data)


@pytest.mark.parametrize("suffix", ["wav", "rf64", "aiff", "flac"])
def test_a_length_of_0_means_the_rest_of_the_file(clip, suffix):
    data = stated(pcm(clip, suffix), suffix, 0)
    found = waveform(data)
    assert 0 <= len(found) - len(clip) < 100
    # The eight bytes ahead of the samples of aiff are taken for samples.
    start = len(found) - len(clip) if suffix == "aiff" else 0
    np.testing.assert_allclose(found[start:][: len(clip)], clip, atol=2**-15)


def test_flac_frames_are_counted_and_not_believed(clip):
    data = pcm(clip, "flac")
    assert_is(stated(data, "flac", 10000), clip)
    assert_is(2 * stated(data, "flac", 0), np.tile(clip, 2))
    with pytest.warns(TruncatedClipWarning):
        assert_is(stated(data, "flac", len(clip) + 1), clip)


@pytest.mark.parametrize("size", [None, 0])
@pytest.mark.parametrize("n_samples", [4096, 9001])
def test_bytes_behind_a_flac_file_are_no_damage(clip, size, n_samples):
    data = pcm(clip[:n_samples], "flac")
    data = data if size is None else stated(data, "flac", size)
    assert_is(data + b"TAG" + bytes(125), clip[:n_samples])
    if size is None:
        assert_is(data + b"other bytes" * 99, clip[:n_samples])
    part, _ = read_audio(io.BytesIO(data + b"TAG" + bytes(125)), offset=0.05)
    assert len(part) == n_samples - round(0.05 * SR)


def test_a_cut_flac_is_read_from_an_offset_too(clip):
    data = pcm(clip, "flac")
    file = io.BytesIO(data[: len(data) // 2])
    with pytest.warns(TruncatedClipWarning):
        part, _ = read_audio(file, offset=1.0)
    np.testing.assert_allclose(part, clip[SR:][: len(part)], atol=2**-15)
    with pytest.raises(AudioDecodeError, match="ends before offset=5"):
        read_audio(file, offset=5)


def test_a_flac_that_is_damaged_in_its_middle_is_an_error(clip):
    data = encoded(np.tile(clip, 2), "flac")
    third = len(data) // 3
    with pytest.raises(AudioDecodeError, match="breaks off or is damaged"):
        waveform(data[:third] + bytes(20000) + data[third + 20000 :])


@pytest.mark.parametrize("suffix", ["wav", "aiff"])
@pytest.mark.parametrize("size", [0x7FFFF000, 0x7FFFFFDB, 2**31 - 1, 2**32 - 9, 2**32 - 1])
def test_sizes_that_programs_write_to_a_pipe_are_no_cut(clip, suffix, size):
    data = stated(pcm(clip, suffix), suffix, size)
    assert not find_recordings(Window(io.BytesIO(data)))[0].is_cut
    if suffix == "wav":
        assert_is(data, clip)


def test_an_empty_wav_with_other_chunks_stays_empty():
    with pytest.raises(AudioDecodeError, match="no samples"):
        waveform(encoded(np.zeros(0), "wav") + b"LIST" + struct.pack("<I", 4) + b"INFO")


@pytest.mark.parametrize("suffix", ["ogg", "opus"])
@pytest.mark.parametrize("page", [-1, 4])
def test_a_damaged_page_is_a_hole(clip, suffix, page):
    """A decoder leaves it out without an error, and does not know of the last ones."""
    data = bytearray(encoded(clip, suffix, rate(suffix)))
    pages = [found.start() for found in re.finditer(b"OggS", data)]
    data[pages[page] + 100] ^= 1
    with pytest.warns(TruncatedClipWarning, match="has holes"):
        found = waveform(data)
    assert 0.5 * len(clip) < len(found) < len(clip)


@pytest.mark.parametrize("wrong", [4000, -20000])
def test_an_rf64_file_without_the_chunk_of_sizes(clip, wrong):
    samples = np.round(clip[:10000] * 2**15).clip(-(2**15), 2**15 - 1).astype("<i2").tobytes()
    head = b"RF64\xff\xff\xff\xffWAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, SR, 2 * SR, 2, 16)
    data = head + b"data" + struct.pack("<I", len(samples) + wrong) + samples
    with pytest.warns(TruncatedClipWarning) if wrong > 0 else contextlib.nullcontext():
        assert_is(data, clip[:10000])


@pytest.mark.parametrize(
    ("suffix", "head", "step"), [("wav", 8, 2), ("rf64", 8, 2), ("w64", 24, 8)]
)
def test_samples_in_several_chunks(clip, suffix, head, step):
    data = pcm(clip, suffix)
    at = data.rindex(b"data", 0, 5000)
    start, half = at + head, len(clip)
    width = 8 if suffix == "w64" else 4

    def chunk(samples):
        size = len(samples) + (head if suffix == "w64" else 0)
        return data[at : at + head - width] + size.to_bytes(width, "little") + samples

    first, second = data[start : start + half], data[start + half : start + 2 * len(clip)]
    # Of an odd size, which is rounded up.
    other = bytearray(chunk(b"abcdefg")) + bytes(-7 % step)
    other[:4] = b"note"
    whole = data[:at] + chunk(first) + other + chunk(second)
    assert_is(whole, clip)
    with pytest.warns(TruncatedClipWarning):
        assert_is(whole[:-1000], clip[:-500])


def test_an_mp3_inside_a_wav_is_whole(clip):
    mp3 = without_xing(encoded(clip, "vbr.mp3"))
    head = struct.pack("<HHIIHHHHIHHH", 0x55, 1, SR, 16000, 1, 0, 12, 1, 2, 1152, 1, 1393)
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head
    body += b"data" + struct.pack("<I", len(mp3)) + mp3
    found = waveform(b"RIFF" + struct.pack("<I", len(body)) + body)
    assert 0 <= len(found) - len(clip) < 4000


@pytest.mark.parametrize(
    "data",
    [
        b"FORM\0\0\0\x40AIFF" + 2 * (b"SSND" + struct.pack(">I", 2) + b"ab"),
        b"FORM\0\0\x0f\xceAIFFCOMM\0\0\0\x12\x01\0AIFFCOMM\0\0\0\x12\0\x01\0\0\x07\xd0D\0\0\x0f\xa8",
        b"RIFF\xc4\x0f\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80>\0\0\0\x14\0\0\x02\0\x10\0\0\0\0A\0\0\0\0",
        # The next chunk begins where no system can look.
        b"RF64\xff\xff\xff\xffWAVEds64" + struct.pack("<IQQ", 28, 0, 2**63 + 5) + bytes(12)
        + b"data\xff\xff\xff\xff" + bytes(50),
        b"riff" + bytes(36) + b"data" + bytes(12) + struct.pack("<Q", 2**63 + 5) + bytes(50),
    ],
)  # fmt: skip
def test_sizes_that_cannot_be(data):
    for recording in find_recordings(Window(io.BytesIO(data))):
        assert all(isinstance(p, bytes) or 0 <= p.start <= p.stop for p in recording.pieces)
    with pytest.raises(AudioDecodeError):
        waveform(data)


def test_an_mp3_cut_in_its_first_frame(clip):
    with pytest.raises(AudioDecodeError):
        waveform(encoded(clip, "mp3")[:300])


EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 12), st.binary(max_size=12)), min_size=1, max_size=8
)


@given(suffix=st.sampled_from(["mp3", "ogg", "flac", *CHUNKED]), edits=EDITS, data=st.data())
def test_the_segments_of_any_bytes_are_found(sources, suffix, edits, data):
    """Bytes put in, left out and changed, anywhere and above all in the header."""
    content = bytearray(sources[suffix])
    for place, n_removed, added in edits:
        scope = data.draw(st.sampled_from([64, len(content)]))
        at = int(place * min(scope, len(content)))
        content[at : at + n_removed] = added
    file = io.BytesIO(bytes(content))
    for recording in find_recordings(Window(file)):
        length = sum(len(p) if isinstance(p, bytes) else p.stop - p.start for p in recording.pieces)
        assert len(RecordingFile(file, recording).read()) == (length or len(content))


@pytest.fixture(scope="module")
def sources(clip):
    """Two joined files of each kind, the first without a length where that can be."""
    made = {suffix: 2 * encoded(clip[:4000], suffix) for suffix in ("ogg", *CHUNKED)}
    mp3 = encoded(clip[-8000:], "vbr.mp3")
    flac = stated(encoded(clip[:4000], "flac"), "flac", 0)
    return {**made, "flac": 2 * flac, "mp3": without_xing(mp3) + mp3}


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg", "aiff", "mp4"])
@pytest.mark.filterwarnings("ignore")
def test_damaged_bytes_are_finite_samples_or_one_kind_of_error(clip, suffix):
    data = bytearray(encoded(clip[:SR], suffix))
    rng = np.random.default_rng(0)
    for _ in range(10):
        damaged = data.copy()
        for at in rng.integers(0, len(data), 20):
            damaged[at] = rng.integers(256)
        with contextlib.suppress(AudioDecodeError):
            assert np.isfinite(waveform(damaged[: rng.integers(1, len(data))])).all()

"""Files that state the size of their samples: 0, too much, or a guess."""

import contextlib
import io
import struct

import numpy as np
import pytest

from skmer.audio import read_audio
from skmer.audio.containers import find_parts
from skmer.exceptions import AudioDecodeError, TruncatedClipWarning
from tests.audio.encoding import SR, encoded, variable_mp3, without_xing, write

SIZED = ["au", "caf", "nist", "rf64", "svx", "voc", "w64"]


def pcm(audio, suffix):
    return encoded(audio, suffix, subtype="PCM_16")


@pytest.mark.parametrize("suffix", SIZED)
def test_files_of_one_size_that_are_cut_or_whole(tmp_path, clip, suffix):
    data = pcm(clip, suffix)
    assert len(read_audio(write(tmp_path, f"whole.{suffix}", data))[0]) == len(clip)
    path = write(tmp_path, f"cut.{suffix}", data[: len(data) // 2])
    with pytest.warns(TruncatedClipWarning, match=rf"cut\.{suffix}.*ends before"):
        waveform, _ = read_audio(path)
    np.testing.assert_allclose(waveform, clip[: len(waveform)], atol=2**-15)
    assert len(waveform) > 0.4 * len(clip)


@pytest.mark.parametrize("suffix", SIZED)
def test_joined_files_of_one_size_hold_sound_alone(tmp_path, clip, suffix):
    parts = clip[:5000], clip[5000:12000], clip[12000:]
    path = write(tmp_path, f"a.{suffix}", b"".join(pcm(part, suffix) for part in parts))
    np.testing.assert_allclose(read_audio(path)[0], clip, atol=2**-15)
    waveform, _ = read_audio(path, offset=0.25, duration=0.5)
    np.testing.assert_allclose(waveform, clip[SR // 4 :][: SR // 2], atol=2**-15)


@pytest.mark.parametrize("suffix", ["au", "flac"])
def test_more_samples_than_stated_are_read(tmp_path, clip, suffix):
    data = bytearray(pcm(clip, suffix))
    at = {"au": slice(8, 12), "flac": slice(22, 26)}[suffix]
    data[at] = (10000).to_bytes(4, "big")
    np.testing.assert_allclose(
        read_audio(write(tmp_path, f"a.{suffix}", data))[0], clip, atol=2**-15
    )


@pytest.mark.parametrize("suffix", ["wav", "aiff"])
@pytest.mark.parametrize("size", [0x7FFFF000, 0x7FFFFFDB, 2**31 - 1, 2**32 - 9, 2**32 - 1])
def test_sizes_that_programs_write_to_a_pipe_are_no_cut(tmp_path, clip, suffix, size):
    data = bytearray(pcm(clip, suffix))
    at = data.index({"wav": b"data", "aiff": b"SSND"}[suffix]) + 4
    data[at : at + 4] = size.to_bytes(4, {"wav": "little", "aiff": "big"}[suffix])
    assert not find_parts(io.BytesIO(data))[0].is_cut
    if suffix == "wav":
        waveform, _ = read_audio(write(tmp_path, "a.wav", data))
        np.testing.assert_allclose(waveform[: len(clip)], clip, atol=2**-15)


@pytest.mark.parametrize("wrong", [4000, -20000])
def test_an_rf64_file_without_the_chunk_of_sizes(tmp_path, clip, wrong):
    samples = np.round(clip[:10000] * 2**15).clip(-(2**15), 2**15 - 1).astype("<i2").tobytes()
    head = b"RF64\xff\xff\xff\xffWAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, SR, 2 * SR, 2, 16)
    size = len(samples) + wrong
    path = write(tmp_path, "a.rf64", head + b"data" + struct.pack("<I", size) + samples)
    with pytest.warns(TruncatedClipWarning) if size else contextlib.nullcontext():
        np.testing.assert_allclose(read_audio(path)[0], clip[:10000], atol=2**-15)


@pytest.mark.parametrize(
    ("suffix", "head", "ahead", "step"),
    [("wav", 8, 0, 2), ("rf64", 8, 0, 2), ("w64", 24, 0, 8), ("caf", 12, 4, 1)],
)
def test_samples_in_several_chunks(tmp_path, clip, suffix, head, ahead, step):
    data = pcm(clip, suffix)
    at = data.rindex(b"data", 0, 5000)
    start, half = at + head + ahead, len(clip)
    order = "big" if suffix == "caf" else "little"
    width = 4 if suffix in ("wav", "rf64") else 8

    def chunk(samples):
        name = data[at : at + head - width]
        size = len(samples) + ahead + (head if suffix == "w64" else 0)
        return name + size.to_bytes(width, order) + bytes(ahead) + samples

    first, second = data[start : start + half], data[start + half : start + 2 * len(clip)]
    # Of an odd size, which is rounded up.
    other = bytearray(chunk(b"abcdefg")) + bytes(-7 % step)
    other[:4] = b"note"
    body = chunk(first) + other + chunk(second)
    waveform, _ = read_audio(write(tmp_path, f"a.{suffix}", data[:at] + body))
    np.testing.assert_allclose(waveform, clip, atol=2**-15)
    path = write(tmp_path, f"b.{suffix}", (data[:at] + body)[:-1000])
    with pytest.warns(TruncatedClipWarning):
        np.testing.assert_allclose(read_audio(path)[0], clip[:-500], atol=2**-15)


def voc(*blocks):
    body = b"".join(
        bytes([code]) + len(block).to_bytes(3, "little") + block for code, block in blocks
    )
    return b"Creative Voice File\x1a" + struct.pack("<HHH", 26, 0x10A, 0x1129) + body + b"\0"


def test_a_voc_file_of_several_blocks(tmp_path, clip):
    samples = np.round(clip[:9000] * 2**15).clip(-(2**15), 2**15 - 1).astype("<i2").tobytes()
    new = struct.pack("<IBBHI", SR, 16, 1, 4, 0)
    blocks = (9, new + samples[:4000]), (5, b"a text\0"), (2, samples[4000:9000])
    path = write(tmp_path, "a.voc", voc(*blocks, (9, new + samples[9000:])))
    waveform, sr = read_audio(path)
    assert sr == SR
    np.testing.assert_allclose(waveform, clip[:9000], atol=2**-15)
    # Two of 8 bits, whose head states 256 - 10**6 / rate; the first with one ahead for two channels.
    halves = np.round(clip[:8000] * 127 + 128).astype("u1").tobytes()
    wide = struct.pack("<HBB", 65536 - 256_000_000 // 44000, 0, 1)
    path = write(
        tmp_path, "b.voc", voc((8, wide), (1, b"\xd3\0" + halves[:4000]), (2, halves[4000:]))
    )
    waveform, sr = read_audio(path)
    assert 21900 < sr < 22100
    np.testing.assert_allclose(waveform, clip[:8000].reshape(-1, 2).mean(axis=1), atol=0.01)
    path = write(tmp_path, "c.voc", voc((1, b"\xd3\0" + halves), (1, b"\xa6\0" + halves)))
    with pytest.raises(AudioDecodeError, match="joins parts of 22222 and 11111 Hz"):
        read_audio(path)


@pytest.mark.parametrize("suffix", ["au", "rf64"])
def test_files_of_a_size_of_0_are_read_to_their_end(tmp_path, clip, suffix):
    data = bytearray(encoded(clip, suffix, subtype="PCM_16"))
    at = {"au": slice(8, 12), "rf64": slice(20, 44)}[suffix]
    data[at] = bytes(at.stop - at.start)
    waveform, _ = read_audio(write(tmp_path, f"a.{suffix}", data))
    np.testing.assert_allclose(waveform[: len(clip)], clip, atol=2**-15)
    assert len(waveform) - len(clip) < 100


def test_a_chunk_that_states_more_than_there_are_files(clip):
    data = bytearray(encoded(clip[:100], "w64", subtype="PCM_16"))
    data[56:64] = b"\xff" * 7 + b"\x7e"
    assert len(find_parts(io.BytesIO(data))) == 1


def test_an_mp3_inside_a_wav_is_whole(tmp_path, clip):
    mp3 = without_xing(variable_mp3(clip))
    head = struct.pack("<HHIIHHHHIHHH", 0x55, 1, SR, 16000, 1, 0, 12, 1, 2, 1152, 1, 1393)
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head
    body += b"data" + struct.pack("<I", len(mp3)) + mp3
    path = write(tmp_path, "a.wav", b"RIFF" + struct.pack("<I", len(body)) + body)
    waveform, _ = read_audio(path)
    assert 0 <= len(waveform) - len(clip) < 4000


@pytest.mark.parametrize(
    "data",
    [
        # Blocks and chunks that are shorter than what is ahead of their samples.
        voc((9, struct.pack("<IBBHI", SR, 16, 1, 4, 0)), (9, b"abc"), (9, b"")),
        b"FORM\0\0\0\x40AIFF" + 2 * (b"SSND" + struct.pack(">I", 2) + b"ab"),
        b"caff\0\1\0\0" + 2 * (b"data" + struct.pack(">q", 1) + b"a"),
        # The next one begins where no system can look.
        b"RF64\xff\xff\xff\xffWAVEds64" + struct.pack("<IQQ", 28, 0, 2**63 + 5) + bytes(12)
        + b"data\xff\xff\xff\xff" + bytes(50),
        b"riff" + bytes(36) + b"data" + bytes(12) + struct.pack("<Q", 2**63 + 5) + bytes(50),
    ],
)  # fmt: skip
def test_sizes_that_cannot_be(tmp_path, data):
    for part in find_parts(io.BytesIO(data)):
        assert all(isinstance(p, bytes) or 0 <= p.start <= p.stop for p in part.pieces)
    with pytest.raises(AudioDecodeError):
        read_audio(write(tmp_path, "a", data))


def test_an_mp3_cut_in_its_first_frame(tmp_path, clip):
    with pytest.raises(AudioDecodeError):
        read_audio(write(tmp_path, "a.mp3", encoded(clip, "mp3")[:300]))
